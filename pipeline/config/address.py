"""Addresses that a secret is sent to: https, or a server of this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pipeline.config.environment import SettingError, environment

HOSTS = "PLAIN_HTTP_HOSTS"


def check_address(url: str, setting: str) -> str:
    """Return `url` if nobody on the way can read what is sent to it. Raises SettingError, which names `setting`.

    PLAIN_HTTP_HOSTS names hosts that http is permitted for, such as a service on a private network of Docker. The
    message shows the scheme and the host only: a path or a user name can be a secret.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.scheme not in ("http", "https"):
        raise SettingError(f"{setting} is not an address: it must begin with https:// and name a host")
    if parts.scheme == "https" or is_loopback(host) or host in environment().get(HOSTS, "").replace(",", " ").split():
        return url
    raise SettingError(
        f"{setting} begins with http://{host}: others on the network could read the tokens and passwords that are sent"
        f" to it. Write an address that begins with https://; or, if the network is private, name the host in {HOSTS}"
    )


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

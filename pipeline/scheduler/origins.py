"""Which requests luigid answers: for its own host names, and from its own pages.

A browser sends a request of any web page to luigid, which has no password. Three headers tell such requests apart:

Host            names another host after DNS rebinding: a page of evil.example whose name now resolves to 127.0.0.1.
Origin          the origin of the page, in every POST and in every fetch() across origins.
Sec-Fetch-Site  same-origin, same-site (another port), cross-site, or none (typed by the user). An <img> has this header
                and no Origin. Browsers send it to https and to loopback addresses only.

Luigi's RPC client and curl send none of the last two.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import luigi.server
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

# The other methods of Luigi's RPC change the state of luigid. get_scheduler_message_response removes the message.
READS = {
    "dep_graph",
    "fetch_error",
    "get_running_task_resources",
    "get_task_progress_percentage",
    "get_task_status_message",
    "graph",
    "has_task_history",
    "inverse_dep_graph",
    "is_pause_enabled",
    "is_paused",
    "resource_list",
    "task_list",
    "task_search",
    "worker_list",
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
EVERY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104  compared with, not bound
HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]+)?", re.IGNORECASE)


def host_names(address: str, urls: list[str]) -> set[str]:
    """The names that `Host` may have: of this machine, of the address that luigid listens on, and in `urls`."""
    named = {urlsplit(url).hostname or "" for url in urls}
    return (LOOPBACK | {address.lower()} | named) - EVERY_ADDRESS


def origins_of(urls: list[str]) -> set[str]:
    parts = [urlsplit(url) for url in urls]
    return {f"{part.scheme}://{part.netloc.rpartition('@')[2]}".lower() for part in parts if part.netloc}


def refusal(handler: RequestHandler, names: set[str], origins: set[str]) -> str | None:
    """Why luigid does not answer the request; None if it does.

    `origins`: where luigid is behind a proxy, its pages have an origin that `Host` does not name.
    """
    request = handler.request
    headers = request.headers
    host = headers.get("Host", "")
    match = HOST.fullmatch(host)
    if match is None or (match["ipv6"] or match["name"]).lower() not in names:
        return "Host is not configured: name it in LUIGI_VISUALISER_URL or with --host"
    origin, site = headers.get("Origin", "").lower(), headers.get("Sec-Fetch-Site")
    if origin and origin not in {f"http://{host}".lower(), f"https://{host}".lower(), *origins}:
        return "Origin is another web page"
    is_call = isinstance(handler, luigi.server.RPCHandler)
    if site not in (None, "same-origin", "none") and (is_call or not _is_link(request.method, headers)):
        return "Sec-Fetch-Site is another web page"
    if not is_call or handler.path_args[0] in READS:
        return None
    # A page's <img>, and an address that somebody was talked into opening, cannot be told from a call by the user. Only
    # the scripts of luigid's own pages send X-Requested-With: across origins a browser asks for permission first.
    from_own_page = site == "same-origin" or (site is None and "X-Requested-With" in headers)
    from_luigi = site is None and request.method == "POST"
    return None if from_own_page or from_luigi else "a call by GET from outside the visualiser changes nothing"


def _is_link(method: str | None, headers: HTTPHeaders) -> bool:
    """Whether the user follows a link, from Slack for instance: the page that has the link cannot read what opens."""
    opens = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    return opens and method in ("GET", "HEAD")

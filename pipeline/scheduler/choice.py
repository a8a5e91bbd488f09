"""Which luigi.cfg and which scheduler a run uses, decided when `luigi --module pipeline` imports the package."""

from __future__ import annotations

import contextlib
import http.client
import logging
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import luigi.configuration
import luigi.interface
import luigi.rpc

from pipeline.config import PROJECT, check_address, environment
from pipeline.scheduler.remote import RemoteScheduler
from pipeline.whole_response import WholeResponse

logger = logging.getLogger("luigi-interface")
SECONDS_TO_ANSWER = 2
RPC_SETTINGS = ("connect_timeout", "retry_attempts", "retry_wait", "log_retries")


def read_luigi_cfg() -> None:
    """Use the project's luigi.cfg wherever the command was typed: Luigi itself looks only in the present folder, and
    without the file would report every failure as a success."""
    if Path.cwd() != PROJECT:
        luigi.configuration.add_config_path(str(PROJECT / "luigi.cfg"))


def choose_scheduler() -> None:
    """Run with the local scheduler unless a luigid is named: by flag, by luigi.cfg or by LUIGI_SCHEDULER_URL.

    Luigi's own default, a luigid on localhost, would make the plain command fail on a machine without one. And a luigid
    in LUIGI_SCHEDULER_URL that does not answer is done without: a visualiser that is down must not cost a play. (One
    that goes away later: remote.py.)
    """
    if sys.argv[0] == "-m":
        return  # `python -m pipeline …` runs no task
    luigi.rpc.RemoteScheduler = RemoteScheduler  # type: ignore[misc, assignment]
    # Luigi reads them beside its parameters, and would complain of each in every run, with its value.
    luigi.interface.core.ignore_unconsumed |= {f"rpc_{name}" for name in RPC_SETTINGS}
    luigi.interface.core.ignore_unconsumed |= {f"default_scheduler_{part}" for part in ("url", "host", "port")}
    luigi_cfg = luigi.configuration.get_config()
    url = environment().get("LUIGI_SCHEDULER_URL")
    if url and _is_private(url) and _answers(url):
        luigi_cfg.set("core", "default-scheduler-url", url)
    named = any(luigi_cfg.has_option("core", f"default-scheduler-{part}") for part in ("url", "host", "port"))
    flagged = any(re.match(r"--(core-)?(local-)?scheduler", word) for word in sys.argv[1:])
    if not (named or flagged):
        luigi_cfg.set("core", "local-scheduler", "true")


def _is_private(url: str) -> bool:
    """False, with a warning, if the password in the address would be sent over http."""
    try:
        if urlsplit(url).password:
            check_address(url, "LUIGI_SCHEDULER_URL")
    except ValueError as error:  # a SettingError is one
        logger.warning("luigid is not used, and this run schedules itself: %s", error)
        return False
    return True


class Refused(http.client.HTTPException):
    """luigid answers 403: its Host is not configured. The message has luigid's reason, with the setting."""


def _answers(url: str) -> bool:
    silence = why_silent(url)
    if silence:
        parts = urlsplit(url)
        where = f"{parts.hostname}:{parts.port}" if parts.password else url
        logger.warning("luigid does not answer at %s (%s); this run schedules itself", where, silence)
    return silence is None


def why_silent(url: str) -> Exception | None:
    """Why a run would do without the luigid at `url`; None where it answers."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        with contextlib.closing(kind(parts.hostname or "localhost", parts.port, timeout=SECONDS_TO_ANSWER)) as luigid:
            luigid.response_class = WholeResponse
            luigid.request("HEAD", parts.path or "/")
            answer = luigid.getresponse()
            if answer.status == http.HTTPStatus.FORBIDDEN:
                raise Refused(f"it refuses the request: {answer.reason}")
        return None
    except (OSError, http.client.HTTPException, ValueError) as error:
        return error

"""Which luigi.cfg and which scheduler a run uses, decided when `luigi --module pipeline` imports the package."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import luigi.configuration

from pipeline.config import PROJECT, environment


def read_luigi_cfg() -> None:
    """Use the project's luigi.cfg wherever the command was typed: Luigi itself looks only in the present folder, and
    without the file would report every failure as a success."""
    if Path.cwd() != PROJECT:
        luigi.configuration.add_config_path(str(PROJECT / "luigi.cfg"))


def choose_scheduler() -> None:
    """Run with the local scheduler unless a luigid is named: by flag, by luigi.cfg or by LUIGI_SCHEDULER_URL.

    Luigi's own default, a luigid on localhost, would make the plain command fail on a machine without one. And a luigid
    in LUIGI_SCHEDULER_URL that does not answer is done without: a visualiser that is down must not cost a play.
    """
    luigi_cfg = luigi.configuration.get_config()
    url = environment().get("LUIGI_SCHEDULER_URL")
    if url and _answers(url):
        luigi_cfg.set("core", "default-scheduler-url", url)
    named = any(luigi_cfg.has_option("core", f"default-scheduler-{part}") for part in ("url", "host", "port"))
    flagged = any(re.match(r"--(core-)?(local-)?scheduler", word) for word in sys.argv[1:])
    if not (named or flagged):
        luigi_cfg.set("core", "local-scheduler", "true")


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "localhost", parts.port or 80), timeout=2).close()
        return True
    except OSError as error:
        print(f"luigid does not answer at {url} ({error}); this run schedules itself", file=sys.stderr)
        return False

"""`python -m pipeline luigid`: Luigi's scheduler and visualiser."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "luigid",
        help="Luigi's visualiser, with the history of all tasks in PostgreSQL",
        epilog="Runs until Ctrl-C or SIGTERM. Slots are shown when LUIGI_SCHEDULER_URL names it, e.g."
        " http://localhost:8082/. luigid has no password: programs that reach it can read errors and switch runs"
        " off. It refuses other web pages and unknown host names: docs/luigid.md.",
    )
    parser.add_argument(
        "--address", default="127.0.0.1", help="to listen on; 127.0.0.1, this machine alone, if not given"
    )
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name that luigid answers to, beside localhost, --address and the hosts in"
        " LUIGI_SCHEDULER_URL and LUIGI_VISUALISER_URL; can be repeated",
    )
    parser.add_argument("--port", type=int, default=8082, help="8082 if not given")


def run(options: argparse.Namespace) -> int:
    from pipeline.scheduler.luigid import serve

    return serve(options.address, options.port, options.host)

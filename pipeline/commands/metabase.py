"""`python -m pipeline metabase`: the way into Metabase."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "metabase",
        help="the way into Metabase, for PublishDashboard",
        epilog="setup: the administrator of an empty Metabase, and a key for the pipeline, from METABASE_ADMIN_EMAIL"
        " and METABASE_ADMIN_PASSWORD. status: whether the key is let in. docs/metabase.md says more.",
    )
    parser.add_argument("action", choices=["setup", "status"], help="what to do")


def run(options: argparse.Namespace) -> int:
    from pipeline.visualize.metabase.errors import MetabaseError
    from pipeline.visualize.metabase.setup import say_status, set_up

    try:
        print(set_up() if options.action == "setup" else say_status())
    except MetabaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

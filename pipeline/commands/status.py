"""`python -m pipeline status`: whether all is well."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pipeline import config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "status",
        help="whether all is well: polls, gaps, consent, limits, dbt",
        epilog="Exit code: 0 nothing needs attention, 1 something does, 2 plays are or will be lost without you.",
    )
    parser.add_argument("--account", help="of one account; of all in [spotify] accounts if not given")
    parser.add_argument("--json", action="store_true", help="for scripts; moments in UTC")


def run(options: argparse.Namespace) -> int:
    from pipeline.extract.answers import utc_now
    from pipeline.status import gather
    from pipeline.status.screen import render

    settings = config.spotify()
    names = [config.AccountParameter().normalize(options.account)] if options.account else settings.account_names
    status = gather(config.storage().root, names, utc_now())
    print(
        json.dumps(status, indent=1) if options.json else render(status, config.listener().zone, settings.daily_calls)
    )
    return int(status["exit_code"])

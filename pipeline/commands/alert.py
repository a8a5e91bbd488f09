"""`python -m pipeline alert`: for cron/run.sh, how a slot ended."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("alert", help="tell Slack that a slot ended with an exit code (cron/run.sh does)")
    parser.add_argument("--slot", required=True, help="the slot, e.g. 2026-11-22T1430")
    parser.add_argument("--exit-code", type=int, required=True, help="what the run ended with")
    parser.add_argument("--log", required=True, help="where the run's log is")


def run(options: argparse.Namespace) -> int:
    from pipeline.alerts import tell_exit_code

    return 0 if tell_exit_code(options.slot, options.exit_code, options.log) else 1

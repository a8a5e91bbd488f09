"""`python -m pipeline doctor`: what is amiss with a set-up, and what to do."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="check a set-up step by step, and say what to do",
        epilog="Exit code: 0 slots can run, 1 something FAILED. Two calls of Spotify's an account are made.",
    )
    parser.add_argument("--offline", action="store_true", help="ask nobody on the network: no Spotify, Slack, Metabase")
    parser.add_argument("--tell", action="store_true", help="send Slack a message, to see that it arrives")


def run(options: argparse.Namespace) -> int:
    from pipeline.doctor import examine
    from pipeline.doctor.finding import FAILED, WARNING

    levels: Counter[str] = Counter()
    for name, finding in examine(options.offline, options.tell):
        levels[finding.level] += 1
        print(f"{finding.level:<8} {name:<14} {finding.sentence}", flush=True)
    if levels[FAILED]:
        print(f"\n{levels[FAILED]} FAILED, {levels[WARNING]} warnings: begin with the first.")
        return 1
    print(f"\nSlots can run; {levels[WARNING]} warnings." if levels[WARNING] else "\nAll is well.")
    return 0

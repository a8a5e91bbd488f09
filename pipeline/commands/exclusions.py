"""`python -m pipeline exclusions`: what the rules would remove."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    commands.add_parser(
        "exclusions",
        help="what the rules in dbt/seeds/exclusion_rules.csv would remove, before they count",
        epilog="Exit code: 0 every rule can be read, 1 one cannot. Rules count from the next slot on.",
    )


def run(options: argparse.Namespace) -> int:
    from pipeline.transform.dbt import DbtFailed
    from pipeline.transform.exclusions import NothingBuilt, preview

    try:
        screen, all_readable = preview()
    except (NothingBuilt, DbtFailed) as error:
        print(error, file=sys.stderr)
        return 1
    print(screen)
    return 0 if all_readable else 1

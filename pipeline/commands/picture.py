"""`python -m pipeline picture`: a Wrapped as a PNG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline import config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "picture",
        help="Wrapped of a year, quarter or month as a PNG to share",
        epilog="Letters need a font on this machine: Debian has fonts-noto-cjk and fonts-noto-color-emoji.",
    )
    parser.add_argument("--period", help="2026, 2026-Q3 or 2026-11; the year that is going on if not given")
    parser.add_argument("--account", help="whose; the first of [spotify] accounts if not given")
    parser.add_argument("--output", type=Path, help="the file; beside the account's dashboard if not given")


def run(options: argparse.Namespace) -> int:
    from pipeline.extract.files import write_atomic
    from pipeline.load.postgres import transaction
    from pipeline.visualize.cards import CardError
    from pipeline.visualize.picture import NoSuchPeriod, wrapped_picture
    from pipeline.visualize.render import page_path

    account = config.AccountParameter().normalize(options.account or config.spotify().account_names[0])
    with transaction() as connection:
        try:
            period, png = wrapped_picture(connection, account, options.period)
        except (NoSuchPeriod, CardError) as error:
            print(error, file=sys.stderr)
            return 1
    path = options.output or page_path(config.storage().root, account).with_name(f"wrapped-{period}.png")
    write_atomic(path.absolute(), png)
    print(path)
    return 0

"""`python -m pipeline export`: the whole history for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline import config

# Of the file in the current folder, when no --output is given.
NAME = "listening-history-{:%Y%m%dT%H%M%SZ}"
SUFFIX = {"parquet": ".parquet", "csv": ".csv", "listenbrainz": ".zip"}


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="the whole history as Parquet, as CSV, or for ListenBrainz",
        epilog="Parquet and CSV have every play; is_counted says which ones reports count, docs/backup.md what each"
        " column is. For ListenBrainz it is a zip for its page of imports, as an archive of its own: what ListenBrainz"
        " does not take is left out, and the receipt says what. Slots may run meanwhile.",
    )
    parser.add_argument("--format", choices=list(SUFFIX), required=True, help="which form")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the file, replaced if it is there; listening-history-<time>.<format> in the current folder if not given",
    )
    parser.add_argument("--account", help="of one account; of all if not given")
    parser.add_argument("--with-excluded", action="store_true", help="ListenBrainz: also what your rules take off")
    parser.add_argument("--with-private", action="store_true", help="ListenBrainz: also private sessions")


def run(options: argparse.Namespace) -> int:
    from pipeline.extract.answers import utc_now
    from pipeline.share.export import ExportDisagrees, export_history
    from pipeline.share.listenbrainz import Listens
    from pipeline.share.plays import NoHistory

    account = config.AccountParameter().normalize(options.account) if options.account else None
    output = options.output or Path(NAME.format(utc_now()) + SUFFIX[options.format])
    if output.is_dir():
        print(f"{output} is a folder: --output has to name a file", file=sys.stderr)
        return 1
    try:
        print(export_history(output, options.format, account, Listens(options.with_excluded, options.with_private)))
    except (NoHistory, ExportDisagrees) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or output}: {error.strerror}", file=sys.stderr)
    else:
        return 0
    return 1

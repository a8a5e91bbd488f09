"""`python -m pipeline backup`: data/ in one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline import config

NAME = "listening-history-{:%Y%m%dT%H%M%SZ}.tar.gz"
PATTERN = "listening-history-????????T??????Z.tar.gz"


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "backup",
        help="everything that cannot be made again, in one file",
        epilog="Slots may run meanwhile. The archive holds tokens: keep it to yourself (it has mode 0600). Exit code: 0"
        " the archive is there and whole, 1 it is not.",
    )
    parser.add_argument("--output", metavar="PATH", help="a file, or a folder; [storage] backup_dir if not given")
    parser.add_argument("--keep", type=_at_least_one, metavar="N", help="then delete all but the N latest beside it")
    parser.add_argument("--without-secrets", action="store_true", help="leave out tokens and Metabase's keys")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="make none; check every file of this one")


def run(options: argparse.Namespace) -> int:
    from pipeline.backup.contents import NotOneFolder
    from pipeline.backup.manifest import ArchiveRefused

    try:
        return _verify(options.verify) if options.verify else _write(options)
    except (ArchiveRefused, NotOneFolder) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or options.verify}: {error.strerror}", file=sys.stderr)
    return 1


def _write(options: argparse.Namespace) -> int:
    from pipeline.backup import receipt
    from pipeline.backup.archive import write_archive
    from pipeline.backup.contents import files_to_keep, other_files
    from pipeline.extract.answers import utc_now
    from pipeline.extract.files import named_lock
    from pipeline.folders import matching
    from pipeline.progress_line import ProgressLine

    data, now = config.storage().root, utc_now()
    path = Path(options.output or config.storage().backups).absolute()
    if path.is_dir() or not options.output or options.output.endswith("/"):
        path = path / NAME.format(now)
    elif options.keep:
        print("--keep goes with a folder, in which the names are dated: --output is to be one", file=sys.stderr)
        return 1
    if path.resolve().is_relative_to(data):
        print(f"{path} lies in the data folder: every backup would hold those before it", file=sys.stderr)
        return 1
    if not data.is_dir() or not any(True for _ in files_to_keep(data)):
        print(f"There is nothing to back up in {data} (DATA_DIR) yet.", file=sys.stderr)
        return 1
    progress = ProgressLine("packing")
    with named_lock(data, "backup"):
        for torn in matching(path.parent, f".{PATTERN}.tmp"):  # of a run that was killed
            torn.unlink()
        manifest = write_archive(
            path, data, now, not options.without_secrets, lambda done, total: progress.tell(done, total, "files")
        )
        # Only now that there is a new one.
        old = matching(path.parent, PATTERN)[: -options.keep] if options.keep else []
        for each in old:
            each.unlink()
    print(f"{path} ({receipt.size_in_words(path.stat().st_size)}): {receipt.describe(manifest)}")
    print(receipt.rows_by_account(manifest))
    if others := other_files(data):
        print(f"Mind: {receipt.skipped(others, 'in the backup')}")
    for each in old:
        print(f"deleted: {each}")
    return 0


def _verify(path: Path) -> int:
    from pipeline.backup import receipt
    from pipeline.backup.archive import check_archive
    from pipeline.progress_line import ProgressLine

    progress = ProgressLine("checking")
    manifest = check_archive(path, lambda done, total: progress.tell(done, total, "files"))
    print(f"{path} is whole, every file as its SHA-256 says: {receipt.describe(manifest)}")
    print(receipt.rows_by_account(manifest))
    return 0


def _at_least_one(word: str) -> int:
    if not word.isdigit() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no number from 1 on")
    return int(word)

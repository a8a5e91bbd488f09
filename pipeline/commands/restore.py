"""`python -m pipeline restore`: an archive becomes a data folder, a database and a page again."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from pipeline import config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "restore",
        help="a backup into an empty data folder, then database and page from it",
        epilog="A folder that holds a history is not touched. A restore that was interrupted goes on with the same"
        " command. Exit code: 0 all is restored and tested, 1 it is not.",
    )
    parser.add_argument("file", type=Path, help="what python -m pipeline backup has written")


def run(options: argparse.Namespace) -> int:
    from pipeline.backup.manifest import ArchiveRefused
    from pipeline.backup.receipt import skipped
    from pipeline.backup.restore import FolderNotEmpty, end_restore, files_not_restored, restore_files, what_differs
    from pipeline.progress_line import ProgressLine

    data, progress = config.storage().root, ProgressLine("restoring")
    try:
        manifest = restore_files(options.file, data, lambda done, total: progress.tell(done, total, "files"))
    except (ArchiveRefused, FolderNotEmpty) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or options.file}: {error.strerror}", file=sys.stderr)
        return 1
    others = files_not_restored(manifest)
    if others:
        print(f"Mind: {skipped(others, 'restored')}")
    print(f"{len(manifest.files) - len(others):,} files are back in {data}; now the database.", flush=True)
    if not _rebuild():
        return 1
    end_restore(data)
    differences = _print_receipt(options.file, manifest)
    for sentence in what_differs(options.file, manifest):
        print(f"Mind: {sentence}")
    return 1 if differences else 0


def _rebuild() -> bool:
    import luigi

    from pipeline.workflow import RebuildStaging

    logging.getLogger("luigi-interface").setLevel(logging.INFO)
    task: luigi.Task = RebuildStaging()  # type: ignore[no-untyped-call]
    if luigi.build([task], local_scheduler=True, log_level="INFO"):
        return True
    print(
        "The files are all restored, the database is not: see above what stopped it. When that is mended, run the same"
        " command again, or luigi --module pipeline RebuildStaging",
        file=sys.stderr,
    )
    return False


def _print_receipt(path: Path, manifest: Any) -> list[str]:
    from pipeline.backup import receipt
    from pipeline.load.postgres import transaction

    with transaction() as connection:
        differences = receipt.rows_that_differ(connection, manifest)
        print(f"\n{path} is restored: {receipt.describe(manifest)}\n")
        print(receipt.rows_by_account(manifest, receipt.plays_in_marts(connection)))
    print("\nChecked: every file has the SHA-256 of the manifest; all dbt tests have passed;")
    print("\n".join(differences) or "staging holds as many rows of every account and dataset as the files.")
    return differences

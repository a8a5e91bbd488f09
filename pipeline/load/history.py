"""CopyHistory: imported partitions and receipts in PostgreSQL."""

from __future__ import annotations

import datetime
import json
import logging
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extras import execute_values

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.datasets import HISTORY, PLAYS
from pipeline.extract.history.tasks import ExtractHistory, ImportTask
from pipeline.folders import matching
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import connect, transaction
from pipeline.load.staging import Loaded, Version, begin_load, load_new_partitions, record_versions, require_full_build

if TYPE_CHECKING:
    from pipeline.extract.history.progress import Progress
    from pipeline.extract.history.records import ImportRecord

logger = logging.getLogger("luigi-interface")


class CopyHistory(ImportTask):
    """Loads what ExtractHistory has put into partitions, with its receipt: all in one transaction. The rows of the
    receipt are the marker."""

    progress: Progress | None = None

    def requires(self) -> ExtractHistory:
        return ExtractHistory(export=self.export, account=self.account)

    def complete(self) -> bool:
        record = self.find_record()
        return record is not None and loaded_at(record) is not None

    def run(self) -> None:
        data = config.storage().root
        with transaction() as connection:
            begin_load(connection)
            # Every file is looked at: the receipt says of each row that it is there.
            history = load_new_partitions(connection, data, self.account, HISTORY, self._tell)
            plays = load_new_partitions(connection, data, self.account, PLAYS)
            load_new_imports(connection, data, self.account)
        rows = history.rows + plays.rows
        logger.info("%s: %s rows loaded from %d partitions", self.account, f"{rows:,}", history.partitions)
        if record := self.find_record():
            print_receipt(record)

    def _tell(self, done: int, total: int) -> None:
        from pipeline.extract.history.progress import Progress

        self.progress = self.progress or Progress(self, total, 0, 100)
        self.progress.tell(done, f"{done:,} of {total:,} days loaded")


def load_new_history(connection: Any, data: Path, account: str) -> Loaded:
    """Load the partitions of imported history that staging does not hold as they are now; the caller commits.

    A file that comes, goes or is replaced changes the folder of its month: looking at 120 folders instead of 3,650
    files keeps a slot without news short. What is edited in place is seen by the next import and by RebuildStaging.
    """
    root = data / HISTORY.name / f"account={account}"
    months = sorted(
        f"{folder.name}/{folder.parent.name} {folder.stat().st_mtime_ns}" for folder in matching(root, "????/??")
    )
    # Not the latest moment alone: a backup that is unpacked brings old ones.
    now = Version(account, f"{HISTORY.name}/account={account}", len(months), zlib.crc32("\n".join(months).encode()))
    with connection.cursor() as cursor:
        cursor.execute(
            "select size_bytes, modified_ns from staging.loaded_partitions where account = %s and path = %s",
            (account, now.path),
        )
        if not months or cursor.fetchone() == (now.size_bytes, now.modified_ns):
            return Loaded(0, 0)
        loaded = load_new_partitions(connection, data, account, HISTORY)
        record_versions(cursor, [now])
    return loaded


def load_new_imports(connection: Any, data: Path, account: str | None = None) -> int:
    """Load the records of imports that the table of receipts does not have, with the times they cover; of one account
    or of all. The caller commits. Returns how many."""
    from pipeline.extract.history.records import list_records, read_record

    with connection.cursor() as cursor:
        cursor.execute("select distinct account, imported_at from pipeline.imports")
        known = set(cursor.fetchall())
        records = [read_record(data, path, utc_now()) for path in list_records(data, account)]
        new = [record for record in records if record and (record.account, _moment(record)) not in known]
        for record in new:
            _insert(cursor, record)
        _correct_spans(cursor, [record for record in records if record])
    return len(new)


def _correct_spans(cursor: Any, records: list[ImportRecord]) -> None:
    """Make staging.history_spans agree with these records, as the present rules read them: a record of an older version
    of the program can cover less than it did. A span without a record stays."""
    stated = {
        (record.account, *map(datetime.datetime.fromisoformat, span), record.export, _moment(record))
        for record in records
        for span in record.spans
    }
    recorded = {(record.account, _moment(record)) for record in records}
    cursor.execute("select account, begins_at, ends_at, source, imported_at from staging.history_spans")
    held = set(cursor.fetchall())
    wrong = [span for span in held - stated if (span[0], span[4]) in recorded]
    for account, begins_at, ends_at, source, imported_at in wrong:
        cursor.execute(
            "delete from staging.history_spans where account = %s and begins_at = %s and ends_at = %s and source = %s",
            (account, begins_at, ends_at, source),
        )
        logger.warning(
            "%s: the import of %s on %s no longer covers the time from %s to %s, and gaps in it are open again: an"
            " older version of this program may have joined years between which a file was missing. Import the same"
            " export again",
            *(account, source, f"{imported_at:%Y-%m-%d}", f"{begins_at:%Y-%m-%d}", f"{ends_at:%Y-%m-%d}"),
        )
    changed = len(wrong)
    if new := sorted(stated - held):
        execute_values(cursor, "insert into staging.history_spans values %s on conflict do nothing", new)
        changed += cursor.rowcount
    if changed:
        # Models compare the covered times with the plays, and no new row may start them.
        require_full_build(cursor)


def reload_all_imports(connection: Any, data: Path) -> int:
    """Empty the tables of receipts and of covered times, and load every record; the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute("truncate pipeline.imports, staging.history_spans")
    return load_new_imports(connection, data)


def repeat_import(record: ImportRecord, not_read: tuple[str, ...]) -> None:
    """The receipt of the same export once more: everything is there already. `not_read`: of the export as it is now."""
    from pipeline.extract.history.records import repeated, write_record

    data, again = config.storage().root, repeated(record, not_read, utc_now())
    write_record(data, again)
    with transaction() as connection:
        begin_load(connection)
        load_new_partitions(connection, data, record.account, HISTORY)
        load_new_imports(connection, data, record.account)
    logger.info("%s: this export was imported before, on %s", record.account, record.imported_at)
    print_receipt(again)


def loaded_at(record: ImportRecord) -> datetime.datetime | None:
    """When the receipt came into the database; None where it is not there, or the database cannot be asked."""
    try:
        connection = connect()
    except DatabaseError as error:
        logger.warning("the import is taken as not loaded: %s", error)
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select max(loaded_at) from pipeline.imports where account = %s and imported_at = %s",
                (record.account, record.imported_at),
            )
            found: datetime.datetime | None = cursor.fetchone()[0]
            return found
    except psycopg2.errors.UndefinedTable:
        return None
    finally:
        connection.close()


def print_receipt(record: ImportRecord) -> None:
    """On the terminal."""
    from pipeline.extract.history.receipt import format_receipt

    lines = [f"{record.export}, imported for {record.account}:", "", format_receipt(record.files)]
    for begin, end in record.spans:
        lines.append(f"It covers the time from {begin[:10]} to {end[:10]} (UTC): gaps of the ledger in it are closed.")
    lines += record.remarks
    if record.not_read:
        lines.append(
            f"not read, though it looks like plays: {', '.join(record.not_read)}. The name is none of an extended"
            " streaming history; to import such a file, give it alone to --export"
        )
    print("\n" + "\n".join(lines) + "\n", flush=True)


def _moment(record: ImportRecord) -> datetime.datetime:
    return datetime.datetime.fromisoformat(record.imported_at)


def _insert(cursor: Any, record: ImportRecord) -> None:
    now = utc_now()
    execute_values(
        cursor,
        "insert into pipeline.imports values %s",
        [
            (
                record.account,
                record.imported_at,
                number,
                record.export,
                record.digest,
                file.file,
                *file.numbers,
                json.dumps(file.skipped),
                now,
            )
            for number, file in enumerate(record.files)
        ],
    )

"""The ledger: records of polls into staging.polls, one row for each that was made or could not be made."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from psycopg2.extras import execute_values

from pipeline.extract.records import Record, outcome
from pipeline.load.staging import Version, record_versions

logger = logging.getLogger("luigi-interface")
COLUMNS = (
    "account",
    "fetched_at",
    "slot",
    "outcome",
    "items",
    "new_plays",
    "skipped",
    "unreadable",
    "oldest",
    "newest",
    "overlap",
    "late_from",
    "calls_used",
    "reason",
    "paused_until",
    "token_days_left",
    "raw",
    "record",
)
# Of outcomes that stay: a slot that was paused can be run again, and its record then says more.
FINAL = ("polled", "failed")


def load_new_polls(connection: Any, data: Path, account: str) -> int:
    """Load the records that the ledger does not have; the caller commits. Returns how many rows it has gained.

    Records lie in a folder per month, so a look at the folders whose content has changed, and at the newest, is enough
    however long the history is.
    """
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "select path, modified_ns from staging.loaded_partitions"
            " where account = %s and path >= 'polls/' and path < 'polls0'",
            (account,),
        )
        held = dict(cursor.fetchall())
        months = list(_months(data, account))
        for month in months:
            if held.get(month.path) != month.modified_ns or month is months[-1]:
                rows += _load_month(cursor, data, month)
                record_versions(cursor, [month])
    return rows


def reload_all_polls(connection: Any, data: Path) -> int:
    """Empty the ledger and load every record of every account; the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute("truncate staging.polls")
        return sum(_load_month(cursor, data, month) for month in _months(data))


def _months(data: Path, account: str | None = None) -> Iterator[Version]:
    for folder in sorted((data / "polls").glob(f"account={account or '*'}/????/??")):
        name = str(folder.relative_to(data))
        yield Version(name.split("/")[1].removeprefix("account="), name, 0, folder.stat().st_mtime_ns)


def _load_month(cursor: Any, data: Path, month: Version) -> int:
    cursor.execute(
        "select record from staging.polls where account = %s and record >= %s and record < %s and outcome = any(%s)",
        (month.account, f"{month.path}/", f"{month.path}0", list(FINAL)),
    )
    known = {record for (record,) in cursor.fetchall()}
    paths = (
        path for path in sorted((data / month.path).glob("[!.]*.json")) if f"{month.path}/{path.name}" not in known
    )
    return _insert(cursor, (row for path in paths for row in _rows(path, data)))


def _rows(path: Path, data: Path) -> Iterator[tuple[Any, ...]]:
    try:
        record: Record = json.loads(path.read_bytes())
        account, name = record["account"], str(path.relative_to(data))
        earlier = record.get("earlier", [])
        for poll in (
            record,
            *record.get("recovered", []),
            *earlier,
            *(r for e in earlier for r in e.get("recovered", [])),
        ):
            yield (
                account,
                poll["fetched_at"],
                poll.get("slot", record["slot"]),
                outcome(poll),
                *(poll.get(column) for column in ("items", "new_plays")),
                len(poll.get("skipped", [])),
                *(poll.get(column) for column in ("unreadable", "oldest", "newest", "overlap", "late_from")),
                poll.get("calls", 0),
                poll.get("reason") or None,
                *(poll.get(column) for column in ("paused_until", "token_days_left", "raw")),
                name,
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The plays of that poll are in the partitions; only what the poll was like is lost.
        logger.error(
            "%s is no record of a poll (%s); delete it or restore it from a backup", path, type(error).__name__
        )


def _insert(cursor: Any, rows: Iterable[tuple[Any, ...]]) -> int:
    statement = (
        f"insert into staging.polls ({', '.join(COLUMNS)}) values %s on conflict (account, fetched_at) do nothing"
        " returning 1"
    )
    return len(execute_values(cursor, statement, rows, page_size=1000, fetch=True))

"""The ledger: records of polls into staging.polls, one row for each that was made or could not be made."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from psycopg2.extras import execute_values

from pipeline.extract.answers import utc_now
from pipeline.extract.records import Record, outcome, read_record
from pipeline.folders import matching
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
    "new_unreadable",
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
# In the text of a damaged record: the pages that it names (its own is a key of the outermost object), and an outcome
# without a page.
RAW = re.compile(rb'(\n *)"raw": "raw/recently_played/account=[a-z0-9_-]+/(\d{4}/\d\d/\d{8}T\d{6}\.\d{6}Z\.json\.gz)"')
OWN = b"\n "
NOT_POLLED = re.compile(rb'\n "outcome": "(?:paused|consent_ended|failed)"')
REREAD = "the record was damaged: the page was read again"
LOST = "the record was damaged, and its page is not known"
SLOT, SLOT_LASTS = "%Y-%m-%dT%H%M", datetime.timedelta(minutes=30)
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
    for folder in matching(data / "polls", f"account={account or '*'}/????/??"):
        name = str(folder.relative_to(data))
        yield Version(name.split("/")[1].removeprefix("account="), name, 0, folder.stat().st_mtime_ns)


def _load_month(cursor: Any, data: Path, month: Version) -> int:
    cursor.execute(
        "select record from staging.polls where account = %s and record >= %s and record < %s and outcome = any(%s)",
        (month.account, f"{month.path}/", f"{month.path}0", list(FINAL)),
    )
    known = {record for (record,) in cursor.fetchall()}
    now = utc_now()
    paths = [path for path in matching(data / month.path, "[!.]*.json") if f"{month.path}/{path.name}" not in known]
    rows = [row for path in paths for row in _rows(path, data, month.account, now)]
    # Listed last: reading sets files aside.
    for path in matching(data / month.path, "[!.]*.json*.damaged"):
        if f"{month.path}/{path.name}" not in known and ".failed." not in path.name:
            rows += _stand_ins(cursor, path, data, month.account, now)
    return _insert(cursor, rows)


def _rows(path: Path, data: Path, account: str, now: datetime.datetime) -> Iterator[tuple[Any, ...]]:
    record = read_record(data, path, now)
    if record is None:
        return
    earlier = record.get("earlier", [])
    for poll in (record, *record.get("recovered", []), *earlier, *(r for e in earlier for r in e.get("recovered", []))):
        yield _row(account, poll, poll.get("slot", record["slot"]), str(path.relative_to(data)))


def _row(account: str, poll: Record, slot: str, name: str) -> tuple[Any, ...]:
    return (
        account,
        poll["fetched_at"],
        slot,
        outcome(poll),
        *(poll.get(column) for column in ("items", "new_plays")),
        len(poll.get("skipped", [])),
        *(poll.get(column) for column in ("unreadable", "new_unreadable", "oldest", "newest", "overlap", "late_from")),
        poll.get("calls", 0),
        poll.get("reason") or None,
        *(poll.get(column) for column in ("paused_until", "token_days_left", "raw")),
        name,
    )


def _stand_ins(cursor: Any, path: Path, data: Path, account: str, now: datetime.datetime) -> Iterator[tuple[Any, ...]]:
    """Rows in place of a damaged record. Without them the gap that its page may have shown would count as complete.

    The pages that it names are read again from data/raw. If it does not name its own page, the time since the poll
    before is a gap, which a data export closes. A row that was loaded before the damage stays.
    """
    from pipeline.extract.errors import PartitionDamaged, UnexpectedAnswer
    from pipeline.extract.poll import reread_page

    slot = datetime.datetime.strptime(path.name[:15], SLOT).replace(tzinfo=datetime.UTC)
    name, written = str(path.relative_to(data)), path.lstat().st_mtime
    content = path.read_bytes() if path.is_file() else b""
    own_page = False
    pages = {found.group(2): found.group(1) for found in reversed(list(RAW.finditer(content)))}
    for page_name, indentation in pages.items():
        page = data / f"raw/recently_played/account={account}/{page_name.decode()}"
        try:
            poll = {**reread_page(page, data, account), "outcome": "polled", "reason": REREAD}
        except (UnexpectedAnswer, PartitionDamaged, OSError, ValueError) as error:
            logger.warning("%s: the page cannot be read again: %s", name, error)
            continue
        if datetime.datetime.fromisoformat(poll["fetched_at"]) > now:
            poll["fetched_at"] = poll["newest"] or now.isoformat()  # of a clock that was wrong; Spotify's is right
        own_page = own_page or indentation == OWN
        yield _row(account, poll, f"{slot:%Y-%m-%dT%H:%MZ}", name)
    if own_page or NOT_POLLED.search(content) or slot > now:
        return
    original = name.partition(".json")[0] + ".json"
    cursor.execute(
        "select from staging.polls where account = %s and record = %s and fetched_at <= to_timestamp(%s)",
        (account, original, written + 60),
    )
    if cursor.fetchone() is None:
        # A past slot that was run by hand is polled later, and a copied file is younger: then there are two gaps.
        moment, end = datetime.datetime.fromtimestamp(written, datetime.UTC), slot + SLOT_LASTS
        for each in {moment} if slot <= moment <= end else {moment, end}:
            at = min(each, now).isoformat()
            lost = {"fetched_at": at, "outcome": "polled", "oldest": at, "newest": at, "overlap": False, "reason": LOST}
            yield _row(account, lost, f"{slot:%Y-%m-%dT%H:%MZ}", name)


def _insert(cursor: Any, rows: Iterable[tuple[Any, ...]]) -> int:
    statement = (
        f"insert into staging.polls ({', '.join(COLUMNS)}) values %s on conflict (account, fetched_at) do nothing"
        " returning 1"
    )
    return len(execute_values(cursor, statement, rows, page_size=1000, fetch=True))

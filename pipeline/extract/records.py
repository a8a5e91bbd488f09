"""Records of polls, one file a slot: what was asked, what came, and why not. The ledger is loaded from them.

    data/polls/account=<a>/YYYY/MM/<slot>.json                  the slot's poll, or why none was made
    data/polls/account=<a>/YYYY/MM/<slot>.failed.<moment>.json  an attempt that failed; the slot can be run again

Outcomes: `polled` (Spotify answered with a page), `paused` and `consent_ended` (Spotify was not to be asked), `failed`.
A record can hold others: `recovered`, pages that an earlier run fetched and could not merge; `earlier`, what the slot's
record said before it was run again.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from pipeline.extract.files import write_atomic

Record = dict[str, Any]
LOOKED_AT = 5  # young files, of which the youngest record is taken: a restored backup has mixed up their times


def folder(data: Path, account: str) -> Path:
    return data / "polls" / f"account={account}"


def record_path(data: Path, account: str, slot: datetime.datetime) -> Path:
    return folder(data, account) / f"{slot:%Y/%m/%Y-%m-%dT%H%M}.json"


def read_record(path: Path) -> Record | None:
    """None where there is none, or none that can be read: then the slot is polled (again)."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def write_record(path: Path, record: Record) -> None:
    """The caller holds the account's lock."""
    write_atomic(path, (json.dumps(record, indent=1) + "\n").encode())


def latest_records(data: Path, account: str) -> tuple[Record | None, Record | None]:
    """The latest attempt of all, and the latest that brought a page, by the moments in them.

    A slot of the past that was run by hand has an old name, but a young file and a young folder.
    """
    months = sorted(folder(data, account).glob("????/??"))
    months = [*months[-2:], *sorted(months, key=_modified)[-1:]]
    paths = {path for month in months for path in month.glob("[!.]*.json")}
    attempts: list[Record] = []
    for path in sorted(paths, key=_modified, reverse=True):
        record = read_record(path)
        if record and "fetched_at" in record:
            attempts.append(record)
        if len(attempts) >= LOOKED_AT and any(outcome(each) == "polled" for each in attempts):
            break
    polled = [record for record in attempts if outcome(record) == "polled"]
    latest = (max(each, key=lambda record: str(record["fetched_at"]), default=None) for each in (attempts, polled))
    return next(latest), next(latest)


def _modified(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def failed_path(path: Path, moment: datetime.datetime) -> Path:
    return path.with_name(f"{path.stem}.failed.{moment:%Y%m%dT%H%M%S.%fZ}.json")


def outcome(record: Record | None) -> str | None:
    """Of a slot's record; a record of before there were outcomes is that of a poll."""
    return None if record is None else str(record.get("outcome", "polled"))


def slot_of(moment: datetime.datetime) -> str:
    """The slot in which a moment lies, as records write it: 2026-11-22T14:30Z."""
    begin = moment.replace(minute=moment.minute // 30 * 30)
    return f"{begin.astimezone(datetime.UTC):%Y-%m-%dT%H:%MZ}"

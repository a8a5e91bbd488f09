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
import re
from pathlib import Path
from typing import Any

from pipeline.extract.files import write_atomic
from pipeline.folders import matching
from pipeline.state_files import NotAsWritten, counts, json_object, moment, read_state, texts

Record = dict[str, Any]
OUTCOMES = ("polled", "paused", "consent_ended", "failed")
LOOKED_AT = 5  # young files, of which the youngest record is taken: a restored backup has mixed up their times


def folder(data: Path, account: str) -> Path:
    return data / "polls" / f"account={account}"


def record_path(data: Path, account: str, slot: datetime.datetime) -> Path:
    return folder(data, account) / f"{slot:%Y/%m/%Y-%m-%dT%H%M}.json"


def read_record(data: Path, path: Path, now: datetime.datetime) -> Record | None:
    """None if it is absent, or damaged and set aside: then the slot is polled (again). pipeline/load/ledger.py decides
    what is known of the poll whose record is damaged."""
    account = path.relative_to(data).parts[1].removeprefix("account=")
    return read_state(data, path, lambda content: parse_record(content, account, now))


def parse_record(content: bytes, account: str, now: datetime.datetime) -> Record:
    """Raises ValueError, TypeError, KeyError for what this program, of any version, does not write."""
    record = json_object(content)
    if record["account"] != account:
        raise NotAsWritten("it is the record of another account")
    earlier = _list(record, "earlier")
    for poll in (record, *earlier):
        _check_poll(poll, now)
        for page in _list(poll, "recovered"):
            _check_poll(page, now)
    return record


def _check_poll(poll: Record, now: datetime.datetime) -> None:
    if not isinstance(poll, dict) or outcome(poll) not in OUTCOMES:
        raise NotAsWritten("it holds a poll without a known outcome")
    moment(poll["fetched_at"], now)
    if "slot" in poll:
        moment(poll["slot"], now)
    for name in ("oldest", "newest", "late_from"):
        if poll.get(name) is not None:
            moment(poll[name])
    if poll.get("paused_until") is not None:
        moment(poll["paused_until"])
    counts(poll, ("items", "new_plays", "unreadable", "new_unreadable", "calls", "token_days_left"))
    texts(poll, ("raw", "reason"))
    if not isinstance(poll.get("overlap"), bool | None):
        raise NotAsWritten("overlap is neither true, false nor null")
    for entry in _list(poll, "skipped"):
        if not isinstance(entry["reason"], str):
            raise NotAsWritten("a skipped entry has no reason")
        texts(entry, ("entry",))
        counts(entry, ("item",))
    for partition in _list(poll, "partitions"):
        counts(partition, ("rows_added", "rows"))
        texts(partition, ("path",))
    if outcome(poll) == "polled":
        for name in ("oldest", "newest", "overlap"):
            poll[name]  # raises KeyError: what the gaps are made of
        if (poll["items"] or 0) < max(len(poll["skipped"]), poll.get("unreadable") or 0, poll["new_plays"] or 0):
            raise NotAsWritten("its counts contradict each other")
        if not re.fullmatch(
            r"raw/recently_played/account=[a-z0-9_-]+/\d{4}/\d\d/\d{8}T\d{6}\.\d+Z\.json\.gz", poll["raw"]
        ):
            raise NotAsWritten("raw is not the path of a response")


def _list(record: Record, name: str) -> list[Any]:
    found = record.get(name, [])
    if not isinstance(found, list):
        raise NotAsWritten(f"{name} is not a list")
    return found


def write_record(path: Path, record: Record) -> None:
    """The caller holds the account's lock."""
    write_atomic(path, (json.dumps(record, indent=1) + "\n").encode())


def latest_records(data: Path, account: str, now: datetime.datetime) -> tuple[Record | None, Record | None]:
    """The latest attempt of all, and the latest that brought a page, by the moments in them.

    A slot of the past that was run by hand has an old name, but a young file and a young folder.
    """
    months = matching(folder(data, account), "????/??")
    months = [*months[-2:], *sorted(months, key=_modified)[-1:]]
    paths = {path for month in months for path in matching(month, "[!.]*.json")}
    attempts: list[Record] = []
    for path in sorted(paths, key=_modified, reverse=True):
        if record := read_record(data, path, now):
            attempts.append(record)
        if len(attempts) >= LOOKED_AT and any(outcome(each) == "polled" for each in attempts):
            break
    polled = [record for record in attempts if outcome(record) == "polled"]
    latest = (max(each, key=lambda record: moment(record["fetched_at"]), default=None) for each in (attempts, polled))
    return next(latest), next(latest)


def first_poll(data: Path, account: str) -> str | None:
    """The slot of the oldest record of a poll, as ISO 8601."""
    for month in matching(folder(data, account), "????/??"):
        for path in matching(month, "????-??-??T????.json"):
            slot = datetime.datetime.strptime(path.stem, "%Y-%m-%dT%H%M").replace(tzinfo=datetime.UTC)
            return slot.isoformat()
    return None


def _modified(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:
        return 0, path.name  # another process has set it aside, or it is a link that leads nowhere


def failed_path(path: Path, moment: datetime.datetime) -> Path:
    return path.with_name(f"{path.stem}.failed.{moment:%Y%m%dT%H%M%S.%fZ}.json")


def outcome(record: Record | None) -> str | None:
    """Of a slot's record; a record of before there were outcomes is that of a poll."""
    return None if record is None else str(record.get("outcome", "polled"))


def slot_of(moment: datetime.datetime) -> str:
    """The slot in which a moment lies, as records write it: 2026-11-22T14:30Z."""
    begin = moment.replace(minute=moment.minute // 30 * 30)
    return f"{begin.astimezone(datetime.UTC):%Y-%m-%dT%H:%MZ}"

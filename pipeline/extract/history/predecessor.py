"""CSV files of the pipeline that came before this one: its `spotify_songs`, whole or in day partitions.

Columns: played_at_utc, song_name, artist_name, song_duration_ms, song_link, album_art_link, album_name, album_id,
artist_id, last_updated_datetime_utc; in some versions also track_id and album_release_date. The rows are answers of the
Web API, so each is put back into that shape and read like one; they join the polled plays.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.extract.datasets import PLAYS, Identity
from pipeline.extract.errors import PartitionDamaged
from pipeline.extract.files import write_atomic
from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export_file import ExportFile
from pipeline.extract.history.receipt import FileReceipt
from pipeline.extract.partitions import merge_rows, partition_path, read_partition
from pipeline.extract.plays import PassedOver, Play, parse_item
from pipeline.extract.values import EARLIEST_PLAY, parse_moment
from pipeline.state_files import NotAsWritten, json_object, read_state, sealed, unsealed

FIELD_LIMIT = 2**20
LINK = re.compile(r"https://open\.spotify\.com/(?:intl-[a-z-]+/)?track/([A-Za-z0-9]+)")


@dataclass
class OldPlays:
    """A file of the older pipeline: its plays by UTC date, and the receipt as far as it has come."""

    plays: dict[str, list[Play]]
    receipt: FileReceipt


def read_file(file: ExportFile, account: str, imported_at: datetime.datetime) -> OldPlays:
    """Raises ExportRefused for what is no CSV."""
    found = OldPlays(defaultdict(list), FileReceipt(file.name))
    with file.open() as stream:
        for play in read_plays(stream, file.name, account, imported_at):
            found.receipt.read += 1
            if isinstance(play, str):
                found.receipt.skipped.setdefault(play, []).append(found.receipt.read)
            else:
                found.plays[play[PLAYS.date]].append(play)
    return found


def merge_plays(data: Path, account: str, old: OldPlays, note: Path) -> tuple[list[Path], list[str]]:
    """Add the plays of one file to the account's polled plays; the caller holds the account's lock.

    Returns the partitions that hold them, and what is wrong with those that could not be read. `note`: where it is kept
    what the rows of each day are, before any is written, so that the receipt is the same after a kill.
    """
    problems = []
    counted = read_state(data, note, parse_counted) or {}
    for date in sorted(old.plays.keys() - counted.keys()):
        try:
            counted[date] = _count(old.plays[date], partition_path(PLAYS, data, account, date))
        except PartitionDamaged as error:
            old.receipt.failed += len(old.plays.pop(date))
            problems.append(str(error))
    write_atomic(note, sealed(json.dumps(counted).encode()))
    for inserted, already_there, duplicates in counted.values():
        old.receipt.inserted += inserted
        old.receipt.already_there += already_there
        old.receipt.duplicates += duplicates
    merged = merge_rows(PLAYS, data, account, (play for plays in old.plays.values() for play in plays))
    return [data / partition.path for partition in merged], problems


def parse_counted(content: bytes) -> dict[str, list[int]]:
    """UTC date → inserted, already there, duplicates. Raises ValueError."""
    found = json_object(unsealed(content))
    if not all(isinstance(each, list) and [type(number) for number in each] == [int] * 3 for each in found.values()):
        raise NotAsWritten("it does not hold three numbers for each day")
    return found


def _count(plays: list[Play], path: Path) -> list[int]:
    """How many are inserted, are already there, are duplicates."""
    inserted = already_there = duplicates = 0
    known = {PLAYS.identity(play) for play in read_partition(PLAYS, path)} if path.exists() else set()
    seen: set[Identity] = set()
    for identity in map(PLAYS.identity, plays):
        if identity in seen:
            duplicates += 1
        elif identity in known:
            already_there += 1
        else:
            inserted += 1
        seen.add(identity)
    return [inserted, already_there, duplicates]


def read_plays(file: IO[bytes], name: str, account: str, imported_at: datetime.datetime) -> Iterator[Play | str]:
    """A play for each row, or the reason why there is none. `imported_at` is used if a row lacks its capture, or if
    that is no possible moment.

    Raises ExportRefused for what is no CSV.
    """
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    try:
        for row in reader:
            try:
                if any("\udc80" <= letter <= "\udcff" for letter in "".join(map(str, row.values()))):
                    raise PassedOver("not UTF-8")
                captured_at = parse_moment(row.get("last_updated_datetime_utc"))
                if captured_at is None or not EARLIEST_PLAY <= captured_at <= imported_at:
                    captured_at = imported_at
                yield parse_item(_item(row), account, captured_at, latest=imported_at)
            except PassedOver as reason:
                yield str(reason)
    except csv.Error as error:
        raise ExportRefused(f"{name}, line {reader.line_num + 1}: not CSV ({error}). Nothing was imported") from None


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the Web API had given it."""
    value = {column: row[column] or None for column in row if column}
    link = value.get("song_link")
    linked = LINK.match(link or "")
    artist = {"id": value.get("artist_id"), "name": value.get("artist_name")}
    return {
        "played_at": value.get("played_at_utc"),
        "track": {
            "id": value.get("track_id") or (linked.group(1) if linked else None),
            "uri": value.get("track_uri"),
            "name": value.get("song_name"),
            "duration_ms": _number(value.get("song_duration_ms")),
            "external_urls": {"spotify": link},
            "external_ids": {"isrc": value.get("isrc")},
            "artists": _credits(value.get("artists")) or [artist],
            "album": {
                "id": value.get("album_id"),
                "name": value.get("album_name"),
                "artists": _credits(value.get("album_artists")),
                "images": [{"url": value.get("album_art_link")}],
                "release_date": value.get("album_release_date"),
            },
        },
    }


def _number(value: str | None) -> int | None:
    """pandas writes whole numbers of a column with gaps as 205345.0."""
    try:
        return int(float(value or ""))
    except (ValueError, OverflowError):
        return None


def _credits(value: str | None) -> list[Any]:
    """A column of this pipeline's own partitions: `[{"id": …, "name": …}]`."""
    try:
        credits = json.loads(value or "[]")
    except ValueError:
        return []
    return credits if isinstance(credits, list) else []

"""Day partitions of plays, the replayable source of everything else.

    data/spotify_songs/account=<a>/YYYY/MM/YYYY-MM-DD.csv

One file per account and UTC date of the play; UTF-8, header, comma, `\\n`; one row a play, sorted by moment; absent
values are empty. Rows are only ever added.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.extract.errors import PartitionDamaged
from pipeline.extract.files import write_atomic
from pipeline.extract.plays import COLUMNS, Play

DATASET = "spotify_songs"
LONGEST_FIELD = 64 * 1024 * 1024


@dataclass(frozen=True)
class MergedPartition:
    """A partition that a response touched. `path` is relative to the data folder; `rows_added`: the rows it brought,
    by the moment in them, so that a response merged a second time says the same."""

    path: str
    rows_added: int
    rows: int


def partition_path(data: Path, account: str, date: str) -> Path:
    """`date`: YYYY-MM-DD, the UTC date of the play."""
    return data / DATASET / f"account={account}" / date[:4] / date[5:7] / f"{date}.csv"


def list_partitions(data: Path, account: str | None = None) -> list[Path]:
    """Every partition file, of one account or of all, in order of account and date."""
    return sorted((data / DATASET).glob(f"account={account or '*'}/????/??/????-??-??.csv"))


def merge_plays(data: Path, account: str, plays: Iterable[Play]) -> list[MergedPartition]:
    """Add the plays that are new to their partitions; a play already there stays as it was first captured.

    A partition that cannot be read back is left alone; the others are still merged, then PartitionDamaged is raised.
    The caller holds the account's lock.
    """
    by_date: dict[str, list[Play]] = defaultdict(list)
    for play in plays:
        by_date[play["played_date_utc"]].append(play)
    merged: list[MergedPartition] = []
    damage: PartitionDamaged | None = None
    for date, arrived in sorted(by_date.items()):
        path = partition_path(data, account, date)
        try:
            known = {identity(play): play for play in read_partition(path)} if path.exists() else {}
        except PartitionDamaged as error:
            damage = damage or error
            continue
        rows = {**{identity(play): play for play in arrived}, **known}
        if len(rows) > len(known):
            write_atomic(path, format_partition(rows.values()))
        moment = arrived[0]["last_updated_datetime_utc"]
        added = sum(row["last_updated_datetime_utc"] == moment for row in rows.values())
        merged.append(MergedPartition(str(path.relative_to(data)), added, len(rows)))
    if damage:
        raise damage
    return merged


def holds_older_plays(data: Path, account: str, merged: list[MergedPartition]) -> bool:
    """Whether the account has plays beside those that one response has brought into `merged`."""
    if sum(partition.rows - partition.rows_added for partition in merged):
        return True
    return len(list_partitions(data, account)) > len(merged)


def identity(play: Play) -> tuple[datetime.datetime, str]:
    """What makes two rows of one account the same play."""
    return datetime.datetime.fromisoformat(play["played_at_utc"]), play["track_uri"]


def format_partition(plays: Iterable[Play]) -> bytes:
    lines = io.StringIO(newline="")
    # csv quotes the characters of its line terminator; with "\n" alone it leaves a bare "\r" unquoted, which neither
    # csv.reader nor COPY reads back. So: terminate with "\r\n", and cut the "\r" off again.
    writer = csv.writer(_LineFeeds(lines), lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([play[column] for column in COLUMNS] for play in sorted(plays, key=identity))
    return lines.getvalue().encode("utf-8")


class _LineFeeds:
    def __init__(self, target: io.StringIO) -> None:
        self.target = target

    def write(self, line: str) -> int:
        return self.target.write(line[:-2] + "\n")


def read_partition(path: Path) -> list[Play]:
    """The rows of a partition. Raises PartitionDamaged, with file and line, for what this module would not write."""
    csv.field_size_limit(LONGEST_FIELD)
    plays: list[Play] = []
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PartitionDamaged(path, line, "not UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header != list(COLUMNS):
            raise PartitionDamaged(path, 1, "the header is not that of a partition")
        for values in reader:
            if len(values) != len(COLUMNS):
                raise PartitionDamaged(path, reader.line_num, f"{len(values)} fields instead of {len(COLUMNS)}")
            plays.append(dict(zip(COLUMNS, values, strict=True)))
            _check(path, reader.line_num, plays[-1])
    except csv.Error as error:
        raise PartitionDamaged(path, reader.line_num, f"not CSV ({error})") from error
    if not text.endswith("\n"):
        raise PartitionDamaged(path, reader.line_num, "the last line is cut off")
    return plays


def _check(path: Path, line: int, play: Play) -> None:
    try:
        moment, _ = identity(play)
    except ValueError as error:
        raise PartitionDamaged(path, line, f"played_at_utc {play['played_at_utc']!r} is no date and time") from error
    if moment.tzinfo is None or not play["played_date_utc"] == moment.date().isoformat() == path.stem:
        raise PartitionDamaged(path, line, "the row's date is not that of the file")
    if f"account={play['account']}" not in path.parts:
        raise PartitionDamaged(path, line, f"the row's account is {play['account']!r}")

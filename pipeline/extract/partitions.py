"""Day partitions, the replayable source of everything else.

    data/<dataset>/account=<a>/YYYY/MM/YYYY-MM-DD.csv

One file per account and UTC date; UTF-8, header, comma, `\\n`; sorted by moment; absent values are empty. Rows are only
ever added. Which datasets there are: pipeline/extract/datasets.py.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.extract.datasets import PLAYS, Dataset, Identity, Row
from pipeline.extract.errors import PartitionDamaged
from pipeline.extract.files import write_atomic
from pipeline.folders import matching

LONGEST_FIELD = 64 * 1024 * 1024


@dataclass(frozen=True)
class MergedPartition:
    """A partition that a response touched. `path` is relative to the data folder; `rows_added`: the rows it brought,
    by the moment in them, so that a response merged a second time says the same. `rows_gained`: those it lacked.
    `added`: what identifies the rows it brought."""

    path: str
    rows_added: int
    rows: int
    rows_gained: int
    added: frozenset[Identity]


def partition_path(dataset: Dataset, data: Path, account: str, date: str) -> Path:
    """`date`: YYYY-MM-DD, UTC."""
    return data / dataset.name / f"account={account}" / date[:4] / date[5:7] / f"{date}.csv"


def list_partitions(dataset: Dataset, data: Path, account: str | None = None) -> list[Path]:
    """Every partition file, of one account or of all, in order of account and date. Raises OSError, which names the
    folder that cannot be read."""
    return matching(data / dataset.name, f"account={account or '*'}/????/??/????-??-??.csv")


def newest_play(data: Path, account: str) -> str | None:
    """`played_at_utc` of the newest polled play. A partition that cannot be read back is skipped."""
    for path in reversed(list_partitions(PLAYS, data, account)):
        with contextlib.suppress(PartitionDamaged):
            if rows := read_partition(PLAYS, path):
                return rows[-1][PLAYS.moment]
    return None


def merge_rows(dataset: Dataset, data: Path, account: str, rows: Iterable[Row]) -> list[MergedPartition]:
    """Add the rows that are new to their partitions; a row already there stays as it was first captured.

    A partition that cannot be read back is left alone; the others are still merged, then PartitionDamaged is raised.
    The caller is the only writer of the account's partitions.
    """
    by_date: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_date[row[dataset.date]].append(row)
    merged: list[MergedPartition] = []
    damage: PartitionDamaged | None = None
    for date, arrived in sorted(by_date.items()):
        path = partition_path(dataset, data, account, date)
        try:
            known = {dataset.identity(row): row for row in read_partition(dataset, path)} if path.exists() else {}
        except PartitionDamaged as error:
            damage = damage or error
            continue
        merged_rows = {**{dataset.identity(row): row for row in arrived}, **known}
        if len(merged_rows) > len(known):
            write_atomic(path, format_partition(dataset, merged_rows.values()))
        moment = arrived[0][dataset.captured]
        added = frozenset(identity for identity, row in merged_rows.items() if row[dataset.captured] == moment)
        gained = len(merged_rows) - len(known)
        merged.append(MergedPartition(str(path.relative_to(data)), len(added), len(merged_rows), gained, added))
    if damage:
        raise damage
    return merged


def holds_older_rows(dataset: Dataset, data: Path, account: str, merged: list[MergedPartition]) -> bool:
    """Whether the account has rows beside those that one response has brought into `merged`."""
    if sum(partition.rows - partition.rows_added for partition in merged):
        return True
    return len(list_partitions(dataset, data, account)) > len(merged)


def format_partition(dataset: Dataset, rows: Iterable[Row]) -> bytes:
    lines = io.StringIO(newline="")
    # csv quotes the characters of its line terminator; with "\n" alone it leaves a bare "\r" unquoted, which neither
    # csv.reader nor COPY reads back. So: terminate with "\r\n", and cut the "\r" off again.
    writer = csv.writer(_LineFeeds(lines), lineterminator="\r\n")
    writer.writerow(dataset.columns)
    writer.writerows([row[column] for column in dataset.columns] for row in sorted(rows, key=dataset.identity))
    return lines.getvalue().encode("utf-8")


class _LineFeeds:
    def __init__(self, target: io.StringIO) -> None:
        self.target = target

    def write(self, line: str) -> int:
        return self.target.write(line[:-2] + "\n")


def read_partition(dataset: Dataset, path: Path) -> list[Row]:
    """The rows of a partition. Raises PartitionDamaged, with file and line, for what this module would not write."""
    csv.field_size_limit(LONGEST_FIELD)
    rows: list[Row] = []
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PartitionDamaged(path, line, "not UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header != list(dataset.columns):
            raise PartitionDamaged(path, 1, "the header is not that of a partition")
        for values in reader:
            if len(values) != len(dataset.columns):
                raise PartitionDamaged(path, reader.line_num, f"{len(values)} fields instead of {len(dataset.columns)}")
            rows.append(dict(zip(dataset.columns, values, strict=True)))
            _check(dataset, path, reader.line_num, rows[-1])
    except csv.Error as error:
        raise PartitionDamaged(path, reader.line_num, f"not CSV ({error})") from error
    if not text.endswith("\n"):
        raise PartitionDamaged(path, reader.line_num, "the last line is cut off")
    return rows


def split_partition(body: bytes) -> list[bytes]:
    """The lines of a partition, ends of line included; a quoted value can hold one as well."""
    lines = [line + b"\n" for line in body.split(b"\n")[:-1]]
    if b'"' not in body:
        return lines
    rows: list[bytes] = []
    is_open = False
    for line in lines:
        if is_open:
            rows[-1] += line
        else:
            rows.append(line)
        is_open ^= bool(line.count(b'"') % 2)
    return rows


def _check(dataset: Dataset, path: Path, line: int, row: Row) -> None:
    written = row[dataset.moment]
    try:
        moment = datetime.datetime.fromisoformat(written)
    except ValueError as error:
        raise PartitionDamaged(path, line, f"{dataset.moment} {written!r} is no date and time") from error
    if moment.tzinfo is None or not row[dataset.date] == moment.date().isoformat() == path.stem:
        raise PartitionDamaged(path, line, "the row's date is not that of the file")
    if f"account={row['account']}" not in path.parts:
        raise PartitionDamaged(path, line, f"the row's account is {row['account']!r}")

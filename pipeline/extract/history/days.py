"""Segments into the day partitions data/spotify_history: each day is written once, from all files that know of it.

A row already in a partition stays as it was first captured. Rows of this import are known by its stamp, so that a run
that goes on after a kill counts as if there had been no kill.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.extract.datasets import HISTORY
from pipeline.extract.errors import PartitionDamaged
from pipeline.extract.files import sync_folder, write_atomic
from pipeline.extract.history.receipt import FileReceipt
from pipeline.extract.history.segments import Job, Segment
from pipeline.extract.partitions import partition_path, read_partition, split_partition

HEADER = (",".join(HISTORY.columns) + "\n").encode()


@dataclass(frozen=True)
class Piece:
    """The lines of one day in one segment. `number`: of the file."""

    number: int
    offset: int
    length: int
    lines: int


def merge_days(
    data: Path, account: str, segments: Sequence[tuple[Job, Segment]], receipts: Sequence[FileReceipt], key: slice
) -> Iterator[tuple[Path | None, str]]:
    """Merge all days in order and count into `receipts`, one for each segment. `key`: where a line's identity stands.

    Yields the partition of each day, or None and the reason where an existing one cannot be read, which is then left
    alone.
    """
    by_date: dict[str, list[Piece]] = {}
    for number, (_, segment) in enumerate(segments):
        for date, places in segment.days.items():
            by_date.setdefault(date, []).extend(Piece(number, *place) for place in places)
    files = [job.path.open("rb") for job, _ in segments]
    stamp = f",{segments[0][0].stamp},".encode() if segments else b""
    written: Path | None = None
    try:
        for date, pieces in sorted(by_date.items()):
            path = partition_path(HISTORY, data, account, date)
            bodies = [os.pread(files[piece.number].fileno(), piece.length, piece.offset) for piece in pieces]
            if written and written != path.parent:
                sync_folder(written)
            written = path.parent
            try:
                _merge_day(path, pieces, bodies, receipts, key, stamp)
            except PartitionDamaged as error:
                for piece in pieces:
                    receipts[piece.number].failed += piece.lines
                yield None, str(error)
            else:
                yield path, ""
        if written and written.exists():
            sync_folder(written)
    finally:
        for file in files:
            file.close()


def _merge_day(
    path: Path,
    pieces: Sequence[Piece],
    bodies: Sequence[bytes],
    receipts: Sequence[FileReceipt],
    key: slice,
    stamp: bytes,
) -> None:
    if len(pieces) == 1 and not path.exists():
        # Most days: in one file only, sorted and without repeats already.
        write_atomic(path, HEADER + bodies[0], sync_entry=False)
        receipts[pieces[0].number].inserted += pieces[0].lines
        return
    known: dict[bytes, bytes] = {}
    if path.exists():
        read_partition(HISTORY, path)
        known = {line[key]: line for line in split_partition(path.read_bytes())[1:]}
        begin = b",".join(bodies[0].split(b",", 2)[:2])  # account and date
        if not all(name.startswith(begin) for name in known):
            raise PartitionDamaged(path, 2, "another program has written the file anew, in its own way of CSV")
    older = {name for name, line in known.items() if not line[key.stop - 1 :].startswith(stamp)}
    ours: dict[bytes, bytes] = {}
    for piece, body in zip(pieces, bodies, strict=True):
        receipt = receipts[piece.number]
        for line in split_partition(body):
            name = line[key]
            if name in ours:
                receipt.duplicates += 1
                continue
            ours[name] = line
            if name in older:
                receipt.already_there += 1
            else:
                receipt.inserted += 1
    if ours.keys() - known.keys():
        lines = {**ours, **known}
        write_atomic(path, HEADER + b"".join(lines[name] for name in sorted(lines)), sync_entry=False)

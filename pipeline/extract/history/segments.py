"""A file of the export as sorted lines of partitions: what can be done file by file, on every core.

    data/imports/account=<a>/unfinished/<digest>/<number>.csv    the lines, by day
    data/imports/account=<a>/unfinished/<digest>/<number>.json   where each day lies in it; there when all lines are

A run that is killed goes on with the files that have no segment yet.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path

from pipeline.extract.files import sync_folder, write_atomic
from pipeline.extract.history.entries import read_entries
from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export_file import ExportFile
from pipeline.extract.history.rows import LineMaker, Skipped
from pipeline.extract.history.spans import EVERYTHING, RULES, FileTimes, Span, longest_pause
from pipeline.state_files import NotAsWritten, json_object, read_state, sealed, typed, unsealed

# Below this many bytes another process costs more than it saves.
WORTH_A_PROCESS = 40_000_000
MOST_PROCESSES = 4
# Entries of one file that are no plays. Each number is kept for the receipt, so more would be memory without a limit.
MOST_SKIPPED = 1_000_000


@dataclass
class Segment:
    """`read`: entries of the file. `lines`: those kept, each of which lies in one of `days`: UTC date →
    [offset, length, lines] of its pieces. `first`, `last`: earliest and latest `ts` within the bounds of the job.
    `rules`: the version of the rules by which it was made."""

    read: int = 0
    lines: int = 0
    skipped: Skipped = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    first: str = ""
    last: str = ""
    days: dict[str, list[list[int]]] = field(default_factory=dict)
    rules: int = 1

    def times(self) -> FileTimes:
        dates = [date for date in self.days if self.first[:10] <= date <= self.last[:10]]
        return FileTimes(self.read, self.first, self.last, longest_pause(dates))


@dataclass(frozen=True)
class Job:
    """`bounds`: the time within which plays count for `first` and `last`."""

    file: ExportFile
    path: Path
    account: str
    stamp: str
    bounds: Span = EVERYTHING


def make_segments(jobs: Sequence[Job]) -> Iterator[tuple[Job, Segment]]:
    """The segment of each job, as they become ready; those of a run before at once. Raises ExportRefused."""
    missing = []
    for job in jobs:
        if found := read_index(job):
            yield job, found
        else:
            missing.append(job)
    processes = min(MOST_PROCESSES, os.cpu_count() or 1, len(missing))
    if processes < 2 or sum(job.file.size for job in missing) < WORTH_A_PROCESS:
        for job in missing:
            yield job, make_segment(job)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin_worker) as pool:
        futures: dict[Future[Segment], Job] = {pool.submit(make_segment, job): job for job in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def make_segment(job: Job) -> Segment:
    """Write the segment of one file. Raises ExportRefused."""
    was_collecting = gc.isenabled()
    gc.disable()  # a file is a hundred thousand objects and no cycle: looking for one takes a third of the time
    try:
        return _make_segment(job)
    finally:
        if was_collecting:
            gc.enable()


def _make_segment(job: Job) -> Segment:
    maker = LineMaker(job.account, job.stamp, job.bounds)
    segment = Segment(rules=RULES)
    temporary = job.path.with_name(f".{job.path.name}.tmp")
    dates = slice(len(job.account) + 1, len(job.account) + 11)
    try:
        with temporary.open("wb") as target:
            for entries in read_entries(job.file):
                for date, found in groupby(maker.lines(entries), key=lambda line: line[dates]):
                    lines = list(found)
                    offset = target.tell()
                    length = target.write(("\n".join(lines) + "\n").encode())
                    segment.days.setdefault(date, []).append([offset, length, len(lines)])
                    segment.lines += len(lines)
                if sum(map(len, maker.skipped.values())) > MOST_SKIPPED:
                    raise ExportRefused(
                        f"{job.file.name} is no list of plays: of its first {maker.read:,} entries more than"
                        f" {MOST_SKIPPED:,} are no plays. Nothing was imported; leave it out"
                    )
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(job.path)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(job.path)) from error
    sync_folder(job.path.parent)
    segment.read, segment.skipped, segment.unknown = maker.read, dict(maker.skipped), sorted(maker.unknown)
    segment.first, segment.last = maker.first, maker.last
    write_atomic(index_path(job), sealed(json.dumps(asdict(segment)).encode()))
    return segment


def index_path(job: Job) -> Path:
    return job.path.with_suffix(".json")


def read_index(job: Job) -> Segment | None:
    """None if the segment is not made yet, is damaged, or is of an older version of the program: it is made again."""
    path = index_path(job)
    # data/imports/account=<a>/unfinished/<digest>/<number>.json
    segment = read_state(path.parents[4], path, lambda content: parse_index(content, job.path.stat().st_size))
    return segment if segment and segment.rules == RULES else None


def parse_index(content: bytes, size: int) -> Segment:
    """`size`: bytes of the lines. Raises ValueError, TypeError."""
    segment = typed(Segment, json_object(unsealed(content)))
    if sum(length for pieces in segment.days.values() for _, length, _ in pieces) != size:
        raise NotAsWritten("it is not the index of the lines beside it")
    return segment


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent:
        # A parent that is killed takes nobody with it: without this its workers would wait for ever.
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)

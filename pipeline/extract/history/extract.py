"""From an export to partitions, stage by stage: open, read every file, merge every day, keep the record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import luigi

from pipeline.extract.answers import utc_now
from pipeline.extract.files import account_lock
from pipeline.extract.history.days import merge_days
from pipeline.extract.history.errors import ExportRefused, ImportIncomplete
from pipeline.extract.history.export import Export
from pipeline.extract.history.export_file import ExportFile
from pipeline.extract.history.kinds import REQUEST
from pipeline.extract.history.predecessor import merge_plays, read_file
from pipeline.extract.history.progress import Progress
from pipeline.extract.history.receipt import FileReceipt, format_receipt
from pipeline.extract.history.records import ImportRecord, begin_import, end_import, versions, write_record
from pipeline.extract.history.rows import key_length
from pipeline.extract.history.segments import Job, Segment, make_segments
from pipeline.extract.history.spans import EVERYTHING, RULES, bounds_of, covered_spans, remarks
from pipeline.extract.values import format_moment

Segments = list[tuple[Job, Segment]]


def extract_export(task: luigi.Task, data: Path, export: Export, account: str) -> None:
    """Put every play into its partition and write the record; `task` is told how far it is.

    The caller holds the lock of the account's history. Raises ExportRefused before any partition has changed, and
    ImportIncomplete when one could not be read.
    """
    folder, began = begin_import(data, account, export.digest, utc_now())
    history = [file for file in export.files if file.kind == "history"]
    segments = _make_segments(task, history, folder, account, format_moment(began))
    old = [read_file(file, account, began) for file in export.files if file.kind == "predecessor"]
    receipts = [_begin_receipt(job, segment) for job, segment in segments]
    if not any(segment.lines for _, segment in segments) and not any(plays.plays for plays in old):
        end_import(folder)
        raise ExportRefused(_no_play(export, [*receipts, *(plays.receipt for plays in old)]))
    # Every file is known to be whole: from here on partitions change.
    paths, problems = _merge_days(task, data, account, segments, receipts)
    for number, plays in enumerate(old):
        with account_lock(data, account):
            touched, damaged = merge_plays(data, account, plays, folder / f"{number}.receipt")
        receipts.append(plays.receipt)
        paths, problems = paths + touched, problems + damaged
    if problems:
        raise ImportIncomplete(
            f"{problems[0]}\n{format_receipt(receipts)}\nDamaged partitions kept rows out: {len(problems)}. Repair or"
            " remove them and run the same command again"
        )
    names = [file.name for file in history]
    record = ImportRecord(
        account=account,
        imported_at=format_moment(began),
        export=export.name,
        digest=export.digest,
        files=tuple(receipts),
        spans=tuple(covered_spans({job.file.name: segment.times() for job, segment in segments})),
        partitions=versions(data, paths),
        ended_at=format_moment(utc_now()),
        remarks=tuple(remarks(names)),
        not_read=export.not_read,
        rules=RULES,
    )
    write_record(data, record)
    end_import(folder)


def _make_segments(task: luigi.Task, files: Sequence[ExportFile], folder: Path, account: str, stamp: str) -> Segments:
    bounds = bounds_of(file.name for file in files)
    jobs = [
        Job(file, folder / f"{number}.csv", account, stamp, bounds.get(file.name, EVERYTHING))
        for number, file in enumerate(files)
    ]
    progress = Progress(task, sum(file.size for file in files), 0, 70)
    made: dict[Job, Segment] = {}
    done = read = 0
    for job, segment in make_segments(jobs):
        made[job] = segment
        done, read = done + job.file.size, read + segment.read
        progress.tell(done, f"{len(made)} of {len(jobs)} files, {read:,} rows read", read)
    return [(job, made[job]) for job in jobs]


def _no_play(export: Export, receipts: list[FileReceipt]) -> str:
    entries = sum(receipt.read for receipt in receipts)
    beside = f" Files that look like plays and were not read: {', '.join(export.not_read)}." if export.not_read else ""
    advice = f" {REQUEST}" if any(file.kind == "history" for file in export.files) else ""
    return (
        f"{export.path} contains no play: none of its {entries:,} entries could be read as one."
        f"{beside} Nothing was imported.{advice}\n{format_receipt(receipts)}"
    )


def _begin_receipt(job: Job, segment: Segment) -> FileReceipt:
    """As far as it is known before the rows are compared with those of other files and of the partitions."""
    receipt = FileReceipt(job.file.name, segment.read, skipped=segment.skipped, unknown=segment.unknown)
    receipt.duplicates = segment.read - segment.lines - receipt.skipped_rows
    return receipt


def _merge_days(
    task: luigi.Task, data: Path, account: str, segments: Segments, receipts: list[FileReceipt]
) -> tuple[list[Path], list[str]]:
    """The partitions that hold the plays, and what is wrong with those that could not be read."""
    days = len({date for _, segment in segments for date in segment.days})
    progress = Progress(task, days, 70, 100)
    paths, problems = [], []
    for path, problem in merge_days(data, account, segments, receipts, slice(0, key_length(account))):
        if path:
            paths.append(path)
        else:
            problems.append(problem)
        progress.tell(len(paths) + len(problems), f"{len(paths):,} of {days:,} days written")
    return paths, problems

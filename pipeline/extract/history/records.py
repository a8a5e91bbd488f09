"""What is kept of every import. PostgreSQL's table of receipts is made from these.

data/imports/account=<a>/<began>.json           its receipt, the times it covers, the partitions it touched
data/imports/account=<a>/unfinished/<digest>/   segments of an import that is under way, or was killed
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.extract.files import make_folder, write_atomic
from pipeline.extract.history.receipt import FileReceipt
from pipeline.extract.history.spans import RULES, Span, is_unchanged
from pipeline.extract.raw import STAMP
from pipeline.extract.values import format_moment
from pipeline.folders import matching
from pipeline.state_files import FUTURE, NotAsWritten, check_text, json_object, moment, read_state, typed

Version = tuple[int, int]  # bytes, nanoseconds of the last change


@dataclass(frozen=True)
class ImportRecord:
    """`imported_at`: when the import began, `ended_at`: when it ended, ISO 8601 in UTC. `spans`: the times it covers.
    `partitions`: path, relative to the data folder → size and moment of change when it had ended. `remarks`: sentences
    about what keeps time uncovered. `not_read`: files that look like plays and were not read. `rules`: the version of
    the rules by which rows were chosen and `spans` found; records without it are of version 1."""

    account: str
    imported_at: str
    export: str
    digest: str
    files: tuple[FileReceipt, ...]
    spans: tuple[Span, ...]
    partitions: dict[str, Version]
    ended_at: str = ""
    remarks: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    rules: int = 1

    @property
    def is_current(self) -> bool:
        """False for an import of an older version of the rules: the same export must be read again."""
        return self.rules >= RULES

    def is_still_there(self, data: Path) -> bool:
        """Whether every partition is as the import left it, so that nothing of the export can be missing."""
        return all(_version(data / path) == tuple(version) for path, version in self.partitions.items())


def imports_folder(data: Path, account: str) -> Path:
    return data / "imports" / f"account={account}"


def list_records(data: Path, account: str | None = None) -> list[Path]:
    """Of one account or of all, oldest first."""
    return matching(data / "imports", f"account={account or '*'}/[0-9]*.json")


def read_record(data: Path, path: Path, now: datetime.datetime) -> ImportRecord | None:
    """None if it is absent, or damaged and set aside: the rows of the import are in the partitions; the times that it
    covered count as not covered until the export is imported again."""
    account = path.relative_to(data).parts[1].removeprefix("account=")
    return read_state(data, path, lambda content: parse_record(content, account, now))


def parse_record(content: bytes, account: str, now: datetime.datetime) -> ImportRecord:
    """Raises ValueError, TypeError, KeyError."""
    found = json_object(content)
    if not isinstance(found["files"], list) or not isinstance(found["spans"], list):
        raise NotAsWritten("files or spans is not a list")
    files = tuple(typed(FileReceipt, file) for file in found["files"])
    spans = tuple((begin, end) for begin, end in found["spans"])
    names = {name: tuple(found.get(name, ())) for name in ("remarks", "not_read")}
    for name in (*names["remarks"], *names["not_read"]):
        check_text("a remark or a name", name)
    record = typed(ImportRecord, {**found, **names, "files": files, "spans": spans})
    imported_at = moment(record.imported_at, now)
    if record.ended_at:
        moment(record.ended_at, now)
    if not record.is_current:
        # Version 1 could join years between which a file was missing, and a record does not contain when each file
        # began: no time is covered until the export is imported again. It also accepted rows of the future.
        is_trusted = is_unchanged(file.file for file in files)
        spans = tuple(span for span in spans if is_trusted and moment(span[1]) <= imported_at)
        record = replace(record, spans=spans)
    # A span that ends later would close gaps that are not covered.
    if any(not moment(begin) <= moment(end) <= imported_at + FUTURE for begin, end in spans):
        raise NotAsWritten("it covers a time after the import, or one that ends before it begins")
    if record.account != account or not record.digest:
        raise NotAsWritten("it is the record of another account, or of no export")
    for file in files:
        numbers = [number for each in file.skipped.values() for number in (each if isinstance(each, list) else [None])]
        if not all(type(number) is int for number in numbers):
            raise NotAsWritten("the numbers of skipped entries are not numbers")
        for name in (*file.skipped, *file.unknown):
            check_text("a reason or an unknown field", name)
    for path, version in record.partitions.items():
        if [type(number) for number in version] != [int, int] or ".." in path.split("/"):
            raise NotAsWritten("the version of a partition is not two numbers")
    return record


def find_record(
    data: Path, account: str, digest: str, since: datetime.datetime, now: datetime.datetime
) -> ImportRecord | None:
    """The last import of this export that has ended after `since` or of which all rows are still there."""
    for path in reversed(list_records(data, account)):
        record = read_record(data, path, now)
        if record is None or record.digest != digest or not record.is_current:
            continue
        if record.ended_at >= format_moment(since) or record.is_still_there(data):
            return record
    return None


def write_record(data: Path, record: ImportRecord) -> Path:
    moment = datetime.datetime.fromisoformat(record.imported_at)
    path = imports_folder(data, record.account) / f"{moment:{STAMP}}.json"
    write_atomic(path, json.dumps(asdict(record), ensure_ascii=False).encode())
    return path


def versions(data: Path, paths: Iterable[Path]) -> dict[str, Version]:
    return {str(path)[len(str(data)) + 1 :]: _version(path) or (0, 0) for path in paths}


def begin_import(data: Path, account: str, digest: str, now: datetime.datetime) -> tuple[Path, datetime.datetime]:
    """The folder for the segments, and when this import began: before a kill, if there was one."""
    folder = imports_folder(data, account) / "unfinished" / digest[:16]
    make_folder(folder)
    began = read_state(data, folder / "begun", lambda content: parse_begun(content, now))
    if began is None:
        # Segments bear the moment at which their import began: without it they are made again.
        for path in matching(folder, "*"):
            if path.name.endswith((".csv", ".json", ".receipt")) and path.is_file():
                path.unlink()
        began = now
        write_atomic(folder / "begun", format_moment(now).encode())
    return folder, began


def parse_begun(content: bytes, now: datetime.datetime) -> datetime.datetime:
    """Raises ValueError."""
    return moment(content.decode("ascii"), now)


def remove_finished(data: Path, account: str, now: datetime.datetime) -> None:
    """Remove the segments of imports that were killed when their record was written already."""
    records = (read_record(data, path, now) for path in list_records(data, account))
    done = {moment(record.imported_at) for record in records if record}
    for begun in matching(imports_folder(data, account) / "unfinished", "*/begun"):
        if read_state(data, begun, lambda content: parse_begun(content, now)) in done:
            end_import(begun.parent)


def end_import(folder: Path) -> None:
    shutil.rmtree(folder)
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def repeated(record: ImportRecord, not_read: tuple[str, ...], now: datetime.datetime) -> ImportRecord:
    """The record of the same export once more. `not_read`: files that lie beside its own now."""
    files: Sequence[FileReceipt] = [file.again() for file in record.files]
    moment = format_moment(now)
    return replace(record, imported_at=moment, files=tuple(files), ended_at=moment, not_read=not_read)


def _version(path: Path) -> Version | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns

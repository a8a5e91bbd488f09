"""What is kept of every import. PostgreSQL's table of receipts is made from these.

data/imports/account=<a>/<began>.json           its receipt, the times it covers, the partitions it touched
data/imports/account=<a>/unfinished/<digest>/   segments of an import that is under way, or was killed
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.extract.files import make_folder, write_atomic
from pipeline.extract.history.receipt import FileReceipt
from pipeline.extract.history.spans import RULES, Span, is_unchanged
from pipeline.extract.raw import STAMP
from pipeline.extract.values import format_moment

logger = logging.getLogger("luigi-interface")
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
    return sorted((data / "imports").glob(f"account={account or '*'}/[0-9]*.json"))


def read_record(path: Path) -> ImportRecord | None:
    """None, and a line in the log, where the file cannot be read: what was imported is in the partitions."""
    try:
        found = json.loads(path.read_bytes())
        found["files"] = tuple(FileReceipt(**file) for file in found["files"])
        found["spans"] = tuple((begin, end) for begin, end in found["spans"])
        found["remarks"], found["not_read"] = tuple(found.get("remarks", ())), tuple(found.get("not_read", ()))
        record = ImportRecord(**found)
        if not record.is_current and not is_unchanged(file.file for file in record.files):
            # Version 1 could join years between which a file was missing, and a record does not tell when each file
            # began: no time is covered until the export is imported again.
            return dataclasses.replace(record, spans=())
        return record
    except (ValueError, TypeError, KeyError) as error:
        logger.error("%s is no record of an import (%s); delete it or restore it", path, type(error).__name__)
        return None


def find_record(data: Path, account: str, digest: str, since: datetime.datetime) -> ImportRecord | None:
    """The last import of this export that has ended after `since` or of which all rows are still there."""
    for path in reversed(list_records(data, account)):
        record = read_record(path)
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
    begun = folder / "begun"
    if not begun.exists():
        write_atomic(begun, format_moment(now).encode())
    return folder, datetime.datetime.fromisoformat(begun.read_text())


def remove_finished(data: Path, account: str) -> None:
    """Remove the segments of imports that were killed when their record was written already."""
    done = {record.imported_at for path in list_records(data, account) if (record := read_record(path))}
    for begun in (imports_folder(data, account) / "unfinished").glob("*/begun"):
        if begun.read_text() in done:
            end_import(begun.parent)


def end_import(folder: Path) -> None:
    shutil.rmtree(folder)
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def repeated(record: ImportRecord, not_read: tuple[str, ...], now: datetime.datetime) -> ImportRecord:
    """The record of the same export once more. `not_read`: files that lie beside its own now."""
    files: Sequence[FileReceipt] = [file.again() for file in record.files]
    moment = format_moment(now)
    return dataclasses.replace(record, imported_at=moment, files=tuple(files), ended_at=moment, not_read=not_read)


def _version(path: Path) -> Version | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns

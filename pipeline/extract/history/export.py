"""What somebody hands over as an export: the zip as it was delivered, the folder it was unpacked into, or one of its
files.

Nothing is ever unpacked onto the disk; a file is chosen by its name, or alone by what is in it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export_file import ExportFile
from pipeline.extract.history.kinds import (
    ACCOUNT_DATA,
    HEAD,
    HISTORY,
    REQUEST,
    Kind,
    is_account_data,
    is_json,
    is_predecessor,
    is_table,
    looks_like_plays,
)
from pipeline.extract.history.zips import is_shadow, look_into_zip
from pipeline.extract.values import text

logger = logging.getLogger("luigi-interface")


@dataclass(frozen=True)
class Export:
    """`digest`: of the bytes as they lie there; the same export has the same, wherever it lies. `not_read`: names of
    JSON files that look like plays and are not read, because of their name."""

    path: Path
    files: tuple[ExportFile, ...]
    digest: str
    not_read: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return text(self.path.name)


def open_export(path: Path) -> Export:
    """Look at what is there without reading any play. Raises ExportRefused, with what to do."""
    others: list[str] = []
    not_read: list[str] = []
    try:
        if path.is_dir():
            files, others, not_read = _look_into_folder(path)
        elif not path.exists():
            raise ExportRefused(
                f"{path} does not exist. Give the zip that Spotify sent, or the folder it was unpacked into"
            )
        elif _begins_like_zip(path):
            files, others, not_read = look_into_zip(path)
        else:
            files = [_single_file(path)]
    except OSError as error:
        raise ExportRefused(
            f"{error.filename or path} cannot be read ({error.strerror}). Nothing was imported; make it readable, or"
            " move it out of the export"
        ) from None
    if not files:
        raise ExportRefused(_what_is_wrong(path, others, not_read))
    if left_out := [name for name in others if name.lower().endswith(".zip")]:
        logger.warning("left out, for it lies in a folder with files of plays: %s", ", ".join(left_out))
    files = _without_common_folder(files)
    files.sort(key=lambda file: [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", file.name)])
    return Export(path, tuple(files), _digest(path, files), tuple(sorted(not_read)))


def _without_common_folder(files: list[ExportFile]) -> list[ExportFile]:
    """Names as people know them; with their folder only where it tells two files apart."""
    if len({file.name.rpartition("/")[0] for file in files}) > 1:
        return files
    return [replace(file, name=file.name.rpartition("/")[2]) for file in files]


def _look_into_folder(path: Path) -> tuple[list[ExportFile], list[str], list[str]]:
    """Files of plays, names of the other files, and of those the ones that look like plays."""
    files: list[ExportFile] = []
    others: list[str] = []
    not_read: list[str] = []
    for found in sorted(_files_below(path)):
        if found.is_file() and not is_shadow(found.relative_to(path).parts):
            name = text(str(found.relative_to(path)))
            if kind := _kind(found):
                files.append(ExportFile(kind, name, found.stat().st_size, found))
                continue
            others.append(found.name)
            if is_json(found.name) and looks_like_plays(_head(found)):
                not_read.append(name)
    return files, others, not_read


def _files_below(path: Path) -> Iterator[Path]:
    """Raises OSError for a folder that cannot be read: Path.rglob would skip it, and its plays, silently."""

    def refuse(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (Path(folder, name) for name in names)


def _single_file(path: Path) -> ExportFile:
    head = _head(path)
    if is_predecessor(head):
        kind: Kind = "predecessor"
    elif is_account_data(head):
        raise ExportRefused(
            f'{path} is of the "Account data": minutes instead of seconds, and one year only. {REQUEST}'
        )
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        kind = "history"
    else:
        raise ExportRefused(f"{path} is neither a zip nor a list of plays in JSON or CSV. {REQUEST}")
    return ExportFile(kind, text(path.name), path.stat().st_size, path)


def _kind(path: Path) -> Kind | None:
    if HISTORY.fullmatch(path.name):
        return "history"
    return "predecessor" if is_table(path.name) and is_predecessor(_head(path)) else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _begins_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix.lower() == ".zip"


def _what_is_wrong(path: Path, others: list[str], not_read: list[str]) -> str:
    if any(ACCOUNT_DATA.fullmatch(name) for name in others):
        return f'{path} is the "Account data": minutes instead of seconds, and one year only. {REQUEST}'
    if any(name.lower().endswith(".zip") for name in others):
        return f"{path} holds no streaming history, but a zip: give that"
    if not_read:
        return (
            f"{path} holds no file of plays under a name of Spotify's. These files look like plays:"
            f" {', '.join(not_read)}. Give them to --export one by one, or give them their names again:"
            " Streaming_History_Audio_….json, endsong_….json"
        )
    found = f" (but {', '.join(map(text, others[:3]))}{', …' if len(others) > 3 else ''})" if others else ""
    return f"{path} holds no Streaming_History_Audio_….json, no endsong_….json{found}. {REQUEST}"


def _digest(path: Path, files: list[ExportFile]) -> str:
    """SHA-256 of the zip, or of the names and digests of the files."""
    if files[0].entry is not None:
        return _digest_of(path)
    # The names as well: the times that an export covers follow from them.
    parts = [f"{file.name}:{_digest_of(file.container)}" for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

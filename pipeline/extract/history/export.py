"""What somebody hands over as an export: the zip as it was delivered, the folder it was unpacked into, or one of its
files.

Nothing is ever unpacked onto the disk; a file is chosen by its name, or alone by what is in it.
"""

from __future__ import annotations

import hashlib
import logging
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.values import text

Kind = Literal["history", "predecessor"]
HISTORY = re.compile(r"(streaming_history_(audio|video)|endsong)_.*\.json", re.IGNORECASE)
ACCOUNT_DATA = re.compile(r"streaminghistory(_music|_podcast|_audiobook)?_?\d*\.json", re.IGNORECASE)
REQUEST = (
    'Request "Extended streaming history" at spotify.com/account/privacy (not "Account data"); Spotify sends it by mail'
    " within 30 days"
)
# Histories pack 10 to 40 times; deflate's utmost, of one byte repeated, is 1032.
MOST_PACKED = 200
HARMLESS = 32 * 2**20
HEAD = 2000
AGAIN = "Nothing was imported; fetch the file once more and run the same command"
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, UnicodeDecodeError)


logger = logging.getLogger("luigi-interface")
# Columns that every version of the older pipeline's table has.
PREDECESSOR = {"played_at_utc", "song_name", "song_duration_ms"}


@dataclass(frozen=True)
class ExportFile:
    """One file of plays. `container`: the zip it lies in as entry number `entry`, or the file itself. `size`: bytes."""

    kind: Kind
    name: str
    size: int
    container: Path
    entry: int | None = None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Raises ExportRefused for what an archive hides until it is read: a cut, a false checksum."""
        try:
            if self.entry is None:
                with self.container.open("rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.container) as archive:
                    yield archive.open(archive.infolist()[self.entry])
        except DAMAGE as error:
            raise ExportRefused(f"{self.name} in {self.container} cannot be unpacked ({error}). {AGAIN}") from None
        except OSError as error:
            # Some ways of packing say so of bytes that are none.
            raise ExportRefused(f"{self.name} in {self.container} cannot be read ({error}). {AGAIN}") from None


@dataclass(frozen=True)
class Export:
    """`digest`: of the bytes as they lie there; the same export has the same, wherever it lies."""

    path: Path
    files: tuple[ExportFile, ...]
    digest: str

    @property
    def name(self) -> str:
        return text(self.path.name)


def open_export(path: Path) -> Export:
    """Look at what is there without reading any play. Raises ExportRefused, with what to do."""
    try:
        if path.is_dir():
            files, others = _look_into_folder(path)
        elif not path.exists():
            raise ExportRefused(
                f"{path} does not exist. Give the zip that Spotify sent, or the folder it was unpacked into"
            )
        elif _begins_like_zip(path):
            files, others = _look_into_zip(path)
        else:
            files, others = [_single_file(path)], []
    except OSError as error:
        raise ExportRefused(f"{path} cannot be read ({error.strerror})") from None
    if not files:
        raise ExportRefused(_what_is_wrong(path, others))
    if left_out := [name for name in others if name.lower().endswith(".zip")]:
        logger.warning("left out, for it lies in a folder with files of plays: %s", ", ".join(left_out))
    files = _without_common_folder(files)
    files.sort(key=lambda file: [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", file.name)])
    return Export(path, tuple(files), _digest(path, files))


def _without_common_folder(files: list[ExportFile]) -> list[ExportFile]:
    """Names as people know them; with their folder only where it tells two files apart."""
    if len({file.name.rpartition("/")[0] for file in files}) > 1:
        return files
    return [replace(file, name=file.name.rpartition("/")[2]) for file in files]


def _look_into_folder(path: Path) -> tuple[list[ExportFile], list[str]]:
    files, others = [], []
    for found in sorted(path.rglob("*")):
        if found.is_file() and not _is_shadow(found.relative_to(path).parts):
            kind = _kind(found.name, found)
            if kind:
                files.append(ExportFile(kind, text(str(found.relative_to(path))), found.stat().st_size, found))
            else:
                others.append(found.name)
    return files, others


def _look_into_zip(path: Path) -> tuple[list[ExportFile], list[str]]:
    files, others = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            for number, entry in enumerate(archive.infolist()):
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                if ".." in parts or entry.filename.startswith(("/", "\\")):
                    raise ExportRefused(
                        f"{path} names {entry.filename!r}, a place outside itself: Spotify sends no such archive"
                    )
                if entry.is_dir() or _is_shadow(parts):
                    continue
                if kind := _kind_in_zip(archive, entry, parts[-1]):
                    files.append(ExportFile(kind, text("/".join(parts)), entry.file_size, path, number))
                else:
                    others.append(parts[-1])
    except (*DAMAGE, ValueError) as error:
        raise ExportRefused(f"{path} is cut off or damaged ({error}). {AGAIN}") from None
    return files, others


def _kind_in_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Kind | None:
    is_table = name.lower().endswith(".csv")
    if not is_table and not HISTORY.fullmatch(name):
        return None
    where = f"{archive.filename}: {text(name)}"
    if entry.flag_bits & 1:
        raise ExportRefused(f"{where} is encrypted. Unpack the archive with its password and give the folder")
    if entry.file_size > HARMLESS and entry.file_size > MOST_PACKED * entry.compress_size:
        raise ExportRefused(
            f"{where} would unpack to {entry.file_size:,} bytes, {MOST_PACKED} times its size: no listening history is"
            " so even. Nothing was unpacked"
        )
    if not is_table:
        return "history"
    with archive.open(entry) as file:
        return "predecessor" if is_predecessor(file.read(HEAD)) else None


def _single_file(path: Path) -> ExportFile:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if is_predecessor(head):
        kind: Kind = "predecessor"
    elif b'"endTime"' in head and b'"msPlayed"' in head:
        raise ExportRefused(
            f'{path} is of the "Account data": minutes instead of seconds, and one year only. {REQUEST}'
        )
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        kind = "history"
    else:
        raise ExportRefused(f"{path} is neither a zip nor a list of plays in JSON or CSV. {REQUEST}")
    return ExportFile(kind, text(path.name), path.stat().st_size, path)


def _kind(name: str, path: Path) -> Kind | None:
    if HISTORY.fullmatch(name):
        return "history"
    if name.lower().endswith(".csv"):
        with path.open("rb") as file:
            return "predecessor" if is_predecessor(file.read(HEAD)) else None
    return None


def is_predecessor(head: bytes) -> bool:
    """Whether a file that begins like this is a table of plays of the older pipeline."""
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    return {name.strip().strip('"') for name in first.split(",")} >= PREDECESSOR


def _is_shadow(parts: tuple[str, ...]) -> bool:
    """What the Finder of macOS adds: files of the same name that hold no plays."""
    return "__MACOSX" in parts or not parts or parts[-1].startswith("._")


def _begins_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix.lower() == ".zip"


def _what_is_wrong(path: Path, others: list[str]) -> str:
    if any(ACCOUNT_DATA.fullmatch(name) for name in others):
        return f'{path} is the "Account data": minutes instead of seconds, and one year only. {REQUEST}'
    if any(name.lower().endswith(".zip") for name in others):
        return f"{path} holds no streaming history, but a zip: give that"
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

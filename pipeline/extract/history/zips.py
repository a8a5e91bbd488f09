"""The files of plays inside a zip. Every limit is checked before an entry is unpacked, by the sizes of the directory:
zipfile returns no more bytes of an entry than the directory states."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path, PurePosixPath

from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export_file import AGAIN, DAMAGE, ExportFile
from pipeline.extract.history.kinds import HEAD, HISTORY, Kind, is_json, is_predecessor, is_table, looks_like_plays
from pipeline.extract.values import text

# Histories pack 10 to 40 times; the maximum of deflate, one byte repeated, is 1032.
MOST_PACKED = 200
HARMLESS = 32 * 2**20
# Bytes of all files of plays of one archive. An export of ten years has 0.2 GB.
MOST_BYTES = 10 * 2**30
# zipfile unpacks bzip2 and LZMA without a limit: 4 kB of such bytes can take gigabytes of memory.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LOCAL_HEADER = 30  # bytes, without the name


def look_into_zip(path: Path) -> tuple[list[ExportFile], list[str], list[str]]:
    """Files of plays, names of the other files, and of those the ones that look like plays. Raises ExportRefused."""
    files: list[ExportFile] = []
    others: list[str] = []
    not_read: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_overlaps(path, archive)
            for number, entry in enumerate(archive.infolist()):
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                if ".." in parts or entry.filename.startswith(("/", "\\")):
                    raise ExportRefused(
                        f"{path} names {entry.filename!r}, a place outside itself: Spotify sends no such archive"
                    )
                if entry.is_dir() or is_shadow(parts):
                    continue
                name = text("/".join(parts))
                if kind := _kind(archive, entry, parts[-1]):
                    files.append(ExportFile(kind, name, entry.file_size, path, number))
                    continue
                others.append(parts[-1])
                if is_json(parts[-1]) and looks_like_plays(_head(archive, entry)):
                    not_read.append(name)
            _refuse_excess(path, files)
    except (*DAMAGE, ValueError) as error:
        raise ExportRefused(f"{path} is cut off or damaged ({error}). {AGAIN}") from None
    return files, others, not_read


def is_shadow(parts: tuple[str, ...]) -> bool:
    """True for the files that the Finder of macOS adds: they repeat a name and hold no plays."""
    return "__MACOSX" in parts or not parts or parts[-1].startswith("._")


def _refuse_overlaps(path: Path, archive: zipfile.ZipFile) -> None:
    """Entries that share bytes unpack to any size, though each of them is within its own limit. Releases of Python
    before 3.11.8 and 3.12.2 do not notice them."""
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    ends = [entry.header_offset + LOCAL_HEADER + entry.compress_size for entry in entries]
    begins = [*(entry.header_offset for entry in entries[1:]), archive.start_dir]
    for entry, end, begin in zip(entries, ends, begins, strict=True):
        if end > begin:
            packed, unpacked = (sum(sizes) for sizes in zip(*map(_sizes, entries), strict=True))
            raise ExportRefused(
                f"{path} has entries that overlap: {text(entry.filename)!r} ends at byte {end:,} or later, and other"
                f" content begins at byte {begin:,}. Its {len(entries):,} entries state {packed:,} packed bytes in a"
                f" file of {path.stat().st_size:,} and would unpack to {unpacked:,}. Nothing was unpacked; Spotify"
                " sends no such archive: download it again"
            )


def _refuse_excess(path: Path, files: list[ExportFile]) -> None:
    total, packed = sum(file.size for file in files), path.stat().st_size
    if total > MOST_BYTES or (total > HARMLESS and total > MOST_PACKED * packed):
        raise ExportRefused(
            f"{path} has {packed:,} bytes, and its {len(files):,} files of plays would unpack to {total:,}. At most"
            f" {MOST_BYTES:,} bytes and {MOST_PACKED} times the size of the archive are read. Nothing was unpacked; if"
            " the archive is yours, unpack it and import its files one by one"
        )


def _sizes(entry: zipfile.ZipInfo) -> tuple[int, int]:
    return entry.compress_size, entry.file_size


def _kind(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Kind | None:
    if not is_table(name) and not HISTORY.fullmatch(name):
        return None
    where = f"{archive.filename}: {text(name)}"
    if entry.flag_bits & 1:
        raise ExportRefused(f"{where} is encrypted. Unpack the archive with its password and give the folder")
    if entry.compress_type not in METHODS:
        raise ExportRefused(f"{where} is neither stored nor deflated. Unpack the archive and give the folder")
    if entry.file_size > HARMLESS and entry.file_size > MOST_PACKED * entry.compress_size:
        raise ExportRefused(
            f"{where} would unpack to {entry.file_size:,} bytes, more than {MOST_PACKED} times its"
            f" {entry.compress_size:,}: no listening history is so even. Nothing was unpacked"
        )
    if not is_table(name):
        return "history"
    with archive.open(entry) as file:
        return "predecessor" if is_predecessor(file.read(HEAD)) else None


def _head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """How a file begins that is not to be read; empty if it cannot be unpacked, which then costs no import."""
    if entry.flag_bits & 1 or entry.compress_type not in METHODS:
        return b""
    with contextlib.suppress(*DAMAGE, OSError), archive.open(entry) as file:
        return file.read(HEAD)
    return b""

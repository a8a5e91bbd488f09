"""The archive: a tar packed with gzip, mode 0600, that any tar opens.

data/…           the data folder
settings/…       luigi.cfg and the listener's own seeds; not .env, which is of the machine
manifest.json    last: what is in it, with a SHA-256 of every file; so an archive that is cut off has none
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pipeline import config
from pipeline.backup.contents import files_to_keep
from pipeline.data_format import FORMAT, program_version, read_format
from pipeline.extract.datasets import DATASETS
from pipeline.state_files import DAMAGE, NotAsWritten, check_text, moment
from pipeline.whole_file import whole_file

ARCHIVE_FORMAT = 1
MANIFEST = "manifest.json"
SETTINGS = ("luigi.cfg", "dbt/seeds/exclusion_rules.csv", "dbt/seeds/recording_overrides.csv")
Tell = Callable[[int, int], None]
# Bytes. An archive is read in pieces of CHUNK; `most_unpacked` has the limit for all of it.
CHUNK, LONGEST_READ = 1 << 20, 4 << 20
LEAST_ALLOWED, MOST_RATIO = 100_000_000, 100
LONGEST_MANIFEST, LONGEST_MANIFEST_LINE = 1_000_000, 1000


class ArchiveRefused(ValueError):
    """No archive of this program's, or not a whole one; the message says which."""


@dataclass(frozen=True)
class KeptFile:
    size: int
    mode: int
    modified_ns: int
    sha256: str


@dataclass
class Manifest:
    """`rows`: account → dataset → rows of its partitions. `files`: name in the archive → what it must be.
    `zones`: the listeners' time zones, on which every local date depends. `shortest_play_seconds`: plays below it are
    not counted; archives of older versions lack it."""

    made_at: str
    program: str
    zones: list[str]
    with_secrets: bool
    data_format: int
    archive_format: int = ARCHIVE_FORMAT
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    files: dict[str, KeptFile] = field(default_factory=dict)
    shortest_play_seconds: int = 0

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


def zones() -> list[str]:
    listener = config.listener()
    return [listener.zone, listener.zones]


def write_archive(
    path: Path, data: Path, now: datetime.datetime, with_secrets: bool = True, tell: Tell = lambda done, total: None
) -> Manifest:
    """Pack the data folder into `path`. Slots may run meanwhile. `tell`: called with files done, and of how many."""
    manifest = Manifest(now.isoformat(), program_version(), zones(), with_secrets, read_format(data))
    manifest.shortest_play_seconds = config.listener().shortest_play
    total = sum(1 for _ in files_to_keep(data, with_secrets))
    with whole_file(path, mode=0o600) as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
        for number, each in enumerate(files_to_keep(data, with_secrets)):
            tell(number, total)
            _add(archive, manifest, PurePosixPath("data", *each.relative_to(data).parts), each)
        for name in SETTINGS:
            _add(archive, manifest, PurePosixPath("settings", name), config.PROJECT / name)
        body = json.dumps(asdict(manifest)).encode()
        _write(archive, MANIFEST, io.BytesIO(body), len(body), 0o600, int(now.timestamp()) * 10**9)
    return manifest


def _add(archive: tarfile.TarFile, manifest: Manifest, name: PurePosixPath, path: Path) -> None:
    try:
        with path.open("rb") as file:
            status, content = os.fstat(file.fileno()), _Counted(file)
            _write(archive, str(name), content, status.st_size, stat.S_IMODE(status.st_mode), status.st_mtime_ns)
    except FileNotFoundError:
        return  # merged meanwhile, and comes later under its new name; or of an account that was just forgotten
    digest = content.digest.hexdigest()
    manifest.files[str(name)] = KeptFile(status.st_size, stat.S_IMODE(status.st_mode), status.st_mtime_ns, digest)
    if name.parts[1] in (dataset.name for dataset in DATASETS) and name.suffix == ".csv":
        rows = manifest.rows.setdefault(name.parts[2].removeprefix("account="), {})
        rows[name.parts[1]] = rows.get(name.parts[1], 0) + content.rows - 1


def _write(archive: tarfile.TarFile, name: str, content: Any, size: int, mode: int, modified_ns: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, mode, modified_ns // 10**9
    archive.addfile(entry, content)


class _Counted:
    """A file on its way into the archive. `rows`: lines of CSV, of which a quoted value can hold several."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.rows, self.is_quoted = file, hashlib.sha256(), 0, False

    def read(self, size: int) -> bytes:
        chunk = self.file.read(size)
        self.digest.update(chunk)
        *lines, last = chunk.split(b"\n")
        for line in lines:
            self.is_quoted ^= bool(line.count(b'"') % 2)
            self.rows += not self.is_quoted
        self.is_quoted ^= bool(last.count(b'"') % 2)
        return chunk


class _Stream:
    """The unpacked archive, as much of a file as tarfile needs to read on.

    tarfile reads the extension of a header, e.g. a long name, in one piece: `read` refuses what is too long. It also
    goes back one byte before each header, for which gzip would begin from the start of the file.
    """

    def __init__(self, path: Path, unpacked: gzip.GzipFile) -> None:
        self.path, self.unpacked = path, unpacked
        self.position, self.last, self.is_back = 0, b"", False

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> None:
        if position == self.position - 1 and not self.is_back:
            self.position, self.is_back = position, True
        while self.position < position and self.read(min(CHUNK, position - self.position)):
            pass
        if position < self.position:
            raise tarfile.ReadError("its headers overlap")

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LONGEST_READ:
            raise ArchiveRefused(
                f"{self.path} is refused: a header in it has {size:,} bytes, and {LONGEST_READ:,} are allowed. Nothing"
                " was changed; take another one"
            )
        if not size:
            return b""
        found = self.last if self.is_back else b""
        self.is_back = False
        found += self.unpacked.read(size - len(found))
        self.position, self.last = self.position + len(found), found[-1:] or self.last
        return found


def read_archive(path: Path) -> Iterator[tuple[str, int, _Content]]:
    """Name, size and content of every file, in order; the content can be read until the next file.

    Raises ArchiveRefused for what this program does not write, and for an archive that unpacks to more than
    `most_unpacked`, before that is read.
    """
    packed = path.stat().st_size
    most, total = most_unpacked(packed), 0
    with _refusing(path), gzip.open(path) as unpacked:
        stream: Any = _Stream(path, unpacked)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for entry in archive:
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every header
                parts = PurePosixPath(entry.name).parts
                content = archive.extractfile(entry) if entry.isreg() and not entry.issparse() else None
                if content is None or entry.name.startswith("/") or ".." in parts:
                    raise ArchiveRefused(
                        f"{path} is no backup of this program: {entry.name!r} is not a plain file in it"
                    )
                total += tarfile.BLOCKSIZE + entry.size
                if total > most:
                    raise ArchiveRefused(
                        f"{path} is refused: it has {packed:,} bytes and unpacks to {total:,} or more, of which"
                        f" {most:,} are allowed. A backup of this program does not shrink that much. Nothing was"
                        " changed; take another one"
                    )
                yield entry.name, entry.size, _Content(path, content)


class _Content:
    """The content of one file, whose errors while it is read are those of the archive."""

    def __init__(self, path: Path, content: IO[bytes]) -> None:
        self.path, self.content = path, content

    def read(self, size: int = -1) -> bytes:
        with _refusing(self.path):
            return self.content.read(size)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveRefused(
            f"{path} is damaged, cut off, or no backup at all ({error}). Nothing was changed; take another one"
        ) from error


def most_unpacked(packed: int) -> int:
    """The most bytes, headers included, of an archive of so many bytes. Gzip reaches 1,032:1; CSV files of this
    program reach about 20:1, and a folder of empty files 60:1."""
    return max(LEAST_ALLOWED, MOST_RATIO * packed)


def chunks(content: _Content) -> Iterator[bytes]:
    return iter(lambda: content.read(CHUNK), b"")


def check_archive(path: Path, tell: Tell = lambda done, total: None) -> Manifest:
    """Read the whole archive and hold every file against the manifest. Raises ArchiveRefused, or OSError."""
    found: dict[str, tuple[int, str]] = {}
    manifest = None
    for name, size, content in read_archive(path):
        if name in found or manifest is not None:
            raise ArchiveRefused(f"{path} is no backup of this program: {name!r} is in it twice, or after {MANIFEST}")
        if name == MANIFEST:
            manifest = _read_manifest(path, content, size, len(found))
        else:
            digest = hashlib.sha256()
            for chunk in chunks(content):
                digest.update(chunk)
            found[name] = (size, digest.hexdigest())
            tell(len(found), 0)
    if manifest is None:
        raise ArchiveRefused(f"{path} is no whole backup of this program: {MANIFEST} is missing. Nothing was changed")
    wanted = {name: (file.size, file.sha256) for name, file in manifest.files.items()}
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        raise ArchiveRefused(
            f"{path} is damaged: {len(wrong)} of {len(wanted)} files are not what its manifest says, {wrong[0]} for"
            " instance. Nothing was changed; take another one"
        )
    return manifest


def _read_manifest(path: Path, content: _Content, size: int, files: int) -> Manifest:
    """`files`: how many the archive holds."""
    most = LONGEST_MANIFEST + files * LONGEST_MANIFEST_LINE
    if size > most:
        raise ArchiveRefused(
            f"{path} is refused: its {MANIFEST} has {size:,} bytes for {files:,} files, and {most:,} are allowed"
        )
    try:
        told = json.loads(b"".join(chunks(content)))
        number, form = int(told["archive_format"]), int(told["data_format"])
        if number > ARCHIVE_FORMAT or form > FORMAT:
            raise ArchiveRefused(
                f"{path} was made by version {told['program']} of this program, and is newer than what this version,"
                f" {program_version()}, can read. Nothing was changed; install that version"
            )
        told["files"] = {name: KeptFile(**file) for name, file in told["files"].items()}
        return _checked(Manifest(**told))
    except ArchiveRefused:
        raise
    except (*DAMAGE, config.SettingError) as error:
        reason = f" ({error})" if isinstance(error, NotAsWritten | config.SettingError) else ""
        raise ArchiveRefused(
            f"{path} is no backup of this program: its {MANIFEST} cannot be read{reason}. Nothing was changed"
        ) from error


def _checked(manifest: Manifest) -> Manifest:
    """Raises ValueError, TypeError, SettingError. The names become paths and locks, the numbers modes and times."""
    moment(manifest.made_at)
    check_text("program", manifest.program)
    if len(manifest.zones) != 2 or type(manifest.with_secrets) is not bool:
        raise NotAsWritten("zones or with_secrets has an impossible value")
    for zone in manifest.zones:
        check_text("zones", zone)
    for account, rows in manifest.rows.items():
        config.AccountParameter().normalize(account)
        if not all(type(number) is int and number >= 0 for number in rows.values()):
            raise NotAsWritten("rows has an impossible value")
    for name, file in manifest.files.items():
        check_text("a name", name)
        limits = ((file.size, 2**63), (file.mode, 0o10000), (file.modified_ns, 2**63))
        if not all(type(number) is int and 0 <= number < most for number, most in limits):
            raise NotAsWritten(f"{name!r} has an impossible size, mode or time")
        check_text("sha256", file.sha256)
    return manifest

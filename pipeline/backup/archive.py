"""The archive: a tar packed with gzip, mode 0600, that any tar opens.

data/…           the data folder
settings/…       luigi.cfg and the listener's own seeds; not .env, which is of the machine
manifest.json    last: what is in it, with a SHA-256 of every file; so an archive that is cut off has none
"""

from __future__ import annotations

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

from pipeline import config
from pipeline.backup.contents import files_to_keep
from pipeline.data_format import FORMAT, program_version, read_format
from pipeline.extract.datasets import DATASETS
from pipeline.extract.partitions import split_partition
from pipeline.whole_file import whole_file

ARCHIVE_FORMAT = 1
MANIFEST = "manifest.json"
SETTINGS = ("luigi.cfg", "dbt/seeds/exclusion_rules.csv", "dbt/seeds/recording_overrides.csv")
Tell = Callable[[int, int], None]


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
        _write(archive, MANIFEST, json.dumps(asdict(manifest)).encode(), 0o600, int(now.timestamp()))
    return manifest


def _add(archive: tarfile.TarFile, manifest: Manifest, name: PurePosixPath, path: Path) -> None:
    try:
        with path.open("rb") as file:
            status, body = os.fstat(file.fileno()), file.read()
    except FileNotFoundError:
        return  # merged meanwhile, and comes later under its new name; or of an account that was just forgotten
    digest = hashlib.sha256(body).hexdigest()
    manifest.files[str(name)] = KeptFile(len(body), stat.S_IMODE(status.st_mode), status.st_mtime_ns, digest)
    if name.parts[1] in (dataset.name for dataset in DATASETS) and name.suffix == ".csv":
        rows = manifest.rows.setdefault(name.parts[2].removeprefix("account="), {})
        rows[name.parts[1]] = rows.get(name.parts[1], 0) + len(split_partition(body)) - 1
    _write(archive, str(name), body, stat.S_IMODE(status.st_mode), status.st_mtime_ns // 10**9)


def _write(archive: tarfile.TarFile, name: str, body: bytes, mode: int, modified: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(body), mode, modified
    archive.addfile(entry, io.BytesIO(body))


def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file. Raises ArchiveRefused for what this program does not write."""
    try:
        with tarfile.open(path, mode="r|gz") as archive:
            for entry in archive:
                parts = PurePosixPath(entry.name).parts
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or entry.name.startswith("/") or ".." in parts:
                    raise ArchiveRefused(
                        f"{path} is no backup of this program: {entry.name!r} is not a plain file in it"
                    )
                yield entry.name, content.read()
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveRefused(
            f"{path} is damaged, cut off, or no backup at all ({error}). Nothing was changed; take another one"
        ) from error


def check_archive(path: Path, tell: Tell = lambda done, total: None) -> Manifest:
    """Read the whole archive and hold every file against the manifest. Raises ArchiveRefused, or OSError."""
    found: dict[str, tuple[int, str]] = {}
    manifest = None
    for name, body in read_archive(path):
        if name == MANIFEST:
            manifest = _read_manifest(path, body)
        else:
            found[name] = (len(body), hashlib.sha256(body).hexdigest())
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


def _read_manifest(path: Path, body: bytes) -> Manifest:
    try:
        told = json.loads(body)
        number, form = int(told["archive_format"]), int(told["data_format"])
        if number > ARCHIVE_FORMAT or form > FORMAT:
            raise ArchiveRefused(
                f"{path} was made by version {told['program']} of this program, and is newer than what this version,"
                f" {program_version()}, can read. Nothing was changed; install that version"
            )
        told["files"] = {name: KeptFile(**file) for name, file in told["files"].items()}
        return Manifest(**told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ArchiveRefused):
            raise
        raise ArchiveRefused(f"{path} is no backup of this program: its {MANIFEST} cannot be read") from error

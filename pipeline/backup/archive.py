"""The archive: a tar packed with gzip, mode 0600, that any tar opens.

data/…           the data folder
settings/…       luigi.cfg and the listener's own seeds; not .env, which is of the machine
manifest.json    last: what is in it, with a SHA-256 of every file; so an archive that is cut off has none
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pipeline import config
from pipeline.backup.allowed import allowed_mode
from pipeline.backup.contents import files_to_keep
from pipeline.backup.manifest import MANIFEST, ArchiveRefused, KeptFile, Manifest, most_bytes, parse_manifest
from pipeline.backup.unpacking import chunks, read_archive
from pipeline.data_format import program_version, read_format
from pipeline.extract.datasets import DATASETS
from pipeline.whole_file import whole_file

SETTINGS = ("luigi.cfg", "dbt/seeds/exclusion_rules.csv", "dbt/seeds/recording_overrides.csv")
Tell = Callable[[int, int], None]


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
            mode = allowed_mode("/".join(name.parts[1:]), status.st_mode)
            _write(archive, str(name), content, status.st_size, mode, status.st_mtime_ns)
    except FileNotFoundError:
        return  # merged meanwhile, and comes later under its new name; or of an account that was just forgotten
    digest = content.digest.hexdigest()
    manifest.files[str(name)] = KeptFile(status.st_size, mode, status.st_mtime_ns, digest)
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


def check_archive(path: Path, tell: Tell = lambda done, total: None) -> Manifest:
    """Read the whole archive and hold every file against the manifest. Raises ArchiveRefused, or OSError."""
    found: dict[str, tuple[int, str]] = {}
    manifest = None
    for name, size, content in read_archive(path):
        if name in found or manifest is not None:
            raise ArchiveRefused(f"{path} is no backup of this program: {name!r} is in it twice, or after {MANIFEST}")
        if name == MANIFEST:
            if size > (most := most_bytes(len(found))):
                raise ArchiveRefused(
                    f"{path} is refused: its {MANIFEST} has {size:,} bytes for {len(found):,} files, and {most:,} are"
                    " allowed"
                )
            manifest = parse_manifest(path, b"".join(chunks(content)))
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

"""The last entry of an archive: every file in it with size, mode, moment of change and SHA-256, and what made it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline import config
from pipeline.data_format import FORMAT, program_version
from pipeline.state_files import DAMAGE, NotAsWritten, check_text, moment

ARCHIVE_FORMAT = 1
MANIFEST = "manifest.json"
# Bytes.
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


def most_bytes(files: int) -> int:
    """The limit for the manifest of an archive of so many files."""
    return LONGEST_MANIFEST + files * LONGEST_MANIFEST_LINE


def parse_manifest(path: Path, body: bytes) -> Manifest:
    """Of the archive `path`. Raises ArchiveRefused."""
    try:
        told = json.loads(body)
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

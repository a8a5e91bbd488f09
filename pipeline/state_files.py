"""Reading of the state files that the program writes. A damaged file never stops the work.

A damaged file is renamed to `<name>.damaged`, or `<name>.2.damaged` if that exists, and counts as absent. A note in
data/alerts/damaged makes an incident of it when the run ends (pipeline/alerts/damaged.py). A file in a folder that
cannot be written stays in its place, counts as absent as well, and is noted once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import fcntl
import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.extract.files import write_atomic
from pipeline.folders import matching

logger = logging.getLogger("luigi-interface")
T = TypeVar("T")
SUFFIX = ".damaged"
# What a function that parses a file raises for a damaged one.
DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
# A clock that is wrong by less than this damages nothing.
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
FUTURE = datetime.timedelta(days=1)
SEAL = b"sha256:"


@dataclass(frozen=True)
class Damage:
    """`path`: the state file. `place`: where the damaged file is now. Both are relative to the data folder if they
    are inside it. `reason`: one line, without the file's content. `version`: of the damaged file, in nanoseconds."""

    path: str
    place: str
    reason: str
    version: int

    @property
    def is_moved(self) -> bool:
        return self.place != self.path


class NotAsWritten(ValueError):
    """The file's content is not as the program writes it. The text must not quote the content, which may be secret."""


# Of this process: damage that is reported already, and damage whose note could not be written.
_reported: set[Damage] = set()
unwritten: list[Damage] = []


def read_state(data: Path, path: Path, parse: Callable[[bytes], T]) -> T | None:
    """What `parse` makes of the file's content; None if the file is absent, or damaged and set aside.

    `parse` raises one of DAMAGE for a damaged file. Raises OSError, which names the file, if it cannot be read.
    """
    while True:
        try:
            version, content = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if content is None:
            reason = "it is not a regular file"
        else:
            try:
                return parse(content)
            except DAMAGE as error:
                reason = _reason(error)
        if set_aside(data, path, reason, version):
            return None
        # Another process has replaced the file since it was read.


def set_aside(data: Path, path: Path, reason: str, version: os.stat_result | None = None) -> bool:
    """Rename a damaged file and note it. False, and nothing is renamed, if it is no longer the file of `version`.

    Processes that find the same damage at once rename it once: the folder is locked meanwhile.
    """
    place = path
    with _locked(path.parent):
        try:
            found = os.lstat(path)
        except OSError:
            return True  # another process has set it aside, or removed it
        if version is not None and _identity(found) != _identity(version):
            return False
        target = _free_name(path)
        try:
            path.rename(target)
            place = target
        except OSError as error:
            reason = f"{reason}; it cannot be renamed ({error.strerror})"
        if place != path and _identity(os.lstat(target)) != _identity(found):
            # A writer has replaced the file between lstat and rename. It takes its place again, unless a newer one has.
            if not os.path.lexists(path):
                target.rename(path)
            return False
    _report(data, Damage(_inside(data, path), _inside(data, place), reason, found.st_mtime_ns))
    return True


def set_aside_copies(path: Path) -> list[Path]:
    """The damaged files that once had this path."""
    return [each for each in matching(path.parent, f"{path.name}*{SUFFIX}") if _is_copy(each.name, path.name)]


def notes_folder(data: Path) -> Path:
    return data / "alerts" / "damaged"


def read_notes(data: Path) -> Iterator[tuple[Path, Damage]]:
    """The notes of all processes; the caller deletes each one that it has reported."""
    for note in matching(notes_folder(data), "*.note"):
        with contextlib.suppress(OSError):
            path, place, version, reason = (note.read_text(errors="replace").split("\n") + [""] * 4)[:4]
            yield note, Damage(path or note.name, place or path, reason, int(version) if version.isdecimal() else 0)


def json_object(content: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    found = json.loads(content)
    if not isinstance(found, dict):
        raise NotAsWritten("it is not a JSON object")
    return found


def moment(value: Any, now: datetime.datetime | None = None) -> datetime.datetime:
    """An ISO 8601 moment with a time zone, after 1999; before tomorrow, if `now` is given. Raises ValueError."""
    if not isinstance(value, str):
        raise NotAsWritten("a moment is not a text")
    found = datetime.datetime.fromisoformat(value)
    if found.tzinfo is None or not 2000 <= found.year < 2200:
        raise NotAsWritten("a moment has no time zone, or is impossible")
    if now is not None and found > now + FUTURE:
        raise NotAsWritten("a moment is in the future")
    return found


def typed(cls: type[T], found: Any) -> T:
    """A dataclass from a JSON object, whose fields of the types in TYPES are checked. Raises ValueError, TypeError.

    Numbers must not be negative."""
    made = cls(**found)
    for field in dataclasses.fields(made):  # type: ignore[arg-type]
        expected = TYPES.get(str(field.type).partition("[")[0])
        value = getattr(made, field.name)
        if (expected and type(value) is not expected) or (expected is int and not 0 <= value < 2**31):
            raise NotAsWritten(f"{field.name} has an impossible value")
        if expected is str:
            check_text(field.name, value)
    return made


def check_text(name: str, value: Any) -> None:
    """Raises ValueError for what is not a text, or cannot be sent (a lone surrogate) or stored in PostgreSQL (NUL)."""
    if not isinstance(value, str) or "\0" in value:
        raise NotAsWritten(f"{name} is not a text")
    value.encode()


def counts(found: Any, names: tuple[str, ...]) -> None:
    """Raises ValueError unless each of these values of a JSON object is null, absent or a number from 0 on."""
    for name in names:
        value = found.get(name)
        if value is not None and (type(value) is not int or not 0 <= value < 2**31):
            raise NotAsWritten(f"{name} is not a number from 0 on")


def texts(found: Any, names: tuple[str, ...]) -> None:
    """Raises ValueError unless each of these values of a JSON object is null, absent or a text."""
    for name in names:
        value = found.get(name)
        if value is not None:
            check_text(name, value)


def sealed(body: bytes) -> bytes:
    """`body` after a line with its SHA-256, for files that no person edits: every damage is found."""
    return SEAL + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unsealed(content: bytes) -> bytes:
    """Raises ValueError for a file that is not as `sealed` made it."""
    head, _, body = content.partition(b"\n")
    if head != SEAL + hashlib.sha256(body).hexdigest().encode():
        raise NotAsWritten("its content does not have the SHA-256 in its first line")
    return body


def _read(path: Path) -> tuple[os.stat_result, bytes | None]:
    """The file's identity and content; None for anything but a regular file. Raises FileNotFoundError, OSError."""
    version = os.lstat(path)
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return version, file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError as error:
        is_link = stat.S_ISLNK(version.st_mode)
        if error.errno in (errno.EISDIR, errno.ELOOP, errno.ENXIO) or (is_link and error.errno == errno.ENOENT):
            return version, None
        # A read error does not name the file.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _reason(error: BaseException) -> str:
    """Without the content: a file may hold secrets, and json and fromisoformat quote it."""
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON (line {error.lineno}, column {error.colno})"
    if isinstance(error, UnicodeError):
        return "it holds characters that are not UTF-8"
    if isinstance(error, NotAsWritten):
        return str(error)
    return f"its content is not of the expected form ({type(error).__name__})"


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _free_name(path: Path) -> Path:
    number, target = 1, path.with_name(path.name + SUFFIX)
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.{number}{SUFFIX}")
    return target


def _is_copy(name: str, original: str) -> bool:
    number = name[len(original) : -len(SUFFIX)]
    return not number or (number[0] == "." and number[1:].isdecimal())


def _inside(data: Path, path: Path) -> str:
    return str(path.relative_to(data)) if path.is_relative_to(data) else str(path)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """An flock on the folder itself, so that no lock file is left; without it where the file system has none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _report(data: Path, damage: Damage) -> None:
    if damage in _reported:
        return
    _reported.add(damage)
    where = f"moved to {damage.place}" if damage.is_moved else "left in its place"
    logger.warning("%s is damaged: %s. It is %s, and the work continues without it", damage.path, damage.reason, where)
    name = hashlib.sha256(f"{damage.place} {damage.version}".encode(errors="surrogateescape")).hexdigest()[:16]
    note = notes_folder(data) / f"{name}.note"
    lines = (damage.path, damage.place, str(damage.version), damage.reason.replace("\n", " "))
    try:
        write_atomic(note, "\n".join(lines).encode(errors="replace"))
    except OSError as error:
        logger.error("%s cannot be written (%s): the damage is reported when this process ends", note, error.strerror)
        unwritten.append(damage)

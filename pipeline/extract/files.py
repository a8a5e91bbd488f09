"""Atomic, synced files: a file is there whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock

from pipeline.folders import matching

LOCK_TIMEOUT = 900  # seconds; a poll with every retry and wait takes less


def write_atomic(path: Path, content: bytes, mode: int = 0o644, sync_entry: bool = True) -> None:
    """Write `content` to `path` so that neither a crash nor a power cut leaves half of it.

    A temporary file in the same folder is written and synced, then renamed over `path`; the folder is synced last, or
    by the caller, once for many files, without `sync_entry`.
    The caller is the only writer of `path` (it holds the account's lock), so that the temporary file's name can be
    fixed: what a killed run left is overwritten.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
    if sync_entry:
        sync_folder(path.parent)


@contextlib.contextmanager
def reserved(path: Path, size: int, mode: int = 0o644) -> Iterator[Callable[[bytes], None]]:
    """Reserve `size` bytes of the disk for a content of `path` that is not known yet.

    Yields a function that replaces `path` atomically by the content. Call it once; up to `size` bytes need no further
    space. If it is not called, `path` stays as it was. Raises OSError with `path`. The caller is the only writer.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with contextlib.ExitStack() as stack:
        stack.callback(temporary.unlink, missing_ok=True)
        with _named(path):
            make_folder(path.parent)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            file = stack.enter_context(os.fdopen(descriptor, "wb"))
            _allocate(file, size)
            sync_folder(path.parent)

        def save(content: bytes) -> None:
            with _named(path):
                file.seek(0)
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
                sync_folder(path.parent)

        yield save


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let OSErrors name `path`, not its temporary file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error


def _allocate(file: IO[bytes], size: int) -> None:
    """Allocate blocks: a longer file alone has none, and copy-on-write would need others than zeros took."""
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except (AttributeError, OSError) as error:  # macOS lacks it; musl lacks it for some file systems
        if isinstance(error, OSError) and error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
        file.write(bytes(size))
        file.flush()
    os.fsync(file.fileno())


def remove_torn(folder: Path) -> None:
    """Remove what a killed run has left half-written. The caller holds the account's lock."""
    for temporary in matching(folder, ".*.tmp"):
        temporary.unlink()


def move(source: Path, target: Path) -> None:
    """Rename `source` to `target` on the same file system, durably."""
    make_folder(target.parent)
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, each entry synced into the folder above it."""
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.is_dir())]
    for path in reversed(missing):
        path.mkdir(mode=0o755, exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def account_lock(data: Path, account: str) -> FileLock:
    """One writer at a time for the plays of an account."""
    return named_lock(data, f"account={account}")


def named_lock(data: Path, name: str) -> FileLock:
    """A lock across processes. The kernel frees it when its holder dies."""
    path = data / "locks" / f"{name}.lock"
    make_folder(path.parent)
    if path.exists() and not path.is_file():
        from pipeline.state_files import set_aside  # it writes files by this module

        set_aside(data, path, "it is not a regular file")
    return FileLock(path, timeout=LOCK_TIMEOUT)

"""The folders that are written to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from filelock import Timeout

from pipeline import config
from pipeline.doctor.finding import FAILED, OK, WARNING, Finding
from pipeline.extract.files import make_folder, named_lock, write_atomic
from pipeline.status.problems import LITTLE_SPACE, NO_SPACE

PROBE = ".doctor"


def data_folder() -> Iterator[Finding]:
    """Written to as a slot does: a temporary file, synced and renamed, under a lock."""
    data = config.storage().root
    try:
        make_folder(data)
        lock = named_lock(data, "doctor")
        with lock.acquire(timeout=5):
            write_atomic(data / PROBE, b"")
            (data / PROBE).unlink()
        (data / "locks" / "doctor.lock").unlink(missing_ok=True)
    except (OSError, Timeout, NotImplementedError) as error:
        what = f"{data} cannot be written to as a slot does ({error})"
        yield Finding(FAILED, what, "make it yours (chown), or set DATA_DIR to a folder on a local disk")
        return
    strange = [path.name for path in sorted(data.iterdir()) if path.is_dir() and not os.access(path, os.W_OK | os.X_OK)]
    # The embedded server under root runs as a user of its own.
    strange = [name for name in strange if name != "postgres"]
    if strange:
        what = f"{', '.join(strange)} in {data} cannot be written by you: made by another user"
        yield Finding(FAILED, what, f"run: sudo chown -R $(id -un) {data}")
    free = shutil.disk_usage(data).free
    if free < LITTLE_SPACE:
        yield Finding(
            FAILED if free < NO_SPACE else WARNING, f"{free // 1_000_000} MB are free under {data}", "make room"
        )
    yield Finding(OK, f"{data}: written, synced, locked; {free / 1e9:,.0f} GB free")


def logs() -> Iterator[Finding]:
    folder = config.storage().logs
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if os.access(there, os.W_OK | os.X_OK):
        yield Finding(OK, str(folder))
    else:
        yield Finding(FAILED, f"{there} cannot be written by you", "make it yours (chown), or set LOG_DIR")

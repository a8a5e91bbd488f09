"""The state file of luigid, which is a pickle: it is loaded only if this installation wrote it.

A pickle can execute code. Its content is signed with the key in DATA_DIR/.luigid.key. The signature also covers the
inode number and the ctime of the key file, so that a copy of both files, e.g. from another machine, is not loaded.
"""

from __future__ import annotations

import hmac
import os
import pickle
import secrets
import stat
from pathlib import Path
from typing import Any

import luigi.scheduler

from pipeline.extract.files import write_atomic
from pipeline.state_files import NotAsWritten, sealed, unsealed

KEY = ".luigid.key"
KEY_BYTES, SIGNATURE_BYTES = 32, 32
PICKLE = b"\x80"  # the first byte


def state_path(data: Path) -> Path:
    return data / "luigid" / "state.pickle"


def format_state(data: Path, state: Any) -> bytes:
    """Raises OSError."""
    key = _key(data)
    if key is None:
        write_atomic(data / KEY, secrets.token_bytes(KEY_BYTES), mode=0o600)
        key = _key(data)
    if key is None:
        raise PermissionError(f"{data / KEY} cannot be used: it must be a regular file of this user, with mode 0600")
    body = pickle.dumps(state)
    return sealed(hmac.digest(key, body, "sha256") + body)


def parse_state(data: Path, content: bytes) -> Any:
    """Tasks, workers and batches; None if this installation did not write them. Raises NotAsWritten for a damaged file.

    Older versions wrote no signature, the oldest no SHA-256: their state counts as foreign.
    """
    if content[:1] == PICKLE:
        return None
    signed, key = unsealed(content), _key(data)
    signature, body = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    if key is None or not hmac.compare_digest(signature, hmac.digest(key, body, "sha256")):
        return None
    try:
        state = pickle.loads(body)  # noqa: S301  signed
    except Exception as error:  # unpickling raises any exception of the classes
        raise NotAsWritten(f"it cannot be unpickled ({type(error).__name__})") from None
    if (
        not isinstance(state, tuple)
        or len(state) not in (2, 3)
        or not all(isinstance(each, dict) for each in state[:2])
    ):
        raise NotAsWritten("it does not hold tasks and workers")
    if not all(isinstance(each, luigi.scheduler.Task) for each in state[0].values()):
        raise NotAsWritten("it does not hold tasks")
    return state


def _key(data: Path) -> bytes | None:
    """The key, followed by what a copy of its file does not have; None without a file that only this user can read."""
    try:
        descriptor = os.open(data / KEY, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        is_own = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
        if not stat.S_ISREG(found.st_mode) or not is_own:
            return None
        key = file.read(KEY_BYTES + 1)
    return key + f" {found.st_ino} {found.st_ctime_ns}".encode() if len(key) == KEY_BYTES else None

"""A large file, written piece by piece, that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pipeline.extract.files import make_folder, sync_folder


@contextlib.contextmanager
def whole_file(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`; at the end of the block it is synced and renamed over `path`.

    After an error, or Ctrl-C, it is gone, and `path` is as it was. OSErrors name `path`.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        make_folder(path.parent)
        with os.fdopen(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode), "wb+") as file:
            if not mode & 0o077:
                os.fchmod(file.fileno(), mode)  # a torn one of before may have been laxer
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(temporary)):
            raise type(error)(error.errno, os.strerror(error.errno), str(path)) from error
        raise

"""Kill a restore at every write, one after another, and see that the same restore comes through afterwards.

python -m tests.restore_kill_points ARCHIVE DATA        DATA_DIR in the environment

Prints one JSON object. The parent has no threads, so forking is safe.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from pipeline.backup.archive import check_archive
from pipeline.backup.restore import end_restore, restore_files

ARCHIVE, DATA = Path(sys.argv[1]), Path(sys.argv[2])
WRITES = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.utime", "shutil.rmtree")


def main() -> int:
    wanted = {name.removeprefix("data/") for name in check_archive(ARCHIVE).files if name.startswith("data/")}
    point = 0
    while killed_at(point + 1):
        point += 1
        restore_files(ARCHIVE, DATA)
        end_restore(DATA)
        paths = (path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())
        found = {str(path) for path in paths if path.parts[0] != "locks"}
        if found != wanted:
            raise SystemExit(f"killed at write {point}: {found ^ wanted}")
    end_restore(DATA)
    print(json.dumps({"killed": point}))
    return 0


def killed_at(point: int) -> bool:
    """Begin with nothing, in a child that dies before its write number `point`. False when it had fewer."""
    for path in list(DATA.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    child = os.fork()
    if child == 0:
        left = [point]

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            if not arguments or not str(arguments[0]).startswith(str(DATA)):
                return
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if writes or event in WRITES:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(audit)
        restore_files(ARCHIVE, DATA)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    sys.exit(main())

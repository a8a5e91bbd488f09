"""Which files of the data folder a backup holds, and in which order.

No lock is held, and no poll waits: every file is replaced whole, and is read through one descriptor. What says that
something is there (the record of a poll, of an import) is written after it, and so is read before it: whatever a record
in the archive tells of is in the archive. Of a slot that ends meanwhile the plays may be in and the record not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.backup.allowed import SECRETS, is_allowed
from pipeline.folders import walk

# Made from the rest, or of this machine only; alerts are the messages that were sent or wait to be sent.
LEFT_OUT = ("postgres", "dbt", "dashboard", "locks", "logs", "alerts", "luigid")
# Of an import that was killed: the export itself has them.
UNFINISHED = "unfinished"
RECORDS = ("polls", "imports")
ANSWERS = "raw"


class NotOneFolder(ValueError):
    """Something in the data folder that a backup would miss."""


def files_to_keep(data: Path, with_secrets: bool = True) -> Iterator[Path]:
    """The files of a backup: those of `candidates` that pipeline/backup/allowed.py lists."""
    return (path for path in candidates(data, with_secrets) if is_allowed(path.relative_to(data).as_posix()))


def other_files(data: Path) -> list[str]:
    """Files, relative to the data folder, that no backup holds, although they are in no folder of LEFT_OUT."""
    names = (path.relative_to(data).as_posix() for path in candidates(data))
    return [name for name in names if not is_allowed(name)]


def candidates(data: Path, with_secrets: bool = True) -> Iterator[Path]:
    """Every file outside the folders of LEFT_OUT, each folder listed when its turn has come.

    Raises NotOneFolder for a link inside a folder, or one that leads nowhere; OSError for a folder that cannot be read.
    """
    left_out = LEFT_OUT if with_secrets else (*LEFT_OUT, *SECRETS)
    top = [path for path in data.iterdir() if path.name not in left_out and not path.name.startswith(".")]
    for path in sorted(top, key=_turn):
        if path.is_file():
            yield path
            continue
        if path.is_symlink() and not path.exists():
            raise NotOneFolder(
                f"{path} is a link that leads nowhere: mount the disk, or restore the folder, that it names"
            )
        for folder, folders, files in walk(path):
            folders[:] = sorted((name for name in folders if name != UNFINISHED and name[0] != "."), key=_waiting_first)
            for name in folders:
                if Path(folder, name).is_symlink():
                    raise NotOneFolder(
                        f"{Path(folder, name)} is a link, and a backup would miss what is behind it. Only the folders"
                        f" directly in {data} may be links"
                    )
            yield from (Path(folder, name) for name in sorted(files) if name[0] != ".")


def _turn(path: Path) -> tuple[int, str]:
    """Records first, answers last: their plays are merged from them."""
    return (0 if path.name in RECORDS else 2 if path.name == ANSWERS else 1), path.name


def _waiting_first(name: str) -> tuple[bool, str]:
    """An answer goes from pending/ to its month, never back."""
    return name != "pending", name

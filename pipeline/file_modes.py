"""Who can read the files: their owner only, unless [storage] readable_by is everyone. The umask of every entry point
(pipeline/startup.py, cron/run.sh) decides it for new files; here is the data folder of before."""

from __future__ import annotations

import contextlib
import functools
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.folders import walk

# What the program makes in the data folder. The server's folder belongs to another user if root runs the pipeline.
SERVER = "postgres"
STATE = ("accounts", "alerts", "imports", "metabase", "pauses", "polls", "raw", "summaries", "tokens", "format.json")
DATASETS = ("spotify_genres", "spotify_history", "spotify_saved_tracks", "spotify_songs")
NAMES = {*STATE, *DATASETS, SERVER, "dashboard", "dbt", "demo", "locks", "logs", "luigid"}
HIDDEN = (".gitkeep", ".doctor", ".format.", ".luigid.", ".postgres.", ".restoring")


@functools.cache
def close_folder(data: Path, umask: int) -> None:
    """Take the data folder from other users who can read or write it; looks once in a process.

    A folder that holds files of others, such as /tmp or a home, stays as it is: python -m pipeline doctor reports it.
    Permission to enter it stays too, if that is all that others have: the embedded server under root may need it.
    """
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(data.stat().st_mode)
        if mode & umask & 0o066 and not mode & stat.S_ISVTX and all(map(_is_own, data.iterdir())):
            data.chmod(mode & ~umask)


def open_paths(folder: Path, umask: int) -> Iterator[Path]:
    """Files and folders, `folder` included, that other users can read or write against the setting. Raises OSError."""
    for name, folders, files in walk(folder):
        if name == str(folder):
            folders[:] = [each for each in folders if each != SERVER]
        for path in (Path(name), *(Path(name, file) for file in files)):
            with contextlib.suppress(FileNotFoundError):
                if is_open(path, umask):
                    yield path


def is_open(path: Path, umask: int) -> bool:
    """Raises OSError."""
    mode = path.lstat().st_mode
    return bool(mode & umask & 0o066) and not stat.S_ISLNK(mode)


def _is_own(path: Path) -> bool:
    return path.name in NAMES or path.name.startswith(HIDDEN)

"""Listing of folders that raises an error for a folder that cannot be read.

`Path.glob`, `Path.rglob` and `os.walk` skip such a folder silently, and its files then count as absent.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path


def matching(root: Path, pattern: str) -> list[Path]:
    """Paths below `root` that match `pattern`, one wildcard per level as in `Path.glob`, sorted; [] without `root`.

    `**` is not supported. Raises OSError, which names the folder that cannot be read. A folder that another process
    removes meanwhile counts as absent.
    """
    found = [str(root)]
    for part in pattern.split("/"):
        found = [path for folder in found for path in _entries(folder, part)]
    return [Path(path) for path in sorted(found)]


def walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk`, top down. Raises OSError, which names the folder that cannot be read."""
    return os.walk(root, onerror=_raise)


def _entries(folder: str, pattern: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if fnmatch.fnmatchcase(entry.name, pattern)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error

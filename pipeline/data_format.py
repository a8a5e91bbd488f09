"""The form of the data folder, a number: what is of a newer form is left alone, what is of an older one is brought up.

    data/format.json    {"format": 2, "program": "0.4.0"}

A folder without the file is of form 1, that of the first release and of all before it. A change of what files look like
adds 1 to FORMAT and a step to STEPS; reading both forms is better where it is as easy.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

FILE = "format.json"
Step = Callable[[Path], None]
# The first makes form 2 of form 1. A step that was killed is begun again; it takes the locks of whom it disturbs.
STEPS: Sequence[Step] = ()
FORMAT = len(STEPS) + 1


class NewerData(ValueError):
    """The files are of a form that this program does not know; nothing was changed."""


@functools.cache
def program_version() -> str:
    return version("listening-history-pipeline")


def read_format(data: Path) -> int:
    path = data / FILE
    try:
        return int(json.loads(path.read_bytes())["format"])
    except FileNotFoundError:
        return 1
    except (ValueError, KeyError, TypeError):
        raise NewerData(
            f'{path} is damaged. Restore it from a backup, or write {{"format": {FORMAT}}} into it'
        ) from None


@functools.cache
def make_ready(data: Path) -> None:
    """Called before a file of the folder is read or written; looks once in a process. Raises NewerData."""
    bring_up(data, STEPS)


def bring_up(data: Path, steps: Sequence[Step]) -> None:
    """Do the steps that the folder has not seen. Raises NewerData."""
    newest = len(steps) + 1
    found = read_format(data)
    if found > newest:
        raise NewerData(
            f"{data} is of form {found} and was written by a newer version of this program, which knows forms up to"
            f" {newest}. Nothing was changed. Install the newer version again, or restore a backup of before"
        )
    if found == newest or not data.is_dir():
        return
    from pipeline.extract.files import named_lock, write_atomic

    with named_lock(data, "format"):
        for number in range(read_format(data), newest):
            steps[number - 1](data)
            content = {"format": number + 1, "program": program_version()}
            write_atomic(data / FILE, json.dumps(content).encode())

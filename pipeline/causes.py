"""Causes that any part of the program can meet, found in an error or in the output of another program."""

from __future__ import annotations

import errno
import os
import pwd
import re
from collections.abc import Iterator
from enum import Enum

FULL = {errno.ENOSPC, errno.EDQUOT}
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
# Words of the C library, as Python, PostgreSQL, initdb and dbt print them. "permission denied for" is a missing
# privilege in PostgreSQL, not one of a file.
FULL_WORDS = re.compile("No space left on device|Disk quota exceeded|could not extend file")
CLOSED_WORDS = re.compile("Permission denied(?! for)|Operation not permitted|Read-only file system")


class Cause(Enum):
    """The word of its incident, and what to do."""

    DISK_FULL = (
        "disk-full",
        "the disk is full",
        "Free space on that disk; the next slot continues where this one stopped",
    )
    NOT_WRITABLE = "not-writable", "a file or folder cannot be read or written by this user", ""

    def __init__(self, word: str, problem: str, fix: str) -> None:
        self.word = word
        self.problem = problem
        self._fix = fix

    @property
    def fix(self) -> str:
        return (
            self._fix
            or f"Make the file or folder writable for the user of the pipeline: sudo chown -R {_user()} FOLDER"
        )


def cause_of(error: BaseException | str) -> Cause | None:
    """The cause of the error, of the errors behind it, or in a text; None if it is another one.

    An error class with `is_foreign = True` ends the search: its text comes from another server, and the error behind it
    from the network, where a firewall causes "Operation not permitted".
    """
    for each in _chain(error) if isinstance(error, BaseException) else (error,):
        number = each.errno if isinstance(each, OSError) else None
        words = str(each)
        if number in FULL or FULL_WORDS.search(words):
            return Cause.DISK_FULL
        if number in CLOSED or CLOSED_WORDS.search(words):
            return Cause.NOT_WRITABLE
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None and not getattr(error, "is_foreign", False):
        yield error
        error = error.__cause__ or error.__context__


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container whose user has no name
        return str(os.getuid())

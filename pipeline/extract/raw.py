"""Responses as they came, before anybody has looked inside.

    data/raw/recently_played/account=<a>/pending/<fetched>.json.gz      not yet merged into partitions
    data/raw/recently_played/account=<a>/YYYY/MM/<fetched>.json.gz      merged
    data/raw/recently_played/account=<a>/rejected/<fetched>.json.gz     not understood, kept for a person

`<fetched>` is the UTC moment of the answer, e.g. 20261122T143001.482913Z. The bytes are Spotify's, gzip-packed. A run
that dies leaves its response in `pending/`, and the next run merges it first.
"""

from __future__ import annotations

import datetime
import gzip
import zlib
from pathlib import Path

from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.files import move, remove_torn, write_atomic
from pipeline.folders import matching
from pipeline.state_files import set_aside

STAMP = "%Y%m%dT%H%M%S.%fZ"
SUFFIX = ".json.gz"


def folder(data: Path, account: str) -> Path:
    return data / "raw" / "recently_played" / f"account={account}"


def write_pending(data: Path, account: str, body: bytes, fetched_at: datetime.datetime) -> Path:
    """Keep `body` byte for byte, synced, before it is interpreted."""
    pending = folder(data, account) / "pending"
    while (path := pending / (fetched_at.strftime(STAMP) + SUFFIX)).exists():
        fetched_at += datetime.timedelta(microseconds=1)
    write_atomic(path, gzip.compress(body, mtime=0))
    return path


def pending(data: Path, account: str) -> list[Path]:
    """Responses waiting to be merged, oldest first. The caller holds the account's lock."""
    waiting = folder(data, account) / "pending"
    remove_torn(waiting)
    found = matching(waiting, f"*{SUFFIX}")
    for path in found:
        if not is_response(path):
            set_aside(data, path, "it is not a file whose name is the moment of a response")
    return [path for path in found if is_response(path)]


def archived(data: Path, account: str) -> list[Path]:
    """Responses that were merged, oldest first."""
    return [path for path in matching(folder(data, account), f"????/??/*{SUFFIX}") if is_response(path)]


def is_response(path: Path) -> bool:
    try:
        fetched_at(path)
    except ValueError:
        return False
    return path.is_file()


def read(path: Path) -> bytes:
    """The response's bytes. Raises UnexpectedAnswer where the disk has spoiled the file."""
    try:
        return gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnexpectedAnswer(f"{path} cannot be unpacked ({error})") from error


def fetched_at(path: Path) -> datetime.datetime:
    """The moment Spotify answered, from the file's name."""
    return datetime.datetime.strptime(path.name.removesuffix(SUFFIX), STAMP).replace(tzinfo=datetime.UTC)


def merged_path(path: Path) -> Path:
    """Where a pending response goes once its plays are in the partitions."""
    return path.parent.parent / fetched_at(path).strftime("%Y/%m") / path.name


def archive(path: Path) -> None:
    move(path, merged_path(path))


def reject(path: Path) -> Path:
    """Set a response aside that nobody understands, so that it does not stop the slots to come."""
    target = path.parent.parent / "rejected" / path.name
    move(path, target)
    return target

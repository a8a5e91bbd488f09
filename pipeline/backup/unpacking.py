"""Reading of an archive that may be damaged or hostile, in pieces and within limits."""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pipeline.backup.manifest import ArchiveRefused

# Bytes. An archive is read in pieces of CHUNK; `most_unpacked` has the limit for all of it.
CHUNK, LONGEST_READ = 1 << 20, 4 << 20
LEAST_ALLOWED, MOST_RATIO = 100_000_000, 100


def read_archive(path: Path) -> Iterator[tuple[str, int, Content]]:
    """Name, size and content of every file, in order; the content can be read until the next file.

    Raises ArchiveRefused for what this program does not write, and for an archive that unpacks to more than
    `most_unpacked`, before that is read.
    """
    packed = path.stat().st_size
    most, total = most_unpacked(packed), 0
    with _refusing(path), gzip.open(path) as unpacked:
        stream: Any = _Stream(path, unpacked)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for entry in archive:
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every header
                parts = PurePosixPath(entry.name).parts
                content = archive.extractfile(entry) if entry.isreg() and not entry.issparse() else None
                if content is None or entry.name.startswith("/") or ".." in parts:
                    raise ArchiveRefused(
                        f"{path} is no backup of this program: {entry.name!r} is not a plain file in it"
                    )
                total += tarfile.BLOCKSIZE + entry.size
                if total > most:
                    raise ArchiveRefused(
                        f"{path} is refused: it has {packed:,} bytes and unpacks to {total:,} or more, of which"
                        f" {most:,} are allowed. A backup of this program does not shrink that much. Nothing was"
                        " changed; take another one"
                    )
                yield entry.name, entry.size, Content(path, content)


class Content:
    """The content of one file, whose errors while it is read are those of the archive."""

    def __init__(self, path: Path, content: IO[bytes]) -> None:
        self.path, self.content = path, content

    def read(self, size: int = -1) -> bytes:
        with _refusing(self.path):
            return self.content.read(size)


class _Stream:
    """The unpacked archive, as much of a file as tarfile needs to read on.

    tarfile reads the extension of a header, e.g. a long name, in one piece: `read` refuses what is too long. It also
    goes back one byte before each header, for which gzip would begin from the start of the file.
    """

    def __init__(self, path: Path, unpacked: gzip.GzipFile) -> None:
        self.path, self.unpacked = path, unpacked
        self.position, self.last, self.is_back = 0, b"", False

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> None:
        if position == self.position - 1 and not self.is_back:
            self.position, self.is_back = position, True
        while self.position < position and self.read(min(CHUNK, position - self.position)):
            pass
        if position < self.position:
            raise tarfile.ReadError("its headers overlap")

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LONGEST_READ:
            raise ArchiveRefused(
                f"{self.path} is refused: a header in it has {size:,} bytes, and {LONGEST_READ:,} are allowed. Nothing"
                " was changed; take another one"
            )
        if not size:
            return b""
        found = self.last if self.is_back else b""
        self.is_back = False
        found += self.unpacked.read(size - len(found))
        self.position, self.last = self.position + len(found), found[-1:] or self.last
        return found


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveRefused(
            f"{path} is damaged, cut off, or no backup at all ({error}). Nothing was changed; take another one"
        ) from error


def most_unpacked(packed: int) -> int:
    """The most bytes, headers included, of an archive of so many bytes. Gzip reaches 1,032:1; CSV files of this
    program reach about 20:1, and a folder of empty files 60:1."""
    return max(LEAST_ALLOWED, MOST_RATIO * packed)


def chunks(content: Content) -> Iterator[bytes]:
    return iter(lambda: content.read(CHUNK), b"")

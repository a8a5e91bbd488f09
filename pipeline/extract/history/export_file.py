"""One file of an export, on disk or inside a zip."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.kinds import Kind

AGAIN = "Nothing was imported; fetch the file once more and run the same command"
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, UnicodeDecodeError)


@dataclass(frozen=True)
class ExportFile:
    """One file of plays. `container`: the zip it lies in as entry number `entry`, or the file itself. `size`: bytes."""

    kind: Kind
    name: str
    size: int
    container: Path
    entry: int | None = None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Raises ExportRefused for what an archive hides until it is read: a cut, a false checksum."""
        try:
            if self.entry is None:
                with self.container.open("rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.container) as archive:
                    yield archive.open(archive.infolist()[self.entry])
        except DAMAGE as error:
            raise ExportRefused(f"{self.name} in {self.container} cannot be unpacked ({error}). {AGAIN}") from None
        except OSError as error:
            # Some ways of packing say so of bytes that are none.
            raise ExportRefused(f"{self.name} in {self.container} cannot be read ({error}). {AGAIN}") from None

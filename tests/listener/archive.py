"""Where an export goes: a folder, or the zip as Spotify delivers it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

Layout = Literal["delivered", "unicode", "nested", "flat"]
LAYOUTS: dict[Layout, str] = {
    "delivered": "Spotify Extended Streaming History/",
    "unicode": "Écoutes – История 🎧/Spotify Extended Streaming History/",
    "nested": "backup/2026/my_spotify_data/Spotify Extended Streaming History/",
    "flat": "",
}
LONG_AGO = (2020, 2, 2, 2, 2, 2)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


class Destination(Protocol):
    def write(self, name: str, data: bytes) -> None: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, data: bytes) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(data)


class Zip:
    """Compressed lightly: a million rows should not take minutes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive

    def write(self, name: str, data: bytes) -> None:
        self.archive.writestr(
            zipfile.ZipInfo(name, LONG_AGO), data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=1
        )


@contextmanager
def open_destination(path: Path) -> Iterator[Destination]:
    """A zip when the name says so, else a folder."""
    if path.suffix != ".zip":
        yield Folder(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        yield Zip(archive)


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with open_destination(path) as destination:
        for name, data in members.items():
            destination.write(name, data)
    return path

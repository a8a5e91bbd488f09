"""Archives that mean harm, are broken, or are odd and still good. Small all of them, some only on the disk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.listener.archive import LAYOUTS, LONG_AGO, write_zip
from tests.listener.rows import Json, row_of
from tests.listener.truth import Play

FOLDER = LAYOUTS["delivered"]
NAME = "Streaming_History_Audio_2020_0.json"
# What nobody may find outside the folder of the import afterwards.
TRAVERSALS = (
    f"../../escaped/{NAME}",
    f"/tmp/escaped-made-up/{NAME}",  # noqa: S108
    f"C:\\escaped\\{NAME}",
    f"{FOLDER}../../escaped/{NAME}",
)
BOMB_BYTES = 64 * 2**20
Rows = list[Json]


def write_hostile(kind: str, path: Path, plays: Sequence[Play]) -> Path:
    """Write the archive of that kind (a key of HOSTILE or of ODD) with the rows of a few plays."""
    if path.suffix != ".zip":
        raise ValueError("a zip is what is written")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [row_of(play, "streaming_history") for play in plays]
    (HOSTILE | ODD)[kind](path, rows)
    return path


def _encrypted(path: Path, rows: Rows) -> None:
    """The members' flags say so, in both places where a zip has them."""
    data = bytearray(_good(path, rows).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(bytes(data))


def _cut_off(path: Path, rows: Rows) -> None:
    """A download that broke off: the directory at the end is missing."""
    data = _good(path, rows).read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def _damaged(path: Path, rows: Rows) -> None:
    """The directory is there, and a member's bytes are not what they were."""
    data = bytearray(_good(path, rows).read_bytes())
    begin = 30 + len(FOLDER + NAME) + 40
    data[begin : begin + 20] = bytes(20)
    path.write_bytes(bytes(data))


def _traversal(path: Path, rows: Rows) -> None:
    write_zip(path, {name: _json(rows) for name in TRAVERSALS})


def _bomb(path: Path, rows: Rows) -> None:
    """A member that is a thousand times as long as it is stored: one row, and blanks before the bracket."""
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(FOLDER + NAME, LONG_AGO)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w") as member:
            member.write(_json(rows)[:-1])
            for _ in range(BOMB_BYTES // 2**20):
                member.write(b" " * 2**20)
            member.write(b"]")


def _not_an_array(path: Path, rows: Rows) -> None:
    write_zip(path, {FOLDER + NAME: json.dumps({"rows": rows}).encode()})


def _truncated_json(path: Path, rows: Rows) -> None:
    data = _json(rows)
    write_zip(path, {FOLDER + NAME: data[: len(data) * 2 // 3]})


def _too_deep(path: Path, rows: Rows) -> None:
    """Brackets without end, which a recursive parser dies of."""
    write_zip(path, {FOLDER + NAME: b"[" * 200_000})


def _nothing_in_it(path: Path, rows: Rows) -> None:
    write_zip(path, {"Photos/Read_Me.txt": b"nothing of Spotify's"})


def _apple_double(path: Path, rows: Rows) -> None:
    """Zipped once more on a Mac: beside each file one that has its name and is no JSON."""
    shadow = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(range(256))
    write_zip(path, {f"__MACOSX/{FOLDER}._{NAME}": shadow, FOLDER + NAME: _json(rows), FOLDER + ".DS_Store": shadow})


def _byte_order_mark(path: Path, rows: Rows) -> None:
    write_zip(path, {FOLDER + NAME: b"\xef\xbb\xbf" + _json(rows)})


def _lone_surrogates(path: Path, rows: Rows) -> None:
    """Half a character in the names, written as an escape: JSON allows it, UTF-8 does not. And a NUL."""
    names = "master_metadata_track_name", "episode_name"
    halves = [{**row, **{name: f"\ud83d{row[name]}\udc00\0" for name in names if row[name]}} for row in rows]
    write_zip(path, {FOLDER + NAME: json.dumps(halves, ensure_ascii=True).encode()})


def _good(path: Path, rows: Rows) -> Path:
    return write_zip(path, {FOLDER + NAME: _json(rows)})


def _json(rows: Rows) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


# To be refused, or passed over with a message. (Of "traversal" it is enough that nothing is written where it points to;
# of "truncated json", the rows before the end may be read or not.)
HOSTILE: dict[str, Callable[[Path, Rows], None]] = {
    "encrypted": _encrypted,
    "cut off": _cut_off,
    "damaged": _damaged,
    "traversal": _traversal,
    "bomb": _bomb,
    "not an array": _not_an_array,
    "truncated json": _truncated_json,
    "too deep": _too_deep,
    "nothing in it": _nothing_in_it,
}
# All of whose rows are good.
ODD: dict[str, Callable[[Path, Rows], None]] = {
    "apple double": _apple_double,
    "byte order mark": _byte_order_mark,
    "lone surrogates": _lone_surrogates,
}

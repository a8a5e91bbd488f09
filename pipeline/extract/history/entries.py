"""The entries of a file of the export: one JSON array of flat objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import ijson
import orjson

from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export_file import ExportFile

# Spotify's files have 10 to 13 MB. A larger one, of somebody who joined them, is read piece by piece: 1 MB of JSON
# makes 3 MB of objects, or 25 MB if it is nothing but empty ones.
READ_WHOLE = 20 * 2**20
PIECE = 20_000
DEEPEST = 100
BOM = b"\xef\xbb\xbf"


def read_entries(file: ExportFile) -> Iterator[list[Any]]:
    """All entries in order, in lists of a size that memory can hold. Raises ExportRefused, with the place."""
    with file.open() as stream:
        if file.size <= READ_WHOLE:
            yield _parse(stream.read(), file.name)
        else:
            yield from _pieces(stream, file.name)


def _parse(body: bytes, name: str) -> list[Any]:
    try:
        entries = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            # More forgiving: a byte order mark, half a surrogate pair in a name.
            entries = json.loads(body.removeprefix(BOM))
        except (ValueError, RecursionError) as error:
            raise ExportRefused(f"{name} is no JSON: {error}. {REPAIR}") from None
    if not isinstance(entries, list):
        raise ExportRefused(f"{name} is no list of plays: a JSON {type(entries).__name__}. {REPAIR}")
    return entries


def _pieces(stream: IO[bytes], name: str) -> Iterator[list[Any]]:
    entries = _elements(stream, name)
    read = 0
    try:
        while piece := list(islice(entries, PIECE)):
            read += len(piece)
            yield piece
    except ijson.JSONError as error:
        # The first line alone: the others quote the file, and with it addresses.
        reason = str(error).splitlines()[0] if str(error) else "cut off"
        raise ExportRefused(f"{name} is no JSON after entry {read:,}: {reason}. {REPAIR}") from None


def _elements(stream: IO[bytes], name: str) -> Iterator[Any]:
    """The elements of the one array, built from the parser's events: ijson.items keeps the path of each value, which
    takes all memory where somebody has nested a hundred thousand brackets."""
    if stream.peek(3)[:3] == BOM:  # type: ignore[attr-defined]
        stream.read(3)
    events = ijson.basic_parse(stream, use_float=True)
    if next(events, ("", None))[0] != "start_array":
        raise ExportRefused(f"{name} is no list of plays. {REPAIR}")
    builder, depth = ijson.ObjectBuilder(), 0
    for event, value in events:
        if event in ("end_map", "end_array"):
            depth -= 1
            if depth < 0:
                break
        builder.event(event, value)
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > DEEPEST:
                raise ExportRefused(f"{name} is no list of plays: it is nested {DEEPEST} deep. {REPAIR}")
        if depth == 0:
            yield builder.value
            builder = ijson.ObjectBuilder()
    for _ in events:  # what stands behind the array is an error
        pass


REPAIR = "Nothing was imported; take the file anew from the zip, or leave it out"

"""Parquet, with types, and CSV (RFC 4180, UTF-8): one row per play, columns as in plays.py.

Values are written as they are. A title that begins with = or @ stays one: who opens a CSV in a spreadsheet imports its
columns as text.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

from pipeline.data_format import program_version
from pipeline.share.plays import COLUMNS, Kind

Rows = Sequence[tuple[Any, ...]]


def write_parquet(file: IO[bytes], batches: Iterable[Rows]) -> None:
    """Zstandard; a row group per batch. Descriptions stand in the metadata of the fields."""
    import pyarrow
    from pyarrow import parquet

    types = {
        "text": pyarrow.string(),
        "texts": pyarrow.list_(pyarrow.string()),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "wall clock": pyarrow.timestamp("us"),
        "integer": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
    }
    fields = [
        pyarrow.field(column.name, types[column.kind], metadata={"description": column.description})
        for column in COLUMNS
    ]
    schema = pyarrow.schema(fields, metadata={"program": f"listening-history-pipeline {program_version()}"})
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in batches:
            columns = zip(*rows, strict=True)
            arrays = [pyarrow.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def write_csv(file: IO[bytes], batches: Iterable[Rows]) -> None:
    """Moments as ISO 8601, lists as JSON, true and false, nothing for what is absent."""
    converters = [
        (number, CONVERTERS[column.kind]) for number, column in enumerate(COLUMNS) if column.kind in CONVERTERS
    ]
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(column.name for column in COLUMNS)
    for rows in batches:
        for row in rows:
            values = list(row)
            for number, convert in converters:
                if values[number] is not None:
                    values[number] = convert(values[number])
            writer.writerow(values)
    text.detach()


def _moment(value: datetime.datetime) -> str:
    return value.isoformat(timespec="microseconds")


CONVERTERS: dict[Kind, Callable[[Any], str]] = {
    "moment": _moment,
    "wall clock": _moment,
    "texts": lambda value: json.dumps(value, ensure_ascii=False),
    "boolean": lambda value: "true" if value else "false",
}

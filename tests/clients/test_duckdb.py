"""DuckDB reads the partitions (CSV, Hive-style folders), the Parquet export and the CSV export unchanged."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipeline.share.plays import COLUMNS
from tests.clients.conftest import Json, Written


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Without extensions from the network."""
    options: Any = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=options) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def rows(found: duckdb.DuckDBPyConnection) -> list[Json]:
    assert found.description
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_partitions(connection: duckdb.DuckDBPyConnection, written: Written) -> None:
    source = f"'{written.data}/spotify_songs/**/*.csv'"
    found = rows(
        connection.execute(
            "select * replace (epoch_us(played_at_utc) as played_at_utc)"
            f" from read_csv({source}, hive_partitioning = true) order by played_at_utc, track_uri"
        )
    )
    expected = sorted(written.songs, key=lambda row: (microseconds(row["played_at_utc"]), row["track_uri"]))
    assert len(found) == len(expected) == 4
    for row, song in zip(found, expected, strict=True):
        assert row["played_at_utc"] == microseconds(song["played_at_utc"])
        assert row["played_date_utc"] == datetime.date.fromisoformat(song["played_date_utc"])
        for name in ("account", "song_name", "song_duration_ms", "track_uri", "track_id", "is_local", "isrc"):
            assert row[name] == song[name], name
    folders = connection.execute(
        f"select account, count(*), sum(song_duration_ms) from read_csv({source}, hive_partitioning = true)"
        " where account = 'me' group by account"
    ).fetchall()
    assert folders == [("me", 4, sum(song["song_duration_ms"] for song in expected))]


def test_partitions_are_text_for_text(connection: duckdb.DuckDBPyConnection, written: Written) -> None:
    """DuckDB's reader of CSV and Python's agree on every cell of every partition: names with quotes and line ends."""
    for kind in ("spotify_songs", "spotify_history"):
        paths = sorted((written.data / kind).rglob("*.csv"))
        assert paths
        for path in paths:
            with path.open(encoding="utf-8", newline="") as file:
                expected = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
            query = "select * from read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"')"
            assert rows(connection.execute(query, [str(path)])) == expected


def test_parquet(connection: duckdb.DuckDBPyConnection, written: Written) -> None:
    replaced = ", ".join(
        f"epoch_us({column.name}) as {column.name}"
        for column in COLUMNS
        if "text" not in column.kind and column.kind in ("moment", "wall clock")
    )
    found = rows(
        connection.execute(f"select * replace ({replaced}) from read_parquet(?)", [str(written.export("parquet"))])
    )
    assert found == [in_microseconds(row) for row in written.rows]
    types = dict(
        connection.execute(
            "select column_name, column_type from (describe from read_parquet(?))", [str(written.export("parquet"))]
        ).fetchall()
    )
    names = {
        "text": "VARCHAR",
        "texts": "VARCHAR[]",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "wall clock": "TIMESTAMP",
        "integer": "BIGINT",
        "boolean": "BOOLEAN",
    }
    assert types == {column.name: names[column.kind] for column in COLUMNS}


def test_csv_export_equals_parquet(connection: duckdb.DuckDBPyConnection, written: Written) -> None:
    texts = ", ".join(
        f"from_json({column.name}, '[\"VARCHAR\"]') as {column.name}" for column in COLUMNS if column.kind == "texts"
    )
    table = f"select * replace ({texts}) from read_csv('{written.export('csv')}', sample_size = -1)"
    summary = (
        "count(*), sum(ms_played), count(*) filter (is_counted), min(played_at), max(played_at), sum(len(artists))"
    )
    from_csv = connection.execute(f"select {summary} from ({table})").fetchone()
    from_parquet = connection.execute(f"select {summary} from read_parquet('{written.export('parquet')}')").fetchone()
    assert from_csv == from_parquet
    assert from_csv and from_csv[0] == len(written.rows)
    assert from_csv[1] == sum(row["ms_played"] for row in written.rows)
    titles = connection.execute(f"select title from ({table})").fetchall()
    assert [title for (title,) in titles] == [row["title"] for row in written.rows]


def in_microseconds(row: Json) -> Json:
    kinds = {column.name: column.kind for column in COLUMNS}
    return {
        name: microseconds(value) if value is not None and kinds[name] in ("moment", "wall clock") else value
        for name, value in row.items()
    }


def microseconds(moment: str) -> int:
    given = datetime.datetime.fromisoformat(moment)
    given = given if given.tzinfo else given.replace(tzinfo=datetime.UTC)
    return (given - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)

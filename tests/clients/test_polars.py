"""polars reads the partitions (CSV, Hive-style folders), the Parquet export and the CSV export unchanged."""

from __future__ import annotations

import datetime
from typing import Any

import polars

from pipeline.share.plays import COLUMNS
from tests.clients.conftest import Written
from tests.test_export_history import moments

TYPES: dict[str, Any] = {
    "text": polars.String(),
    "texts": polars.List(polars.String),
    "moment": polars.Datetime("us", "UTC"),
    "wall clock": polars.Datetime("us"),
    "integer": polars.Int64(),
    "boolean": polars.Boolean(),
}


def test_partitions(written: Written) -> None:
    frame = (
        polars.scan_csv(written.data / "spotify_songs" / "**" / "*.csv", try_parse_dates=True)
        .sort("played_at_utc", "track_uri")
        .collect()
    )
    assert frame.schema["played_at_utc"] == polars.Datetime("us", "UTC")
    assert frame.schema["played_date_utc"] == polars.Date()
    found = frame.to_dicts()
    expected = sorted(written.songs, key=lambda song: (at(song["played_at_utc"]), song["track_uri"]))
    assert len(found) == len(expected) == 4
    for row, song in zip(found, expected, strict=True):
        assert row["played_at_utc"] == at(song["played_at_utc"])
        for name in ("account", "song_name", "artist_name", "song_duration_ms", "track_uri", "is_local", "isrc"):
            assert row[name] == song[name], name
    totals = frame.group_by("account").agg(polars.len(), polars.col("song_duration_ms").sum()).rows()
    assert totals == [("me", 4, sum(song["song_duration_ms"] for song in expected))]


def test_history_partitions(written: Written) -> None:
    frame = polars.scan_csv(written.data / "spotify_history" / "**" / "*.csv", infer_schema=False).collect()
    exported = [row for row in written.rows if row["source"] == "export"]
    assert frame.height == len(exported) == 7
    assert frame["ms_played"].cast(polars.Int64).sum() == sum(row["ms_played"] for row in exported)
    assert '=1+1\r\n"two"' in " ".join(str(value) for row in frame.rows() for value in row)


def test_parquet(written: Written) -> None:
    frame = polars.read_parquet(written.export("parquet"))
    assert dict(frame.schema) == {column.name: TYPES[column.kind] for column in COLUMNS}
    assert frame.to_dicts() == [moments(row) for row in written.rows]
    minutes = (
        polars.scan_parquet(written.export("parquet"))
        .filter("is_counted")
        .select(polars.col("ms_played").sum())
        .collect()
    )
    assert minutes.item() == sum(row["ms_played"] for row in written.rows if row["is_counted"])


def test_csv_export(written: Written) -> None:
    frame = polars.read_csv(written.export("csv"), try_parse_dates=True, infer_schema_length=None)
    texts = polars.List(polars.String)
    frame = frame.with_columns(
        polars.col(column.name).str.json_decode(texts) for column in COLUMNS if column.kind == "texts"
    )
    found, expected = frame.to_dicts(), [moments(row) for row in written.rows]
    assert len(found) == len(expected)
    for row, play in zip(found, expected, strict=True):
        for name in ("account", "play_id", "played_at", "started_at", "ms_played", "is_counted", "title", "artists"):
            assert row[name] == play[name], name


def at(moment: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(moment)

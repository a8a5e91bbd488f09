"""The files of the pipeline that came before this one."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pipeline.extract.datasets import PLAYS
from pipeline.extract.partitions import list_partitions, read_partition
from pipeline.extract.plays import parse_page
from tests.conftest import Database, Pipeline, succeeded
from tests.listener.polled import Polled, body, polled
from tests.listener.predecessor import TimeFormat, write_predecessor
from tests.listener.truth import listen
from tests.samples import FETCHED
from tests.test_import import receipt

BEGIN = datetime.datetime(2022, 12, 1, tzinfo=datetime.UTC)
SAME = (
    "played_at_utc",
    "song_name",
    "song_duration_ms",
    "track_uri",
    "artist_name",
    "album_name",
    "artist_id",
    "track_id",
)


def entries(days: int = 3) -> list[Polled]:
    return [entry for entry in polled(listen(5, BEGIN, days)) if entry.play.title.kind == "track"]


@pytest.mark.parametrize(
    ("track_id", "release_date", "partitions"), [(False, False, False), (True, False, True), (True, True, False)]
)
def test_its_plays_join_the_polled_ones(
    pipeline: Pipeline, database: Database, tmp_path: Path, track_id: bool, release_date: bool, partitions: bool
) -> None:
    heard = entries()
    write_predecessor(tmp_path / "old", heard, track_id=track_id, release_date=release_date, partitions=partitions)
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(tmp_path / "old")))
    read, inserted, *others = receipt(run.stdout, "total" if partitions else "spotify_songs.csv")
    assert (read, inserted, sum(others)) == (len(heard), len(heard), 0)
    rows = [row for path in list_partitions(PLAYS, pipeline.data) for row in read_partition(PLAYS, path)]
    # The Web API's own answer with the same plays gives the same rows, as far as the old columns go.
    answered, _ = parse_page(body(heard), "me", FETCHED)
    assert sorted(tuple(row[name] for name in SAME) for row in rows) == sorted(
        tuple(row[name] for name in SAME) for row in answered
    )
    assert {row["album_release_date"] != "" for row in rows} == {release_date}
    assert database.value("select count(*) from staging.spotify_songs where account = 'me'") == len(heard)


@pytest.mark.parametrize("time_format", ["milliseconds", "seconds", "space"])
def test_its_ways_of_writing_moments_are_read(pipeline: Pipeline, tmp_path: Path, time_format: TimeFormat) -> None:
    heard = entries(1)
    [path] = write_predecessor(tmp_path / "old", heard, time_format=time_format)
    first = succeeded(pipeline.luigi("CopyHistory", "--export", str(path)))
    assert receipt(first.stdout, "spotify_songs.csv")[1] == len(heard)
    again = succeeded(pipeline.luigi("ImportHistory", "--export", str(path)))
    assert receipt(again.stdout, "spotify_songs.csv") == (len(heard), 0, len(heard), 0, 0, 0)


def test_rows_that_are_no_plays_are_skipped_by_number_and_damage_is_named(pipeline: Pipeline, tmp_path: Path) -> None:
    header = "played_at_utc,song_name,song_duration_ms,song_link\n"
    good = "2022-12-01T10:00:00.000Z,Song,200000,https://open.spotify.com/track/abc\n"
    path = tmp_path / "spotify_songs.csv"
    path.write_text(header + good + "yesterday,Song,200000,\n2022-12-01T11:00:00Z,Song,,\n" + good)
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(path)))
    assert receipt(run.stdout, "spotify_songs.csv") == (4, 1, 0, 1, 2, 0)
    assert "no played_at that is a date and time (entry 2)" in run.stdout
    assert "no duration_ms (entry 3)" in run.stdout
    path.write_bytes(header.encode() + b"2022-12-01T12:00:00Z,\xff\xfe,200000,\n")
    spoiled = pipeline.luigi("CopyHistory", "--export", str(path))
    assert spoiled.returncode == 30
    assert "contains no play: none of its 1 entries could be read as one" in spoiled.stderr
    assert "not UTF-8 (entry 1)" in spoiled.stderr
    path.write_text(header + "2022-12-01T12:00:00Z," + "x" * 2**21 + ",200000,\n")
    refused = pipeline.luigi("CopyHistory", "--export", str(path))
    assert refused.returncode == 30
    assert "spotify_songs.csv, line 2: not CSV (field larger than field limit" in refused.stderr


def test_impossible_moments_are_skipped_and_a_damaged_capture_costs_no_play(pipeline: Pipeline, tmp_path: Path) -> None:
    header = "played_at_utc,song_name,song_duration_ms,track_id,last_updated_datetime_utc\n"
    path = tmp_path / "spotify_songs.csv"
    path.write_text(
        header
        + "2006-03-31T23:59:59Z,Too early,200000,a,2022-12-01T10:30:00Z\n"
        + "2006-04-01T00:00:00Z,First,200000,b,2022-12-01T10:30:00Z\n"
        + "2098-07-01T10:00:00Z,Too late,200000,c,2099-01-01T00:00:00Z\n"
        + "2022-12-01T10:00:00Z,Captured before it was played,200000,d,1970-01-01T00:00:00Z\n"
        + "2022-12-02T10:00:00Z,Captured in the future,200000,e,2099-01-01T00:00:00Z\n"
    )
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(path)))
    assert receipt(run.stdout, "spotify_songs.csv") == (5, 3, 0, 0, 2, 0)
    assert "played_at is before 2006-04-01, when Spotify did not exist (entry 1)" in run.stdout
    assert "played_at is after the import (entry 3)" in run.stdout
    rows = [row for path in list_partitions(PLAYS, pipeline.data) for row in read_partition(PLAYS, path)]
    captured = [datetime.datetime.fromisoformat(row["last_updated_datetime_utc"]) for row in rows]
    assert [row["song_name"] for row in rows] == ["First", "Captured before it was played", "Captured in the future"]
    now = datetime.datetime.now(datetime.UTC)
    assert [now - moment < datetime.timedelta(minutes=5) for moment in captured] == [False, True, True]
    assert all(moment <= now for moment in captured)

"""Genres and saved tracks as tasks of a slot: after the plays, within the budget, and never in their way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.demo.loopback import Answer
from pipeline.demo.musicbrainz import SampleArtist, SampleMusicBrainz
from pipeline.demo.spotify import SampleSpotify, error
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import item, page, track

FIRST, SECOND, THIRD = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500"
TOMORROW = "2026-11-23T0000"
ROCK, FOLK, NOBODY = "rock0000000000000000001", "folk0000000000000000001", "nobody00000000000000001"
GENRES = (
    "select artist_name, artist_genre, genre_source, genre_votes, matched_by from staging.spotify_genres"
    " order by artist_name, genre_votes desc, artist_genre"
)
LIBRARY = "select song_name, event from staging.spotify_saved_tracks order by observed_at_utc, song_name"


def artists() -> list[SampleArtist]:
    return [
        SampleArtist("11111111-1111-4111-8111-111111111111", "Velvet Harbour", {"rock": 6, "shoegaze": 2}, (ROCK,), ()),
        SampleArtist("22222222-2222-4222-8222-222222222222", "Paper Foxes", {"folk": 1}, (), ("QZAAA2400002",)),
    ]


@pytest.fixture
def musicbrainz() -> Iterator[SampleMusicBrainz]:
    with SampleMusicBrainz(artists()) as server:
        yield server


@pytest.fixture
def listened(pipeline: Pipeline, spotify: SampleSpotify, musicbrainz: SampleMusicBrainz) -> Pipeline:
    """Five plays of one artist, three of another and one of somebody whom nobody knows."""
    pipeline.environment |= {**musicbrainz.environment(), "MUSICBRAINZ_ARTISTS_PER_SLOT": "10"}
    credits = [("Velvet Harbour", ROCK, "QZAAA2400001")] * 5 + [("Paper Foxes", FOLK, "QZAAA2400002")] * 3
    credits.append(("Somebody", NOBODY, "QZAAA2400003"))
    spotify.page = page(
        *(
            item(
                f"2026-11-21T1{n}:00:00Z",
                name=f"Song {n}",
                artists=[{"id": artist_id, "name": name}],
                external_ids={"isrc": isrc},
            )
            for n, (name, artist_id, isrc) in enumerate(credits)
        )
    )
    spotify.me.plays = []
    return pipeline


def saved(*names: str, at: str = "2026-11-01T10:00:00Z") -> list[dict[str, Any]]:
    return [{"added_at": at, "track": track(name, external_ids={"isrc": "QZAAA2400001"})} for name in names]


def test_genres_come_after_the_plays_and_none_found_is_remembered(
    listened: Pipeline, spotify: SampleSpotify, musicbrainz: SampleMusicBrainz, database: Database
) -> None:
    succeeded(listened.slot(FIRST))
    assert database.rows(GENRES) == [
        ("Paper Foxes", "folk", "musicbrainz", 1, "isrc"),
        ("Somebody", None, None, None, None),
        ("Velvet Harbour", "rock", "musicbrainz", 6, "url"),
        ("Velvet Harbour", "shoegaze", "musicbrainz", 2, "url"),
    ]
    assert database.rows("select artist_key, genre, weight::float from marts.bridge_artist_genres order by 1, 2") == [
        (FOLK, "folk", 1.0),
        (ROCK, "rock", 0.75),
        (ROCK, "shoegaze", 0.25),
    ]
    assert database.rows(
        "select plays, plays_with_genre, share_of_plays::float, artists, artists_with_genre, artists_waiting"
        " from reporting.rpt_genre_coverage"
    ) == [(9, 8, 0.8889, 3, 2, 0)]
    # Spotify was asked once and gives none; from then on MusicBrainz alone is.
    asked = [call for call in spotify.calls if "/artists/" in call]
    assert len(asked) == 1
    calls = len(musicbrainz.calls)
    succeeded(listened.slot(SECOND))
    assert len(musicbrainz.calls) == calls, "nobody is asked twice within half a year"
    assert [call for call in spotify.calls if "/artists/" in call] == asked
    before = database.rows("select (to_jsonb(g) - 'load_id')::text from staging.spotify_genres as g order by 1")
    succeeded(listened.luigi("RebuildStaging"))
    assert database.rows("select (to_jsonb(g) - 'load_id')::text from staging.spotify_genres as g order by 1") == before
    # Half a year later they are asked again, and what is found then counts.
    database.rows(
        "update staging.spotify_genres set last_updated_datetime_utc = last_updated_datetime_utc - interval '181 days'"
    )
    musicbrainz.artists = [SampleArtist(artists()[0].mbid, "Velvet Harbour", {"dream pop": 1}, (ROCK,), ())]
    succeeded(listened.slot(THIRD))
    assert database.rows("select distinct genre from marts.bridge_artist_genres order by 1") == [("dream pop",)]


def test_genres_of_spotify_are_taken_where_it_still_gives_them(
    listened: Pipeline, spotify: SampleSpotify, musicbrainz: SampleMusicBrainz, database: Database
) -> None:
    spotify.me.saved = [{"added_at": None, "track": track("x", artists=[{"id": ROCK, "name": "Velvet Harbour"}])}]
    spotify.genres = {ROCK: ["alt rock", "rock"]}
    listened.environment["MUSICBRAINZ_ARTISTS_PER_SLOT"] = "1"
    succeeded(listened.slot(FIRST))
    assert database.rows(GENRES) == [
        ("Velvet Harbour", "alt rock", "spotify", None, "artist_id"),
        ("Velvet Harbour", "rock", "spotify", None, "artist_id"),
    ]
    assert musicbrainz.calls == []
    succeeded(listened.slot(SECOND))
    assert database.value("select count(distinct artist_id) from staging.spotify_genres") == 2, "the queue goes on"


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>busy</html>"), (503, b'{"error": "rate limited"}')])
def test_a_musicbrainz_that_is_down_fails_no_slot_and_is_asked_again(
    listened: Pipeline, musicbrainz: SampleMusicBrainz, database: Database, status: int, body: bytes
) -> None:
    musicbrainz.answers = [Answer("/ws/2", status, body, {"Retry-After": "0"})] * 20
    process = succeeded(listened.slot(FIRST))
    assert "genres" in process.stderr
    assert database.value("select count(*) from staging.spotify_genres") == 0
    assert database.value("select count(*) from marts.fct_plays") == 9
    musicbrainz.answers = []
    succeeded(listened.slot(SECOND))
    assert database.value("select count(distinct artist_id) from staging.spotify_genres") == 3


def test_enrichment_keeps_to_the_budget_and_polls_go_on(
    listened: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.me.saved = saved(*(f"Song {n}" for n in range(400)))
    listened.environment["SPOTIFY_DAILY_CALLS"] = "103"
    succeeded(listened.slot(FIRST))
    assert database.rows("select purpose, calls from pipeline.api_calls") == [("saved tracks", 3)]
    assert database.rows("select outcome from pipeline.library_reads") == [("budget spent",)]
    assert database.value("select count(*) from staging.spotify_saved_tracks") == 0, "half a library is none"
    library = [call for call in spotify.calls if "/me/tracks" in call]
    assert len(library) == 3
    succeeded(listened.slot(SECOND))
    assert [call for call in spotify.calls if "/me/tracks" in call] == library
    assert database.rows("select outcome from staging.polls") == [("polled",)] * 2


def test_the_library_is_read_once_a_day_and_removals_stay_known(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(item("2026-11-21T10:00:00Z", name="Played", minutes=3, external_ids={"isrc": "QZAAA2400001"}))
    spotify.me.saved = saved("New") + saved("Played", "Never", at="2026-10-01T10:00:00Z")
    succeeded(pipeline.slot(FIRST))
    succeeded(pipeline.slot(SECOND))
    assert sum("/me/tracks" in call for call in spotify.calls) == 1
    assert sorted(database.rows(LIBRARY)) == [("Never", "saved"), ("New", "saved"), ("Played", "saved")]
    # "New" is another release of the recording that was played: the same ISRC.
    query = "select track_name, plays, minutes::float, is_at_least from reporting.rpt_saved_tracks order by 1"
    assert database.rows(query) == [("Never", 1, 3.0, False), ("New", 1, 3.0, False), ("Played", 1, 3.0, False)]
    spotify.me.saved = spotify.me.saved[:2]
    spotify.me.saved[0]["track"]["external_ids"] = {}
    succeeded(pipeline.slot(TOMORROW, task="SyncSavedTracks"))
    assert sorted(database.rows(LIBRARY))[0] == ("Never", "removed")
    assert database.rows("select track_name from reporting.rpt_saved_tracks order by 1") == [("New",), ("Played",)]
    before = database.rows("select (to_jsonb(t) - 'load_id')::text from staging.spotify_saved_tracks as t order by 1")
    succeeded(pipeline.luigi("RebuildStaging"))
    assert (
        database.rows("select (to_jsonb(t) - 'load_id')::text from staging.spotify_saved_tracks as t order by 1")
        == before
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (error("/v1/me/tracks", 403, "Insufficient client scope"), "forbidden"),
        (Answer("/v1/me/tracks", 403, b"Forbidden", {"Content-Type": "text/plain"}), "forbidden"),
        (Answer("/v1/me/tracks", 200, b'{"items": null, "total": 0}'), "failed"),
        (Answer("/v1/me/tracks", 200, json.dumps({"items": [], "total": 0}).encode()), "empty"),
    ],
)
def test_what_goes_wrong_with_the_library_empties_nothing_and_fails_no_slot(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, answer: Answer, outcome: str
) -> None:
    spotify.me.saved = saved("One", "Two")
    succeeded(pipeline.slot(FIRST, task="SyncSavedTracks"))
    spotify.answers = [answer]
    succeeded(pipeline.slot(TOMORROW, task="SyncSavedTracks"))
    assert database.value("select outcome from pipeline.library_reads order by read_at desc limit 1") == outcome
    assert database.rows("select event, count(*) from staging.spotify_saved_tracks group by 1") == [("saved", 2)]


def test_a_read_that_died_before_its_rows_were_loaded_is_not_written_twice(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.me.saved = saved("One", "Two")
    succeeded(pipeline.slot(FIRST, task="SyncSavedTracks"))
    # As a kill -9 between the files and the commit leaves it.
    for table in ("staging.spotify_saved_tracks", "pipeline.library_reads", "staging.loaded_partitions"):
        database.rows(f"truncate {table}")
    database.rows("delete from staging.table_updates where update_id like 'SyncSavedTracks%%'")
    succeeded(pipeline.slot(FIRST, task="SyncSavedTracks"))
    assert sorted(database.rows(LIBRARY)) == [("One", "saved"), ("Two", "saved")]

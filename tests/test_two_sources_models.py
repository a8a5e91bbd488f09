"""One history out of two sources: however it comes in, dbt builds what it would build from nothing, and pairs as a
plain walk through the plays does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from tests.conftest import Database, Pipeline
from tests.sequences import run_batch
from tests.two_sources import SECOND, UTC, Dbt, Exported, Moment, Polled, Track, insert, running_dbt


@pytest.fixture
def dbt(pipeline: Pipeline, database: Database) -> Iterator[Dbt]:
    with running_dbt(database, pipeline.environment) as dbt:
        yield dbt


@pytest.mark.parametrize("batch", [1])
def test_five_histories_in_random_loads_build_what_a_full_build_makes_of_them(
    dbt: Dbt, database: Database, batch: int
) -> None:
    run_batch(dbt, database, batch, accounts=5)


def test_what_a_slot_tells_of_a_track_changes_what_was_built_of_it_long_ago(dbt: Dbt, database: Database) -> None:
    """Its ISRC pairs plays that had nothing in common; its artist's id takes the place of a name; and a pair with
    another release takes a track its only play."""
    then, now = Moment(2026, 3, 1, 12, tzinfo=UTC), Moment(2026, 5, 1, 12, tzinfo=UTC)
    single = Track("spotify:track:single", "ISRC", "Song", "artist1", "Ann", "Ann", 200)
    album = Track("spotify:track:album", "ISRC", "Song (Live)", "artist2", "Bo", "Bo", 200)
    exported = Exported("me", then, 200_000, album.uri, album.title, album.album_artist)
    insert(database, [Polled("me", single, then + SECOND, "ISRC"), exported])
    dbt.run()
    dbt.test("full")
    totals = "select track_uri, plays from intermediate.int_track_totals order by 1"
    artists = "select artist_key like 'name:%%' from marts.bridge_track_artists where track_uri = %s"
    assert database.rows(totals) == [(album.uri, 1), (single.uri, 1)]
    assert database.rows(artists, album.uri) == [(True,)]
    # The same artist on a third track tells the id; the album's track itself, polled, the ISRC.
    insert(database, [Polled("me", dataclasses.replace(album, uri="spotify:track:other"), now, None)])
    dbt.run()
    assert database.rows(artists, album.uri) == [(False,)]
    dbt.test("news")
    insert(database, [Polled("me", album, now + 900 * SECOND, "ISRC")])
    dbt.run()
    dbt.test("news")
    assert database.rows("select matched_by, difference_ms from intermediate.int_play_matches") == [("isrc", 1000)]
    assert database.rows(totals) == [(album.uri, 2), ("spotify:track:other", 1)]
    dbt.test("full")
    incremental = dbt.relations()
    dbt.run("--full-refresh")
    assert dbt.relations() == incremental


def test_a_relinked_play_of_an_undated_offline_row_counts_once_in_every_order(dbt: Dbt, database: Database) -> None:
    """The export reports URI A at the second of a sync, the polls know the same song as URI B. A play of B within the
    window of the sync takes the row from the play that had it."""
    sync = Moment(2026, 3, 10, 12, tzinfo=UTC)
    exported = Track("spotify:track:a", None, "Café by the Sea", "artist1", "Ann", "Ann", 200)
    relinked = dataclasses.replace(exported, uri="spotify:track:b", title="Cafe\u0301 by the Sea")
    row = Exported("me", sync, 200_000, exported.uri, exported.title, exported.artist, offline=True)
    insert(
        database, [row, Polled("me", dataclasses.replace(exported, uri="spotify:track:c", title="Other"), sync, None)]
    )
    dbt.run()
    dbt.test("full")
    plays = (
        "select track_uri, polled_at is not null from marts.fct_plays where track_uri != 'spotify:track:c' order by 1"
    )
    assert database.rows(plays) == [(exported.uri, False)]
    for at, expected in (
        (sync - 16 * 3600 * SECOND, [(exported.uri, True)]),
        (sync + 30 * SECOND, [(exported.uri, True), (relinked.uri, False)]),
        (sync - 20 * 86400 * SECOND, [(exported.uri, True), (relinked.uri, False), (relinked.uri, False)]),
    ):
        insert(database, [Polled("me", relinked, at, None)])
        dbt.run("--select", "config.materialized:incremental")
        dbt.test("news")
        assert database.rows(plays) == expected, at
    assert database.value("select polled_at from intermediate.int_play_matches") == sync + 30 * SECOND
    assert database.value("select count(*) from intermediate.int_offline_matches") == 0
    dbt.run()
    incremental = dbt.relations()
    dbt.run("--full-refresh")
    assert dbt.relations() == incremental

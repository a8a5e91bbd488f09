"""The rules that decide which rows are plays and when they were heard: real imports and slots on made-up rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Database, Pipeline, succeeded
from tests.oracle.hard_days import write_export
from tests.samples import export_row, item, page

TOTALS = "select plays, minutes::float from reporting.rpt_totals"
REMOVED = (
    "select removed_by, track_name, kept_played_at::text from reporting.rpt_removed_rows"
    " order by removed_by, track_name, reported_at"
)


def exit_row(ts: str, started: int, **fields: Any) -> dict[str, Any]:
    return export_row(ts, reason_end="unexpected-exit-while-paused", offline_timestamp=started, **fields)


def test_rows_that_ended_with_an_exit_of_the_app_are_dated_by_the_device(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    """With polled plays that only the device's time, or the time of the next start, can be matched with."""
    rows = [
        # Heard from 08:10:00 to 08:13:00; the app started again while the track was on once more.
        exit_row("2025-03-04T16:02:00Z", 1741075800, name="Waltz", ms_played=180_000),
        export_row("2025-03-04T16:03:20Z", name="Waltz", ms_played=240_000),
        # Heard on the day before.
        exit_row("2025-03-10T07:00:00Z", 1741555200, name="Polka", ms_played=150_000),
        # No sound time: keeps `ts`, and is the polled play of two days before.
        exit_row("2025-03-20T07:00:00Z", 0, name="Tango", ms_played=170_000),
        # The same play, told once by the device and once by its end.
        exit_row("2025-04-01T20:00:00Z", 1743494400, name="Galop", ms_played=200_000),
        export_row("2025-04-01T08:03:19Z", name="Galop", ms_played=198_000),
    ]
    spotify.page = page(
        item("2025-03-04T08:13:01.000Z", name="Waltz", uri="spotify:track:waltz"),
        item("2025-03-18T21:00:00.000Z", name="Tango", uri="spotify:track:tango"),
    )
    succeeded(pipeline.slot("2026-11-22T0000", task="CopyToStaging"))
    export = write_export(tmp_path / "export.zip", rows)
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    heard = "select track_uri, started_at::text, played_at::text, is_dated_by_device from marts.fct_plays order by 3"
    assert database.rows(heard) == [
        ("spotify:track:waltz", "2025-03-04 08:10:00+00", "2025-03-04 08:13:00+00", True),
        ("spotify:track:waltz", "2025-03-04 15:59:20+00", "2025-03-04 16:03:20+00", False),
        ("spotify:track:polka", "2025-03-09 21:20:00+00", "2025-03-09 21:22:30+00", True),
        ("spotify:track:tango", "2025-03-20 06:57:10+00", "2025-03-20 07:00:00+00", False),
        ("spotify:track:galop", "2025-04-01 08:00:00+00", "2025-04-01 08:03:20+00", True),
    ]
    assert database.rows(REMOVED) == [
        ("in_both_sources", "Tango", "2025-03-20 07:00:00+00"),
        ("in_both_sources", "Waltz", "2025-03-04 08:13:00+00"),
        ("near_duplicate", "Galop", "2025-04-01 08:03:20+00"),
    ]


def test_impossible_timestamps_reach_no_mart_and_are_never_today(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    """Rows of partitions that an older version wrote: they stay in staging, and are listed."""
    spotify.page = page(item("2026-11-21T20:00:00.000Z", name="Now"))
    succeeded(pipeline.slot("2026-11-22T0000"))
    export = write_export(tmp_path / "export.zip", [export_row("2025-03-04T16:02:00Z", name="Then")])
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    today = database.value("select today from marts.dim_accounts")
    partition = next(pipeline.data.glob("spotify_history/account=me/2025/03/2025-03-04.csv"))
    for wrong in ("2088-06-01", "1970-01-01", "0001-01-01"):
        path = pipeline.data / f"spotify_history/account=me/{wrong[:4]}/{wrong[5:7]}/{wrong}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(partition.read_text().replace("2025-03-04", wrong))
    polled = next(pipeline.data.glob("spotify_songs/account=me/2026/11/2026-11-21.csv"))
    path = pipeline.data / "spotify_songs/account=me/2077/01/2077-01-01.csv"
    path.parent.mkdir(parents=True)
    path.write_text(polled.read_text().replace("2026-11-21T20", "2077-01-01T20").replace("2026-11-21,", "2077-01-01,"))
    succeeded(pipeline.luigi("RebuildStaging"))
    assert database.value("select count(*) from staging.spotify_history") == 4
    succeeded(pipeline.slot("2026-11-22T0030"))
    assert database.rows("select track_uri from marts.fct_plays where source = 'export'") == [("spotify:track:then",)]
    assert database.value("select count(*) from marts.fct_plays") == 2
    assert database.value("select max(captured_at) >= max(played_at) from marts.fct_plays")
    assert database.value("select today from marts.dim_accounts") == today
    assert database.value("select max(period_start) from reporting.rpt_periods where grain = 'year'").year == today.year
    assert database.rows(
        "select source, extract(year from reported_at)::integer from reporting.rpt_removed_rows order by 2"
    ) == [
        ("export", 1),
        ("export", 1970),
        ("web_api", 2077),
        ("export", 2088),
    ]


def test_rows_of_one_moment_are_one_play_if_relinked_and_share_the_time_if_not(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    isrc = {"isrc": "QZZZZ2400009"}
    spotify.page = page(
        item("2026-11-21T20:00:00.000Z", name="Before", minutes=3),
        item("2026-11-21T20:03:00.000Z", name="Old link", minutes=3, external_ids=isrc),
        item("2026-11-21T20:04:00.000Z", name="Left", minutes=1, external_ids={}),
        item("2026-11-21T20:04:00.000Z", name="Right", minutes=3, external_ids={}),
    )
    succeeded(pipeline.slot("2026-11-22T0000"))
    # The next page has the play under its new URI, captured later.
    spotify.page = page(
        *json.loads(spotify.page)["items"], item("2026-11-21T20:03:00.000Z", name="A new link", external_ids=isrc)
    )
    assert "models built (news)" in succeeded(pipeline.slot("2026-11-22T0030")).stderr
    plays = "select track_name, steps, ms_played from marts.fct_plays join marts.dim_tracks using (account, track_uri)"
    assert database.rows(f"{plays} order by played_at, 1") == [
        ("Before", 1, 180_000),
        ("Old link", 2, 180_000),
        ("Left", 1, 15_000),
        ("Right", 1, 45_000),
    ]
    assert database.rows(REMOVED) == [("joined_step", "A new link", "2026-11-21 20:03:00+00")]


def test_names_are_compared_in_one_form_of_unicode(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    composed, decomposed = "Mot\u00f6rh\u00e9ad", "MOTO\u0308RHE\u0301AD"
    rows = [
        export_row(
            f"2025-03-04T16:{minute}:00Z",
            name=f"\u00c9tude {minute}" if name == composed else f"E\u0301tude {minute}",
            master_metadata_album_artist_name=name,
            master_metadata_album_album_name=f"{name} live",
        )
        for minute, name in (("10", composed), ("20", decomposed))
    ]
    spotify.page = page(
        item("2026-11-21T20:00:00.000Z", name="Polled", artists=[{"id": "artist0000000000000042", "name": decomposed}])
    )
    succeeded(pipeline.slot("2026-11-22T0000"))
    export = write_export(tmp_path / "export.zip", rows)
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    assert database.rows("select artist_key, plays from reporting.rpt_top_artists") == [("artist0000000000000042", 3)]
    albums = "select plays from reporting.rpt_top_albums order by plays desc"
    assert database.rows(albums) == [(2,), (1,)]


def test_plays_below_the_shortest_length_are_not_counted_and_come_back(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    lengths = (0, 29_999, 30_000, 200_000)
    rows = [export_row(f"2025-03-04T16:{10 + n}:00Z", name=f"Song {n}", ms_played=ms) for n, ms in enumerate(lengths)]
    export = write_export(tmp_path / "export.zip", rows)
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    everything = database.rows(TOTALS)
    assert everything == [(4, 4.33)]
    spotify.page = page()
    process = succeeded(pipeline.slot("2026-11-22T0000", LISTENER_SHORTEST_PLAY_SECONDS="30"))
    assert "models built (full)" in process.stderr
    assert database.rows(TOTALS) == [(2, 3.83)]
    assert database.value("select count(*) from marts.fct_plays") == 4
    assert database.value("select excluded_plays from marts.fct_listening_days") == 2
    assert database.rows("select kind, value, plays from reporting.rpt_exclusion_rules") == [("shorter_than", "30", 2)]
    process = succeeded(pipeline.slot("2026-11-22T0030"))
    assert "models built (full)" in process.stderr
    assert database.rows(TOTALS) == everything
    wrong = pipeline.slot("2026-11-22T0100", LISTENER_SHORTEST_PLAY_SECONDS="-1")
    assert wrong.returncode == 30
    assert "LISTENER_SHORTEST_PLAY_SECONDS" in wrong.stderr
    assert "write a number of seconds from 0 to 86400" in wrong.stderr

"""The ledger of polls: what is written of each, which gaps follow from it, and how much is known of each hour."""

from __future__ import annotations

import datetime
import json
from typing import Any

from pipeline.demo.spotify import SampleSpotify, error
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import evening, item, page

FIRST, SECOND, THIRD, FOURTH = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500", "2026-11-22T1530"
LEDGER = "select slot::text, outcome, items, new_plays, overlap, calls_used from staging.polls order by fetched_at"
GAPS = "select known_until::text, ends_at::text, why, is_open from marts.fct_gaps order by ends_at"
Row = tuple[Any, ...]


def run_slots(pipeline: Pipeline, spotify: SampleSpotify, *pages: list[Any]) -> None:
    """One slot a page; dbt is run once, for the models asked here are views."""
    for slot, items in zip((FIRST, SECOND, THIRD, FOURTH), pages, strict=False):
        spotify.page = page(*items)
        succeeded(pipeline.slot(slot, task="CopyToStaging" if items is not pages[-1] else "RunPipeline"))


def test_every_poll_is_a_row_whatever_became_of_it(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3), {"track": None, "played_at": "2026-11-21T20:00:00Z"})
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    spotify.answers = [error("/v1/me/player", 503, "Service unavailable")] * 4
    assert pipeline.slot(SECOND, task="CopyToStaging").returncode == 30
    succeeded(pipeline.slot(SECOND, task="CopyToStaging"))
    succeeded(pipeline.slot(THIRD, task="CopyToStaging"))
    # Token, identity and page at first; the failed attempt with its three retries; then one call a poll.
    assert database.rows(LEDGER) == [
        ("2026-11-22 14:00:00+00", "polled", 4, 3, None, 3),
        ("2026-11-22 14:30:00+00", "failed", None, None, None, 4),
        ("2026-11-22 14:30:00+00", "polled", 4, 0, True, 1),
        ("2026-11-22 15:00:00+00", "polled", 4, 0, True, 1),
    ]
    assert database.rows("select oldest::text, newest::text, skipped from staging.polls limit 1") == [
        ("2026-11-21 18:00:00+00", "2026-11-21 18:08:00+00", 1)
    ]
    reason = database.value("select reason from staging.polls where outcome = 'failed'")
    assert reason.startswith("SpotifyUnreachable: Spotify answers with status 503 even after 3 retries")
    before = database.rows("select p::text from staging.polls as p order by 1")
    succeeded(pipeline.luigi("RebuildStaging"))
    assert database.rows("select p::text from staging.polls as p order by 1") == before


def test_a_full_page_without_a_known_play_is_a_gap_and_an_import_closes_it(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    late = item("2026-11-21T20:00:00Z", name="Late, and inside the gap")
    run_slots(
        pipeline,
        spotify,
        evening(5, date="2026-11-21", start="10:00"),
        evening(50, date="2026-11-21", start="22:00", first=10),
        [*evening(49, date="2026-11-21", start="22:04", first=11), late],
    )
    # The late play is known by now; what may be missing beside it is still missing.
    assert database.rows(GAPS) == [("2026-11-21 10:16:00+00", "2026-11-21 22:00:00+00", "window_overrun", True)]
    assert database.rows("select distinct is_at_least from reporting.rpt_top_tracks") == [(True,)]
    database.rows(
        "insert into staging.history_spans values"
        " ('me', '2026-11-01', '2026-11-21 15:00Z', 'a.zip', '2026-12-01'),"
        " ('me', '2026-11-21 15:00Z', '2026-11-21 21:59:59Z', 'b.zip', '2026-12-02')"
    )
    assert database.value("select is_open from marts.fct_gaps")
    database.rows(
        "insert into staging.history_spans values ('me', '2026-11-21 21:00Z', '2026-11-23', 'b.zip', '2026-12-03')"
    )
    assert database.rows("select is_open, closed_at::date::text from marts.fct_gaps") == [(False, "2026-12-03")]
    assert database.rows("select distinct is_at_least from reporting.rpt_top_tracks") == [(False,)]


def test_a_short_page_without_a_known_play_proves_nothing(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    run_slots(pipeline, spotify, evening(5, start="10:00"), evening(12, start="20:00", first=10), [])
    assert database.rows(GAPS) == [("2026-11-21 10:16:00+00", "2026-11-21 20:00:00+00", "short_page", True)]


def test_pages_that_overlap_leave_no_gap_and_an_empty_one_is_no_evidence(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    run_slots(pipeline, spotify, evening(50, start="10:00"), [], evening(50, start="13:16", first=49), evening(3))
    assert [row[4] for row in database.rows(LEDGER)] == [None, None, True, False]
    assert [row[2] for row in database.rows(GAPS)] == ["short_page"]


def test_plays_on_their_way_at_the_poll_before_are_inside_the_gap(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    now = datetime.datetime.now(datetime.UTC)

    def heard(minutes_ago: int, count: int, first: int) -> list[Any]:
        moments = (now - datetime.timedelta(minutes=minutes_ago - n) for n in range(count))
        return [item(f"{m:%Y-%m-%dT%H:%M:%S}.000Z", name=f"Song {first + n}", minutes=1) for n, m in enumerate(moments)]

    run_slots(pipeline, spotify, heard(70, 5, 0), heard(51, 50, 10))
    (before,) = database.rows("select min(fetched_at) from staging.polls")[0]
    ((begins_at, known_until),) = database.rows("select begins_at, known_until from marts.fct_gaps")
    assert begins_at == before - datetime.timedelta(hours=3)
    assert known_until > begins_at


def completeness(database: Database) -> list[Row]:
    return database.rows(
        "select to_char(hour_at_local, 'DD HH24'), completeness from marts.fct_capture_hours order by hour_at"
    )


def test_each_hour_is_complete_possibly_lossy_or_not_polled(database: Database, pipeline: Pipeline) -> None:
    """Seen on rows of the ledger itself, with moments of their own."""
    succeeded(pipeline.slot(FIRST, LISTENER_TIMEZONE="Asia/Kolkata"))  # UTC + 5:30: local hours begin at half past
    database.rows("truncate staging.polls")
    rows = [
        ("06:10", "polled", 50, "02:40", "06:00", None),
        ("07:10", "polled", 50, "03:00", "07:05", True),
        ("12:10", "polled", 50, "10:40", "12:00", False),
        ("12:40", "polled", 50, "10:50", "12:30", True),
        ("13:10", "polled", 0, None, None, None),
        ("15:10", "paused", None, None, None, None),
    ]
    for fetched, outcome, items, oldest, newest, overlap in rows:
        database.rows(
            "insert into staging.polls (account, fetched_at, slot, outcome, items, oldest, newest, overlap, calls_used,"
            " record) values ('me', %s, %s, %s, %s, %s, %s, %s, 1, 'r')",
            *(moment and f"2026-11-20 {moment}Z" for moment in (fetched, fetched)),
            outcome,
            items,
            *(moment and f"2026-11-20 {moment}Z" for moment in (oldest, newest)),
            overlap,
        )
    # Known before the gap: nothing in staging, so three hours before the poll before: 04:10 UTC to 10:40 UTC.
    hours = completeness(database)
    assert hours[0] == ("20 08", "possibly_lossy"), "it began before the first play that is known"
    assert dict(hours) == {
        **{f"20 {hour:02}": "complete" for hour in (17, 9)},
        **{f"20 {hour:02}": "possibly_lossy" for hour in (8, *range(10, 17))},
        "20 09": "possibly_lossy",
        **{f"20 {hour:02}": "not_polled" for hour in (18, 19, 20)},
    }
    assert database.rows("select hours, hours_complete, completeness from marts.fct_capture_days") == [
        (13, 1, "possibly_lossy")
    ]


def test_a_day_has_as_many_hours_as_the_clocks_give_it(pipeline: Pipeline, database: Database) -> None:
    succeeded(pipeline.slot(FIRST, LISTENER_TIMEZONE="Europe/Berlin"))
    database.rows("truncate staging.polls")
    for moment in ("2026-03-01", "2026-11-10"):
        database.rows(
            "insert into staging.polls (account, fetched_at, slot, outcome, items, oldest, newest, overlap, calls_used,"
            " record) values ('me', %s, now(), 'polled', 50, %s::timestamptz - interval '1 hour', %s, true, 1, 'r')",
            *[moment] * 3,
        )
    query = "select hours, hours_complete, completeness from marts.fct_capture_days where date_local = %s"
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)):
        assert database.rows(query, day) == [(hours, hours, "complete")]


def test_a_record_that_cannot_be_read_is_named_and_costs_no_play(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    record = pipeline.data / f"polls/account=me/2026/11/{SECOND}.json"
    record.write_text('{"account": "me"')
    spotify.page = page(*evening(5))
    process = succeeded(pipeline.slot(THIRD, task="CopyToStaging"))
    assert f"polls/account=me/2026/11/{SECOND}.json is damaged: it is not JSON" in process.stderr
    assert (record.parent / f"{SECOND}.json.damaged").read_text() == '{"account": "me"'
    assert database.value("select count(*) from staging.spotify_songs") == 5
    query = "select outcome, record, reason from staging.polls order by fetched_at"
    assert database.rows(query)[0] == (
        "polled",
        f"polls/account=me/2026/11/{SECOND}.json.damaged",
        "the record was damaged, and its page is not known",
    )


def test_records_of_before_there_were_outcomes_are_polls(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    path = pipeline.data / f"polls/account=me/2026/11/{FIRST}.json"
    record = json.loads(path.read_text())
    path.write_text(
        json.dumps({k: v for k, v in record.items() if k not in ("outcome", "calls", "reason", "token_days_left")})
    )
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    assert database.rows("select outcome, calls_used from staging.polls") == [("polled", 0)]


def test_entries_that_cannot_be_read_are_told_once_and_are_a_gap(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spoiled = item("2026-11-21T18:30:00Z", name="Spoiled", duration_ms=None)
    episode = item("2026-11-21T18:31:00Z", name="Episode", type="episode")
    told = []
    for slot, items in ((FIRST, []), (SECOND, [spoiled]), (THIRD, [spoiled, episode])):
        spotify.page = page(*evening(5), *items)
        process = succeeded(pipeline.slot(slot, task="RunPipeline" if slot == THIRD else "CopyToStaging"))
        told.append("cannot be read as plays (no duration_ms) and are missing" in process.stderr)
    assert told == [False, True, False]
    (first,) = database.rows("select min(fetched_at) from staging.polls")[0]
    query = "select begins_at, why, found_in_slot::text from marts.fct_gaps"
    expected = min(first - datetime.timedelta(hours=3), datetime.datetime(2026, 11, 21, 18, tzinfo=datetime.UTC))
    assert database.rows(query) == [(expected, "unreadable_items", "2026-11-22 14:30:00+00")]


def test_a_page_that_lacks_what_was_known_and_goes_further_back_breaks_no_report(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    run_slots(pipeline, spotify, [item("2026-11-21T11:50:00Z")], [item("2026-11-21T03:00:00Z", name="Older")])
    # Its oldest play lies among those known: it came late, and may not have come alone.
    assert database.rows("select begins_at::text, ends_at::text from marts.fct_gaps") == [
        ("2026-11-20 15:00:00+00", "2026-11-21 03:00:00+00")
    ]
    assert database.value("select count(*) from reporting.rpt_top_tracks") == 2


def test_a_partition_restored_from_an_older_backup_is_told_and_filled_from_the_kept_answers(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    backup = partition.read_bytes()
    spotify.page = page(*evening(9))
    succeeded(pipeline.slot(SECOND, task="CopyToStaging"))
    whole = partition.read_bytes()
    partition.write_bytes(backup)
    spotify.page = page(*evening(1, date="2026-11-22"))
    process = succeeded(pipeline.slot(THIRD, task="CopyToStaging"))
    assert f"{partition} holds fewer plays than were captured" in process.stderr
    assert "6 plays came back" in succeeded(pipeline.luigi("ReplayResponses")).stderr
    assert partition.read_bytes() == whole
    assert "0 plays came back" in succeeded(pipeline.luigi("ReplayResponses", "--account", "me")).stderr
    assert database.value("select count(*) from staging.spotify_songs") == 10

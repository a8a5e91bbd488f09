"""One slot end to end: a sample Spotify, the `luigi` command, a real PostgreSQL, the real dbt."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.plays import COLUMNS
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import evening, item, page
from tests.slack import SampleSlack

FIRST, SECOND, THIRD = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500"
# The whole of the marts and reports, moments of capture included.
RESULTS = (
    "marts.fct_plays",
    "marts.dim_tracks",
    "marts.dim_artists",
    "marts.bridge_track_artists",
    "reporting.rpt_recently_played",
    "reporting.rpt_top_tracks",
    "reporting.rpt_top_artists",
)


def marts(database: Database) -> dict[str, list[tuple[object, ...]]]:
    return {name: database.rows(f"select t::text from {name} as t order by 1") for name in RESULTS}


def test_a_slot_goes_from_an_answer_to_tested_marts(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    guests = [{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]
    spotify.page = page(
        item("2026-11-21T18:00:00Z", name="Opening", minutes=4, artists=guests),
        item("2026-11-21T18:03:00.500Z", name="Loop", minutes=3),
        item("2026-11-21T18:06:00.500Z", name="Loop", minutes=3),
        item("2026-11-21T18:06:02.200Z", name="Loop", minutes=3),
        item("2026-11-22T00:10:00Z", name="After midnight", minutes=2),
    )
    process = succeeded(pipeline.slot(FIRST))
    assert "me: 5 plays returned, 5 new, 0 passed over" in process.stderr

    (raw,) = pipeline.files("raw/**/*.gz").values()
    assert gzip.decompress(raw) == spotify.page
    partitions = pipeline.files("spotify_songs/**/*.csv")
    assert list(partitions) == [f"spotify_songs/account=me/2026/11/2026-11-{day}.csv" for day in (21, 22)]
    rows = list(csv.DictReader(partitions["spotify_songs/account=me/2026/11/2026-11-21.csv"].decode().splitlines()))
    assert [row["song_name"] for row in rows] == ["Opening", "Loop", "Loop", "Loop"]
    poll = json.loads(pipeline.files("polls/**/*.json")[f"polls/account=me/2026/11/{FIRST}.json"])
    assert (poll["slot"], poll["items"], poll["new_plays"], poll["overlap"]) == ("2026-11-22T14:00Z", 5, 5, None)
    assert [(entry["rows_added"], entry["rows"]) for entry in poll["partitions"]] == [(4, 4), (1, 1)]

    assert database.value("select count(*) from staging.spotify_songs") == 5
    # The loop is two plays; the step 1.7 s after its second play belongs to that.
    assert database.rows(
        "select played_at::text, steps, ms_played, is_estimated, source from marts.fct_plays order by played_at"
    ) == [
        ("2026-11-21 18:00:00+00", 1, 240000, True, "web_api"),
        ("2026-11-21 18:03:00.5+00", 1, 180000, True, "web_api"),
        ("2026-11-21 18:06:02.2+00", 2, 181700, True, "web_api"),
        ("2026-11-22 00:10:00+00", 1, 120000, True, "web_api"),
    ]
    assert database.rows(
        "select rank, artist_name, plays, minutes::text from reporting.rpt_top_artists order by 1, 2"
    ) == [
        (1, "Velvet Harbour", 3, "8.03"),
        (2, "Golden Avenue", 1, "4.00"),
        (2, "Velvet Harbour", 1, "4.00"),
    ]
    assert database.rows("select rank, track_name, plays from reporting.rpt_top_tracks order by rank, 2") == [
        (1, "Loop", 2),
        (2, "Opening", 1),
        (3, "After midnight", 1),
    ]
    assert database.rows("select step, scope from pipeline.dbt_runs order by finished_at") == [
        ("run", "full"),
        ("test", "full"),
    ]

    # Nothing new: no dbt, not even its import. The same slot again: no call.
    calls = len(spotify.calls)
    quiet = succeeded(pipeline.slot(SECOND, PYTHONPROFILEIMPORTTIME="1"))
    assert "dbt not started: staging holds nothing new" in quiet.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in quiet.stderr.splitlines() if "|" in line}
    assert {"luigi", "requests", "psycopg2"} <= imported
    assert not {"dbt", "pandas", "slack_sdk"} & imported
    assert len(spotify.calls) == calls + 1
    before = pipeline.files("[ps]*/**/*")
    succeeded(pipeline.slot(FIRST))
    assert len(spotify.calls) == calls + 1
    assert pipeline.files("[ps]*/**/*") == before
    assert database.value("select count(*) from pipeline.dbt_runs") == 2


def test_news_comes_incrementally_and_a_rebuild_gives_the_same_marts(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    history = evening(30)
    spotify.page = page(*history)
    succeeded(pipeline.slot(FIRST))
    # A day later, with one play that came late between two of yesterday, and a track under a new name.
    late = item("2026-11-21T18:05:10Z", name="Late arrival", minutes=1)
    renamed = item("2026-11-22T08:00:00Z", name="Song 3")
    renamed["track"]["name"] = "Song 3 (remastered)"
    spotify.page = page(*history[5:], late, renamed, *evening(9, date="2026-11-22", first=20))
    process = succeeded(pipeline.slot(SECOND))
    assert "11 new" in process.stderr
    assert "models built (news)" in process.stderr
    assert "tests passed (news)" in process.stderr
    # The late play cut its follower short: that one ended 2 min 50 s after it.
    assert database.rows(
        "select ms_played from marts.fct_plays where played_at = '2026-11-21 18:08:00+00' and account = 'me'"
    ) == [(170_000,)]
    assert database.rows("select track_name, plays from reporting.rpt_top_tracks where track_uri like '%Song30%'") == [
        ("Song 3 (remastered)", 2)
    ]
    incremental = marts(database)
    assert len(incremental["marts.fct_plays"]) == 41

    succeeded(pipeline.luigi("RebuildStaging"))
    assert marts(database) == incremental
    database.rows("drop schema staging cascade")
    database.rows("drop schema pipeline cascade")
    for schema in ("marts", "intermediate", "reporting"):
        database.rows(f"drop schema {schema} cascade")
    succeeded(pipeline.luigi("RebuildStaging"))
    assert marts(database) == incremental


def test_a_dropped_database_is_filled_again_by_the_next_slot(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(4))
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    database.rows("drop schema staging cascade")
    database.rows("drop schema pipeline cascade")
    spotify.page = page(*evening(1, date="2026-11-22"))
    succeeded(pipeline.slot(SECOND, task="CopyToStaging"))
    assert database.value("select count(*) from staging.spotify_songs") == 5


def test_a_slot_in_the_future_is_refused(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    process = pipeline.slot("2999-01-01T0000")
    assert process.returncode == 30
    assert "slot 2999-01-01T0000 (UTC) is in the future" in process.stderr
    assert spotify.calls == []
    assert pipeline.files("[!d]*/**/*") == {}


def test_a_slot_in_the_past_says_when_it_really_asked(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2020-02-29T0610", task="ExtractRecent"))
    poll = json.loads(pipeline.files("polls/**/*")["polls/account=me/2020/02/2020-02-29T0600.json"])
    assert poll["slot"] == "2020-02-29T06:00Z"
    assert poll["fetched_at"] > "2026"
    assert list(pipeline.files("spotify_songs/**/*")) == ["spotify_songs/account=me/2026/11/2026-11-21.csv"]


@pytest.mark.parametrize("account", ["../x", "a/b", ".", "A", "a" * 33, "x y", "x\ny", "é"])
def test_an_account_name_that_is_no_plain_name_is_refused(
    pipeline: Pipeline, spotify: SampleSpotify, account: str
) -> None:
    process = pipeline.slot(FIRST, "--account", account)
    assert process.returncode == 40
    assert "cannot be used: write 1 to 32 of a-z, 0-9, _ and -" in process.stderr
    assert spotify.calls == []
    assert pipeline.files("[!d]*/**/*") == {}


def test_accounts_are_kept_apart(pipeline: Pipeline, spotify: SampleSpotify, database: Database) -> None:
    spotify.page = page(*evening(3))
    ann, bob = (spotify.add_person(Person(name)) for name in ("ann", "bob"))
    succeeded(pipeline.slot(FIRST, "--account", "ann", SPOTIFY_REFRESH_TOKEN_ANN=ann))
    succeeded(pipeline.slot(FIRST, "--account", "bob-2", SPOTIFY_REFRESH_TOKEN_BOB_2=bob))
    assert database.rows("select account, count(*) from marts.fct_plays group by 1 order by 1") == [
        ("ann", 3),
        ("bob-2", 3),
    ]
    assert len(pipeline.files("spotify_songs/**/*.csv")) == 2


def test_a_page_full_of_unknown_plays_after_a_history_is_a_possible_loss(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(50, date="2026-11-20"))
    first = succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    assert "may be lost" not in first.stderr
    spotify.page = page(*evening(50, date="2026-11-21"))
    second = succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    assert "holds no play that was known before; older ones may be lost" in second.stderr
    spotify.page = page(*evening(50, date="2026-11-21", start="18:04", first=1))
    third = succeeded(pipeline.slot(THIRD, task="ExtractRecent"))
    assert "may be lost" not in third.stderr
    overlaps = [json.loads(poll)["overlap"] for _, poll in sorted(pipeline.files("polls/**/*").items())]
    assert overlaps == [None, False, True]


def test_the_columns_of_staging_are_those_of_the_partitions(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    columns = database.rows(
        "select column_name from information_schema.columns"
        " where table_schema = 'staging' and table_name = 'spotify_songs' order by ordinal_position"
    )
    assert [name for (name,) in columns] == [*COLUMNS, "load_id"]


def test_a_gap_is_told_however_the_run_that_saw_it_ended(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3, date="2026-11-19"))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    # The run that merges the next page finds a damaged day in it; the one after it merges the page once more.
    broken = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    broken.write_text("damaged\n")
    spotify.page = page(
        *evening(20, date="2026-11-20"), *evening(29, date="2026-11-21"), {"track": None, "played_at": ""}
    )
    assert pipeline.slot(SECOND, task="ExtractRecent").returncode == 30
    broken.unlink()
    spotify.page = page(*evening(29, date="2026-11-21"))
    process = succeeded(pipeline.slot(THIRD, task="ExtractRecent"))
    assert "holds no play that was known before; older ones may be lost" in process.stderr
    poll = json.loads(pipeline.files("polls/**/*")[f"polls/account=me/2026/11/{THIRD}.json"])
    ((seen, new, overlap),) = [(r["items"], r["new_plays"], r["overlap"]) for r in poll["recovered"]]
    assert (seen, new, overlap) == (50, 49, False)
    assert (poll["items"], poll["new_plays"], poll["overlap"]) == (29, 0, True)


def test_any_schema_that_is_dropped_comes_back_with_the_next_slot(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST))
    before = marts(database)
    for hour, dropped in enumerate(["staging", "marts", "reporting", "intermediate", "pipeline"], start=15):
        database.rows(f"drop schema {dropped} cascade")
        succeeded(pipeline.slot(f"2026-11-22T{hour}00"))
        assert marts(database) == before, dropped


def test_a_row_corrected_in_its_file_is_corrected_in_the_marts(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST))
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    partition.write_bytes(partition.read_bytes().replace(b"Song 1", b"Song one"))
    process = succeeded(pipeline.slot(SECOND))
    assert "1 new or corrected plays loaded" in process.stderr
    assert "models built (full)" in process.stderr, "nothing of what the row said before may stay"
    assert database.rows("select track_name from marts.dim_tracks order by 1") == [
        ("Song 0",),
        ("Song 2",),
        ("Song one",),
    ]


def test_an_incremental_build_that_a_constraint_stops_is_replaced_by_a_full_one(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST))
    # Whatever contradicts itself: here the models must not build a second play of any track.
    database.rows("create unique index one_play_per_track on marts.fct_plays (track_uri)")
    spotify.page = page(*evening(3), *evening(2, date="2026-11-22"))
    process = succeeded(pipeline.slot(SECOND, SLACK_WEBHOOK_URL=slack.url))
    assert "models built (full)" in process.stderr
    message = "\n".join(message["text"] for _, message in slack.messages)
    assert "the incremental build of the models failed on a constraint" in message
    assert "one_play_per_track" in message
    assert database.value("select count(*) from marts.fct_plays") == 5
    spotify.page = page(*evening(3), *evening(3, date="2026-11-22"))
    assert "models built (news)" in succeeded(pipeline.slot("2026-11-22T1500")).stderr


def test_credits_that_change_or_go_missing_come_out_as_in_a_rebuild(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    guests = [{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]
    played = [
        item("2026-11-21T18:00:00Z", name="Changed", artists=guests),
        item("2026-11-21T18:10:00Z", name="Missing", artists=guests[:1]),
    ]
    spotify.page = page(*played)
    succeeded(pipeline.slot(FIRST))
    again = [
        item("2026-11-22T08:00:00Z", name="Changed", artists=guests[1:]),
        item("2026-11-22T08:10:00Z", name="Missing", artists=None),
    ]
    spotify.page = page(*played, *again)
    succeeded(pipeline.slot(SECOND))
    incremental = marts(database)
    query = "select artist_name, plays from reporting.rpt_top_artists order by 1"
    assert database.rows(query) == [("Golden Avenue", 2), ("Velvet Harbour", 2)]
    succeeded(pipeline.luigi("RebuildStaging"))
    assert marts(database) == incremental

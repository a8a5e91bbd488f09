"""Every report, cell by cell, against plain Python over the raw plays: tests/oracle."""

from __future__ import annotations

import contextlib
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.oracle.compare import Compared, compare, report_of
from tests.oracle.hard_days import HISTORIES, NEW_YORK, POLLED, TOKYO, over_new_year, write_export
from tests.samples import page


def test_every_report_of_a_year_equals_that_of_the_oracle(pipeline: Pipeline) -> None:
    arguments = ("--days", "400", "--plays-a-day", "25", "--polled", "6", "--zone", "Europe/Berlin")
    process = pipeline.run(str(BIN / "python"), "-m", "tests.oracle", "--seed", "1", *arguments)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "rpt_wrapped" in process.stdout


def test_every_report_of_days_that_are_hard_to_count_equals_that_of_the_oracle(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    pipeline.environment |= {"LISTENER_TIMEZONE": NEW_YORK, "LISTENER_TIMEZONES": f"tokyo={TOKYO}"}
    for account, rows in HISTORIES.items():
        export = write_export(tmp_path / f"{account}.zip", rows)
        succeeded(pipeline.luigi("CopyHistory", "--export", str(export), "--account", account))
    database.rows(
        "insert into staging.spotify_genres (account, artist_id, artist_genre, genre_source, genre_votes,"
        " asked_date_utc, last_updated_datetime_utc, load_id)"
        " select 'me', artist, genre, 'musicbrainz', votes, day::date, day::timestamptz, nextval('staging.load_id')"
        " from (values ('artist0000000000000001', 'polka', 3, '2026-11-01'),"
        " ('artist0000000000000001', 'jazz', 1, '2026-11-02'), ('artist0000000000000001', 'dub', 2, '2026-11-02'),"
        " ('artist0000000000000002', 'jazz', 0, '2026-11-02'), ('artist0000000000000002', 'polka', 0, '2026-11-02'),"
        " ('ann', 'jazz', null, '2026-11-02'), ('artist0000000000000003', null, null, '2026-11-02'))"
        " as given (artist, genre, votes, day)"
    )
    for slot, items in POLLED.items():
        spotify.page = page(*items)
        succeeded(pipeline.slot(slot, task="DbtTest"))
    before = compared(database)
    assert not differences(before), report_of(before)
    assert [each.name for each in before if not each.rows] == ["rpt_exclusion_rules"]
    assert database.value("select count(*) from marts.fct_gaps where is_open") == 1
    # What the listener's own files would say.
    database.rows(
        "insert into seeds.recording_overrides (account, track_uri, recording) values"
        " (null, 'spotify:track:song0', 'zero'), ('clocks', 'spotify:track:song0', 'mine'),"
        " ('clocks', 'spotify:track:waves', 'mine'), ('tokyo', 'spotify:track:song1', 'zero'),"
        " (null, 'spotify:track:oldfavourite', 'zero'),"
        " ('limits', 'spotify:track:releasea', 'even'), ('limits', 'spotify:track:releaseb', 'even'),"
        " ('limits', 'spotify:track:releasec', 'odd'), ('limits', 'spotify:track:released', 'odd')"
    )
    database.rows(
        "insert into seeds.exclusion_rules (rule_id, is_active, account, kind, value, from_date, to_date) values"
        " ('1', true, null, 'artist', 'sleepy noise', null, null),"
        " ('2', null, 'clocks', 'track', 'https://open.spotify.com/track/song2?si=1', '2026-11-01', '2026-12-31'),"
        " ('3', false, null, 'album', 'Album', null, null),"
        " ('4', true, 'tokyo', 'hour_window', '23-2', null, null),"
        " ('5', true, null, 'account', 'single', null, null),"
        " ('6', true, 'clocks', 'platform', 'Speaker', '2020-12-31', null),"
        " ('7', true, 'me', 'genre', 'Dub', null, '2026-11-20')"
    )
    pipeline.environment["LISTENER_SHORTEST_PLAY_SECONDS"] = "15"
    models = ("dbt", "--no-use-colors", "run", "--full-refresh")
    process = pipeline.run(str(BIN / "python"), "-m", "pipeline", *models)
    assert process.returncode == 0, process.stdout
    after = compared(database, shortest_play=15)
    assert (
        database.value(
            "select plays from reporting.rpt_exclusion_rules where rule_id like '(short%%' and account = 'late'"
        )
        == 3
    )
    assert not differences(after), report_of(after)
    assert all(each.rows for each in after)
    assert database.value("select count(*) from reporting.rpt_totals where account = 'single'") == 0
    assert database.value("select count(*) from marts.fct_plays") > total_plays(database)


def compared(database: Database, shortest_play: int = 0) -> list[Compared]:
    with contextlib.closing(psycopg2.connect(database.url, options="-c TimeZone=UTC")) as connection:
        return compare(connection, ZoneInfo(NEW_YORK), {"tokyo": ZoneInfo(TOKYO)}, shortest_play)


def differences(found: list[Compared]) -> list[str]:
    return [difference for each in found for difference in each.differences]


def total_plays(database: Database) -> int:
    return int(database.value("select sum(plays) from reporting.rpt_totals"))


def test_the_comparison_sees_a_cell_a_row_and_a_play_that_is_not_as_it_was(
    pipeline: Pipeline, database: Database, tmp_path: Path
) -> None:
    pipeline.environment["LISTENER_TIMEZONE"] = NEW_YORK
    export = write_export(tmp_path / "export.zip", [*over_new_year()])
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    assert not differences(compared(database))
    database.rows("create schema kept; alter table marts.fct_plays rename to fct_plays_kept")
    database.rows(
        "create view marts.fct_plays as select * from marts.fct_plays_kept where played_date != '2020-12-31' or"
        " play_id != (select min(play_id) from marts.fct_plays_kept where played_date = '2020-12-31')"
    )
    database.rows("alter view reporting.rpt_hours_of_week rename to hours_kept")
    database.rows(
        "create view reporting.rpt_hours_of_week as select account, iso_weekday, played_hour, plays + (iso_weekday ="
        " 3)::integer as plays, minutes, minutes_estimated, share_of_minutes from reporting.hours_kept"
        " where (iso_weekday, played_hour) != (7, 23)"
    )
    database.rows("drop view reporting.rpt_skips cascade")
    found = {each.name: each.differences for each in compared(database) if each.differences}
    assert list(found) == ["marts.fct_plays", "rpt_hours_of_week", "rpt_skips"]
    assert len(found["marts.fct_plays"]) == 1
    assert len(found["rpt_hours_of_week"]) == 24 + 1
    assert "cannot be read" in found["rpt_skips"][0]

"""The dbt project: its unit tests, and fct_plays against a calculation that shares nothing with it but the rule."""

from __future__ import annotations

import datetime
import json
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.demo.listener import listen
from pipeline.demo.spotify import SampleSpotify
from pipeline.transform.dbt import PROJECT
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, page

ZONE = "America/New_York"
Row = tuple[Any, ...]


def plays_by_the_rule(items: list[dict[str, Any]], zone: ZoneInfo) -> list[Row]:
    """One account's plays, by walking over its items: end, track, steps, ms, local date, hour, ISO year, week, day."""
    plays: list[dict[str, Any]] = []
    before: datetime.datetime | None = None
    for item in sorted(items, key=lambda item: (item["played_at"], item["track"]["uri"])):
        end = datetime.datetime.fromisoformat(item["played_at"])
        length = item["track"]["duration_ms"]
        tolerance = min(5000, length // 10)
        gap = None if before is None else round((end - before) / datetime.timedelta(milliseconds=1))
        heard = length if gap is None else min(length, gap)
        last = plays[-1] if plays else None
        joins = (
            last is not None
            and last["uri"] == item["track"]["uri"]
            and gap is not None
            and gap <= length + tolerance
            and last["ms"] + heard <= length + tolerance
        )
        if joins and last is not None:
            last.update(end=end, steps=last["steps"] + 1, ms=last["ms"] + heard)
        else:
            plays.append({"end": end, "uri": item["track"]["uri"], "steps": 1, "ms": heard})
        before = end
    rows = []
    for play in plays:
        local = play["end"].astimezone(zone)
        week = local.isocalendar()
        rows.append((play["end"], play["uri"], play["steps"], play["ms"], local.date(), local.hour, *week))
    return rows


def test_every_play_equals_that_of_a_second_calculation_however_late_it_comes(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    # Over a change of the clocks and a New Year with ISO week 53, in a zone whose evenings are the next day in UTC.
    chance = random.Random(20261101)
    items = []
    for begin, days in (("2020-10-28", 8), ("2020-12-29", 8)):
        start = datetime.datetime.fromisoformat(begin).replace(tzinfo=datetime.UTC)
        items += [play.item for play in listen(7, start, start + datetime.timedelta(days=days))]
    late = set(chance.sample(range(len(items)), len(items) // 4))
    shares = [[item for n, item in enumerate(items) if (n in late) == is_late] for is_late in (False, True)]
    scopes = []
    for n, share in enumerate(shares):
        spotify.page = page(*share)
        process = succeeded(pipeline.slot(f"2026-11-22T0{n}00", LISTENER_TIMEZONE=ZONE))
        scopes.append("models built (news)" in process.stderr)
    assert scopes == [False, True]
    query = (
        "select played_at, track_uri, steps, ms_played, played_date, played_hour, iso_year, iso_week, iso_weekday"
        " from marts.fct_plays order by played_at, track_uri"
    )
    expected = plays_by_the_rule(items, ZoneInfo(ZONE))
    assert database.rows(query) == expected
    assert sum(row[2] for row in expected) == len(items)
    assert any(row[2] > 1 for row in expected), "the listener has plays in several steps"
    top = database.rows("select track_uri, plays, minutes from reporting.rpt_top_tracks")
    for track_uri, plays, minutes in top:
        mine = [row for row in expected if row[1] == track_uri]
        assert (plays, round(float(minutes), 2)) == (len(mine), round(sum(row[3] for row in mine) / 60_000, 2))
    assert len(top) == len({row[1] for row in expected})


def test_another_time_zone_moves_every_local_date(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2, start="22:00"))
    succeeded(pipeline.slot("2026-11-22T0000"))
    assert database.rows("select distinct played_date::text from marts.fct_plays") == [("2026-11-21",)]
    spotify.page = page()
    process = succeeded(pipeline.slot("2026-11-22T0030", LISTENER_TIMEZONE="Asia/Tokyo"))
    assert "models built (full)" in process.stderr
    assert database.rows("select distinct played_date::text from marts.fct_plays") == [("2026-11-22",)]


def test_a_time_zone_that_is_none_is_named(pipeline: Pipeline) -> None:
    process = pipeline.slot("2026-11-22T0000", LISTENER_TIMEZONE="Mars/Olympus'; drop table x; --")
    assert process.returncode == 30
    assert "LISTENER_TIMEZONE" in process.stderr
    assert "write one such as Europe/Berlin" in process.stderr


def test_an_account_can_have_a_zone_of_its_own(pipeline: Pipeline, spotify: SampleSpotify, database: Database) -> None:
    spotify.page = page(*evening(2, start="22:00"))
    succeeded(
        pipeline.slot("2026-11-22T0000", "--account", "me", LISTENER_TIMEZONE="UTC", LISTENER_TIMEZONES="me=Asia/Tokyo")
    )
    assert database.rows("select distinct played_date::text from marts.fct_plays") == [("2026-11-22",)]
    assert database.value("select time_zone from marts.dim_accounts") == "Asia/Tokyo"


@pytest.mark.parametrize("zones", ["me", "me=Mars/Olympus", "Me!=Asia/Tokyo"])
def test_zones_of_accounts_that_are_none_are_named(pipeline: Pipeline, zones: str) -> None:
    process = pipeline.slot("2026-11-22T0000", LISTENER_TIMEZONES=zones)
    assert process.returncode == 30
    assert "LISTENER_TIMEZONES" in process.stderr or "account 'Me!' cannot be used" in process.stderr


def test_every_model_and_every_column_is_described(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T0000"))
    succeeded(pipeline.run(str(BIN / "python"), "-m", "pipeline", "dbt", "--quiet", "docs", "generate"))
    manifest = json.loads((pipeline.data / "dbt/manifest.json").read_text())
    catalog = json.loads((pipeline.data / "dbt/catalog.json").read_text())
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    assert len(nodes) > 70
    for node in nodes:
        assert node["description"], f"{node['name']} is not described"
        if node["name"] == "int_counted_plays":  # as in fct_plays
            continue
        described = {name for name, column in node["columns"].items() if column["description"]}
        there = set(catalog["nodes"][node["unique_id"]]["columns"])
        assert described == there, f"{node['name']}: {described ^ there}"
        if node["schema"] in ("marts", "reporting"):
            assert node["config"]["contract"]["enforced"], f"{node['name']} has no contract"
    public = {node["name"] for node in nodes if node.get("access") == "public"}
    assert public == {path.stem for path in (PROJECT / "models/reporting").glob("rpt_*.sql")}
    (dashboard,) = manifest["exposures"].values()
    assert {name.split(".")[-1] for name in dashboard["depends_on"]["nodes"]} == public


def test_the_unit_tests_of_the_models_pass_and_so_does_freshness(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T0000"))
    dbt = (str(BIN / "python"), "-m", "pipeline", "dbt")
    unit = pipeline.run(*dbt, "--no-use-colors", "test", "--select", "test_type:unit")
    assert unit.returncode == 0, unit.stdout
    files = (PROJECT / "models").rglob("*unit_tests.yml")
    count = sum(file.read_text().count("\n  - name: ") for file in files)
    assert f"PASS={count} WARN=0 ERROR=0" in unit.stdout
    assert pipeline.run(*dbt, "source", "freshness").returncode == 0
    database.rows("update staging.spotify_songs set last_updated_datetime_utc = now() - interval '4 days'")
    stale = pipeline.run(*dbt, "--no-use-colors", "source", "freshness")
    assert "WARN freshness of spotify.spotify_songs" in stale.stdout

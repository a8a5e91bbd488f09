"""Rules of the listener's own: what they would remove is said first, what they remove comes back with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, item, page

HEADER = "rule_id,is_active,account,kind,value,from_date,to_date,why\n"
TOTALS = "select plays, minutes::float from reporting.rpt_totals"


@pytest.fixture
def own(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """The pipeline in a folder of its own, so that a test can write into its seeds."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pipeline", "dbt"):
        shutil.copytree(config.PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(config.PROJECT / "luigi.cfg", project)
    pipeline.project = project
    pipeline.environment["PYTHONPATH"] = str(project)
    return pipeline


def write_rules(own: Pipeline, *rules: str) -> None:
    (own.project / "dbt/seeds/exclusion_rules.csv").write_text(HEADER + "".join(f"{rule}\n" for rule in rules))


def exclusions(own: Pipeline) -> tuple[int, str]:
    process = own.run(str(BIN / "python"), "-m", "pipeline", "exclusions")
    return process.returncode, process.stdout + process.stderr


def test_a_rule_is_looked_at_then_counts_and_without_it_all_is_as_it_was(
    own: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    code, said = exclusions(own)
    assert code == 1
    assert "run a slot, or an import, first" in said
    children = [{"id": "artist0000000000000009", "name": "The Lullabies"}]
    bedtime = item("2026-11-21T21:30:00.000Z", name="Sleep now", minutes=2.0, artists=children)
    spotify.page = page(*evening(5), bedtime)
    succeeded(own.slot("2026-11-22T0000"))
    before = database.rows(TOTALS)
    assert before[0][0] == 6
    # Looked at: nothing is counted by it yet.
    write_rules(own, "kids,true,,artist,the lullabies,,,not mine", "early,false,me,hour_window,18-19,,,")
    code, said = exclusions(own)
    assert code == 0
    lines = {
        line.split()[1]: line for line in said.splitlines() if line.startswith("me ") or line.startswith("     me ")
    }
    assert lines["kids"].split()[-7:-5] == ["1", "2.00"]
    assert lines["kids"].endswith("from the next slot on")
    assert lines["early"].split()[-3:] == ["5", "17.50", "off"]
    assert database.rows(TOTALS) == before
    # The next slot counts by it, though it brings nothing new.
    process = succeeded(own.slot("2026-11-22T0030"))
    assert "models built (full)" in process.stderr
    assert database.rows(TOTALS) == [(5, before[0][1] - 2.0)]
    assert database.value("select rule_id from intermediate.int_excluded_plays") == "kids"
    assert database.value("select count(*) from marts.fct_plays") == 6
    assert "in force" in exclusions(own)[1]
    # A play that comes later is excluded too, without anything being built anew.
    again = item("2026-11-22T00:40:00.000Z", name="Sleep well", minutes=2.0, artists=children)
    spotify.page = page(bedtime, again)
    process = succeeded(own.slot("2026-11-22T0100"))
    assert "models built (news)" in process.stderr
    assert database.value("select excluded_plays from marts.fct_listening_days where played_date = '2026-11-22'") == 1
    assert database.rows(TOTALS)[0][0] == 5
    write_rules(own)
    succeeded(own.slot("2026-11-22T0130"))
    assert database.rows(TOTALS) == [(7, before[0][1] + 2.0)]


NONSENSE = {
    "a,true,me,artits,Ann,,,": "kind is none of: play, track, artist",
    "b,true,me,hour_window,23:00-06:00,,,": "value is no window of hours such as 23-6",
    "c,true,me,genre,,,,": "value is empty",
    "d,true,me,genre,folk,2026-05-01,2026-04-01,": "from_date is after to_date",
}


def test_a_rule_that_says_nothing_is_named_and_removes_nothing(
    own: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2))
    succeeded(own.slot("2026-11-22T0000"))
    for rule, problem in NONSENSE.items():
        write_rules(own, rule)
        code, said = exclusions(own)
        assert code == 1
        assert problem in said
    write_rules(own, *NONSENSE)
    process = own.slot("2026-11-22T0030")
    assert process.returncode == 30
    assert f"every_exclusion_rule_can_be_read: Got {len(NONSENSE)} results" in process.stderr
    assert database.rows(TOTALS)[0][0] == 2


def test_a_listener_or_a_date_that_is_none_is_named(own: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    succeeded(own.slot("2026-11-22T0000"))
    write_rules(own, "x,true,mee,genre,folk,,,")
    code, said = exclusions(own)
    assert code == 1
    assert "no listener of that name has a history" in said
    write_rules(own, "x,true,me,genre,folk,2026-13-01,,")
    code, said = exclusions(own)
    assert code == 1
    assert "exclusion_rules" in said
    assert "2026-13-01" in said


def test_releases_of_one_recording_count_together_unless_the_listener_says_otherwise(
    own: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    same = {"external_ids": {"isrc": "QZAAA2499999"}}
    single = item("2026-11-21T18:00:00.000Z", name="Single", **same)
    album = item("2026-11-21T18:10:00.000Z", name="Album", **same)
    live = item("2026-11-21T18:20:00.000Z", name="Live", external_ids={})
    spotify.page = page(single, album, live)
    succeeded(own.slot("2026-11-22T0000"))
    top = "select track_name, plays, versions from reporting.rpt_top_tracks order by plays desc, track_name"
    assert database.rows(top) == [("Album", 2, 2), ("Live", 1, 1)]
    uris = {name: entry["track"]["uri"] for name, entry in (("album", album), ("live", live))}
    (own.project / "dbt/seeds/recording_overrides.csv").write_text(
        "account,track_uri,recording,why\n"
        f",{uris['album']},album version,\nme,{uris['live']},album version,\nother,{uris['live']},elsewhere,\n"
    )
    succeeded(own.slot("2026-11-22T0030"))
    assert database.rows(top) == [("Live", 2, 2), ("Single", 1, 1)]

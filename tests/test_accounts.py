"""Several accounts side by side, what is told of them, and how one is forgotten."""

from __future__ import annotations

import datetime
import json
import subprocess
from typing import Any

import pytest

from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract.answers import utc_now
from pipeline.extract.pause import Pause, write_pause
from pipeline.extract.tokens import token_path
from pipeline.slot import slots_due
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, page
from tests.slack import SampleSlack

FIRST, SECOND = "2026-11-22T1400", "2026-11-22T1430"
PIPELINE = (str(BIN / "python"), "-m", "pipeline")


@pytest.fixture
def household(pipeline: Pipeline, spotify: SampleSpotify) -> Pipeline:
    """Ann, with three plays, and Bob, with five."""
    ann, bob = Person("ann's id", page=page(*evening(3))), Person("bob's id", page=page(*evening(5, first=10)))
    pipeline.environment |= {
        "SPOTIFY_ACCOUNTS": "ann, bob",
        "SPOTIFY_REFRESH_TOKEN": "",
        "SPOTIFY_REFRESH_TOKEN_ANN": spotify.add_person(ann),
        "SPOTIFY_REFRESH_TOKEN_BOB": spotify.add_person(bob),
    }
    return pipeline


def plays(database: Database) -> list[tuple[str, int]]:
    return database.rows("select account, count(*) from marts.fct_plays group by 1 order by 1")


def status(pipeline: Pipeline) -> tuple[int, Any]:
    process = pipeline.run(*PIPELINE, "status", "--json")
    return process.returncode, json.loads(process.stdout)


def test_one_run_does_all_accounts_and_builds_once(household: Pipeline, database: Database) -> None:
    process = succeeded(household.slot(FIRST))
    assert plays(database) == [("ann", 3), ("bob", 5)]
    assert process.stderr.count("models built (full)") == 1, "the plays of both are staged before dbt is started"
    assert database.value("select count(*) from pipeline.dbt_runs") == 2
    assert database.rows("select account, outcome from staging.polls order by 1") == [
        ("ann", "polled"),
        ("bob", "polled"),
    ]


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (error("/v1/me/player", 403, "Insufficient client scope"), 30, "*ExtractRecent* failed"),
        (error("/v1/me/player", 429, "q", {"Retry-After": "9999"}), 25, "*ExtractRecent* says"),
    ],
)
def test_what_stops_one_account_does_not_stop_the_other(
    household: Pipeline,
    spotify: SampleSpotify,
    database: Database,
    slack: SampleSlack,
    answer: Any,
    code: int,
    told: str,
) -> None:
    spotify.answers = [answer]
    process = household.slot(FIRST, SLACK_WEBHOOK_URL=slack.url)
    assert process.returncode == code
    assert len(plays(database)) == 1
    ((_, message),) = slack.messages
    assert message["text"].startswith(told)
    assert len(database.rows("select 1 from staging.polls where outcome = 'polled'")) == 1


def test_an_account_is_forgotten_and_the_others_are_as_they_were(household: Pipeline, database: Database) -> None:
    household.environment["LOG_DIR"] = str(household.data / "logs")
    succeeded(household.run("cron/run.sh", FIRST, PIPELINE_BIN=str(BIN)))
    before = {name: content for name, content in household.files("**/*").items() if "account=ann" in name}
    refused = subprocess.run(
        [*PIPELINE, "forget", "--account", "bob"],
        input="yes\n",
        env={**household.environment, "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (refused.returncode, "Nothing was deleted." in refused.stdout) == (1, True)
    assert plays(database) == [("ann", 3), ("bob", 5)]

    process = succeeded(household.run(*PIPELINE, "forget", "--account", "bob", "--yes"))
    assert "marts.fct_plays (5 rows)" in process.stdout
    assert "spotify_songs/account=bob (1 file)" in process.stdout
    assert "Take 'bob' out of [spotify] accounts" in process.stdout
    files = household.files("**/*")
    assert {name: content for name, content in files.items() if "account=ann" in name} == before
    mine = {name: content for name, content in files.items() if not name.startswith(("postgres/", "dbt/"))}
    assert [name for name, content in mine.items() if "bob" in name or b"bob" in content] == []
    tables = database.rows(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables"
        " where table_schema in ('staging', 'pipeline', 'intermediate', 'marts', 'reporting')"
    )
    assert len(tables) > 20
    for (table,) in tables:
        assert database.value(f"select count(*) from {table} as t where t::text like '%%bob%%'") == 0, table
    # What is left is what a rebuild makes of the files that are left.
    marts = ("marts.fct_plays", "marts.dim_tracks", "intermediate.int_track_totals", "marts.bridge_track_artists")
    left = {name: database.rows(f"select t::text from {name} as t order by 1") for name in marts}
    succeeded(household.luigi("RebuildStaging"))
    assert {name: database.rows(f"select t::text from {name} as t order by 1") for name in marts} == left
    again = succeeded(household.run(*PIPELINE, "forget", "--account", "bob", "--yes"))
    assert "Nothing was found of account 'bob'." in again.stdout


def test_status_tells_what_is_known_and_what_to_do(household: Pipeline, database: Database) -> None:
    code, empty = status(household)
    assert code == 2
    assert {problem["problem"].split(":")[0] for problem in empty["problems"]} == {"no consent yet", "never polled"}
    succeeded(household.slot(FIRST))
    code, fine = status(household)
    assert (code, fine["problems"]) == (0, [])
    ann = fine["accounts"]["ann"]
    assert (ann["last_attempt"], ann["last_poll_items"], ann["last_poll_new_plays"]) == ("polled", 3, 3)
    assert (ann["last_play_at"], ann["open_gaps"], ann["consent"]) == ("2026-11-21T18:08:00.000Z", [], "given")
    assert (ann["token_days_left"], ann["calls_today"], ann["genre_coverage"]) == (179, 4, 0.0)
    assert fine["database"]["loads_not_tested"] == 0
    screen = household.run(*PIPELINE, "status")
    assert (screen.returncode, screen.stderr) == (0, "")
    assert max(map(len, screen.stdout.splitlines())) <= 80
    assert "Nothing needs attention." in screen.stdout

    path = token_path(household.data, "ann")
    tokens = json.loads(path.read_text())
    path.write_text(json.dumps({**tokens, "authorized_at": (utc_now() - datetime.timedelta(days=176)).isoformat()}))
    now = utc_now()
    write_pause(household.data, "bob", Pause(now.isoformat(), (now + datetime.timedelta(hours=9)).isoformat(), "quota"))
    assert household.slot(SECOND).returncode == 25
    database.rows("update marts.fct_plays set ms_played = -1")
    database.rows("update staging.spotify_songs set load_id = nextval('staging.load_id')")
    code, poor = status(household)
    assert code == 1
    assert [(problem["account"], problem["problem"].split(":")[0][:24]) for problem in poor["problems"]] == [
        ("ann", "the consent ends in 3 da"),
        ("bob", f"paused until {now + datetime.timedelta(hours=9):%Y-%m-%d} "),
        (None, "staging holds plays that"),
    ]
    path.write_text(json.dumps({**tokens, "ended": "Refresh token expired"}))
    assert status(household)[0] == 2
    path.chmod(0o644)
    code, unsafe = status(household)
    assert code == 2
    assert f"chmod 600 {path}" in unsafe["problems"][0]["problem"]
    dark = household.run(*PIPELINE, "status", DATABASE_URL="postgresql://me:hunter2-of-a-test@127.0.0.1:1/x")
    assert dark.returncode == 2
    assert "cannot be reached" in dark.stdout
    assert "hunter2" not in dark.stdout + dark.stderr
    assert max(map(len, dark.stdout.splitlines())) <= 80 + len(str(household.data))


def test_a_silence_is_told_only_when_slots_were_due() -> None:
    def due(moment: str) -> list[str]:
        return [f"{slot:%H:%M}" for slot in slots_due(datetime.datetime.fromisoformat(moment), 3)]

    assert due("2026-11-22T14:10:00+00:00") == ["14:00", "06:30", "06:00"]
    assert due("2026-11-22T13:59:00+00:00") == ["06:30", "06:00", "05:30"]
    assert due("2026-11-22T00:05:00+00:00") == ["00:00", "23:30", "23:00"]


@pytest.mark.parametrize("accounts", [" , ", "Ann", "ann,../x"])
def test_names_of_accounts_that_cannot_be_used_are_told(pipeline: Pipeline, accounts: str) -> None:
    process = pipeline.slot(FIRST, SPOTIFY_ACCOUNTS=accounts)
    assert process.returncode in (30, 35, 40)
    assert "SPOTIFY_ACCOUNTS" in process.stderr or "cannot be used: write 1 to 32 of a-z" in process.stderr
    assert pipeline.run(*PIPELINE, "status", SPOTIFY_ACCOUNTS=accounts).returncode == 2


def test_names_that_share_a_variable_are_refused(pipeline: Pipeline) -> None:
    process = pipeline.slot(FIRST, SPOTIFY_ACCOUNTS="a-b,a_b")
    assert "two names differ by - and _ alone" in process.stderr


def test_status_survives_a_damaged_partition_and_knows_a_past_slot_run_by_hand(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(SECOND, task="CopyToStaging"))
    succeeded(pipeline.slot("2026-10-01T0600", task="CopyToStaging"))
    _, known = status(pipeline)
    polls = pipeline.files("polls/**/2026-10-01T0600.json")
    assert known["accounts"]["me"]["last_poll_at"] == json.loads(next(iter(polls.values())))["fetched_at"]
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    partition.write_text("damaged\n")
    code, known = status(pipeline)
    assert code == 2
    assert str(partition) in known["problems"][0]["problem"]


def test_forgetting_takes_what_a_killed_run_has_left_and_no_other_account(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    for account in ("a-b", "a_b", "axb"):
        settings = {"SPOTIFY_REFRESH_TOKEN": spotify.add_person(Person(account)), "SPOTIFY_ACCOUNTS": account}
        succeeded(pipeline.slot(FIRST, "--account", account, task="CopyToStaging", **settings))
    left = pipeline.data / "tokens/.account=a_b.json.tmp"
    left.write_text("half a store")
    succeeded(pipeline.run(*PIPELINE, "forget", "--account", "a_b", "--yes"))
    assert not left.exists()
    assert list(pipeline.files("tokens/*")) == ["tokens/account=a-b.json", "tokens/account=axb.json"]
    assert database.value("select count(*) from staging.table_updates") == 2

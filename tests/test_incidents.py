"""Slack is told of an incident once, again after a day, and when it is over, whatever befalls Slack or the disk."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import luigi
import pytest

from pipeline.alerts.advice import KINDS, OF_EXIT_CODES
from pipeline.alerts.incidents import incidents_path, read_incidents
from pipeline.alerts.messages import duration
from pipeline.alerts.outbox import put_message
from pipeline.alerts.slack import scrub
from pipeline.config import PROJECT, SettingError
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract.answers import utc_now
from pipeline.load.errors import DatabaseError
from pipeline.transform.dbt import DbtFailed
from pipeline.transform.tasks import DbtRun
from tests.conftest import BIN, Pipeline, succeeded
from tests.samples import evening, page
from tests.slack import SampleSlack

FIRST, SECOND, THIRD, FOURTH = (f"2026-11-22T{time}" for time in ("1400", "1430", "1500", "1530"))
HOOK = "/services/T0/B0/sEcReT"
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def told(pipeline: Pipeline, slack: SampleSlack) -> Pipeline:
    """The pipeline, with somebody to tell."""
    pipeline.environment["SLACK_WEBHOOK_URL"] = slack.url + HOOK
    return pipeline


def poll(pipeline: Pipeline, slot: str, *flags: str, **settings: str) -> Any:
    return pipeline.slot(slot, *flags, task="ExtractRecent", **settings)


def refuse(spotify: SampleSpotify) -> None:
    spotify.answers = [error("/v1/me/player", 403, "not on the allow-list")]


def texts(slack: SampleSlack) -> list[str]:
    return [message["text"] for _, message in slack.taken]


def age(data: Path, hours: float) -> None:
    """As if everything that is known of incidents were older."""
    known = json.loads(incidents_path(data).read_bytes())
    for incident in known["incidents"]:
        for name in ("since", "last_seen", "told"):
            if incident[name]:
                moment = datetime.datetime.fromisoformat(incident[name]) - hours * HOUR
                incident[name] = moment.isoformat()
    incidents_path(data).write_text(json.dumps(known))


def test_an_incident_is_told_once_again_after_a_day_and_when_it_is_over(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    settings = {"SLOT_LOG": "/logs/cron-2026-11.log", "LUIGI_VISUALISER_URL": "http://music.example:8082/"}
    for slot in (FIRST, SECOND):
        refuse(spotify)
        assert poll(told, slot, **settings).returncode == 30
    (begins,) = texts(slack)
    lines = begins.splitlines()
    assert lines[0].startswith("*ExtractRecent* failed on ")
    assert lines[1].startswith("> Forbidden: Spotify forbids the call ('not on the allow-list')")
    assert ". No poll succeeds before this is corrected" in lines[2]
    assert (lines[-1], begins.count("UTC")) == ("Times: UTC", 1)
    assert lines[3].startswith("Log: /logs/cron-2026-11.log · <http://music.example:8082/static/visualiser/index.html#")
    (incident,) = read_incidents(told.data)
    assert (incident.times, incident.account, incident.key) == (2, "me", "ExtractRecent account=me")

    age(told.data, 25)
    for slot in (SECOND, THIRD):
        refuse(spotify)
        poll(told, slot)
    assert len(slack.taken) == 2, "a reminder a day"
    assert texts(slack)[1].startswith("Still: *ExtractRecent* of me on ")
    assert ", 3 times; last " in texts(slack)[1]

    spotify.page = page(*evening(3))
    for slot in (THIRD, FOURTH):
        succeeded(poll(told, slot))
    assert len(slack.taken) == 3
    assert texts(slack)[2].startswith("Recovered: *ExtractRecent* of me on ")
    assert texts(slack)[2].endswith(", after 25 hours. 3 plays returned, 3 new.")
    assert read_incidents(told.data) == []


def test_a_database_that_is_down_is_one_incident_of_all_tasks_and_accounts(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    told.environment["SPOTIFY_REFRESH_TOKEN_ANN"] = spotify.add_person(Person("ann", page=page(*evening(2))))
    told.environment["SPOTIFY_ACCOUNTS"] = "me ann"
    down = {"DATABASE_URL": "postgresql://me:hunter2-of-a-test@127.0.0.1:1/x"}
    for slot in (FIRST, SECOND):
        assert told.slot(slot, **down).returncode == 30
    (begins,) = texts(slack)
    assert begins.count("failed on ") == 1
    assert "cannot connect to PostgreSQL at 127.0.0.1" in begins
    assert "hunter2" not in begins
    succeeded(told.slot(SECOND, task="CopyToStaging"))
    assert texts(slack)[1].endswith(" plays loaded.")
    assert read_incidents(told.data) == []


def test_a_pause_is_told_when_it_begins_and_when_it_is_over(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.answers = [error("/v1/me/player", 429, "wait", {"Retry-After": "7200"})]
    for slot in (FIRST, SECOND):
        succeeded(poll(told, slot))
    assert len(slack.taken) == 1
    assert "*ExtractRecent* says on " in texts(slack)[0]
    assert "polling goes on by itself" in texts(slack)[0]
    for path in (told.data / "pauses").glob("*"):
        path.unlink()
    succeeded(poll(told, THIRD))
    assert texts(slack)[1].startswith("Recovered: pause of me on ")


def test_plays_that_stop_coming_are_told_and_so_is_the_next(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.page = page(*evening(3, date="2026-11-14"))
    for slot in (FIRST, SECOND):
        succeeded(poll(told, slot))
    (begins,) = texts(slack)
    assert "> no play of me since 2026-11-14 18:08" in begins
    assert "private sessions" in begins
    spotify.page = page(*evening(3, date="2026-11-14"), *evening(1))
    succeeded(poll(told, THIRD))
    assert texts(slack)[1].startswith("Recovered: stale of me on ")


def test_slots_that_did_not_run_are_told_by_the_next_one(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.page = page(*evening(3))
    succeeded(poll(told, FIRST))
    (path,) = (told.data / "polls").rglob("*.json")
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "fetched_at": (utc_now() - 72 * HOUR).isoformat()}))
    succeeded(poll(told, SECOND))
    succeeded(poll(told, THIRD))
    (message,) = texts(slack)
    assert "> No poll was tried from " in message
    assert "though 10" in message or "though 9" in message, "34 a day"
    assert read_incidents(told.data) == []


@pytest.mark.parametrize("answer", ["404", "500", "429", "slow", "nobody"])
def test_what_slack_does_not_take_is_kept_and_sent_later_in_order(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack, answer: str
) -> None:
    settings = {}
    if answer == "nobody":
        settings = {"SLACK_WEBHOOK_URL": "http://127.0.0.1:1/services/sEcReT"}
    elif answer == "slow":
        slack.status, slack.seconds = 500, 1.5
    else:
        slack.status = int(answer)
    refuse(spotify)
    failed = poll(told, FIRST, "--slack-timeout", "1", **settings)
    assert failed.returncode == 30, "Slack costs no slot"
    assert "sEcReT" not in failed.stderr
    while len(slack.messages) < len(slack.calls):
        time.sleep(0.05)  # what nobody waits for any more is still being thought about
    slack.status, slack.seconds = 200, 0
    slack.taken.clear()
    if answer == "429":
        succeeded(poll(told, SECOND))
        assert slack.taken == [], "Slack wants to be left alone for a minute"
        for path in (told.data / "alerts" / "outbox").glob("*.json"):
            path.write_text(json.dumps({**json.loads(path.read_bytes()), "not_before": ""}))
    succeeded(poll(told, THIRD))
    begins, over = texts(slack)
    assert begins.startswith("*ExtractRecent* failed on ")
    assert over.startswith("Recovered: *ExtractRecent* of me on ")
    assert list((told.data / "alerts" / "outbox").iterdir()) == []
    assert poll(told, FOURTH).returncode == 0
    assert len(slack.taken) == 2


def test_a_message_that_slack_will_never_take_does_not_hold_up_the_others(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    slack.answers = [Answer("/services", 400, b"invalid_payload")]
    refuse(spotify)
    assert "It is dropped" in poll(told, FIRST).stderr
    succeeded(poll(told, SECOND))
    (over,) = texts(slack)
    assert over.startswith("Recovered")


def test_a_disk_that_is_full_is_told_all_the_same(told: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    refuse(spotify)
    (told.data / "alerts").write_text("in the place of the folder")
    failed = poll(told, FIRST)
    assert failed.returncode == 30
    assert "cannot be written down" in failed.stderr
    assert texts(slack)[0].startswith("*ExtractRecent* failed on ")


def test_incidents_that_cannot_be_read_begin_anew(told: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    incidents_path(told.data).parent.mkdir()
    incidents_path(told.data).write_text('{"incidents": [{')
    refuse(spotify)
    assert "alerts/incidents.json is damaged: it is not JSON" in poll(told, FIRST).stderr
    assert len(slack.taken) == 1
    assert "ExtractRecent* failed" in texts(slack)[0]
    assert "*A state file is damaged*" in texts(slack)[0]


def test_whoever_is_to_be_told_later_hears_of_what_is_open(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.page = page(*evening(50))
    succeeded(poll(pipeline, FIRST))
    spotify.page = page(*evening(50, first=50, start="22:00"))  # a gap: the log alone is told
    assert "holds no play that was known before" in succeeded(poll(pipeline, SECOND)).stderr
    assert read_incidents(pipeline.data) == []
    refuse(spotify)
    poll(pipeline, THIRD)
    pipeline.environment["SLACK_WEBHOOK_URL"] = slack.url
    refuse(spotify)
    poll(pipeline, FOURTH)
    (begins,) = texts(slack)
    assert begins.startswith("*ExtractRecent* failed on ")


def test_nothing_is_kept_of_an_account_that_is_forgotten(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.url + HOOK)
    slack.status = 404
    refuse(spotify)
    poll(told, FIRST)
    put_message(told.data, "ann listened to nothing", utc_now(), "ann", picture=b"png")
    put_message(told.data, "me too", utc_now(), "me", picture=b"png")
    succeeded(told.run(str(BIN / "python"), "-m", "pipeline", "forget", "--account", "me", "--yes"))
    assert read_incidents(told.data) == []
    kept = [path.read_bytes() for path in sorted((told.data / "alerts" / "outbox").iterdir())]
    assert [b"me too" in content for content in kept] == [False, False], "a message of ann's and its picture"


def test_runs_that_did_not_begin_are_one_incident_until_one_does(
    told: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    for slot, code in ((FIRST, 40), (SECOND, 40), (THIRD, 30)):
        command = ("-m", "pipeline", "alert", "--slot", slot, "--exit-code", str(code), "--log", "x.log")
        succeeded(told.run(str(BIN / "python"), *command))
    begins, over = texts(slack)
    assert begins.startswith(f"*Slot {FIRST} did not run* (exit code 40) on ")
    assert "a setting or luigi.cfg, most likely" in begins
    assert over.startswith("Recovered: slots that ended with exit code 40 on ")


def test_what_the_wrapper_has_told_alone_is_told_to_be_over(told: Pipeline, slack: SampleSlack) -> None:
    (told.data / "logs").mkdir()
    (told.data / "logs" / "not-started").write_text(f"{FIRST} 127 1795356000\n")
    succeeded(
        told.run(str(BIN / "python"), "-m", "pipeline", "alert", "--slot", THIRD, "--exit-code", "0", "--log", "x.log")
    )
    (over,) = texts(slack)
    assert over.startswith("Recovered: the pipeline could not be started on ")


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (DbtFailed("dbt could not start: Database Error\n  connection to server at x failed"), "database"),
        (DbtFailed("1 of 3 dbt nodes failed:\n  model a: terminating connection due to administrator"), "database"),
        (DatabaseError("PostgreSQL went away"), "database"),
        (SettingError("LISTENER_TIMEZONE is 'Mars'"), "settings"),
        (DbtFailed("1 of 3 dbt nodes failed:\n  model a: division by zero"), "DbtRun"),
    ],
    ids=["dbt-begins", "dbt-goes-on", "ours", "setting", "model"],
)
def test_one_cause_is_one_incident(error: Exception, key: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    run = DbtRun(run_at=datetime.datetime(2026, 11, 22, 14), account="me")
    run.trigger_event(luigi.Event.FAILURE, run, error)  # type: ignore[no-untyped-call]
    assert [incident.key for incident in read_incidents(data)] == [key]


def test_what_is_told_names_no_secret_no_home_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET", "hush-hush")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert scrub("hush-hush in /home/somebody/data, of me@music.example") == "*** in ~/data, of ***"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 seconds"),
        (1, "1 minute"),
        (30, "30 minutes"),
        (90, "1.5 hours"),
        (1500, "25 hours"),
        (2880, "2 days"),
        (3600, "2.5 days"),
    ],
)
def test_durations_read_as_a_person_says_them(minutes: int, words: str) -> None:
    assert duration(datetime.timedelta(minutes=minutes)) == words


def test_the_documentation_says_what_to_do_about_every_incident() -> None:
    page = (PROJECT / "docs" / "alerts.md").read_text()
    assert [name for name in [*KINDS, *map(str, OF_EXIT_CODES)] if f"`{name}`" not in page] == []

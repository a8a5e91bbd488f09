"""Messages about the end of an incident: its real duration, and not while the next failure is active."""

from __future__ import annotations

import datetime
import re
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.alerts.incidents import Incident, changing, read_incidents, recover, report
from pipeline.alerts.messages import due_message
from pipeline.alerts.telling import tell_exit_code
from pipeline.config import PROJECT
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.answers import utc_now
from pipeline.local_time import in_zone
from pipeline.status.screen import _is_incident
from tests.conftest import Pipeline, succeeded
from tests.samples import evening, page

SECOND = datetime.timedelta(seconds=1)


def incident(key: str, now: datetime.datetime) -> Incident:
    moment = now.isoformat()
    return Incident(key, "", f"name of {key}", f"title of {key}", f"cause of {key}", "to do", moment, moment)


def sent(data: Path, now: datetime.datetime) -> str:
    with changing(data) as incidents:
        return due_message(incidents, now) or ""


def test_an_outage_of_four_seconds_lasted_four_seconds_whatever_the_slot(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    now = utc_now()
    slot = f"{now - datetime.timedelta(hours=5.6):%Y-%m-%dT%H%M}"
    (data / "logs").mkdir()
    failed = int((now - 4 * SECOND).timestamp())
    (data / "logs" / "not-started").write_text(f"{slot} 127 {failed} {failed}\n")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/")
    tell_exit_code(slot, 0, "x.log")
    (message,) = (path.read_text() for path in (data / "alerts" / "outbox").glob("*.json"))
    assert "could not be started" in message
    assert " seconds." in message
    assert "hours" not in message


def test_the_wrapper_keeps_the_moment_of_the_first_failure(tmp_path: Path) -> None:
    (tmp_path / "cron").mkdir()
    (tmp_path / "cron" / "run.sh").write_text((PROJECT / "cron" / "run.sh").read_text())
    before = int(utc_now().timestamp())
    noted = []
    for slot in ("2020-01-01T0000", "2020-01-01T0030"):
        settings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "DATA_DIR": str(tmp_path), "PIPELINE_BIN": str(tmp_path)}
        subprocess.run(["/bin/sh", str(tmp_path / "cron" / "run.sh"), slot], env=settings, capture_output=True)
        noted.append((tmp_path / "logs" / "not-started").read_text().split())
    assert noted[0] == noted[1]
    assert noted[0][:3] == ["2020-01-01T0000", "127", "0"]
    assert before <= int(noted[0][3]) <= utc_now().timestamp()


@pytest.mark.parametrize(
    ("ended", "active", "is_held"),
    [
        ("run 40", "run 127", True),
        ("run 40", "CopyToStaging account=me", True),
        ("not-started", "database", True),
        ("database", "disk-full", True),
        ("run 40", "stale account=me", False),
        ("database", "EnrichGenres account=me", False),
        ("ExtractRecent account=me", "database", False),
    ],
)
def test_no_message_about_the_end_while_the_next_failure_is_active(
    data: Path, ended: str, active: str, is_held: bool
) -> None:
    now = utc_now() - 3000 * SECOND
    report(data, incident(ended, now))
    assert f"title of {ended}" in sent(data, now)
    recover(data, lambda known: known.key == ended, now + 600 * SECOND)
    report(data, incident(active, now + 600 * SECOND))
    text = sent(data, now + 600 * SECOND)
    assert f"title of {active}" in text
    assert ("Recovered" not in text) is is_held
    recover(data, lambda known: True, now + 1200 * SECOND)
    text += sent(data, now + 1200 * SECOND)
    assert f"Recovered: name of {ended}, after 10 minutes" in text
    assert f"Recovered: name of {active}, after 10 minutes" in text
    assert read_incidents(data) == []


def test_an_incident_that_begins_again_before_its_end_was_sent_has_not_ended(data: Path) -> None:
    now = utc_now()
    report(data, incident("database", now))
    sent(data, now)
    recover(data, lambda known: True, now)
    report(data, incident("database", now))
    assert sent(data, now) == ""
    assert [(known.times, known.is_open) for known in read_incidents(data)] == [(2, True)]


def test_a_failure_after_a_held_end_is_a_new_outage_with_its_own_message(data: Path) -> None:
    began = utc_now() - 60_000 * SECOND
    report(data, incident("run 40", began))
    sent(data, began)
    recover(data, lambda known: known.key == "run 40", began + 600 * SECOND)
    report(data, incident("EnrichGenres account=me", began))
    assert "Recovered" not in sent(data, began + 600 * SECOND)
    again = began + 36_000 * SECOND
    report(data, incident("run 40", again))
    assert "title of run 40" in sent(data, again)
    recover(data, lambda known: True, again + 1200 * SECOND)
    text = sent(data, again + 1200 * SECOND)
    assert "Recovered: name of run 40, after 10 minutes" in text
    assert "Recovered: name of run 40, after 20 minutes" in text
    assert read_incidents(data) == []


def test_an_outage_that_is_reported_when_it_is_over_does_not_open_a_held_one_again(data: Path) -> None:
    began = utc_now() - 6000 * SECOND
    report(data, incident("database", began))
    for seconds in (600, 1200):
        known = incident("not-started", began + seconds * SECOND)
        known.ended = (began + (seconds + 60) * SECOND).isoformat()
        report(data, known)
        sent(data, began + seconds * SECOND)
    assert [known.key for known in read_incidents(data) if known.is_open] == ["database"]
    recover(data, lambda known: True, began + 3600 * SECOND)
    assert sent(data, began + 3600 * SECOND).count("Recovered: name of not-started, after 1 minute") == 2
    assert read_incidents(data) == []


@pytest.mark.parametrize(
    ("cause", "code", "keys"),
    [
        ("database", 35, ["database"]),
        ("disk-full", 35, ["disk-full"]),
        ("not-writable", 35, ["not-writable"]),
        ("settings", 35, ["settings"]),
        ("disk-full", 137, ["disk-full", "run 137"]),
        ("stale account=me", 35, ["stale account=me", "run 35"]),
    ],
)
def test_the_wrapper_does_not_report_a_cause_again_as_exit_code_35(
    data: Path, monkeypatch: pytest.MonkeyPatch, cause: str, code: int, keys: list[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    report(data, incident(cause, utc_now() - SECOND))
    tell_exit_code("2026-11-22T1400", code, "x.log")
    assert [known.key for known in read_incidents(data)] == keys


@pytest.mark.parametrize("key", ["stale account=me", "pause account=me", "consent account=me", "damaged 1 x"])
def test_an_incident_that_is_no_failure_does_not_hide_a_failed_slot(key: str) -> None:
    problem = "slot 2026-11-22T1400 ended with exit code 20: see x.log"
    assert not _is_incident(problem, [{"key": key, "cause": "another fact"}])
    assert _is_incident(problem, [{"key": "CopyToStaging account=me", "cause": "another fact"}])


def test_the_screen_states_the_cause_of_an_incident_once() -> None:
    known = [{"cause": "Forbidden: Spotify forbids the call ('no')"}]
    for problem in (
        "the last poll failed: Forbidden: Spotify forbids the call ('no')",
        "slot 2026-11-22T1400 ended with exit code 30: see x.log",
    ):
        assert _is_incident(problem, known)
        assert not _is_incident(problem, [])
    assert not _is_incident("no consent yet: run python -m pipeline authorize --account me", known)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("since 2026-01-14 18:08 UTC", "since 2026-01-14 19:08"),
        ("from 2026-07-14 23:30 to 2026-07-15 02:00 UTC, though", "from 2026-07-15 01:30 to 2026-07-15 04:00, though"),
        ("until 2026-07-14T23:30:59Z.", "until 2026-07-15 01:30."),
        ("slot 2026-11-22T1430 (UTC) of 2026-13-45 99:99 UTC", "slot 2026-11-22T1430 (UTC) of 2026-13-45 99:99 UTC"),
    ],
)
def test_moments_in_sentences_are_shown_in_the_zone(text: str, local: str) -> None:
    assert in_zone(text, "Europe/Berlin") == local


def test_a_message_has_local_times_and_names_the_zone_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTENER_TIMEZONE", "Asia/Tokyo")
    now = datetime.datetime(2026, 11, 22, 14, 30, tzinfo=datetime.UTC)
    begun = [incident("run 40", now), incident("stale account=me", now)]
    begun[1].cause = "no play of me since 2026-11-14 18:08 UTC"
    text = due_message(begun, now) or ""
    assert "> no play of me since 2026-11-15 03:08" in text
    assert text.count("Since 2026-11-22 23:30") == 2
    assert (text.count("Asia/Tokyo"), text.count("UTC")) == (1, 0)


def test_the_page_names_the_zone_once(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T1400", LISTENER_TIMEZONE="Asia/Kathmandu"))
    (content,) = pipeline.files("dashboard/**/*.html").values()
    found = re.search(r'<time id="made" datetime="([^"]+)">([^<]+)</time>', content.decode())
    assert found
    local = datetime.datetime.fromisoformat(found[1]).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert found[2] == f"{local.day} {local:%b %Y, %H:%M}"
    assert "Local times are of Asia/Kathmandu" in content.decode()

"""Advice follows the cause of an error, not the task that met it."""

from __future__ import annotations

import datetime
import errno
import os
import pwd
from pathlib import Path

import luigi
import psycopg2
import pytest

import pipeline
from pipeline.alerts.advice import KINDS, Kind
from pipeline.alerts.incidents import read_incidents
from pipeline.causes import Cause, cause_of
from pipeline.config import SettingError
from pipeline.extract.errors import (
    ClientRejected,
    Forbidden,
    SpotifyUnreachable,
    TokenStoreError,
    UnexpectedAnswer,
)
from pipeline.extract.musicbrainz import MusicBrainzUnavailable
from pipeline.load.errors import DatabaseError
from pipeline.transform.dbt import DbtFailed
from pipeline.visualize.metabase.errors import NotAllowed
from tests.conftest import BIN, Pipeline
from tests.luigid import luigid_of
from tests.slack import SampleSlack

SLOT = datetime.datetime(2026, 11, 22, 14)
FULL = "could not write block 7: No space left on device"


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("event", [luigi.Event.FAILURE, luigi.Event.BROKEN_TASK])
@pytest.mark.parametrize("task", ["ExtractRecent", "CopyToStaging", "DbtRun", "RenderDashboard"])
@pytest.mark.parametrize(
    ("error", "key", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/srv/data/x.csv"), "disk-full", "Free space"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/srv/data/x.csv"), "disk-full", "Free space"),
        (DbtFailed(f"1 of 3 dbt nodes failed:\n  model a: {FULL}"), "disk-full", "Free space"),
        (DatabaseError(f"PostgreSQL went away or gave up in the middle ({FULL})"), "disk-full", "Free space"),
        (chained(RuntimeError("no load"), OSError(errno.ENOSPC, "full")), "disk-full", "Free space"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/data/raw"), "not-writable", "/srv/data/raw"),
        (OSError(errno.EROFS, "Read-only file system", "/srv/data/raw"), "not-writable", "chown"),
        (DbtFailed("dbt could not start: [Errno 13] Permission denied: 'logs/dbt.log'"), "not-writable", "chown"),
        (DatabaseError("cannot connect to PostgreSQL at x"), "database", "Check that PostgreSQL runs"),
        (DatabaseError("permission denied for schema staging"), "database", "accepts the pipeline's user"),
        (SettingError("LISTENER_TIMEZONE is 'Mars'"), "settings", "Correct the setting"),
    ],
)
def test_one_cause_has_one_kind_and_advice_in_each_task(
    data: Path, monkeypatch: pytest.MonkeyPatch, event: str, task: str, error: Exception, key: str, words: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    failed = getattr(pipeline, task)(**({"account": "me"} if task == "RenderDashboard" else {}), run_at=SLOT)
    failed.trigger_event(event, failed, error)
    (incident,) = read_incidents(data)
    assert incident.key == key
    assert words in incident.to_do
    assert "changed last" not in incident.to_do
    assert "move it away" not in incident.to_do


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (
            chained(SpotifyUnreachable("no answer (ConnectionError)"), PermissionError(errno.EPERM, "not permitted")),
            "ExtractRecent account=me",
        ),
        (Forbidden("Spotify forbids the call ('Permission denied')"), "ExtractRecent account=me"),
        (UnexpectedAnswer("status 507: 'No space left on device'"), "ExtractRecent account=me"),
        (MusicBrainzUnavailable("status 503: 'Disk quota exceeded'"), "ExtractRecent account=me"),
        (NotAllowed("Metabase does not allow it (403 Permission denied)"), "ExtractRecent account=me"),
        (DatabaseError('connection to server on socket "/run/.s.PGSQL.5432" failed: Permission denied'), "database"),
        (chained(TokenStoreError("cannot be written"), OSError(errno.ENOSPC, "full", "/srv/x")), "disk-full"),
    ],
)
def test_text_of_another_server_and_errors_of_the_network_are_no_cause_on_this_machine(
    data: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, key: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    poll = pipeline.ExtractRecent(run_at=SLOT, account="me")
    poll.trigger_event(luigi.Event.FAILURE, poll, error)  # type: ignore[no-untyped-call]
    (incident,) = read_incidents(data)
    assert incident.key == key
    assert "chown" not in incident.to_do


@pytest.mark.parametrize(
    ("error", "is_transient"), [(ClientRejected("the id is wrong"), False), (SpotifyUnreachable("no answer"), True)]
)
def test_the_next_slot_is_named_as_the_fix_only_if_it_can_succeed(
    data: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, is_transient: bool
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    poll = pipeline.ExtractRecent(run_at=SLOT, account="me")
    poll.trigger_event(luigi.Event.FAILURE, poll, error)  # type: ignore[no-untyped-call]
    (incident,) = read_incidents(data)
    assert ("The next slot asks again" in incident.to_do) is is_transient


def test_a_missing_privilege_in_postgresql_is_not_the_owner_of_a_file() -> None:
    assert cause_of(psycopg2.errors.InsufficientPrivilege("permission denied for table plays")) is None
    assert cause_of("initdb: error: could not change permissions: Operation not permitted") is Cause.NOT_WRITABLE
    assert f"chown -R {pwd.getpwuid(os.getuid()).pw_name} " in Cause.NOT_WRITABLE.fix


def test_every_task_and_cause_has_a_kind_and_every_kind_has_advice() -> None:
    assert [name for name in pipeline.__all__ if name not in KINDS] == []
    assert all(cause.word in KINDS for cause in Cause)
    with pytest.raises(ValueError, match="has no advice"):
        Kind.__init__(Kind.RUN, "new", "")


def test_deleted_tokens_are_a_missing_consent_and_not_a_failure(pipeline: Pipeline, slack: SampleSlack) -> None:
    settings = {"SPOTIFY_REFRESH_TOKEN": "", "SLACK_WEBHOOK_URL": slack.url}
    for slot in ("2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1430"):
        process = pipeline.slot(slot, **settings)
        assert process.returncode == 25, process.stderr
    ((_, message),) = slack.messages
    assert "has no consent yet" in message["text"]
    assert "Run: python -m pipeline authorize --account me" in message["text"]
    assert "next slot asks again" not in message["text"]


def test_doctor_and_status_name_the_setting_if_luigid_refuses_the_host(pipeline: Pipeline, tmp_path: Path) -> None:
    with luigid_of(pipeline, tmp_path / "said", "--address", "0.0.0.0") as luigid:  # noqa: S104  a test
        settings = {"LUIGI_SCHEDULER_URL": f"http://127.0.0.2:{luigid.port}/"}
        doctor = pipeline.run(str(BIN / "python"), "-m", "pipeline", "doctor", "--offline", **settings)
        status = pipeline.run(str(BIN / "python"), "-m", "pipeline", "status", **settings)
    (line,) = (line for line in doctor.stdout.splitlines() if line.split()[1:2] == ["luigid"])
    for text in (line, " ".join(status.stdout.split())):
        assert "Host is not configured: name it in LUIGI_VISUALISER_URL" in text
        assert "does not answer" not in text

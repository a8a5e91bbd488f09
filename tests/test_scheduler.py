"""A central luigid: the same commands, the tasks in its visualiser, their history in PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.luigid import Luigid, luigid_of, wait_until
from tests.samples import evening, page

SLOT = "2026-11-22T1400"
LATER = "2026-11-22T1430"
FAMILIES = {
    "ExtractRecent",
    "CopyToStaging",
    "DbtRun",
    "DbtTest",
    "SyncSavedTracks",
    "EnrichGenres",
    "RenderDashboard",
    "RunPipeline",
}
RUN = ["PENDING", "RUNNING", "DONE"]
HISTORY = (
    "select name, (select jsonb_object_agg(parameters.name, value) from luigi.task_parameters as parameters"
    " where task_id = tasks.id), array_agg(event_name::text order by events.id)"
    " from luigi.tasks inner join luigi.task_events as events on events.task_id = tasks.id"
    " group by tasks.id order by tasks.id"
)


@pytest.fixture
def luigid(pipeline: Pipeline, tmp_path: Path) -> Iterator[Luigid]:
    with luigid_of(pipeline, tmp_path / "luigid.log", PGPASSWORD="database-secret") as luigid:
        yield luigid


def history(database: Database, runs: int) -> list[tuple[Any, ...]]:
    """Name, parameters and events of every run of a task, once there are so many that have ended."""
    ended = "select count(*) from luigi.task_events where event_name in ('DONE', 'FAILED')"
    wait_until(lambda: database.value("select to_regclass('luigi.task_events') is not null"))
    wait_until(lambda: database.value(ended) >= runs)
    return database.rows(HISTORY)


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_a_slot_runs_under_a_central_luigid(
    pipeline: Pipeline, spotify: SampleSpotify, luigid: Luigid, database: Database, by: str
) -> None:
    spotify.page = page(*evening(2))
    if by == "flag":
        process = succeeded(pipeline.slot(SLOT, "--scheduler-url", luigid.url))
    else:
        process = succeeded(pipeline.slot(SLOT, LUIGI_SCHEDULER_URL=luigid.url))
    assert "WARNING" not in process.stderr
    assert luigid.families("DONE") == FAMILIES
    assert {task["status"] for task in luigid.tasks()} == {"DONE"}
    kept = history(database, len(FAMILIES))
    assert sorted(kept, key=lambda run: str(run[0])) == [
        (name, {"run_at": SLOT, "account": "" if name == "RunPipeline" else "me"}, RUN) for name in sorted(FAMILIES)
    ]
    assert database.value("select bool_and(ts between now() - interval '5 min' and now()) from luigi.task_events")
    assert "database-secret" not in luigid.said.read_text()


def test_a_failure_is_seen_in_luigid(pipeline: Pipeline, spotify: SampleSpotify, luigid: Luigid) -> None:
    spotify.page = b"no page"
    assert pipeline.slot(SLOT, LUIGI_SCHEDULER_URL=luigid.url).returncode == 30
    assert luigid.families("FAILED") == {"ExtractRecent"}


def test_a_luigid_that_is_restarted_still_shows_the_day_and_forgets_the_runs_of_last_season(
    pipeline: Pipeline, spotify: SampleSpotify, luigid: Luigid, database: Database
) -> None:
    spotify.page = page(*evening(2))
    pipeline.environment["LUIGI_SCHEDULER_URL"] = luigid.url
    succeeded(pipeline.slot(SLOT, task="ExtractRecent"))
    history(database, 1)
    database.rows("update luigi.task_events set ts = ts - interval '91 days'")
    succeeded(pipeline.slot(LATER, task="ExtractRecent"))
    assert len(history(database, 2)) == 2
    assert luigid.stop() == 0, "SIGTERM is an end like any other"
    luigid.start()
    assert [task["params"]["run_at"] for task in luigid.tasks()] == [SLOT, LATER]
    wait_until(lambda: database.value("select count(*) from luigi.tasks") == 1)
    assert [(name, parameters["run_at"], events) for name, parameters, events in history(database, 1)] == [
        ("ExtractRecent", LATER, RUN)
    ]
    assert [path.name for path in (pipeline.data / "luigid").iterdir()] == ["state.pickle"]
    assert luigid.stop(signal.SIGINT) == 0


def test_a_history_that_cannot_be_written_waits_for_the_database(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, server: str, tmp_path: Path
) -> None:
    spotify.page = page(*evening(2))
    elsewhere = Database(database.url.replace("/test?", "/later?"))
    with luigid_of(pipeline, tmp_path / "luigid.log", DATABASE_URL=elsewhere.url) as luigid:
        pipeline.environment["LUIGI_SCHEDULER_URL"] = luigid.url
        succeeded(pipeline.slot(SLOT, task="ExtractRecent"))
        assert luigid.families("DONE") == {"ExtractRecent"}
        recreate(server, "later")
        assert [run[2] for run in history(elsewhere, 1)] == [RUN]
        # The database is disposable: this history is gone, and the next is written all the same.
        recreate(server, "later")
        succeeded(pipeline.slot(LATER, task="ExtractRecent"))
        assert [(run[1]["run_at"], run[2]) for run in history(elsewhere, 1)] == [(LATER, RUN)]
        assert luigid.stop() == 0
    said = luigid.said.read_text()
    assert said.count("the task history is not written for now") == 2, "once for each time"
    assert "Traceback" not in said
    recreate(server, "later", create=False)


def recreate(server: str, name: str, create: bool = True) -> None:
    administrator = psycopg2.connect(f"postgresql://postgres@/postgres?host={server}")
    administrator.autocommit = True
    with administrator.cursor() as cursor:
        cursor.execute(f"drop database if exists {name} with (force)")
        if create:
            cursor.execute(f"create database {name}")
    administrator.close()


@pytest.mark.parametrize("fault", ["killed", "hangs", "started anew"])
def test_a_luigid_that_goes_away_in_the_middle_of_a_run_costs_nothing(
    pipeline: Pipeline,
    spotify: SampleSpotify,
    luigid: Luigid,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    quickly = tmp_path / "luigi.cfg"
    quickly.write_text("[core]\nrpc-connect-timeout = 0.3\n")
    spotify.page = page(*evening(2))
    respond = spotify.respond

    def meddle(method: str, target: str, *rest: Any) -> Any:
        if "recently-played" in target:
            luigid.process.send_signal(signal.SIGSTOP if fault == "hangs" else signal.SIGKILL)
            if fault == "started anew":
                luigid.process.wait()
                luigid.start()
        return respond(method, target, *rest)

    monkeypatch.setattr(spotify, "respond", meddle)
    settings = {"LUIGI_SCHEDULER_URL": luigid.url, "LUIGI_CONFIG_PATH": str(quickly)}
    process = succeeded(pipeline.slot(SLOT, task="CopyToStaging", **settings))
    assert process.stderr.count("luigid is done without from here on") == 1
    assert "ran successfully" in process.stderr
    assert database.value("select count(*) from staging.spotify_songs") == 2
    assert len([call for call in spotify.calls if "recently-played" in call]) == 1, "nothing was done twice"


def test_a_luigid_that_accepts_and_never_answers_is_done_without(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        process = succeeded(pipeline.slot(SLOT, task="ExtractRecent", LUIGI_SCHEDULER_URL=url))
    assert f"luigid does not answer at {url}" in process.stderr


def test_a_port_that_is_taken_is_said_in_one_line(pipeline: Pipeline, luigid: Luigid) -> None:
    process = pipeline.run(str(BIN / "python"), "-m", "pipeline", "luigid", "--port", str(luigid.port))
    assert process.returncode == 1
    assert f"luigid cannot listen on 127.0.0.1:{luigid.port}: Address already in use" in process.stderr
    assert "Traceback" not in process.stderr


def test_the_commands_work_from_any_folder(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    process = subprocess.run(
        [str(BIN / "luigi"), "--module", "pipeline", "ExtractRecent", "--run-at", "2999-01-01T0000"],
        cwd=tmp_path,
        env={**os.environ, **pipeline.environment},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 30, "the exit codes of luigi.cfg hold"
    assert "is in the future" in process.stderr

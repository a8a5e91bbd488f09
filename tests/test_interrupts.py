"""Runs that are stopped, a PostgreSQL that is restarted, a second host: what is left, what the next run makes of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.demo.spotify import SampleSpotify
from pipeline.interrupts import INTERRUPTED
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.own_postgres import OwnPostgres
from tests.samples import evening, export_row, page

SLOT, NEXT = "2026-11-22T1400", "2026-11-22T1430"
# Of a slot and of an import, in the order in which Luigi comes to them; and when, as tests/stopping.py has it.
SLOT_TASKS = [
    "ExtractRecent",
    "CopyToStaging",
    "CopyToStaging+start",
    "DbtRun",
    "DbtRun+2",
    "DbtTest",
    "SyncSavedTracks",
    "EnrichGenres",
    "RenderDashboard",
    "RunPipeline",
]
IMPORT_TASKS = ["ExtractHistory", "CopyHistory", "ImportHistory"]


def stopped(pipeline: Pipeline, what: str, where: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pipeline.run(sys.executable, "-m", "tests.stopping", what, where, *arguments)


def export_file(folder: Path) -> Path:
    file = folder / "Streaming_History_Audio_2022_0.json"
    file.write_text(json.dumps([export_row(f"2022-12-20T10:{minute:02}:00Z") for minute in range(0, 12, 4)]))
    return file


@pytest.mark.parametrize("module", ["luigi.task", "psycopg2", "pipeline.workflow", "pipeline.commands.status"])
def test_an_interrupt_while_modules_are_imported_ends_in_one_line(module: str) -> None:
    # -X importtime writes a line for each module when it has been imported, and so says where the process is.
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "status"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        next(line for line in process.stderr if line.rstrip().endswith(f" {module}"))
        process.send_signal(signal.SIGINT)
        said = [line.strip() for line in process.stderr if not line.startswith("import time:")]
    assert said == [INTERRUPTED]
    assert process.returncode == -signal.SIGINT


def test_sigterm_in_any_task_ends_the_run_in_one_line_and_the_same_command_goes_on(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    spotify.page = page(*evening(5))
    export = export_file(tmp_path)
    commands = {
        ("RunPipeline", "--run-at", SLOT): SLOT_TASKS,
        ("ImportHistory", "--export", str(export)): IMPORT_TASKS,
    }
    for command, tasks in commands.items():
        for task in tasks:
            process = stopped(pipeline, "sigterm", task, *command)
            assert process.returncode == -signal.SIGINT, (task, process.stderr)
            assert process.stderr.rstrip().endswith("the same command goes on where this run stopped."), task
            assert "Traceback" not in process.stderr, task
            assert not [name for name in pipeline.files("**/*") if name.endswith(".tmp")], task
        succeeded(pipeline.luigi(*command))
    assert database.rows(
        "select source, count(*), sum(steps) from marts.fct_plays group by source order by source"
    ) == [
        ("export", 3, 3),
        ("web_api", 5, 5),
    ]
    assert [name for name in pipeline.files("polls/**/*.json") if "failed" not in name] == [
        f"polls/account=me/2026/11/{SLOT}.json"
    ]
    assert database.value("select sum(inserted) from pipeline.imports") == 3


@pytest.fixture
def own(tmp_path: Path, server: str) -> Iterator[OwnPostgres]:
    running = OwnPostgres(tmp_path / "cluster")  # `server` has made its user
    yield running
    running.stop()


def test_a_postgresql_that_is_restarted_in_any_step_costs_nothing_but_that_run(
    data: Path, spotify: SampleSpotify, own: OwnPostgres, tmp_path: Path
) -> None:
    settings = {"DATA_DIR": str(data), "DATABASE_URL": own.url, "MUSICBRAINZ_ARTISTS_PER_SLOT": "0"}
    pipeline = Pipeline(data, {**spotify.environment(), **settings})
    database, restart = Database(own.url), own.restart_command
    command: tuple[str, ...]
    for number, task in enumerate(["CopyToStaging", "DbtRun+0.3", "DbtTest+0.1", "SyncSavedTracks", "RenderDashboard"]):
        spotify.page = page(*evening(3 + number))
        command = ("RunPipeline", "--run-at", f"2026-11-22T{14 + number}00")
        told(stopped(pipeline, restart, task, *command))
        assert own.starts == number + 2, f"it was restarted in {task}"
    command = ("ImportHistory", "--export", str(export_file(tmp_path)))
    told(stopped(pipeline, restart, "CopyHistory", *command))
    succeeded(pipeline.luigi(*command))
    succeeded(pipeline.slot("2026-11-22T1930"))
    assert database.rows(
        "select source, count(*), sum(steps) from marts.fct_plays group by source order by source"
    ) == [
        ("export", 3, 3),
        ("web_api", 7, 7),
    ]
    assert database.value("select count(*) from staging.polls") == 6
    assert database.value("select sum(inserted) from pipeline.imports") == 3


def told(process: subprocess.CompletedProcess[str]) -> None:
    """The run has survived, or says in words what was the matter."""
    if process.returncode:
        assert process.returncode == 30, process.stderr
        reasons = ("PostgreSQL went away", "cannot connect to PostgreSQL", "terminating connection", "server closed")
        assert any(reason in process.stderr for reason in reasons), process.stderr


def elsewhere(pipeline: Pipeline, *command: str, **environment: str) -> subprocess.Popen[str]:
    """A command on a host of another name, with the same files."""
    words = ["unshare", "--uts", "sh", "-c", 'hostname attic && exec "$@"', "sh", *command]
    return subprocess.Popen(
        words,
        cwd=pipeline.project,
        env={**os.environ, **pipeline.environment, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="a host of another name needs root")
def test_two_hosts_on_one_folder_count_every_play_once_each_in_its_own_database(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, own: OwnPostgres
) -> None:
    for slot, plays in ((SLOT, 4), (NEXT, 6)):
        spotify.page = page(*evening(plays))
        other = elsewhere(
            pipeline,
            str(BIN / "luigi"),
            "--module",
            "pipeline",
            "CopyToStaging",
            "--run-at",
            slot,
            DATABASE_URL=own.url,
        )
        here = pipeline.slot(slot, task="CopyToStaging")
        _, said = other.communicate(timeout=120)
        assert (here.returncode, other.returncode) == (0, 0), here.stderr + said
    [(_, partition)] = pipeline.files("spotify_songs/**/*.csv").items()
    assert len(partition.splitlines()) == 1 + 6
    for query, rows in (
        ("select played_at_utc, song_name from staging.spotify_songs order by 1", 6),
        ("select slot, outcome, new_plays from staging.polls order by 1", 2),
    ):
        assert database.rows(query) == Database(own.url).rows(query)
        assert len(database.rows(query)) == rows


@pytest.mark.skipif(os.geteuid() != 0, reason="a host of another name needs root")
def test_the_embedded_postgresql_of_another_host_is_left_alone(data: Path, spotify: SampleSpotify) -> None:
    pipeline = Pipeline(data, {**spotify.environment(), "DATA_DIR": str(data)})
    pid, here = data / "postgres" / "postmaster.pid", socket.gethostname()
    hold = "import time; from pipeline.load.postgres import dsn; dsn(); print(flush=True); time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=pipeline.project,
        env={**os.environ, **pipeline.environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        before = pid.read_text()
        poll = [str(BIN / "luigi"), "--module", "pipeline", "CopyToStaging", "--run-at", SLOT]
        other = elsewhere(pipeline, *poll)
        _, said = other.communicate(timeout=60)
        assert other.returncode == 30
        assert f"is in use by the host '{here}', and this is 'attic': only one host can run it" in said
        assert pid.read_text() == before
        assert len(pipeline.files("polls/**/*.json")) == 1, "the plays are safe all the same"
        succeeded(pipeline.slot(SLOT, task="CopyToStaging"))
        holder.terminate()
    other = elsewhere(pipeline, *poll[:-1], NEXT)
    _, said = other.communicate(timeout=60)
    assert other.returncode == 0, "it may be another host's turn when the server has stopped"
    assert (data / ".postgres.host").read_text() == "attic\n"

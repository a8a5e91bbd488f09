"""A central luigid: the same commands, and the tasks in its visualiser."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Pipeline, succeeded
from tests.samples import evening, page

SLOT = "2026-11-22T1400"


@pytest.fixture
def luigid(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(BIN / "luigid"), "--address", "127.0.0.1", "--port", str(port), "--state-path", str(tmp_path / "state")],
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    while True:
        try:
            urlopen(url).close()
            break
        except OSError:
            assert process.poll() is None
            time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


def tasks(luigid: str, status: str) -> set[str]:
    question = json.dumps({"status": status, "upstream_status": ""})
    with urlopen(f"{luigid}api/task_list?data={question.replace(' ', '')}") as answer:
        return {task["name"] for task in json.load(answer)["response"].values()}


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_a_slot_runs_under_a_central_luigid(pipeline: Pipeline, spotify: SampleSpotify, luigid: str, by: str) -> None:
    spotify.page = page(*evening(2))
    if by == "flag":
        succeeded(pipeline.slot(SLOT, "--scheduler-url", luigid))
    else:
        succeeded(pipeline.slot(SLOT, LUIGI_SCHEDULER_URL=luigid))
    assert tasks(luigid, "DONE") == {
        "ExtractRecent",
        "CopyToStaging",
        "DbtRun",
        "DbtTest",
        "SyncSavedTracks",
        "EnrichGenres",
        "RenderDashboard",
        "RunPipeline",
    }


def test_a_failure_is_seen_in_luigid(pipeline: Pipeline, spotify: SampleSpotify, luigid: str) -> None:
    spotify.page = b"no page"
    assert pipeline.slot(SLOT, LUIGI_SCHEDULER_URL=luigid).returncode == 30
    assert tasks(luigid, "FAILED") == {"ExtractRecent"}


def test_the_commands_work_from_any_folder(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    import os

    process = subprocess.run(
        [str(BIN / "luigi"), "--module", "pipeline", "ExtractRecent", "--run-at", "2999-01-01T0000"],
        cwd=tmp_path,
        env={**os.environ, **pipeline.environment},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 30, "the exit codes of luigi.cfg hold"
    assert "is in the future" in process.stderr

"""kill -9 anywhere, run again, same result."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, page

SLOT = "2026-11-22T1400"


def test_a_slot_can_be_killed_before_any_of_its_writes(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    first, second = [*evening(3), *evening(2, date="2026-11-22")], evening(4, date="2026-11-23")
    spotify.page = page(*first)
    with SampleSpotify() as later:
        later.page = page(*second)
        # The accounts host stays the first one; the second accepts the tokens of the first.
        later.accounts = spotify.accounts
        report = json.loads(
            succeeded(
                pipeline.run(
                    str(BIN / "python"),
                    "-m",
                    "tests.kill_points",
                    FIRST_SPOTIFY_API_URL=f"{spotify.url}/v1",
                    SECOND_SPOTIFY_API_URL=f"{later.url}/v1",
                    FIRST_ITEMS=json.dumps(first),
                    SECOND_ITEMS=json.dumps(second),
                )
            ).stdout
        )
    print(report)
    assert report["files, same slot"] == report["files, next slot"] >= 20
    assert report["statements, same slot"] >= 15


@pytest.mark.parametrize("seconds", [1.5, 3.0, 4.0, 5.0])
def test_a_run_can_be_killed_in_the_middle_of_dbt(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, seconds: float
) -> None:
    spotify.page = page(*evening(20))
    run = subprocess.Popen(
        [str(BIN / "luigi"), "--module", "pipeline", "RunPipeline", "--run-at", SLOT],
        env=pipeline.environment,
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    run.wait()
    succeeded(pipeline.slot(SLOT))
    assert database.rows("select count(*), sum(steps) from marts.fct_plays") == [(20, 20)]
    assert database.value("select sum(plays) from reporting.rpt_top_tracks") == 20


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_embedded_postgres_is_tidied_after_a_killed_run(
    data: Path, spotify: SampleSpotify, how: signal.Signals
) -> None:
    pipeline = Pipeline(data, {**spotify.environment(), "DATA_DIR": str(data)})
    spotify.page = page(*evening(2))
    run = subprocess.Popen(
        [str(BIN / "luigi"), "--module", "pipeline", "RunPipeline", "--run-at", SLOT],
        env=pipeline.environment,
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.DEVNULL,
    )
    server = data / "postgres" / "postmaster.pid"
    while not (server.exists() and "ready" in server.read_text()):
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(how)
    run.wait()
    assert server.exists() == (how == signal.SIGKILL), "only after SIGKILL nobody is left to stop the server"
    succeeded(pipeline.slot(SLOT, task="CopyToStaging"))
    assert not server.exists(), "it stops with the last run"
    assert json.loads((data / "postgres" / ".handle_pids.json").read_text()) == []

"""An afternoon of faults under a real cron daemon: every promise is kept. tests/fortnight.py says more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests import crond
from tests.conftest import succeeded

SEED, DAYS, OFTEN = "67", "0.25", "0.6"


def test_an_afternoon_of_faults_costs_no_play_outside_reported_gaps_and_is_told_once() -> None:
    if why := crond.why_not():
        pytest.skip(why)
    fortnight = subprocess.run(
        [sys.executable, "-m", "tests.fortnight", "--seed", SEED, "--days", DAYS, "--often", OFTEN, "--messages"],
        capture_output=True,
        text=True,
    )
    print(fortnight.stdout)
    summary = json.loads(succeeded(fortnight).stdout.splitlines()[-1])
    assert summary["broken"] == []
    assert summary["told"]["incidents begun"] == summary["told"]["recovered"] > 0
    assert summary["plays"]["captured"] > 0
    assert len(summary["faults"]) > 4

"""Made-up listeners for days with every fault there is: all that was lost lies in a gap. tests/month.py says more."""

from __future__ import annotations

import json
import shutil

from tests.conftest import BIN, Pipeline, succeeded
from tests.month import FAULTS

# In these three days everything goes wrong that can: each fault, plays that come late, plays that are lost.
SEED, DAYS = "2878", "3"


def test_whatever_was_lost_lies_in_a_gap_and_no_complete_hour_lost_a_play(pipeline: Pipeline) -> None:
    shutil.rmtree(pipeline.data / "dashboard", ignore_errors=True)  # a month wants a folder for itself
    month = pipeline.run(str(BIN / "python"), "-m", "tests.month", "--seed", SEED, "--days", DAYS)
    print(month.stdout)
    summary = json.loads(succeeded(month).stdout.splitlines()[-1])
    assert summary["broken"] == []
    accounts = summary["accounts"].values()
    for account in accounts:
        assert account["made"] == account["captured"] + account["lost"] + account["before_the_first_page"]
        assert account["lost"] == account["lost_in_gaps"] + account["undetectable"]
        for what in ("captured", "lost", "late", "short_pages", "gaps"):
            assert account[what] > 0, what
    assert {fault for account in accounts for fault in account["faults"]} == {"no fault", *FAULTS}
    assert all(sum(account["polls"].get(outcome, 0) for account in accounts) for outcome in ("paused", "failed"))
    assert all(set(account["hours"]) == {"complete", "possibly_lossy", "not_polled"} for account in accounts)

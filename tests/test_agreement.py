"""Two sources, one history, held against the truth: the short form of `python -m tests.agreement`."""

from __future__ import annotations

import json

import pytest

from tests.conftest import BIN, Pipeline, succeeded


@pytest.mark.parametrize(
    "arguments",
    [
        ("--days", "150", "--plays-a-day", "40", "--order", "import-only", "--generation", "endsong"),
        ("--days", "40", "--polled", "5", "--order", "between"),
    ],
)
def test_every_play_of_the_truth_is_counted_once(pipeline: Pipeline, arguments: tuple[str, ...]) -> None:
    run = pipeline.run(str(BIN / "python"), "-m", "tests.agreement", "--seed", "3", *arguments)
    print(run.stdout)
    figures = json.loads(succeeded(run).stdout.splitlines()[-2])
    assert figures["plays of the truth"] == figures["plays from the export in fct_plays"] > 2000
    assert figures["milliseconds of the truth"] == figures["milliseconds in fct_plays"]
    if "between" in arguments:
        assert figures["polled plays matched"] > 100

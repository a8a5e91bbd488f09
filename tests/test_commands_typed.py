"""Errors of commands that a person types: each names its cause, and Slack gets no message."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.answers import utc_now
from pipeline.slot import current_slot
from tests.conftest import Pipeline, succeeded
from tests.samples import evening, page
from tests.slack import SampleSlack


@pytest.mark.parametrize("task", ["RunPipeline", "PollAccounts", "ExtractRecent"])
def test_a_slot_in_the_future_sends_no_message(pipeline: Pipeline, slack: SampleSlack, task: str) -> None:
    later = f"{utc_now() + datetime.timedelta(days=3):%Y-%m-%dT1400}"
    process = pipeline.slot(later, task=task, SLACK_WEBHOOK_URL=slack.url)
    assert process.returncode in (30, 35)
    assert f"slot {later} (UTC) is in the future" in process.stderr
    assert slack.messages == []
    assert pipeline.files("alerts/*.json") == {}


@pytest.mark.parametrize("task", ["ImportHistory", "CopyHistory", "ExtractHistory"])
@pytest.mark.parametrize("kind", ["absent", "empty", "not a zip"])
def test_an_export_that_cannot_be_read_sends_no_message(
    pipeline: Pipeline, slack: SampleSlack, tmp_path: Path, task: str, kind: str
) -> None:
    export = tmp_path / "my_data.zip"
    if kind != "absent":
        export.write_bytes(b"" if kind == "empty" else b"PK of a parcel")
    process = pipeline.luigi(task, "--export", str(export), SLACK_WEBHOOK_URL=slack.url)
    assert process.returncode in (30, 35)
    assert str(export) in process.stderr
    assert slack.messages == []
    assert pipeline.files("alerts/*.json") == {}


@pytest.mark.parametrize("task", ["PollAccounts", "RunPipeline"])
def test_a_slot_that_is_not_named_is_the_current_one(pipeline: Pipeline, spotify: SampleSpotify, task: str) -> None:
    spotify.page = page(*evening(2, date="2026-11-14"))
    before = current_slot(utc_now())
    succeeded(pipeline.luigi(task))
    (record,) = (path for path in pipeline.files("polls/**/*.json") if "failed" not in path)
    slots = {f"{slot:%Y-%m-%dT%H%M}" for slot in (before, current_slot(utc_now()))}
    assert any(slot in record for slot in slots), (record, slots)


def test_the_current_slot_is_resolved_by_each_command_and_not_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import workflow

    for moment, slot in (("2026-11-22T14:29:59Z", "1400"), ("2026-11-22T14:30:00Z", "1430")):
        monkeypatch.setattr(workflow, "utc_now", lambda: datetime.datetime.fromisoformat(moment))  # noqa: B023
        assert f"{workflow.RunPipeline().run_at:%H%M}" == slot

"""Slack is told what failed, by Luigi's events and by the wrapper, and no secret with it."""

from __future__ import annotations

import pytest

from pipeline.demo.spotify import SampleSpotify, error
from tests.conftest import BIN, Pipeline, succeeded
from tests.slack import SampleSlack

SLOT = "2026-11-22T1400"


def test_a_failed_task_is_told_once_with_its_cause(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack
) -> None:
    spotify.answers = [error("/v1/me/player", 403, f"<no> {spotify.accounts.client_secret}")]
    process = pipeline.slot(SLOT, SLACK_WEBHOOK_URL=f"{slack.url}/services/T0/B0/sEcReT")
    assert process.returncode == 30
    ((path, message),) = slack.messages
    assert path == "/services/T0/B0/sEcReT"
    assert message["text"].startswith("*ExtractRecent* failed on ")
    assert "run_at 2026-11-22T1400, account me" in message["text"]
    assert "Forbidden: Spotify forbids the call ('&lt;no&gt; ***')" in message["text"]
    assert "sEcReT" not in process.stderr


def test_a_bot_token_posts_to_the_channel(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    spotify.answers = [error("/v1/me/player", 403, "no")]
    pipeline.slot(SLOT, SLACK_BOT_TOKEN="xoxb-of-a-bot", SLACK_API_URL=f"{slack.url}/api/", SLACK_CHANNEL="#music")
    ((path, message),) = slack.messages
    assert path == "/api/chat.postMessage"
    assert message["channel"] == "#music"
    assert slack.authorization == "Bearer xoxb-of-a-bot"


def test_a_database_that_is_down_is_told(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    pipeline.slot(SLOT, DATABASE_URL="postgresql://me:hunter2-of-a-test@127.0.0.1:1/x", SLACK_WEBHOOK_URL=slack.url)
    ((_, message),) = slack.messages
    assert "*CopyToStaging* failed" in message["text"]
    assert "cannot connect to PostgreSQL at 127.0.0.1" in message["text"]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_slack_itself_failing_changes_nothing_but_the_log(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, status: int
) -> None:
    slack.status = status
    spotify.answers = [error("/v1/me/player", 403, "no")]
    process = pipeline.slot(SLOT, SLACK_WEBHOOK_URL=f"{slack.url}/services/sEcReT")
    assert process.returncode == 30
    assert f"Slack did not take the message: status {status}" in process.stderr
    assert "sEcReT" not in process.stderr


def test_slack_not_answering_changes_nothing_but_the_log(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.answers = [error("/v1/me/player", 403, "no")]
    process = pipeline.slot(SLOT, SLACK_WEBHOOK_URL="http://127.0.0.1:1/services/sEcReT")
    assert process.returncode == 30
    assert "Slack could not be told: URLError" in process.stderr
    assert "sEcReT" not in process.stderr


def test_a_slot_that_went_well_tells_nothing(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    succeeded(pipeline.slot(SLOT, task="ExtractRecent", SLACK_WEBHOOK_URL=slack.url))
    assert slack.messages == []


@pytest.mark.parametrize(("code", "told"), [(0, 0), (30, 0), (35, 1), (40, 1), (127, 1), (137, 1)])
def test_the_wrapper_tells_only_what_no_event_has_told(
    pipeline: Pipeline, slack: SampleSlack, code: int, told: int
) -> None:
    command = ("-m", "pipeline", "alert", "--slot", SLOT, "--exit-code", str(code), "--log", "data/logs/x.log")
    succeeded(pipeline.run(str(BIN / "python"), *command, SLACK_WEBHOOK_URL=slack.url))
    assert len(slack.messages) == told
    for _, message in slack.messages:
        assert f"*Slot {SLOT} did not run* (exit code {code})" in message["text"]

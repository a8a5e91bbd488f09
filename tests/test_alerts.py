"""Slack is told what failed, by Luigi's events and by the wrapper, and no secret with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.demo.spotify import SampleSpotify, error
from tests.conftest import BIN, Pipeline, succeeded

SLOT = "2026-11-22T1400"


@dataclass
class SampleSlack:
    """Takes webhooks and chat.postMessage, as Slack documents them."""

    url: str
    status: int = 200
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    authorization: str | None = None


@pytest.fixture
def slack() -> Iterator[SampleSlack]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = "json" not in self.headers["Content-Type"]
            message = {name: values[0] for name, values in parse_qs(body).items()} if form else json.loads(body)
            sample.messages.append((self.path, message))
            sample.authorization = self.headers.get("Authorization")
            self.send_response(sample.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"ok": true}' if "api" in self.path else b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    sample = SampleSlack(f"http://127.0.0.1:{server.server_address[1]}")
    yield sample
    server.shutdown()
    server.server_close()


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
    pipeline.slot(SLOT, SLACK_BOT_TOKEN="xoxb-1", SLACK_API_URL=f"{slack.url}/api/", SLACK_CHANNEL="#music")
    ((path, message),) = slack.messages
    assert path == "/api/chat.postMessage"
    assert message["channel"] == "#music"
    assert slack.authorization == "Bearer xoxb-1"


def test_a_database_that_is_down_is_told(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    pipeline.slot(SLOT, DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x", SLACK_WEBHOOK_URL=slack.url)
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

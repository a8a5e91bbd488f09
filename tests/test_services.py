"""Messages to other services than Slack: a loopback ntfy and a loopback mail server take each message once."""

from __future__ import annotations

import datetime
import email
import email.policy
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipeline.alerts.incidents import Incident, recover, report
from pipeline.alerts.outbox import forget_messages, put_message
from pipeline.alerts.telling import tell_what_is_due
from pipeline.demo.loopback import Answer, LoopbackServer
from tests.slack import SampleSlack

NOW = datetime.datetime(2026, 11, 22, 14, 30, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(hours=2)
TOPIC = "secret-topic-Xq7"
KEY = "DbtTest"


class SampleNtfy(LoopbackServer):
    """Takes messages as JSON at its root, as ntfy documents. `status`: its answer; `taken`: those it took."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.taken: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"ntfy://{self.origin.removeprefix('http://')}/{TOPIC}"

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        if self.status == 200:
            self.taken.append(json.loads(body))
        return Answer(target, self.status, b'{"id": "1", "event": "message"}')


class Mailbox:
    """Keeps the mails that aiosmtpd receives."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def ntfy() -> Iterator[SampleNtfy]:
    with SampleNtfy() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, f"mailto://127.0.0.1:{port}?from=pipeline@example.org&to=me@example.org&mode=insecure"
    finally:
        controller.stop()


@pytest.fixture
def told(
    data: Path,
    ntfy: SampleNtfy,
    mailbox: tuple[Mailbox, str],
    slack: SampleSlack,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Path]:
    """Slack, ntfy and mail in the settings; no URL is in any output or file."""
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.url)
    monkeypatch.setenv("NOTIFY_URLS", f"{ntfy.url} {mailbox[1]}")
    yield data
    said = "".join(capfd.readouterr())
    assert TOPIC not in said
    assert not [path for path in data.rglob("*") if path.is_file() and TOPIC.encode() in path.read_bytes()]


def fails(data: Path, now: datetime.datetime = NOW) -> None:
    moment = now.isoformat()
    title = "*DbtTest* failed for slot 2026-11-22T1430"
    cause = "unique_fct_plays: 2 results & <more>"
    report(data, Incident(KEY, "", "DbtTest", title, cause, "Look at it", moment, moment))


def test_each_service_takes_an_incident_once_and_its_end_once(
    told: Path, ntfy: SampleNtfy, mailbox: tuple[Mailbox, str], slack: SampleSlack
) -> None:
    fails(told)
    for _ in range(2):
        assert tell_what_is_due(NOW)
    assert (len(ntfy.taken), len(mailbox[0].mails), len(slack.taken)) == (1, 1, 1)
    assert ntfy.taken[0]["topic"] == TOPIC
    assert ntfy.taken[0]["title"] == "Listening history"
    # Plain text, without the escapes that Slack's markup needs.
    assert "unique_fct_plays: 2 results & <more>" in ntfy.taken[0]["message"]
    mail = mailbox[0].mails[0]
    assert (mail["Subject"], mail["To"]) == ("Listening history", "me@example.org")
    assert "2 results & <more>" in str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    recover(told, lambda incident: incident.key == KEY, LATER)
    assert tell_what_is_due(LATER)
    assert [len(ntfy.taken), len(mailbox[0].mails), len(slack.taken)] == [2, 2, 2]
    assert "Recovered: DbtTest" in ntfy.taken[1]["message"]


def test_a_service_that_refuses_gets_its_messages_later_and_keeps_no_other_waiting(
    told: Path, ntfy: SampleNtfy, mailbox: tuple[Mailbox, str], slack: SampleSlack
) -> None:
    ntfy.status = 500
    fails(told)
    tell_what_is_due(NOW)
    recover(told, lambda incident: incident.key == KEY, LATER)
    tell_what_is_due(LATER)
    assert (len(ntfy.taken), len(mailbox[0].mails), len(slack.taken)) == (0, 2, 2)
    ntfy.status = 200
    for _ in range(2):
        tell_what_is_due(LATER)
    assert [f"{KEY}* failed" in message["message"] for message in ntfy.taken] == [True, False]
    assert (len(mailbox[0].mails), len(slack.taken)) == (2, 2)


def test_a_picture_goes_with_its_message(told: Path, mailbox: tuple[Mailbox, str]) -> None:
    put_message(told, "Your month", NOW, "me", b"\x89PNG picture")
    tell_what_is_due(NOW)
    (attachment,) = mailbox[0].mails[0].iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("wrapped.png", b"\x89PNG picture")


def test_messages_of_a_service_that_is_no_longer_set_are_dropped(
    told: Path, ntfy: SampleNtfy, mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ntfy.status = 500
    fails(told)
    tell_what_is_due(NOW)
    assert len(list(told.rglob("outbox/*/*.json"))) == 1
    monkeypatch.setenv("NOTIFY_URLS", mailbox[1])
    tell_what_is_due(NOW)
    assert not list(told.rglob("outbox/*/*.json"))


def test_nothing_is_left_of_a_forgotten_account(told: Path, ntfy: SampleNtfy, slack: SampleSlack) -> None:
    ntfy.status = slack.status = 500
    put_message(told, "ann heard much", NOW, "ann")
    tell_what_is_due(NOW)
    assert forget_messages(told, "ann") == 3 - 1  # the mail was taken
    assert not list(told.rglob("outbox/**/*.json"))


@pytest.mark.parametrize("url", ["nonsense://secret-topic-Xq7", "secret-topic-Xq7"])
def test_a_url_of_an_unknown_form_is_named_by_its_number(
    url: str, told: Path, slack: SampleSlack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_URLS", url)
    fails(told)
    tell_what_is_due(NOW)
    assert "URL number 1 of NOTIFY_URLS has a form that apprise does not know" in caplog.text
    assert len(slack.taken) == 1

"""Responses that come slowly or break off: every client ends in time, and counts what it repeats."""

from __future__ import annotations

import datetime
import gzip
import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline import config
from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.musicbrainz import SampleMusicBrainz
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract import errors
from pipeline.extract.consent import fetch_tokens, make_link, open_session
from pipeline.extract.musicbrainz import MusicBrainz, MusicBrainzUnavailable
from pipeline.extract.spotify import SpotifyClient
from pipeline.scheduler.choice import why_silent
from pipeline.scheduler.remote import RemoteScheduler
from pipeline.visualize.metabase.client import Metabase
from pipeline.visualize.metabase.errors import MetabaseUnreachable
from tests.conftest import Pipeline, succeeded
from tests.metabase import SampleMetabase
from tests.samples import evening, page
from tests.slack import SampleSlack

RECENT, TOKEN, ME = "/v1/me/player", "/api/token", "/v1/me"
POLL = "GET /v1/me/player/recently-played?limit=50"
TIMEOUT, PACE = 0.4, 0.1
IN_TIME = 20.0  # seconds; at PACE the slow responses here take 40 and more
LONG = json.dumps({"filling": "x" * 400}).encode()
MOMENT = datetime.datetime(2026, 11, 22, 14, tzinfo=datetime.UTC)


def slow(path: str, status: int = 200) -> Answer:
    return Answer(path, status, LONG, pace=PACE)


def client_of(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, timeout: float = 5.0
) -> SpotifyClient:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    return SpotifyClient(config.spotify(timeout=timeout), data, "me")


@pytest.fixture
def in_time() -> Any:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < IN_TIME


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("path", [TOKEN, RECENT])
def test_a_slow_response_of_spotify_ends_at_the_deadline(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    client = client_of(spotify, data, monkeypatch)
    if path == RECENT:
        client.fetch_recently_played()
    client.settings = config.spotify(timeout=TIMEOUT)
    before = len(spotify.calls)
    spotify.answers = [slow(path)] * 4
    with pytest.raises(errors.SpotifyUnreachable, match=r"after 1 retry \(ReadTimeout\)"):
        client.fetch_recently_played()
    assert len(spotify.calls) - before == 2, "the second attempt has used up what is left of the exchange's time"
    assert client.calls == len(spotify.calls)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"], ids=["headers", "body"])
@pytest.mark.parametrize("piece", [b"X-Filling: x\r\n", b"x"])
def test_any_way_to_be_slow_ends_at_the_deadline(head: bytes, piece: bytes) -> None:
    import socket
    import threading

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            connection.sendall(head or b"HTTP/1.1 200 OK\r\n")
            for _ in range(400):
                connection.sendall(piece)
                time.sleep(PACE)
        except OSError:
            return

    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(MusicBrainzUnavailable, match="ReadTimeout"):
            MusicBrainz(url, "", 0, TIMEOUT).genres("5b11f4ce-a62d-471e-81fc-a69a8278c7da")
        assert len(connections) == 2
    for connection in connections:
        connection.close()


@pytest.mark.usefixtures("in_time")
def test_a_slow_musicbrainz_ends_at_the_deadline() -> None:
    with SampleMusicBrainz() as sample:
        sample.answers = [slow("/ws/2/isrc")] * 2
        with pytest.raises(MusicBrainzUnavailable, match="ReadTimeout"):
            MusicBrainz(sample.url, "me@example.org", 0, TIMEOUT).artists_by_isrc("QZ1234567890")


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("status", [200, 500])
def test_a_slow_metabase_ends_at_the_deadline(status: int) -> None:
    with SampleMetabase() as sample:
        sample.answers = [slow("/api/user/current", status)]
        with pytest.raises(MetabaseUnreachable, match=r"has not answered GET /api/user/current in 0\.4 seconds"):
            Metabase(sample.origin, TIMEOUT).get("/api/user/current")


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("path", [TOKEN, ME])
def test_a_slow_consent_ends_at_the_deadline(
    spotify: SampleSpotify, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    from pipeline.extract import consent

    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    settings = config.spotify(timeout=TIMEOUT)
    session = open_session(settings, "http://127.0.0.1:8888/callback", "me")
    _, state = make_link(session, settings)
    spotify.answers = [slow(path)]
    ask_whose = getattr(consent, "fetch_user_ids", None) or consent.fetch_account_id  # type: ignore[attr-defined]
    ask: dict[str, Callable[[], Any]] = {
        TOKEN: lambda: fetch_tokens(session, settings, f"http://127.0.0.1/callback?code=c&state={state}"),
        ME: lambda: ask_whose(settings, {"access_token": "a", "refresh_token": "r"}),
    }
    with pytest.raises(errors.SpotifyUnreachable, match="ReadTimeout"):
        ask[path]()


@pytest.mark.filterwarnings("ignore:Configuration .core. rpc:DeprecationWarning")
@pytest.mark.usefixtures("in_time")
def test_a_slow_luigid_ends_at_the_deadline() -> None:
    """Any loopback server serves: what luigid answers does not matter if it never does so in time."""
    with LoopbackServer() as server:
        server.answers = [slow("/api/ping")] * 3
        remote = RemoteScheduler(server.origin, connect_timeout=TIMEOUT)
        with pytest.raises(remote._fetcher.raises):
            remote._fetcher.fetch(f"{server.origin}/api/ping", {"data": "{}"}, TIMEOUT)


@pytest.mark.usefixtures("in_time")
def test_a_luigid_that_is_slow_from_the_start_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.scheduler.choice.SECONDS_TO_ANSWER", TIMEOUT)
    monkeypatch.setattr("http.client.HTTPConnection.request", as_get(http.client.HTTPConnection.request))
    with LoopbackServer() as server:
        server.answers = [slow("/luigid")]
        assert isinstance(why_silent(f"{server.origin}/luigid"), OSError)


def as_get(request: Callable[..., None]) -> Callable[..., None]:
    """The sample server knows no HEAD."""
    return lambda self, _, *more, **named: request(self, "GET", *more, **named)


@pytest.mark.usefixtures("in_time")
def test_a_slow_slack_ends_at_the_deadline(slack: SampleSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.alerts.slack import NotTaken, post

    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{slack.url}/services/x")
    monkeypatch.setattr("pipeline.alerts.slack.MOST_WAITS", 0.1)  # of ten seconds
    slack.answers = [slow("/services")]
    with pytest.raises(NotTaken, match="TimeoutError"):
        post("hello")


@pytest.mark.usefixtures("in_time")
def test_a_slow_slack_ends_at_the_deadline_for_the_doctor_too(
    slack: SampleSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.doctor.services import slack as examine

    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-a-bot")
    monkeypatch.setenv("SLACK_CHANNEL", "#music")
    monkeypatch.setenv("SLACK_API_URL", f"{slack.url}/api/")
    monkeypatch.setitem(config.slack.env, "timeout", "SLACK_TIMEOUT")
    monkeypatch.setenv("SLACK_TIMEOUT", "1")
    slack.answers = [slow("/api/auth.test")]
    (finding,) = examine(offline=False, tell=False)
    assert "could not be asked (TimeoutError)" in str(finding)


def test_a_slow_spotify_costs_one_slot_and_frees_the_account(
    pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path
) -> None:
    spotify.page = page(*evening(3))
    impatient = tmp_path / "impatient.cfg"
    impatient.write_text("[spotify]\ntimeout = 1\n")
    spotify.answers = [Answer(RECENT, 200, b" " * 600, pace=PACE)] * 4
    began = time.monotonic()
    process = pipeline.slot("2026-11-22T1400", task="ExtractRecent", LUIGI_CONFIG_PATH=str(impatient))
    assert time.monotonic() - began < 50
    assert process.returncode == 30
    assert "after 1 retry (ReadTimeout)" in process.stderr
    spotify.answers = []
    succeeded(pipeline.slot("2026-11-22T1400", task="ExtractRecent"))


CUTS: dict[str, Answer] = {
    "in the body": Answer(RECENT, 200, b'{"items": [], "next": null}', cut=-3),
    "before the body": Answer(RECENT, 200, b'{"items": [], "next": null}', cut=-27),
    "in the headers": Answer(RECENT, 200, b"{}", cut=60),
    "after the status": Answer(RECENT, 200, b"{}", cut=21),
    "in the status": Answer(RECENT, 200, b"{}", cut=10),
    "at once": Answer(RECENT, 200, b"{}", cut=0),
    "in an error": Answer(RECENT, 403, b'{"error": {"status": 403, "message": "no"}}', cut=-3),
    "in gzip": Answer(RECENT, 200, gzip.compress(b'{"items": []}'), {"Content-Encoding": "gzip"}, cut=-9),
    "no gzip": Answer(RECENT, 200, b'{"items": []}', {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("where", CUTS)
def test_a_response_that_breaks_off_is_fetched_again(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    client = client_of(spotify, data, monkeypatch)
    spotify.answers = [CUTS[where]] * 2
    assert json.loads(client.fetch_recently_played())["items"] == []
    assert spotify.calls[2:] == [POLL] * 3
    assert client.calls == len(spotify.calls)


@pytest.mark.parametrize("where", CUTS)
def test_a_response_that_always_breaks_off_is_an_error_after_three_retries(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    client = client_of(spotify, data, monkeypatch)
    spotify.answers = [CUTS[where]] * 9
    with pytest.raises(errors.SpotifyUnreachable, match="after 3 retries") as caught:
        client.fetch_recently_played()
    assert spotify.calls[2:] == [POLL] * 4
    assert client.calls == len(spotify.calls)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("cut", ['4\r\n{"it', '4\r\n{"it\r\n', '4\r\n{"it\r\n4'])
def test_a_chunked_response_that_breaks_off_is_fetched_again(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    client = client_of(spotify, data, monkeypatch)
    client.fetch_recently_played()
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": ""}
    body = cut.encode()
    spotify.answers = [Answer(RECENT, 200, body, chunked, cut=10**6)]
    assert json.loads(client.fetch_recently_played())["items"] == []
    assert spotify.calls[2:] == [POLL] * 3


@pytest.mark.parametrize(("failed", "said"), [(0, "0 retries"), (501, "0 retries")])
def test_the_message_names_the_retries_there_were(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, failed: int, said: str
) -> None:
    client = client_of(spotify, data, monkeypatch)
    client.fetch_recently_played()
    if failed:
        spotify.answers = [Answer(RECENT, failed, b"no")] * 9
    else:  # refused before anything is sent
        monkeypatch.setattr(client.settings, "api_url", "http://127.0.0.1:port/v1")
    before = len(spotify.calls)
    with pytest.raises(errors.SpotifyUnreachable, match=said):
        client.fetch_recently_played()
    assert client.calls == len(spotify.calls)
    assert len(spotify.calls) - before == bool(failed)


def test_a_token_response_that_breaks_off_is_asked_for_again(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(spotify, data, monkeypatch)
    spotify.answers = [Answer(TOKEN, 200, LONG, cut=-1)]
    assert client.fetch_recently_played()
    assert spotify.calls.count(f"POST {TOKEN}") == 2


def test_a_redirect_takes_no_token_elsewhere(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleSpotify() as elsewhere:
        for path, status in ((TOKEN, 307), (RECENT, 302)):
            spotify.answers = [Answer(path, status, b"", {"Location": f"{elsewhere.url}{path}"})]
            with pytest.raises(errors.UnexpectedAnswer, match=f"status {status}"):
                client_of(spotify, data, monkeypatch).fetch_recently_played()
        assert elsewhere.calls == []


def test_a_metabase_that_breaks_off_is_told_as_that() -> None:
    with SampleMetabase() as sample:
        sample.answers = [Answer("/api/user/current", 200, LONG, cut=-1)]
        with pytest.raises(MetabaseUnreachable, match="was cut off"):
            Metabase(sample.origin, 5).get("/api/user/current")


def test_the_session_of_every_client_has_the_deadline(spotify: SampleSpotify, data: Path) -> None:
    """A client without it would hold its lock as long as a server likes."""
    import ast

    for path in sorted(Path("pipeline").rglob("*.py")):
        if "demo" in path.parts:
            continue
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            assert called not in {"requests.get", "requests.post", "requests.request", "urlopen"}, path
            if called in {"requests.Session", "OAuth2Session"}:
                assert "bound_session(" in source, path
    assert issubclass(requests.exceptions.ReadTimeout, requests.exceptions.Timeout)

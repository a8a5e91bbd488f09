"""What carries a secret goes to the named host only: no redirect, no netrc, no proxy, no plain http elsewhere."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline import config
from pipeline.alerts.slack import NotTaken, post
from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.spotify import SampleSpotify
from pipeline.exchange import bound_session
from pipeline.extract.consent import fetch_tokens, fetch_user_ids, make_link, open_session
from pipeline.extract.errors import SpotifyError
from pipeline.extract.musicbrainz import MusicBrainz, MusicBrainzUnexpected
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import Tokens, write_tokens
from pipeline.scheduler.remote import _Fetcher
from pipeline.visualize.metabase.access import reach
from pipeline.visualize.metabase.client import Metabase
from pipeline.visualize.metabase.errors import MetabaseError
from tests.conftest import Pipeline

SECRET = "aB3-secret-of-a-test"


class Recorder(LoopbackServer):
    """Answers every call with `status`; keeps what it is sent."""

    def __init__(self, status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.reply = Answer("", status, body, headers or {})
        self.authorizations: list[str] = []
        self.bodies: list[bytes] = []

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        self.authorizations.append(headers.get("Authorization", ""))
        self.bodies.append(body)
        return self.reply


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """The server that the environment's proxies name; netrc has a login for every host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Recorder() as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, server.origin)
            monkeypatch.setenv(name.upper(), server.origin)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NO_PROXY", "")
        yield server


def spotify_get(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(url, data, monkeypatch, access_token=SECRET).get("/me/player/recently-played")


def spotify_refresh(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(url, data, monkeypatch).get("/me/player/recently-played")


def client(url: str, data: Path, monkeypatch: pytest.MonkeyPatch, access_token: str = "") -> SpotifyClient:
    spotify_settings(url, monkeypatch)
    now = datetime.datetime.now(datetime.UTC)
    ends = (now + datetime.timedelta(hours=1)).isoformat() if access_token else ""
    write_tokens(
        data, Tokens("me", SECRET, now.isoformat(), access_token, ends, pkce=True, account_id="the listener's id")
    )
    return SpotifyClient(config.spotify(), data, "me")


def spotify_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_API_URL", url)
    monkeypatch.setenv("SPOTIFY_ACCOUNTS_URL", url)
    monkeypatch.setenv("SPOTIFY_CLIENT_ID", "an application")


def consent_code(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spotify_settings(url, monkeypatch)
    session = open_session(config.spotify(), "http://127.0.0.1:8888/callback", "me")
    _, state = make_link(session, config.spotify())
    fetch_tokens(session, config.spotify(), f"http://127.0.0.1:8888/callback?code={SECRET}&state={state}")


def consent_person(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spotify_settings(url, monkeypatch)
    fetch_user_ids(config.spotify(), {"access_token": SECRET, "refresh_token": SECRET})


def musicbrainz(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MusicBrainz(url, "", 0, 5).search_artist("Velvet Harbour")


def metabase(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Metabase(url, 5, api_key=SECRET).post("/api/session", {"password": SECRET})


def library_session(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the sessions of dbt-metabase and Luigi, which pass no options of ours."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {SECRET}"
        bound_session(session)
        session.post(url, data=SECRET, timeout=5).raise_for_status()


def luigid(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _Fetcher().fetch(f"{url}/api/ping", {"data": SECRET}, 5)  # type: ignore[no-untyped-call]


def slack_webhook(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{url}/services/{SECRET}")
    post("a message")


def slack_bot(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BOT_TOKEN", SECRET), ("API_URL", f"{url}/api/"), ("CHANNEL", "#music")):
        monkeypatch.setenv(f"SLACK_{name}", value)
    post("a message", b"a picture")


def shell(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function `post` of cron/run.sh, with a ~/.curlrc that follows redirects."""
    (data.parent / ".curlrc").write_text(f"location\nnetrc\nproxy = {requests.compat.getproxies()['http']}\n")
    lines = (config.PROJECT / "cron/run.sh").read_text().splitlines()
    functions = [
        "\n".join(lines[start : start + lines[start:].index("}") + 1])
        for start, line in enumerate(lines)
        if line in ("setting() {", "post() {")
    ]
    script = "\n".join(['note() { echo "$1"; }', *functions, "post 'a message'"])
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(data.parent), "SLACK_BOT_TOKEN": SECRET}
    environment["SLACK_API_URL"] = f"{url}/api/"
    done = subprocess.run(["sh", "-c", script], env=environment, cwd=data, capture_output=True, text=True)
    if done.returncode:
        raise NotTaken(done.stdout)


Send = Callable[[str, Path, pytest.MonkeyPatch], None]
SENDERS: list[Send] = [
    spotify_get,
    spotify_refresh,
    consent_code,
    consent_person,
    musicbrainz,
    metabase,
    library_session,
    luigid,
    slack_webhook,
    slack_bot,
    shell,
]
REFUSALS = (SpotifyError, MetabaseError, MusicBrainzUnexpected, NotTaken, requests.RequestException)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("send", SENDERS)
def test_no_client_follows_a_redirect(
    send: Send, status: int, data: Path, elsewhere: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recorder() as target, Recorder(status, b"", {"Location": f"{target.origin}/stolen"}) as server:
        try:
            send(server.origin, data, monkeypatch)
        except REFUSALS as error:
            assert SECRET not in str(error)
        assert server.calls
        assert target.calls == []
        assert elsewhere.calls == []


@pytest.mark.parametrize("send", SENDERS)
def test_neither_netrc_nor_a_proxy_changes_a_request(
    send: Send, data: Path, elsewhere: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recorder(404) as server:
        try:
            send(server.origin, data, monkeypatch)
        except REFUSALS as error:
            assert SECRET not in str(error)
        assert server.calls
        assert not [each for each in server.authorizations if each.startswith("Basic")]
        assert elsewhere.calls == []


# A setting, and its section's name in the message.
ADDRESSES = ["SPOTIFY_API_URL", "SPOTIFY_ACCOUNTS_URL", "METABASE_URL", "SLACK_WEBHOOK_URL", "SLACK_API_URL"]
FOREIGN = "music.invalid"


@pytest.mark.parametrize(
    "address", [f"http://{FOREIGN}/{SECRET}", f"http://u:{SECRET}@{FOREIGN}", SECRET, "ftp://files.invalid"]
)
@pytest.mark.parametrize("setting", ADDRESSES)
def test_an_address_that_others_can_listen_to_is_refused(
    setting: str, address: str, data: Path, monkeypatch: pytest.MonkeyPatch, spotify: SampleSpotify
) -> None:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(setting, address)
    if setting == "SLACK_API_URL":
        monkeypatch.setenv("SLACK_BOT_TOKEN", SECRET)
    actions: dict[str, Callable[[], object]] = {
        "SPOTIFY": lambda: SpotifyClient(config.spotify(), data, "me"),
        "METABASE": reach,
        "SLACK": lambda: post("a message"),
    }
    with pytest.raises((config.SettingError, NotTaken), match=setting) as caught:
        actions[setting.partition("_")[0]]()
    assert SECRET not in str(caught.value)
    assert "https://" in str(caught.value)
    if setting.startswith("SPOTIFY"):
        with pytest.raises(config.SettingError, match=setting):
            open_session(config.spotify(), "http://127.0.0.1:8888/callback", "me")
    assert spotify.calls == []


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://music.invalid/x", True),
        ("http://localhost:3000", True),
        ("http://127.8.9.10:3000", True),
        ("http://[::1]:3000", True),
        ("http://metabase:3000", True),
        ("http://other:3000", False),
        ("http://localhost.invalid:3000", False),
        ("http://127.0.0.1.invalid:3000", False),
        ("http://localhost@music.invalid", False),
        ("http://[::1", False),
        ("https://music.invalid:x", False),
    ],
)
def test_which_addresses_are_private(url: str, is_allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIN_HTTP_HOSTS", "metabase, host.docker.internal")
    if is_allowed:
        assert config.check_address(url, "METABASE_URL") == url
    else:
        with pytest.raises(config.SettingError, match="METABASE_URL"):
            config.check_address(url, "METABASE_URL")


def test_a_slot_names_the_setting(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    process = pipeline.slot("2026-11-22T1400", task="ExtractRecent", SPOTIFY_API_URL=f"http://{FOREIGN}/v1")
    assert process.returncode == 30
    assert f"[spotify] api_url (SPOTIFY_API_URL) begins with http://{FOREIGN}:" in process.stderr
    assert spotify.calls == []


def test_the_wrapper_sends_nothing_over_http(data: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Recorder) -> None:
    assert shutil.which("curl")
    with pytest.raises(NotTaken, match="does not begin with https://") as caught:
        shell(f"http://{FOREIGN}", data, monkeypatch)
    assert SECRET not in str(caught.value)
    assert elsewhere.calls == []

"""The client against a server that speaks Spotify's contract, errors included."""

from __future__ import annotations

import datetime
import email.utils
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract import errors
from pipeline.extract.answers import utc_now
from pipeline.extract.errors import TokenStoreError
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import token_path

POLL = "GET /v1/me/player/recently-played?limit=50"
REFRESH = "POST /api/token"
ME = "GET /v1/me"  # whose token it is, asked once
RECENT = "/v1/me/player"


@pytest.fixture
def client(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch) -> SpotifyClient:
    return make_client(spotify, data, monkeypatch)


def make_client(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch) -> SpotifyClient:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    return SpotifyClient(config.spotify(), data, "me")


def stored(data: Path) -> Any:
    return json.loads(token_path(data, "me").read_text())


def test_a_poll_refreshes_the_token_once_and_keeps_it(
    spotify: SampleSpotify, client: SpotifyClient, data: Path
) -> None:
    assert json.loads(client.fetch_recently_played())["items"] == []
    client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, POLL]
    assert stat.S_IMODE(token_path(data, "me").stat().st_mode) == 0o600
    assert stored(data)["refresh_token"] == spotify.refresh_token


def test_the_next_run_uses_the_stored_token(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_client(spotify, data, monkeypatch).fetch_recently_played()
    make_client(spotify, data, monkeypatch).fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, POLL]


def test_without_a_client_secret_the_refresh_is_that_of_pkce(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SampleSpotify(client_secret=None) as spotify:
        make_client(spotify, data, monkeypatch).fetch_recently_played()
        assert spotify.calls == [REFRESH, ME, POLL]


def test_a_rotated_refresh_token_is_saved_before_the_access_token_is_used(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleSpotify(rotate=True) as spotify:
        client = make_client(spotify, data, monkeypatch)
        first = spotify.refresh_token
        spotify.answers = [error(RECENT, 403, "Forbidden")]
        with pytest.raises(errors.Forbidden):
            client.fetch_recently_played()
        assert stored(data)["refresh_token"] == spotify.refresh_token != first


def test_an_access_token_near_its_end_is_replaced_before_it_is_used(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleSpotify(token_seconds=30) as spotify:
        client = make_client(spotify, data, monkeypatch)
        client.fetch_recently_played()
        client.fetch_recently_played()
        assert spotify.calls == [REFRESH, ME, POLL, REFRESH, POLL]


def test_a_refused_access_token_is_refreshed_once_and_the_call_repeated(
    spotify: SampleSpotify, client: SpotifyClient
) -> None:
    client.fetch_recently_played()
    spotify.accounts.access_tokens.clear()
    client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, POLL, REFRESH, POLL]


def test_a_second_refusal_is_an_error(spotify: SampleSpotify, client: SpotifyClient) -> None:
    spotify.answers = [error(RECENT, 401, "The access token expired")] * 2
    with pytest.raises(errors.UnexpectedAnswer, match="clock"):
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, REFRESH, POLL]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_passes_is_not_noticed(spotify: SampleSpotify, client: SpotifyClient, status: int) -> None:
    spotify.answers = [Answer(RECENT, status, b"<html>busy</html>")] * 2
    assert client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, POLL, POLL]


def test_a_server_error_that_stays_is_an_error_after_three_retries(
    spotify: SampleSpotify, client: SpotifyClient
) -> None:
    spotify.answers = [Answer(RECENT, 502, b"<html>Bad Gateway</html>")] * 9
    with pytest.raises(errors.SpotifyUnreachable, match="status 502 even after 3 retries"):
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, *[POLL] * 4]


@pytest.mark.parametrize(
    "wait", ["0", "1", email.utils.format_datetime(utc_now(), usegmt=True)], ids=["0", "1", "a moment"]
)
def test_a_short_wait_is_waited_for(spotify: SampleSpotify, client: SpotifyClient, wait: str) -> None:
    spotify.answers = [error(RECENT, 429, "API rate limit exceeded", {"Retry-After": wait})]
    assert client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL, POLL]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(RECENT, 429, "API rate limit exceeded", {"Retry-After": "46800"}), "rate limit is used up until"),
        (error(RECENT, 429, "Quota", {"Retry-After": "5"}, reason="QUOTA_EXCEEDED"), "quota is used up until"),
        (Answer(RECENT, 429, b"Too many requests", {"Retry-After": "46800"}), "rate limit is used up until"),
    ],
)
def test_a_long_wait_or_a_used_up_quota_is_an_error_at_once(
    spotify: SampleSpotify, client: SpotifyClient, answer: Answer, words: str
) -> None:
    spotify.answers = [answer]
    with pytest.raises(errors.RateLimited, match=words) as caught:
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL]
    assert caught.value.retry_at > utc_now() + datetime.timedelta(seconds=2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(RECENT, 403, "Insufficient client scope"), "The consent does not include this"),
        (error(RECENT, 403, "User not registered in the Developer Dashboard"), "not on the application's allow-list"),
        (error(RECENT, 403, "Forbidden"), "Premium; this user is on the application's allow-list"),
        (
            Answer(
                RECENT,
                403,
                b"Active premium subscription required for the owner of the app.",
                {"Content-Type": "text/plain"},
            ),
            "The owner of the application needs Spotify Premium",
        ),
    ],
)
def test_a_403_says_what_to_check_and_is_not_retried(
    spotify: SampleSpotify, client: SpotifyClient, answer: Answer, words: str
) -> None:
    spotify.answers = [answer]
    with pytest.raises(errors.Forbidden, match=words):
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH, ME, POLL]


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            400,
            b'{"error": "invalid_grant", "error_description": "Refresh token expired"}',
            errors.ConsentEnded,
            "expired",
        ),
        (
            400,
            b'{"error": "invalid_grant", "error_description": "Refresh token revoked"}',
            errors.ConsentEnded,
            "six months",
        ),
        (400, b'{"error": "invalid_client"}', errors.ClientRejected, "SPOTIFY_CLIENT_ID"),
        (401, b"", errors.ClientRejected, "SPOTIFY_CLIENT_ID"),
        (200, b"<html>maintenance</html>", errors.UnexpectedAnswer, "no access token"),
        (200, b'{"token_type": "Bearer"}', errors.UnexpectedAnswer, "no access token"),
        (418, b"[]", errors.UnexpectedAnswer, "status 418"),
    ],
)
def test_a_refused_refresh_says_why_and_is_not_retried(
    spotify: SampleSpotify, client: SpotifyClient, status: int, body: bytes, kind: type[Exception], words: str
) -> None:
    spotify.answers = [Answer("/api/token", status, body)]
    with pytest.raises(kind, match=words) as caught:
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH]
    assert spotify.refresh_token not in str(caught.value)


def test_nobody_listening_is_unreachable_and_names_no_secret(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SampleSpotify() as spotify:
        client = make_client(spotify, data, monkeypatch)
    with pytest.raises(errors.SpotifyUnreachable, match="Check the network") as caught:
        client.fetch_recently_played()
    assert caught.value.__cause__ is None
    assert spotify.refresh_token not in str(caught.value)


def test_a_server_that_hangs_is_given_up(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SPOTIFY_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        for name, value in spotify.environment().items():
            if name != "SPOTIFY_API_URL":
                monkeypatch.setenv(name, value)
        with pytest.raises(errors.SpotifyUnreachable, match="no answer"):
            SpotifyClient(config.spotify(timeout=0.1), data, "me").fetch_recently_played()


def test_without_a_token_the_message_says_what_to_set(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_ID", "id")
    with pytest.raises(errors.NotAuthorized, match="python -m pipeline authorize --account me"):
        SpotifyClient(config.spotify(), data, "me").fetch_recently_played()


def test_without_a_client_id_the_message_says_what_to_set(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_REFRESH_TOKEN", "a refresh token")
    with pytest.raises(errors.ClientRejected, match="SPOTIFY_CLIENT_ID is not set"):
        SpotifyClient(config.spotify(), data, "me").fetch_recently_played()


@pytest.mark.parametrize("spoil", [lambda text: text[:-9], lambda text: "", lambda text: "[]", lambda text: '{"a": 1}'])
def test_a_damaged_token_file_is_set_aside_and_the_token_of_the_settings_takes_its_place(
    spotify: SampleSpotify,
    client: SpotifyClient,
    data: Path,
    spoil: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.fetch_recently_played()
    path = token_path(data, "me")
    path.write_text(spoil(path.read_text()))
    make_client(spotify, data, monkeypatch).fetch_recently_played()
    assert path.with_name(f"{path.name}.damaged").exists()
    assert "tokens/account=me.json is damaged" in caplog.text
    assert not any(secret in caplog.text for secret in SampleAccounts.issued)


def test_a_token_file_that_others_can_read_is_refused_with_the_fix(
    spotify: SampleSpotify, client: SpotifyClient, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.fetch_recently_played()
    token_path(data, "me").chmod(0o644)
    with pytest.raises(TokenStoreError, match="chmod 600"):
        make_client(spotify, data, monkeypatch).fetch_recently_played()


def test_the_token_endpoint_is_given_the_same_patience(spotify: SampleSpotify, client: SpotifyClient) -> None:
    spotify.answers = [Answer("/api/token", 429, b"{}", {"Retry-After": "0"})]
    assert client.fetch_recently_played()
    assert spotify.calls == [REFRESH, REFRESH, ME, POLL]


def test_a_token_endpoint_that_stays_down_is_unreachable(spotify: SampleSpotify, client: SpotifyClient) -> None:
    spotify.answers = [Answer("/api/token", 503, b"busy")] * 9
    with pytest.raises(errors.SpotifyUnreachable, match="status 503 even after 3 retries"):
        client.fetch_recently_played()
    assert spotify.calls == [REFRESH] * 4

"""Token responses that are wrong, and disks that fill up while one arrives: the consent outlives both."""

from __future__ import annotations

import datetime
import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract import errors
from pipeline.extract.answers import utc_now
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import Tokens, load_tokens, token_path
from tests.conftest import Pipeline, succeeded
from tests.samples import evening, page
from tests.test_authorize import Start, start  # noqa: F401 (a fixture)

TOKEN = "/api/token"
REFRESH = f"POST {TOKEN}"
FIRST, SECOND = "2026-11-22T1400", "2026-11-22T1430"


def client_of(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch) -> SpotifyClient:
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    return SpotifyClient(config.spotify(), data, "me")


def stored(data: Path) -> Tokens:
    tokens = load_tokens(data, "me")
    assert tokens
    return tokens


def answered(**token: Any) -> Answer:
    return Answer(TOKEN, 200, json.dumps({"token_type": "Bearer", "expires_in": 3600, **token}).encode())


# What is wrong with a token, and what the message says of it. Each begins with the secret that must not be shown.
SECRET = "5ecret"
WRONG_TOKENS: list[tuple[Any, str]] = [
    (52_617_394, "of the JSON type number"),
    (5.5e300, "of the JSON type number"),
    (True, "of the JSON type boolean"),
    ([SECRET], "of the JSON type array"),
    ({SECRET: SECRET}, "of the JSON type object"),
    (f"{SECRET}\nnext", "a line break"),
    (f"{SECRET}\r\nX-Header: 1", "a line break"),
    (f"{SECRET} more", "a space"),
    (f"{SECRET}\x00", "another invalid character"),
    (f"{SECRET}é", "another invalid character"),
    (f"{SECRET}\ud800", "another invalid character"),
    (SECRET * 2000, "has 12000 characters"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_TOKENS)
def test_a_wrong_refresh_token_leaves_the_stored_one(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any, words: str
) -> None:
    client_of(spotify, data, monkeypatch).fetch_recently_played()
    before = stored(data)
    spotify.accounts.access_tokens.clear()
    person_and_end = (spotify.me, spotify.now + datetime.timedelta(hours=1))
    spotify.accounts.access_tokens["good"] = person_and_end
    spotify.answers = [answered(access_token="good", refresh_token=wrong)]
    with pytest.raises(errors.UnexpectedAnswer, match=f"refresh_token .*{words}.*is kept") as caught:
        client_of(spotify, data, monkeypatch).fetch_recently_played()
    assert SECRET not in str(caught.value)
    assert str(wrong) not in str(caught.value)
    assert stored(data).refresh_token == before.refresh_token
    calls = spotify.calls.count(REFRESH)
    client_of(spotify, data, monkeypatch).fetch_recently_played()
    assert spotify.calls.count(REFRESH) == calls, "the access token was good: the next slot polls with it"


@pytest.mark.parametrize(("wrong", "words"), [*WRONG_TOKENS, ("", "empty"), (None, "no access token")])
def test_a_wrong_access_token_does_not_cost_the_new_refresh_token(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any, words: str
) -> None:
    client_of(spotify, data, monkeypatch).fetch_recently_played()
    spotify.accounts.access_tokens.clear()
    ((old, consent),) = spotify.accounts.refresh_tokens.items()
    spotify.accounts.refresh_tokens = {"renewed": consent}
    spotify.answers = [answered(access_token=wrong, refresh_token="renewed")]
    with pytest.raises(errors.UnexpectedAnswer, match=words) as caught:
        client_of(spotify, data, monkeypatch).fetch_recently_played()
    assert SECRET not in str(caught.value)
    assert stored(data).refresh_token == "renewed" != old
    client_of(spotify, data, monkeypatch).fetch_recently_played()
    assert stored(data).access_token in spotify.accounts.access_tokens


@pytest.mark.parametrize(("wrong", "words"), WRONG_TOKENS)
def test_a_response_without_a_usable_token_changes_nothing(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any, words: str
) -> None:
    client_of(spotify, data, monkeypatch).fetch_recently_played()
    before = token_path(data, "me").read_bytes()
    spotify.accounts.access_tokens.clear()
    spotify.answers = [answered(access_token=wrong)]
    with pytest.raises(errors.UnexpectedAnswer, match=words):
        client_of(spotify, data, monkeypatch).fetch_recently_played()
    assert token_path(data, "me").read_bytes() == before
    assert [path.name for path in token_path(data, "me").parent.iterdir()] == ["account=me.json"]


class WithLifetime(SampleSpotify):
    """Rotates, and answers with an `expires_in` of its own."""

    def __init__(self, expires_in: str) -> None:
        super().__init__(rotate=True)
        self.expires_in = expires_in

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        answer = super().respond(method, target, headers, body)
        if target == TOKEN and answer.status == 200:
            return Answer("", 200, answer.body.replace(b": 3600", f": {self.expires_in}".encode()))
        return answer


@pytest.mark.parametrize(
    ("expires_in", "words"),
    [
        ("1e13", "out of range"),
        ("-1", "out of range"),
        ("0", "out of range"),
        ("1e999", "out of range"),
        ("NaN", "out of range"),
        ("true", "of the JSON type boolean"),
        ('"3600"', "of the JSON type string"),
        ("[]", "of the JSON type array"),
        ('{"s": 1}', "of the JSON type object"),
    ],
)
def test_a_wrong_lifetime_costs_neither_the_consent_nor_the_poll(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, expires_in: str, words: str
) -> None:
    with WithLifetime(expires_in) as spotify:
        with caplog.at_level(logging.WARNING, logger="luigi-interface"):
            assert client_of(spotify, data, monkeypatch).fetch_recently_played()
        assert stored(data).refresh_token == spotify.refresh_token != spotify.first_token
        assert words in caplog.text
        left = datetime.datetime.fromisoformat(stored(data).expires_at) - utc_now()
        assert datetime.timedelta(minutes=50) < left <= datetime.timedelta(hours=1)


@pytest.mark.parametrize("given", ["", None])
def test_no_new_refresh_token_keeps_the_old_one(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    client = client_of(spotify, data, monkeypatch)
    spotify.accounts.access_tokens["good"] = (spotify.me, spotify.now + datetime.timedelta(hours=1))
    spotify.answers = [answered(access_token="good", refresh_token=given)]
    assert client.fetch_recently_played()
    assert stored(data).refresh_token == spotify.first_token


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
@pytest.mark.parametrize("wrong", [7, "line\nbreak", "", "x" * 5000])
def test_a_wrong_token_of_a_new_consent_is_not_stored(
    spotify: SampleSpotify,
    data: Path,
    start: Start,  # noqa: F811
    name: str,
    wrong: Any,
) -> None:
    spotify.answers = [answered(**{"access_token": "a", "refresh_token": "r", name: wrong})]
    command = start(spotify)
    command.agree()
    assert "status 200 and no tokens" in command.ends(1).stderr
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("given", [{"expires_in": 1e13}, {"expires_in": -5}])
def test_a_lifetime_out_of_range_does_not_cost_a_new_consent(
    spotify: SampleSpotify,
    data: Path,
    start: Start,  # noqa: F811
    given: dict[str, Any],
) -> None:
    spotify.accounts.access_tokens["good"] = (spotify.me, spotify.now + datetime.timedelta(hours=1))
    spotify.answers = [answered(access_token="good", refresh_token="renewed", **given)]
    command = start(spotify)
    command.agree()
    command.ends(0)
    assert stored(data).refresh_token == "renewed"


def test_words_of_spotify_that_quote_the_token_are_cleared(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(spotify, data, monkeypatch)
    words = f"bad token {spotify.first_token}\nand more"
    body = json.dumps({"error": "invalid_grant", "error_description": words}).encode()
    spotify.answers = [Answer(TOKEN, 400, body)]
    with pytest.raises(errors.ConsentEnded, match=r"bad token \*\*\* and more"):
        client.fetch_recently_played()
    assert spotify.first_token not in stored(data).ended


class Losing(SampleSpotify):
    """Rotates the refresh token, and breaks its response off."""

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        answer = super().respond(method, target, headers, body)
        if target == TOKEN and answer.status == 200:
            return Answer("", 200, answer.body, cut=-5)
        return answer


def test_a_consent_that_a_lost_response_has_ended_is_told_as_that(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Losing(rotate=True) as spotify:
        client = client_of(spotify, data, monkeypatch)
        with pytest.raises(
            errors.ConsentEnded, match=r"revoked; the response to the request before was lost"
        ) as caught:
            client.fetch_recently_played()
        assert "authorize --account me" in str(caught.value)
        assert spotify.calls == [f"POST {TOKEN}"] * 2


class Filling(SampleSpotify):
    """Rotates the refresh token; while a token request is answered, somebody else fills the disk."""

    def __init__(self, disk: Path) -> None:
        super().__init__(rotate=True)
        self.disk = disk
        self.fills = False

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        if target == TOKEN and self.fills:
            fill(self.disk)
        return super().respond(method, target, headers, body)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        for size in (65_536, 4096, 1):
            while True:
                try:
                    ballast.write(b"x" * size)
                except OSError:
                    break


@pytest.fixture
def small_disk(data: Path) -> Iterator[Path]:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", data], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield data
    subprocess.run(["umount", "-l", data], check=True)


def test_a_disk_that_fills_up_during_the_request_does_not_cost_the_consent(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Filling(small_disk) as spotify:
        client_of(spotify, small_disk, monkeypatch).fetch_recently_played()
        for _ in range(3):
            spotify.accounts.access_tokens.clear()
            spotify.fills = True
            client_of(spotify, small_disk, monkeypatch).fetch_recently_played()
            assert stored(small_disk).refresh_token == spotify.refresh_token
            (small_disk / "ballast").unlink()


def test_on_a_full_disk_spotify_is_not_asked_for_tokens(small_disk: Path) -> None:
    with SampleSpotify(rotate=True) as spotify:
        spotify.page = page(*evening(2))
        pipeline = Pipeline(small_disk, {**spotify.environment(), "DATA_DIR": str(small_disk)})
        succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
        before = token_path(small_disk, "me").read_bytes()
        spotify.accounts.access_tokens.clear()
        calls = spotify.calls.count(REFRESH)
        fill(small_disk)
        process = pipeline.slot(SECOND, task="ExtractRecent")
        assert process.returncode == 30
        assert "Spotify was not asked for them, so that the consent stays valid" in process.stderr
        assert f"No space left on device: '{token_path(small_disk, 'me')}'" in process.stderr
        assert spotify.calls.count(REFRESH) == calls
        assert token_path(small_disk, "me").read_bytes() == before
        (small_disk / "ballast").unlink()
        succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
        assert stored(small_disk).refresh_token == spotify.refresh_token


def test_a_consent_that_ends_on_a_disk_that_fills_up_is_remembered(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Filling(small_disk) as spotify:
        client_of(spotify, small_disk, monkeypatch).fetch_recently_played()
        spotify.accounts.access_tokens.clear()
        spotify.accounts.revoke(spotify.me)
        spotify.fills = True
        with pytest.raises(errors.ConsentEnded):
            client_of(spotify, small_disk, monkeypatch).fetch_recently_played()
        assert stored(small_disk).ended == "Refresh token revoked"


def test_on_a_full_disk_the_code_of_a_consent_is_not_used_up(
    spotify: SampleSpotify,
    small_disk: Path,
    start: Start,  # noqa: F811
) -> None:
    command = start(spotify)
    assert command.link
    fill(small_disk)
    command.agree()
    assert "No space left on device" in command.ends(1).stderr
    assert REFRESH not in spotify.calls
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]

"""More than five accounts: each can have an application of its own, and a developer's quota is that of all of them."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline import config
from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.doctor.finding import FAILED, WARNING
from pipeline.doctor.spotify import application
from pipeline.extract.errors import AuthorizationError, RateLimited
from pipeline.extract.pause import current_pause
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import load_tokens
from tests.conftest import BIN, Pipeline
from tests.samples import evening, page

SECOND, SECOND_SECRET = "second-client", "second-client's-secret"
NAMES = ("ann", "ben", "cat", "dan", "eve", "fay")


class TwoApplications(SampleSpotify):
    """A sample Spotify that knows a second application, with users of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.second = SampleAccounts(SECOND, SECOND_SECRET, rotate=True, token_seconds=3600)
        self.second.access_tokens = self.accounts.access_tokens
        self.clients: list[str] = []

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        if target != "/api/token":
            return super().respond(method, target, headers, body)
        basic = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        client = basic.partition(":")[0] or parse_qs(body.decode())["client_id"][0]
        self.clients.append(client)
        return (
            self.second.token(headers, body, self.now)
            if client == SECOND
            else super().respond(method, target, headers, body)
        )


@pytest.fixture
def two() -> Iterator[TwoApplications]:
    with TwoApplications() as server:
        yield server


@pytest.fixture
def household(two: TwoApplications, data: Path, monkeypatch: pytest.MonkeyPatch) -> TwoApplications:
    """Six accounts: five of the first application, fay of the second."""
    settings = {**two.environment(), "DATA_DIR": str(data), "SPOTIFY_ACCOUNTS": " ".join(NAMES)}
    settings["SPOTIFY_REFRESH_TOKEN"] = ""
    for name in NAMES:
        person = Person(f"{name}'s id", page=page(*evening(2)))
        accounts = two.second if name == "fay" else two.accounts
        settings[f"SPOTIFY_REFRESH_TOKEN_{name.upper()}"] = accounts.consent(person, two.now)
    settings["SPOTIFY_CLIENT_ID_FAY"], settings["SPOTIFY_CLIENT_SECRET_FAY"] = SECOND, SECOND_SECRET
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return two


def client(data: Path, account: str) -> SpotifyClient:
    return SpotifyClient(config.spotify(), data, account)


def test_each_account_polls_with_its_application_which_is_stored(household: TwoApplications, data: Path) -> None:
    for name in NAMES:
        assert json.loads(client(data, name).fetch_recently_played())["items"]
    assert household.clients == ["sample-client"] * 5 + [SECOND]
    stored = {name: tokens.client_id for name in NAMES if (tokens := load_tokens(data, name))}
    assert stored == {**dict.fromkeys(NAMES, "sample-client"), "fay": SECOND}


def test_a_token_of_another_application_needs_a_new_consent(
    household: TwoApplications, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ann", "fay"):
        client(data, name).fetch_recently_played()
    calls = len(household.calls)
    monkeypatch.setenv("SPOTIFY_CLIENT_ID_FAY", "")
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET_FAY", "")
    with pytest.raises(AuthorizationError, match="given to the application second…, and SPOTIFY_CLIENT_ID is sample…"):
        client(data, "fay").fetch_recently_played()
    monkeypatch.setenv("SPOTIFY_CLIENT_ID_ANN", SECOND)
    with pytest.raises(AuthorizationError, match=r"SPOTIFY_CLIENT_ID_ANN, or give .* authorize --account ann"):
        client(data, "ann").fetch_recently_played()
    assert len(household.calls) == calls, "nothing is sent to Spotify"
    # A new token in the settings, of the application that is set now, takes its place.
    person = Person("ann's id", page=page(*evening(2)))
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET_ANN", SECOND_SECRET)
    monkeypatch.setenv("SPOTIFY_REFRESH_TOKEN_ANN", household.second.consent(person, household.now))
    assert json.loads(client(data, "ann").fetch_recently_played())["items"]


def test_the_plain_secret_never_goes_with_an_own_client_id(
    household: TwoApplications, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET_FAY", "")
    assert config.spotify().application("fay").client_secret is None
    assert config.spotify().application("ann").client_secret == "sample-secret"
    assert "sample-secret" not in repr(config.spotify().application("ann"))


@pytest.mark.parametrize(
    ("developers", "paused"), [("", set(NAMES)), ("fay=second", set(NAMES) - {"fay"}), ("ann=x, ben=x", {"ann", "ben"})]
)
def test_a_used_up_quota_pauses_every_account_of_the_developer(
    developers: str, paused: set[str], household: TwoApplications, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_DEVELOPERS", developers)
    recent = "/v1/me/player"
    household.answers = [error(recent, 429, "over", {"Retry-After": "7200"}, reason="QUOTA_EXCEEDED")]
    with pytest.raises(RateLimited):
        client(data, "ann").fetch_recently_played()
    now = datetime.datetime.now(datetime.UTC)
    pauses = {name: pause for name in NAMES if (pause := current_pause(data, name, now))}
    assert set(pauses) == paused
    assert [name for name, pause in pauses.items() if not pause.told] == ["ann"], "one incident for one cause"
    for name in set(NAMES) - paused:
        assert client(data, name).fetch_recently_played()
    # A rate limit is the application's, and ends sooner: no other account waits for it.
    household.answers = [error(recent, 429, "slow down", {"Retry-After": "7200"})]
    for name in sorted(set(NAMES) - paused)[:1]:
        with pytest.raises(RateLimited):
            client(data, name).fetch_recently_played()
        assert {each for each in NAMES if current_pause(data, each, now)} == paused | {name}


@pytest.mark.parametrize("developers", ["fay", "fay=", "nobody=x", "Fay=x"])
def test_a_wrong_list_of_developers_is_an_error(
    developers: str, household: TwoApplications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_DEVELOPERS", developers)
    with pytest.raises(config.SettingError):
        config.spotify().sharing_quota("ann")


def test_doctor_counts_the_accounts_of_each_application(
    household: TwoApplications, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [*application()]
    assert [finding.what.partition(",")[0] for finding in found] == [
        "application sample… for ann",
        "application second… for fay",
    ]
    monkeypatch.setenv("SPOTIFY_CLIENT_ID_FAY", "")
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET_FAY", "")
    (warning, _) = application()
    assert (warning.level, "has 6 accounts, and Spotify allows 5" in warning.what) == (WARNING, True)
    monkeypatch.setenv("SPOTIFY_CLIENT_ID", "")
    monkeypatch.setenv("SPOTIFY_CLIENT_ID_FAY", SECOND)
    assert next(finding.level for finding in application()) == FAILED


def test_authorize_uses_the_application_of_the_account(pipeline: Pipeline) -> None:
    command = ("-m", "pipeline", "authorize", "--account", "fay", "--paste", "--timeout", "1", "--no-browser")
    shown = pipeline.run(str(BIN / "python"), *command, SPOTIFY_CLIENT_ID_FAY=SECOND).stdout
    assert f"client_id={SECOND}" in shown

"""Whose history an account is, while Spotify returns `id`, `account_id` or both."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract import errors
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import load_tokens, token_path
from tests.test_authorize import Start, authorized, start  # noqa: F401 (a fixture)

LONGER, NAME = "a1b2c3-account", "listener.name"
SHOWN = [("id",), ("account_id",), ("account_id", "id")]


def poll(spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, account: str = "me") -> None:
    """With a new consent, so that whose it is has to be found out."""
    token_path(data, account).unlink(missing_ok=True)
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPOTIFY_ACCOUNTS", "me ann")
    monkeypatch.setenv("SPOTIFY_REFRESH_TOKEN_ANN", spotify.first_token)
    SpotifyClient(config.spotify(), data, account).fetch_recently_played()


def held(data: Path, account: str = "me") -> Any:
    return json.loads((data / "accounts" / f"account={account}.json").read_text())


def keep(data: Path, **ids: str) -> None:
    path = data / "accounts" / "account=me.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"account": "me", **ids}))


@pytest.fixture
def person(spotify: SampleSpotify) -> Person:
    spotify.me.account_id, spotify.me.user_id = LONGER, NAME
    return spotify.me


def ended(data: Path) -> str:
    tokens = load_tokens(data, "me")
    assert tokens
    return tokens.ended


@pytest.mark.parametrize(
    ("before", "now"), [pair for pair in itertools.product(SHOWN, SHOWN) if {*pair[0]} & {*pair[1]}]
)
def test_a_person_stays_the_same_whichever_ids_are_returned(
    spotify: SampleSpotify,
    person: Person,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[str, ...],
    now: tuple[str, ...],
) -> None:
    for person.shown_ids in (before, now, before):
        poll(spotify, data, monkeypatch)
        assert ended(data) == ""
    known = {name: {"account_id": LONGER, "id": NAME}[name] for name in {*before, *now}}
    assert held(data) == {"account": "me", "account_id": NAME, "id": "", **known}


@pytest.mark.parametrize("old", [LONGER, NAME])
def test_a_file_of_an_earlier_version_is_completed(
    spotify: SampleSpotify, person: Person, data: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    keep(data, account_id=old)
    poll(spotify, data, monkeypatch)
    assert held(data) == {"account": "me", "account_id": LONGER, "id": NAME}
    for person.shown_ids in SHOWN:
        poll(spotify, data, monkeypatch)
    assert held(data) == {"account": "me", "account_id": LONGER, "id": NAME}


def test_a_new_consent_completes_the_file_too(
    spotify: SampleSpotify,
    person: Person,
    data: Path,
    start: Start,  # noqa: F811
) -> None:
    person.shown_ids = ("id",)
    authorized(start, spotify)
    person.shown_ids = ("account_id", "id")
    authorized(start, spotify)
    assert held(data) == {"account": "me", "account_id": LONGER, "id": NAME}


@pytest.mark.parametrize(
    "ids", [{"account_id": "other"}, {"account_id": "other", "id": "other.name"}, {"account_id": "other", "id": ""}]
)
def test_another_person_is_still_rejected(
    spotify: SampleSpotify, person: Person, data: Path, monkeypatch: pytest.MonkeyPatch, ids: dict[str, str]
) -> None:
    keep(data, **ids)
    person.shown_ids = ("id",)  # the other is unknown on both sides: that makes nobody the same
    with pytest.raises(errors.WrongPerson, match="another Spotify user"):
        poll(spotify, data, monkeypatch)
    assert held(data) == {"account": "me", **ids}
    assert ended(data) == "another person's consent"


@pytest.mark.parametrize("old", [LONGER, NAME])
def test_one_person_gets_no_second_account_by_another_id(
    spotify: SampleSpotify, person: Person, data: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    keep(data, account_id=old)
    with pytest.raises(errors.WrongPerson, match="already has the account 'me'"):
        poll(spotify, data, monkeypatch, "ann")


@pytest.mark.parametrize(
    "profile", ["{}", "[]", '{"id": 7}', '{"account_id": "", "id": null}', '{"account_id": ["x"]}']
)
def test_a_profile_without_an_id_identifies_nobody(
    spotify: SampleSpotify, data: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    from pipeline.demo.loopback import Answer

    spotify.answers = [Answer("/v1/me", 200, profile.encode())]
    with pytest.raises(errors.UnexpectedAnswer, match="names no account_id"):
        poll(spotify, data, monkeypatch)
    assert not (data / "accounts").exists()

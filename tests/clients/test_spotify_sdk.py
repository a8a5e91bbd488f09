"""@spotify/web-api-ts-sdk, Spotify's own client for JavaScript, run by Node.js: spotify_sdk.mjs makes the calls."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.spotify import SampleSpotify
from tests.clients.conftest import CALLBACK, SCOPE, malformed, milliseconds, window
from tests.npm import install

SCRIPT = Path(__file__).with_name("spotify_sdk.mjs")


@pytest.fixture(scope="module")
def results(spotify: SampleSpotify, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = install(tmp_path_factory.mktemp("npm"))
    shutil.copy(SCRIPT, folder)
    settings = {
        "url": spotify.url,
        "clientId": spotify.accounts.client_id,
        "clientSecret": spotify.accounts.client_secret,
        "redirectUri": CALLBACK,
        "scopes": SCOPE.split(),
        "artist": next(iter(spotify.genres)),
        "cursor": milliseconds(window(spotify)[17]),
    }
    command = ("node", str(folder / SCRIPT.name))
    process = subprocess.run(
        command, input=json.dumps(settings), capture_output=True, text=True, timeout=60, cwd=folder
    )
    assert process.returncode == 0, process.stderr
    yield json.loads(process.stdout)
    assert malformed(spotify) == [
        "GET /v1/me/player/recently-played: 400 Invalid limit",
        "GET /v1/artists: 403 Forbidden",
    ]


def test_consent_exchange_and_refresh(results: Any) -> None:
    consent = results["consent"]
    assert consent["authenticated"] is True
    assert consent["redirect"].startswith(f"{CALLBACK}?code=")
    assert "state" not in consent["redirect"], "Spotify returns a state only if it was given one"
    assert consent["replaced"] == CALLBACK
    token, renewed = consent["accessToken"], consent["renewed"]
    assert (token["token_type"], token["expires_in"], token["scope"].split()) == ("Bearer", 3600, SCOPE.split())
    assert renewed["access_token"] != token["access_token"]


def test_profile(results: Any) -> None:
    profile = results["profile"]
    assert (profile["id"], profile["type"], profile["display_name"]) == ("sample", "user", "The listener sample")
    assert results["profile"]["external_urls"] == {"spotify": "https://open.spotify.com/user/sample"}


def test_recently_played(results: Any, spotify: SampleSpotify) -> None:
    expected = window(spotify)
    first, second = results["pages"]
    assert [first["items"], second["items"]] == [expected[:20], expected[20:]]
    assert (first["limit"], second["limit"]) == (20, 50)
    assert first["next"] == f"{first['href']}&before={milliseconds(expected[19])}"
    assert second["cursors"] == {"after": str(milliseconds(expected[20])), "before": str(milliseconds(expected[49]))}
    assert results["after"]["items"] == expected[:17]
    assert results["all"]["items"] == expected
    assert (results["standard"]["items"], results["standard"]["limit"]) == (expected[:20], 20)


def test_saved_tracks(results: Any, spotify: SampleSpotify) -> None:
    first, rest = results["saved"]
    assert first["items"] + rest["items"] == spotify.me.saved
    assert (first["total"], first["offset"], first["limit"], first["previous"]) == (45, 0, 20, None)
    assert (rest["next"], rest["offset"], rest["limit"]) == (None, 20, 50)


def test_artist(results: Any) -> None:
    assert results["artist"]["genres"] == ["dream pop", "shoegaze"]
    assert results["artist"] == results["applicationArtist"]


def test_failures(results: Any) -> None:
    failures = results["failures"]
    assert "Invalid limit" in failures["limit"]
    assert "Bad OAuth request" in failures["batch"] and "Forbidden" in failures["batch"]
    assert "404" in failures["missing"] and "Resource not found" in failures["missing"]
    for name in ("applicationUser", "stranger"):
        assert (
            failures[name] == "Bad or expired token. This can happen if the user revoked a token or the access"
            " token has expired. You should re-authenticate the user."
        )

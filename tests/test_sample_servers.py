"""A request of our own clients that the real server refuses, or partly ignores, fails the test that sends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from pipeline import config
from pipeline.demo.loopback import MalformedRequests
from pipeline.demo.musicbrainz import SampleMusicBrainz
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.errors import SpotifyError
from pipeline.extract.musicbrainz import MusicBrainz, MusicBrainzError
from pipeline.extract.spotify import SpotifyClient
from pipeline.visualize.metabase.client import Metabase
from pipeline.visualize.metabase.errors import MetabaseError
from tests.metabase import SampleMetabase
from tests.slack import SampleSlack


@pytest.mark.parametrize(
    "path, parameters, fault",
    [
        ("/me/player/recently-played", {"limit": 51}, "400 Invalid limit"),
        ("/me/player/recently-played", {"after": 1, "before": 2}, "400 Only one of the parameters"),
        ("/me/player/recently-played", {"limit": 50, "type": "track"}, "Spotify ignores the parameter type"),
        ("/me/tracks", {"offset": -1}, "400 Invalid offset"),
        ("/artists", {"ids": "a,b"}, "403 Forbidden"),
        ("/me/top/artists", {}, "404 Service not found"),
    ],
)
def test_spotify(
    data: Path, monkeypatch: pytest.MonkeyPatch, path: str, parameters: dict[str, int | str], fault: str
) -> None:
    with pytest.raises(MalformedRequests, match=fault), SampleSpotify() as spotify:
        for name, value in {**spotify.environment(), "DATA_DIR": str(data)}.items():
            monkeypatch.setenv(name, value)
        client = SpotifyClient(config.spotify(), data, "me")
        try:
            client.get(path, **parameters)
        except SpotifyError:
            assert "ignores" not in fault


@pytest.mark.parametrize(
    "form, headers, fault",
    [
        ({"grant_type": "password"}, {}, "grant_type must be"),
        ({"grant_type": "refresh_token"}, {}, "refresh_token is missing"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "audience": "y"}, {}, "ignores the field audience"),
        ({"grant_type": "client_credentials"}, {"Content-Type": "application/json"}, "not application/x-"),
    ],
)
def test_spotify_tokens(form: dict[str, str], headers: dict[str, str], fault: str) -> None:
    with pytest.raises(MalformedRequests, match=fault), SampleSpotify() as spotify:
        assert requests.post(f"{spotify.url}/api/token", data=form, timeout=10, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "change, call, fault",
    [
        ({"User-Agent": "python-requests/2.34"}, lambda client: client.search_artist("A"), "name your application"),
        ({}, lambda client: client._get("/artist", {"query": 'artist:"'}), "the query could not be parsed"),
        ({}, lambda client: client._get("/artist", {"query": "A", "limit": "500"}), "ignores the parameter limit"),
        ({}, lambda client: client._get("/isrc/x", {}), "Invalid isrc"),
        ({}, lambda client: client._get("/label/x", {}), "Not a resource"),
    ],
)
def test_musicbrainz(change: dict[str, str], call: Callable[[MusicBrainz], object], fault: str) -> None:
    with pytest.raises(MalformedRequests, match=fault), SampleMusicBrainz() as server:
        client = MusicBrainz(server.url, "tests@example.org", 0, 10)
        client.session.headers.update(change)
        try:
            call(client)
        except MusicBrainzError:
            assert "ignores" not in fault


@pytest.mark.parametrize(
    "call, fault",
    [
        (lambda client: client.get("/api/database", includes="tables"), "ignores the parameter includes"),
        (lambda client: client.get("/api/cards"), "GET /api/cards: no such endpoint"),
        (lambda client: client.post("/api/collection", {"name": "A", "colour": "red"}), "drops the key .*colour"),
    ],
)
def test_metabase(call: Callable[[Metabase], object], fault: str) -> None:
    with pytest.raises(MalformedRequests, match=fault), SampleMetabase() as server:
        server.add_administrator()
        try:
            call(Metabase(server.origin, 10, api_key=server.add_key()))
        except MetabaseError:
            assert "no such endpoint" in fault


@pytest.mark.parametrize(
    "call, fault",
    [
        (lambda client: client.api_call("chat.postMessage", json={"channel": "C", "text": ""}), "no_text"),
        (lambda client: client.api_call("chat.postMassage", json={"channel": "C"}), "unknown_method"),
        (lambda client: client.api_call("chat.postMessage", json={"text": "A"}), "invalid_arguments"),
        (lambda client: client.chat_postMessage(channel="C", text="A", colour="red"), "ignores the argument colour"),
    ],
)
def test_slack(call: Callable[[WebClient], object], fault: str) -> None:
    with pytest.raises(MalformedRequests, match=fault), SampleSlack() as server:
        try:
            call(WebClient("xoxb-sample", base_url=f"{server.origin}/api/"))
        except SlackApiError:
            assert "ignores" not in fault

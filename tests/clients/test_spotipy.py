"""spotipy, https://spotipy.readthedocs.io: the Web API and all its ways to a token, over requests.

The address of the sample Spotify is set in the attributes `prefix`, OAUTH_AUTHORIZE_URL and OAUTH_TOKEN_URL.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from spotipy import Spotify, SpotifyException  # type: ignore[import-untyped]
from spotipy.cache_handler import MemoryCacheHandler  # type: ignore[import-untyped]
from spotipy.oauth2 import (  # type: ignore[import-untyped]
    SpotifyClientCredentials,
    SpotifyOAuth,
    SpotifyOauthError,
    SpotifyPKCE,
)

from pipeline.demo.spotify import SampleSpotify
from tests.clients.conftest import CALLBACK, SCOPE, malformed, milliseconds, window


def at_sample(manager: Any, spotify: SampleSpotify) -> Any:
    manager.OAUTH_AUTHORIZE_URL = f"{spotify.url}/authorize"
    manager.OAUTH_TOKEN_URL = f"{spotify.url}/api/token"
    return manager


def by_secret(spotify: SampleSpotify, **changes: Any) -> Any:
    options = {"client_id": spotify.accounts.client_id, "client_secret": spotify.accounts.client_secret, **changes}
    manager = SpotifyOAuth(redirect_uri=CALLBACK, scope=SCOPE, cache_handler=MemoryCacheHandler(), **options)
    return at_sample(manager, spotify)


def consent(manager: Any, **options: Any) -> str:
    """The address to which the browser is sent back."""
    response = requests.get(manager.get_authorize_url(**options), allow_redirects=False, timeout=10)
    assert response.status_code == 302
    return response.headers["Location"]


@pytest.fixture
def client(spotify: SampleSpotify) -> Spotify:
    manager = by_secret(spotify)
    manager.get_access_token(manager.parse_response_code(consent(manager)), as_dict=False)
    client = Spotify(auth_manager=manager, retries=0)
    client.prefix = f"{spotify.url}/v1/"
    return client


def test_profile(client: Spotify) -> None:
    expected = {"id": "sample", "account_id": "sample", "type": "user", "uri": "spotify:user:sample", "images": []}
    assert client.me() == client.current_user()
    assert expected.items() <= client.me().items()
    assert client.me()["display_name"] == "The listener sample"


@pytest.mark.parametrize("limit", [1, 7, 20, 50])
def test_recently_played_backwards(client: Spotify, spotify: SampleSpotify, limit: int) -> None:
    page = client.current_user_recently_played(limit=limit)
    items, pages = [], 0
    while page["items"]:
        cursors = {"after": str(milliseconds(page["items"][0])), "before": str(milliseconds(page["items"][-1]))}
        assert (page["limit"], page["cursors"]) == (limit, cursors)
        assert page["href"].startswith(f"{spotify.url}/v1/me/player/recently-played?")
        assert "total" not in page
        items += page["items"]
        pages += 1
        page = client.next(page)
    assert items == window(spotify)
    assert pages == -(-50 // limit)
    assert (page["next"], page["cursors"], client.next(page)) == (None, None, None)


def test_recently_played_forwards(client: Spotify, spotify: SampleSpotify) -> None:
    expected = window(spotify)
    page = client.current_user_recently_played(limit=10, after=milliseconds(expected[23]))
    assert page["items"] == expected[13:23]
    page = client.next(page)
    assert page["items"] == expected[3:13]
    page = client.next(page)
    assert page["items"] == expected[:3]
    assert client.next(page)["items"] == []


def test_recently_played_between_cursors(client: Spotify, spotify: SampleSpotify) -> None:
    expected = window(spotify)
    for place in (0, 1, 24, 48, 49):
        cursor = milliseconds(expected[place])
        assert client.current_user_recently_played(before=cursor)["items"] == expected[place + 1 :]
        assert client.current_user_recently_played(before=cursor + 1)["items"] == expected[place:]
        assert client.current_user_recently_played(after=cursor)["items"] == expected[:place]
        assert client.current_user_recently_played(after=cursor - 1)["items"] == expected[: place + 1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"limit": 51}, "Invalid limit"),
        ({"limit": 0}, "Invalid limit"),
        ({"limit": -1}, "Invalid limit"),
        ({"limit": "ten"}, "Invalid limit"),
        ({"limit": 5, "after": "yesterday"}, "Invalid after"),
        ({"limit": 5, "before": 1.5}, "Invalid before"),
        ({"after": 1, "before": 2}, "Only one of the parameters after and before may be specified"),
    ],
)
def test_invalid_cursors(client: Spotify, spotify: SampleSpotify, arguments: Any, message: str) -> None:
    with pytest.raises(SpotifyException) as caught:
        client.current_user_recently_played(**arguments)
    assert caught.value.http_status == 400
    assert f"\n {message}" in str(caught.value)
    assert malformed(spotify) == [f"GET /v1/me/player/recently-played: 400 {message}"]


def test_saved_tracks(client: Spotify, spotify: SampleSpotify) -> None:
    first = client.current_user_saved_tracks()
    assert (first["limit"], first["offset"], first["total"], first["previous"]) == (20, 0, 45, None)
    second = client.next(first)
    third = client.next(second)
    assert [*first["items"], *second["items"], *third["items"]] == spotify.me.saved
    assert (len(third["items"]), third["next"], client.next(third)) == (5, None, None)
    assert client.previous(third) == second
    assert client.previous(second) == first
    assert client.current_user_saved_tracks(limit=3, offset=44, market="DE")["items"] == spotify.me.saved[44:]
    for arguments in ({"limit": 51}, {"offset": -1}, {"market": "Germany"}):
        with pytest.raises(SpotifyException, match=f"Invalid {next(iter(arguments))}") as caught:
            client.current_user_saved_tracks(**arguments)
        assert caught.value.http_status == 400
    assert len(malformed(spotify)) == 3


def test_artists(client: Spotify, spotify: SampleSpotify) -> None:
    (known,) = spotify.genres
    artist = client.artist(f"spotify:artist:{known}")
    assert (artist["id"], artist["type"], artist["genres"]) == (known, "artist", ["dream pop", "shoegaze"])
    other = next(item["track"]["artists"][0] for item in window(spotify) if item["track"]["artists"][0]["id"] != known)
    found = client.artist(other["id"])
    assert (found["name"], found["genres"]) == (other["name"], None)
    with pytest.raises(SpotifyException) as caught:
        client.artist("0" * 22)
    assert caught.value.http_status == 404
    with pytest.raises(SpotifyException) as caught:
        client.artists([known])
    assert caught.value.http_status == 403, "applications in development mode have no batch calls"
    assert malformed(spotify) == ["GET /v1/artists/: 403 Forbidden"]


def test_authorization_code_with_secret(spotify: SampleSpotify) -> None:
    manager = by_secret(spotify)
    address = consent(manager, state="seventeen")
    assert manager.parse_auth_response_url(address)[0] == "seventeen"
    with pytest.warns(DeprecationWarning, match="as_dict"):
        token = manager.get_access_token(manager.parse_response_code(address), check_cache=False)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert set(token["scope"].split()) == set(SCOPE.split())
    assert abs(token["expires_at"] - time.time() - 3600) < 60
    renewed = manager.refresh_access_token(token["refresh_token"])
    assert renewed["access_token"] != token["access_token"]
    assert renewed["refresh_token"] == token["refresh_token"]
    manager.cache_handler.save_token_to_cache({**token, "expires_at": 0})
    with pytest.warns(DeprecationWarning, match="get_cached_token"):
        cached = manager.get_cached_token()
    assert cached["access_token"] not in (token["access_token"], renewed["access_token"])
    assert manager.validate_token(cached) == cached
    with pytest.raises(SpotifyOauthError, match="invalid_grant"):
        manager.get_access_token(manager.parse_response_code(address), as_dict=False, check_cache=False)
    with pytest.raises(SpotifyOauthError, match="Refresh token revoked"):
        manager.refresh_access_token("unknown")


def test_authorization_code_with_pkce(spotify: SampleSpotify) -> None:
    manager = SpotifyPKCE(spotify.accounts.client_id, CALLBACK, scope=SCOPE, cache_handler=MemoryCacheHandler())
    at_sample(manager, spotify)
    address = consent(manager)
    assert "state" not in address, "Spotify returns a state only if it was given one"
    access = manager.get_access_token(manager.parse_response_code(address), check_cache=False)
    client = Spotify(auth=access, retries=0)
    client.prefix = f"{spotify.url}/v1/"
    assert client.me()["id"] == "sample"
    renewed = manager.refresh_access_token(manager.cache_handler.get_cached_token()["refresh_token"])
    assert renewed["access_token"] != access
    second = consent(manager)
    manager.code_verifier = "x" * 64
    with pytest.raises(SpotifyOauthError, match="code_verifier was incorrect"):
        manager.get_access_token(manager.parse_response_code(second), check_cache=False)


def test_token_of_the_application(spotify: SampleSpotify) -> None:
    manager = SpotifyClientCredentials(
        spotify.accounts.client_id, spotify.accounts.client_secret, cache_handler=MemoryCacheHandler()
    )
    client = Spotify(auth_manager=at_sample(manager, spotify), retries=0)
    client.prefix = f"{spotify.url}/v1/"
    (known,) = spotify.genres
    assert client.artist(known)["genres"] == ["dream pop", "shoegaze"]
    with pytest.raises(SpotifyException) as caught:
        client.current_user_recently_played()
    assert caught.value.http_status == 401
    wrong = SpotifyClientCredentials(spotify.accounts.client_id, "no", cache_handler=MemoryCacheHandler())
    with pytest.raises(SpotifyOauthError, match="invalid_client"):
        at_sample(wrong, spotify).get_access_token(as_dict=False)


def test_tokens_that_are_missing_unknown_or_of_another_scope(spotify: SampleSpotify) -> None:
    for token, status in ((None, 401), ("unknown", 401)):
        client = Spotify(auth=token, retries=0)
        client.prefix = f"{spotify.url}/v1/"
        with pytest.raises(SpotifyException) as caught:
            client.me()
        assert caught.value.http_status == status
    assert malformed(spotify) == ["GET /v1/me/: no token"]
    scopes, manager = spotify.me.scopes, by_secret(spotify)
    try:
        manager.scope = "user-library-read"
        client = Spotify(auth=manager.get_access_token(manager.parse_response_code(consent(manager)), as_dict=False))
        client.prefix = f"{spotify.url}/v1/"
        assert client.current_user_saved_tracks(limit=1)["items"] == spotify.me.saved[:1]
        with pytest.raises(SpotifyException) as caught:
            client.current_user_recently_played()
        assert (caught.value.http_status, "Insufficient client scope" in str(caught.value)) == (403, True)
    finally:
        spotify.me.scopes = scopes

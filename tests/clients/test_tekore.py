"""tekore, https://docs.tekore.dev: the Web API and tokens, over httpx, with responses checked by pydantic models.

tekore has no setting for Spotify's addresses. It accepts an httpx client (`SyncSender`), whose transport sends requests
for Spotify's two hosts to the sample Spotify, and refuses other hosts.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import requests
import tekore  # type: ignore[import-untyped]
from pydantic import ValidationError

from pipeline.demo.spotify import SampleSpotify
from tests.clients.conftest import CALLBACK, SCOPE, Json, malformed, milliseconds, window


class ToSample(httpx.HTTPTransport):
    def __init__(self, spotify: SampleSpotify) -> None:
        super().__init__()
        self.sample = httpx.URL(spotify.url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        assert host in ("api.spotify.com", "accounts.spotify.com", self.sample.host), host
        request.url = request.url.copy_with(scheme="http", host=self.sample.host, port=self.sample.port)
        request.headers["Host"] = self.sample.netloc.decode()
        return super().handle_request(request)


@pytest.fixture
def sender(spotify: SampleSpotify) -> Iterator[tekore.SyncSender]:
    sender = tekore.SyncSender(httpx.Client(transport=ToSample(spotify)))
    yield sender
    sender.close()


@pytest.fixture
def credentials(spotify: SampleSpotify, sender: tekore.SyncSender) -> tekore.Credentials:
    accounts = spotify.accounts
    return tekore.Credentials(accounts.client_id, accounts.client_secret, CALLBACK, sender)


@pytest.fixture
def client(credentials: tekore.Credentials, sender: tekore.SyncSender, spotify: SampleSpotify) -> tekore.Spotify:
    code = tekore.parse_code_from_url(consent(spotify, credentials.user_authorisation_url(SCOPE)))
    return tekore.Spotify(credentials.request_user_token(code), sender)


def consent(spotify: SampleSpotify, url: str) -> str:
    """The address to which the browser is sent back."""
    assert url.startswith("https://accounts.spotify.com/authorize?")
    query = url.partition("?")[2]
    return requests.get(f"{spotify.url}/authorize?{query}", allow_redirects=False, timeout=10).headers["Location"]


def names(items: list[Json]) -> list[tuple[str, str]]:
    return [(item["played_at"], item["track"]["uri"]) for item in items]


def read(page: tekore.model.PlayHistoryPaging) -> list[tuple[str, str]]:
    return [
        (f"{item.played_at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z", item.track.uri)
        for item in page.items
    ]


def test_profile(client: tekore.Spotify) -> None:
    me = client.current_user()
    assert (me.id, me.account_id, me.display_name, me.type) == ("sample", "sample", "The listener sample", "user")
    assert (me.uri, me.images, me.country, me.product) == ("spotify:user:sample", [], None, None)


def test_recently_played(client: tekore.Spotify, spotify: SampleSpotify) -> None:
    expected = window(spotify)
    first = client.playback_recently_played(limit=20)
    assert read(first) == names(expected[:20])
    cursors = (str(milliseconds(expected[0])), str(milliseconds(expected[19])))
    assert first.cursors is not None
    assert (first.limit, (first.cursors.after, first.cursors.before)) == (20, cursors)
    track, given = first.items[0].track, expected[0]["track"]
    assert (track.name, track.duration_ms, track.external_ids) == (
        given["name"],
        given["duration_ms"],
        given["external_ids"],
    )
    assert [artist.name for artist in track.artists] == [artist["name"] for artist in given["artists"]]
    pages = list(client.all_pages(first))
    assert [len(page.items) for page in pages] == [20, 20, 10, 0]
    assert (pages[-1].cursors, pages[-1].next) == (None, None)
    assert [pair for page in pages for pair in read(page)] == names(expected)
    assert len(list(client.all_items(first))) == 50


def test_recently_played_by_cursor(client: tekore.Spotify, spotify: SampleSpotify) -> None:
    expected = window(spotify)
    cursor = milliseconds(expected[31])
    assert read(client.playback_recently_played(limit=50, before=cursor)) == names(expected[32:])
    assert read(client.playback_recently_played(limit=50, after=cursor)) == names(expected[:31])
    assert read(client.playback_recently_played(limit=2, before=cursor)) == names(expected[32:34])
    with client.max_limits(True):
        assert read(client.playback_recently_played()) == names(expected)
    empty = client.playback_recently_played(after=milliseconds(expected[0]))
    assert (empty.items, empty.cursors, empty.next, client.next(empty)) == ([], None, None, None)


def test_invalid_requests(client: tekore.Spotify, spotify: SampleSpotify) -> None:
    for arguments in ({"limit": 51}, {"limit": 0}, {"after": 1, "before": 2}):
        with pytest.raises(tekore.BadRequest) as caught:
            client.playback_recently_played(**arguments)
        content = caught.value.response.content
        assert content is not None and content["error"]["status"] == 400
    with pytest.raises(tekore.Forbidden):
        client.artists(list(spotify.genres))
    assert len(malformed(spotify)) == 4


def test_saved_tracks(client: tekore.Spotify, spotify: SampleSpotify) -> None:
    expected = [item["track"]["uri"] for item in spotify.me.saved]
    page = client.saved_tracks()
    assert (page.total, page.limit, page.offset, page.previous) == (45, 20, 0, None)
    assert [item.track.uri for item in client.all_items(page)] == expected
    assert f"{page.items[0].added_at:%Y-%m-%dT%H:%M:%SZ}" == spotify.me.saved[0]["added_at"]
    second = client.next(page)
    assert second is not None
    assert client.previous(second) == page
    last = client.saved_tracks(market="DE", limit=50, offset=40)
    assert ([item.track.uri for item in last.items], last.next) == (expected[40:], None)


def test_artist(client: tekore.Spotify, spotify: SampleSpotify) -> None:
    """tekore 6.2 requires the fields that Spotify removed for new applications in 2026; everything else is there."""
    (known,) = spotify.genres
    other = next(item["track"]["artists"][0] for item in window(spotify) if item["track"]["artists"][0]["id"] != known)
    for artist_id, lacking in ((known, set()), (other["id"], {"genres"})):
        with pytest.raises(ValidationError) as caught:
            client.artist(artist_id)
        assert {str(error["loc"][0]) for error in caught.value.errors()} == {"followers", "popularity"} | lacking
    with pytest.raises(tekore.NotFound):
        client.artist("0" * 22)


def test_token_with_secret(credentials: tekore.Credentials, spotify: SampleSpotify) -> None:
    address = consent(spotify, credentials.user_authorisation_url(SCOPE, state="seventeen", show_dialog=True))
    assert tekore.parse_state_from_url(address) == "seventeen"
    token = credentials.request_user_token(tekore.parse_code_from_url(address))
    assert (str(token.scope), token.token_type, token.is_expiring) == (SCOPE, "Bearer", False)
    assert 3500 < token.expires_in <= 3600
    renewed = credentials.refresh(token)
    assert renewed.access_token != token.access_token
    assert (
        renewed.refresh_token
        == token.refresh_token
        == credentials.refresh_user_token(token.refresh_token).refresh_token
    )
    with pytest.raises(tekore.BadRequest, match="invalid_grant: Refresh token revoked"):
        credentials.refresh_user_token("unknown")
    with pytest.raises(tekore.BadRequest, match="Invalid authorization code"):
        credentials.request_user_token(tekore.parse_code_from_url(address))


def test_token_with_pkce(credentials: tekore.Credentials, spotify: SampleSpotify, sender: tekore.SyncSender) -> None:
    url, verifier = credentials.pkce_user_authorisation(SCOPE)
    token = credentials.request_pkce_token(tekore.parse_code_from_url(consent(spotify, url)), verifier)
    assert token.uses_pkce
    renewed = credentials.refresh(token)
    assert tekore.Spotify(renewed, sender).current_user().id == "sample"
    assert credentials.refresh_pkce_token(renewed.refresh_token).access_token != renewed.access_token
    with pytest.raises(tekore.BadRequest, match="invalid_client"):
        credentials.refresh_user_token(renewed.refresh_token)
    url, _ = credentials.pkce_user_authorisation(SCOPE)
    with pytest.raises(tekore.BadRequest, match="code_verifier was incorrect"):
        credentials.request_pkce_token(tekore.parse_code_from_url(consent(spotify, url)), "x" * 64)


def test_tokens_that_renew_themselves(spotify: SampleSpotify, sender: tekore.SyncSender) -> None:
    accounts = spotify.accounts
    credentials = tekore.RefreshingCredentials(accounts.client_id, accounts.client_secret, CALLBACK, sender)
    token = credentials.refresh_user_token(spotify.refresh_token)
    client = tekore.Spotify(token, sender)
    assert client.current_user().id == "sample"
    application = credentials.request_client_token()
    with pytest.raises(tekore.Unauthorised):
        tekore.Spotify(application, sender).playback_recently_played()
    with pytest.raises(tekore.Unauthorised):
        tekore.Spotify("unknown", sender).current_user()

"""musicbrainzngs, https://python-musicbrainzngs.readthedocs.io, with its parser of XML and with JSON.

The address of the sample MusicBrainz is set by `set_hostname`.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator

import musicbrainzngs  # type: ignore[import-untyped]
import pytest
import requests

from pipeline.demo.listener import make_catalogue
from pipeline.demo.musicbrainz import SPOTIFY_ARTIST, SampleArtist, SampleMusicBrainz, make_artists
from tests.clients.conftest import SEED, malformed

# musicbrainzngs 0.7.1 leaves the connection of an error response open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def musicbrainz() -> Iterator[SampleMusicBrainz]:
    with SampleMusicBrainz(make_artists(make_catalogue(SEED), SEED)) as server:
        musicbrainzngs.set_hostname(server.origin.removeprefix("http://"), use_https=False)
        musicbrainzngs.set_useragent("contract-tests", "1", "tests@example.org")
        musicbrainzngs.set_rate_limit(False)
        yield server


def some(musicbrainz: SampleMusicBrainz) -> SampleArtist:
    """An artist with genres, a page at Spotify and recordings."""
    return next(each for each in musicbrainz.artists if each.genres and each.spotify_ids and each.isrcs)


def test_artist_by_id(musicbrainz: SampleMusicBrainz) -> None:
    artist = some(musicbrainz)
    found = musicbrainzngs.get_artist_by_id(artist.mbid)["artist"]
    assert found == {"id": artist.mbid, "name": artist.name, "sort-name": artist.name}
    tagged = musicbrainzngs.get_artist_by_id(artist.mbid.upper(), includes=["tags", "aliases"])["artist"]
    assert {each["name"]: int(each["count"]) for each in tagged["tag-list"]} == artist.genres
    for mbid, status in ((UNKNOWN, 404), ("no-mbid", 400)):
        with pytest.raises(musicbrainzngs.ResponseError) as caught:
            musicbrainzngs.get_artist_by_id(mbid)
        assert caught.value.cause.code == status
    with pytest.raises(musicbrainzngs.ResponseError):
        musicbrainzngs.get_artist_by_id(artist.mbid, includes=["discids"])
    assert malformed(musicbrainz) == [
        "GET /ws/2/artist/no-mbid: 400 Invalid mbid.",
        f"GET /ws/2/artist/{artist.mbid}: 400 discids is not a valid inc parameter for the artist resource.",
    ]


def test_url(musicbrainz: SampleMusicBrainz) -> None:
    artist = some(musicbrainz)
    resource = f"{SPOTIFY_ARTIST}{artist.spotify_ids[0]}"
    plain = musicbrainzngs.browse_urls(resource=resource)["url"]
    assert plain == {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, resource)), "resource": resource}
    found = musicbrainzngs.browse_urls(resource=resource, includes=["artist-rels"], limit=5, offset=0)["url"]
    (relation,) = found["artist-relation-list"]
    assert (relation["target"], relation["direction"], relation["type"]) == (artist.mbid, "backward", "free streaming")
    assert relation["artist"]["name"] == artist.name
    assert musicbrainzngs.get_url_by_id(found["id"], includes=["artist-rels"])["url"] == found
    for call in (
        lambda: musicbrainzngs.browse_urls(resource=f"{SPOTIFY_ARTIST}unknown"),
        lambda: musicbrainzngs.get_url_by_id(UNKNOWN),
    ):
        with pytest.raises(musicbrainzngs.ResponseError) as caught:
            call()  # type: ignore[no-untyped-call]
        assert caught.value.cause.code == 404


def test_isrc(musicbrainz: SampleMusicBrainz) -> None:
    artist = some(musicbrainz)
    plain = musicbrainzngs.get_recordings_by_isrc(artist.isrcs[0])["isrc"]
    assert (plain["id"], plain["recording-count"]) == (artist.isrcs[0], 1)
    assert set(plain["recording-list"][0]) == {"id", "title"}
    found = musicbrainzngs.get_recordings_by_isrc(artist.isrcs[0], includes=["artists"])["isrc"]
    credited = {credit["artist"]["id"] for credit in found["recording-list"][0]["artist-credit"]}
    assert credited == {each.mbid for each in musicbrainz.artists if artist.isrcs[0] in each.isrcs}
    for isrc, status in (("QZ0000000000", 404), ("no-isrc", 400)):
        with pytest.raises(musicbrainzngs.ResponseError) as caught:
            musicbrainzngs.get_recordings_by_isrc(isrc)
        assert caught.value.cause.code == status
    assert malformed(musicbrainz) == ["GET /ws/2/isrc/no-isrc: 400 Invalid isrc."]


def test_search(musicbrainz: SampleMusicBrainz) -> None:
    artist = some(musicbrainz)
    first, second = artist.name.split()
    for arguments in (
        {"query": artist.name},
        {"query": f'artist:"{artist.name}"'},
        {"artist": artist.name},
        {"artist": artist.name, "strict": True},
        {"query": first, "alias": second},
        {"query": first, "sortname": second, "strict": True},
        {"arid": artist.mbid},
    ):
        found = musicbrainzngs.search_artists(**arguments)
        best = found["artist-list"][0]
        assert (best["id"], best["name"], best["ext:score"]) == (artist.mbid, artist.name, "100"), arguments
        assert found["artist-count"] == 1, arguments
    same = {each.mbid for each in musicbrainz.artists if first in each.name.split()}
    assert {each["id"] for each in musicbrainzngs.search_artists(first, limit=100)["artist-list"]} == same
    assert len(same) > 2
    pages = [musicbrainzngs.search_artists(first, limit=1, offset=n) for n in range(len(same) + 1)]
    assert {each["id"] for page in pages for each in page["artist-list"]} == same
    assert {page["artist-count"] for page in pages} == {len(same)}
    assert musicbrainzngs.search_artists("nothing has this name")["artist-count"] == 0
    with pytest.raises(musicbrainzngs.ResponseError):
        musicbrainzngs.search_artists('artist:"unfinished')
    assert malformed(musicbrainz) == ["GET /ws/2/artist/: 400 Search: the query could not be parsed."]


def test_as_json(musicbrainz: SampleMusicBrainz) -> None:
    artist = some(musicbrainz)
    try:
        with warnings.catch_warnings(action="ignore"):
            musicbrainzngs.set_format("json")
        found = musicbrainzngs.get_artist_by_id(artist.mbid, includes=["tags"])
        assert {each["name"]: each["count"] for each in found["tags"]} == artist.genres
        assert "genres" not in found
        assert musicbrainzngs.search_artists(artist=artist.name)["artists"][0]["score"] == 100
        (recording,) = musicbrainzngs.get_recordings_by_isrc(artist.isrcs[0], includes=["artists"])["recordings"]
        assert artist.name in {credit["name"] for credit in recording["artist-credit"]}
        url = musicbrainzngs.browse_urls(resource=f"{SPOTIFY_ARTIST}{artist.spotify_ids[0]}", includes=["artist-rels"])
        assert [relation["artist"]["id"] for relation in url["relations"]] == [artist.mbid]
    finally:
        musicbrainzngs.set_format("xml")


def test_genres_only_if_included(musicbrainz: SampleMusicBrainz) -> None:
    """musicbrainzngs 0.7.1 is older than inc=genres."""
    artist = some(musicbrainz)
    agent = {"User-Agent": "contract-tests/1"}
    url = f"{musicbrainz.url}/artist/{artist.mbid}?fmt=json"
    assert "genres" not in requests.get(url, headers=agent, timeout=10).json()
    found = requests.get(f"{url}&inc=genres+aliases", headers=agent, timeout=10).json()
    assert {each["name"]: each["count"] for each in found["genres"]} == artist.genres
    assert requests.get(url, timeout=10).status_code == 400, "python-requests names no application"
    assert malformed(musicbrainz) == [
        f"GET /ws/2/artist/{artist.mbid}: 400 Please name your application in the User-Agent."
    ]


def test_too_many_requests() -> None:
    with SampleMusicBrainz(strict_rate=True) as server:
        agent = {"User-Agent": "contract-tests/1"}
        statuses = [requests.get(f"{server.url}/artist/{UNKNOWN}", headers=agent, timeout=10).status_code for _ in "ab"]
    assert statuses == [404, 503]

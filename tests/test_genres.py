"""Genres of an artist, from a server that speaks MusicBrainz's contract, errors included."""

from __future__ import annotations

import datetime
import json
import socket
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.demo.listener import make_catalogue
from pipeline.demo.loopback import Answer
from pipeline.demo.musicbrainz import SampleArtist, SampleMusicBrainz, make_artists
from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.genres import COLUMNS, Artist, find_genres, spotify_genres
from pipeline.extract.musicbrainz import (
    Match,
    MusicBrainz,
    MusicBrainzError,
    MusicBrainzUnavailable,
    MusicBrainzUnexpected,
)

ASKED_AT = datetime.datetime(2026, 11, 22, 23, 30, tzinfo=datetime.UTC)
ONE, TWO = "5b11f4ce-a62d-471e-81fc-a69a8278c7da", "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"
SPOTIFY_ID = "6olE6TJLqED3rqDCT0FyPh"
ISRC = "QZ1234567890"
FOXES = Artist(SPOTIFY_ID, "Velvet Foxes", (ISRC,))
GENRES = {"shoegaze": 2, "dream pop": 7}
BY_URL = f"GET /ws/2/url?resource=https%3A%2F%2Fopen.spotify.com%2Fartist%2F{SPOTIFY_ID}&inc=artist-rels&fmt=json"
BY_ISRC = f"GET /ws/2/isrc/{ISRC}?inc=artist-credits&fmt=json"
BY_NAME = "GET /ws/2/artist?query=artist%3A%22Velvet+Foxes%22&limit=5&fmt=json"
ITS_GENRES = f"GET /ws/2/artist/{ONE}?inc=genres&fmt=json"


@pytest.fixture
def sample() -> Iterator[SampleMusicBrainz]:
    with SampleMusicBrainz() as sample:
        yield sample


def make_client(sample: SampleMusicBrainz, **more: Any) -> MusicBrainz:
    return MusicBrainz(**{"url": sample.url, "contact": "me@example.org", "seconds_between": 0, "timeout": 5, **more})


def find(sample: SampleMusicBrainz, artist: Artist = FOXES, **more: Any) -> list[dict[str, str]]:
    given = {"account": "me", "ask_spotify": None, "musicbrainz": make_client(sample), "asked_at": ASKED_AT, **more}
    return find_genres(artist, **given)


def row(**values: str) -> dict[str, str]:
    return {
        **dict.fromkeys(COLUMNS, ""),
        "account": "me",
        "artist_id": SPOTIFY_ID,
        "artist_name": "Velvet Foxes",
        "asked_date_utc": "2026-11-22",
        "last_updated_datetime_utc": "2026-11-22T23:30:00.000Z",
        **values,
    }


def from_musicbrainz(matched_by: str, genres: dict[str, int], **more: str) -> list[dict[str, str]]:
    match = {"genre_source": "musicbrainz", "matched_by": matched_by, "musicbrainz_id": ONE, **more}
    return [row(artist_genre=genre, genre_votes=str(votes), **match) for genre, votes in genres.items()]


def prepared(path: str, body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(f"/ws/2{path}", status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)


# Who it is


@pytest.mark.parametrize(
    ("known_by", "matched_by", "calls"),
    [
        ({"spotify_ids": (SPOTIFY_ID,)}, "url", [BY_URL, ITS_GENRES]),
        ({"isrcs": (ISRC,)}, "isrc", [BY_URL, BY_ISRC, ITS_GENRES]),
        ({}, "name", [BY_URL, BY_ISRC, BY_NAME, ITS_GENRES]),
    ],
)
def test_an_artist_is_matched_by_page_then_recording_then_name(
    sample: SampleMusicBrainz, known_by: dict[str, Any], matched_by: str, calls: list[str]
) -> None:
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES, **known_by)]
    expected = from_musicbrainz(matched_by, {"dream pop": 7, "shoegaze": 2})
    assert find(sample) == expected
    assert list(expected[0]) == list(COLUMNS)
    assert sample.calls == calls
    assert find(sample) == expected


def test_the_page_decides_whatever_the_name(sample: SampleMusicBrainz) -> None:
    sample.artists = [SampleArtist(ONE, "Бархатные лисы", GENRES, spotify_ids=(SPOTIFY_ID,))]
    assert {found["musicbrainz_id"] for found in find(sample)} == {ONE}


def test_several_relations_to_one_artist_are_one_artist(sample: SampleMusicBrainz) -> None:
    relation = {"type": "streaming", "artist": {"id": ONE.upper(), "name": "Velvet Foxes"}}
    sample.answers = [prepared("/url", {"relations": [relation, {"type": "x", "label": {}}, relation]})]
    assert make_client(sample).artist_by_url(SPOTIFY_ID) == [Match(ONE, "Velvet Foxes", 100)]


def test_of_two_artists_of_a_page_the_one_of_that_name_is_taken(sample: SampleMusicBrainz) -> None:
    sample.artists = [
        SampleArtist(TWO, "Velvet Fox", {"pop": 1}, spotify_ids=(SPOTIFY_ID,)),
        SampleArtist(ONE, "ＶＥＬＶＥＴ  foxes", GENRES, spotify_ids=(SPOTIFY_ID,)),
    ]
    assert find(sample) == from_musicbrainz("url", {"dream pop": 7, "shoegaze": 2})


@pytest.mark.parametrize("names", [("Velvet Foxes", "Velvet Foxes"), ("A", "B")])
def test_two_artists_of_a_page_that_cannot_be_told_apart_leave_it_to_the_recording(
    sample: SampleMusicBrainz, names: tuple[str, str]
) -> None:
    related = [{"artist": {"id": mbid, "name": name}} for mbid, name in zip((ONE, TWO), names, strict=True)]
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES, isrcs=(ISRC,))]
    sample.answers = [prepared("/url", {"relations": related})]
    assert {found["matched_by"] for found in find(sample)} == {"isrc"}


def test_a_recording_counts_for_the_artist_of_that_name_only(sample: SampleMusicBrainz) -> None:
    sample.artists = [
        SampleArtist(TWO, "Copper Kites", {"pop": 1}, isrcs=(ISRC,)),
        SampleArtist(ONE, "velvet foxes", GENRES, isrcs=(ISRC,)),
    ]
    assert find(sample) == from_musicbrainz("isrc", {"dream pop": 7, "shoegaze": 2})


def test_a_name_under_which_a_recording_credits_the_artist_is_theirs_too(sample: SampleMusicBrainz) -> None:
    sample.artists = [SampleArtist(ONE, "天鵞絨の狐", GENRES)]
    credit = [{"name": "Velvet Foxes", "artist": {"id": ONE, "name": "天鵞絨の狐"}}]
    sample.answers = [prepared("/isrc/", {"recordings": [{"artist-credit": credit}]})]
    assert find(sample) == from_musicbrainz("isrc", {"dream pop": 7, "shoegaze": 2})


def test_three_recordings_are_asked_for_and_no_fourth(sample: SampleMusicBrainz) -> None:
    isrcs = tuple(f"QZ123456789{digit}" for digit in range(4))
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES, isrcs=isrcs[2:3])]
    assert {found["matched_by"] for found in find(sample, Artist(SPOTIFY_ID, "Velvet Foxes", isrcs))} == {"isrc"}
    sample.artists = [SampleArtist(ONE, "Velvet Foxes Trio", GENRES, isrcs=isrcs[3:])]
    sample.calls.clear()
    assert find(sample, Artist(SPOTIFY_ID, "Velvet Foxes", isrcs)) == [row()]
    assert [call.split("?")[0] for call in sample.calls if "/isrc/" in call] == [
        f"GET /ws/2/isrc/{isrc}" for isrc in isrcs[:3]
    ]


def test_two_artists_of_one_name_on_a_recording_leave_it_to_the_name(sample: SampleMusicBrainz) -> None:
    credit = [{"name": "Velvet Foxes", "artist": {"id": mbid, "name": "Velvet Foxes"}} for mbid in (ONE, TWO)]
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES)]
    sample.answers = [prepared("/isrc/", {"recordings": [{"artist-credit": credit}]})]
    assert {found["matched_by"] for found in find(sample)} == {"name"}


def test_two_artists_of_one_name_are_nobody(sample: SampleMusicBrainz) -> None:
    sample.artists = [SampleArtist(mbid, "Velvet Foxes", GENRES) for mbid in (ONE, TWO)]
    assert find(sample) == [row()]
    assert sample.calls == [BY_URL, BY_ISRC, BY_NAME]


def test_the_best_match_of_a_search_is_nobody_under_another_name(sample: SampleMusicBrainz) -> None:
    best = {"id": ONE, "name": "Velvet Fox", "score": 100}
    sample.answers = [prepared("/artist", {"artists": [best, {"id": TWO, "name": "Velvet Foxes", "score": 98}]})]
    assert find(sample) == [row()]


def test_an_unknown_artist_is_remembered_as_one_row(sample: SampleMusicBrainz) -> None:
    assert find(sample) == [row()]


def test_an_artist_without_a_name_is_not_searched_for(sample: SampleMusicBrainz) -> None:
    assert find(sample, Artist(SPOTIFY_ID, " ", (ISRC,))) == [row(artist_name=" ")]
    assert sample.calls == [BY_URL]


# Which genres


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("shoegaze", 0), ("pop", 3), ("rock", 3), ("noise", -2)], {"pop": 3, "rock": 3}),
        ([("shoegaze", 0), ("pop", 0), ("noise", -2)], {"pop": 0, "shoegaze": 0}),
        ([(" Dream\n Pop ", 2), ("dream pop", 3), ("", 9)], {"dream pop": 5}),
        ([("f\0lk\ud800", 1)], {"f\ufffdlk?": 1}),
    ],
)
def test_genres_are_cleaned_merged_and_ordered_by_votes(
    sample: SampleMusicBrainz, given: list[tuple[str, int]], expected: dict[str, int]
) -> None:
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", {}, spotify_ids=(SPOTIFY_ID,))]
    sample.answers = [prepared("/artist/", {"genres": [{"name": name, "count": count} for name, count in given]})]
    assert find(sample) == from_musicbrainz("url", expected)


@pytest.mark.parametrize("gone", [True, False])
def test_a_match_without_genres_is_remembered_with_its_match(sample: SampleMusicBrainz, gone: bool) -> None:
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", {}, spotify_ids=(SPOTIFY_ID,))]
    if gone:  # removed between the two requests
        sample.answers = [prepared("/artist/", {"error": "Not Found"}, 404)]
    assert find(sample) == [row(matched_by="url", musicbrainz_id=ONE)]


def test_what_spotify_lists_is_taken_and_musicbrainz_not_asked(sample: SampleMusicBrainz) -> None:
    listed = {SPOTIFY_ID: [" Art  Pop", "art pop", "", "soul"]}
    found = find(sample, ask_spotify=listed.__getitem__)
    spotify = {"genre_source": "spotify", "matched_by": "artist_id", "spotify_genres": "listed"}
    assert found == [row(artist_genre="art pop", **spotify), row(artist_genre="soul", **spotify)]
    assert sample.calls == []


@pytest.mark.parametrize(("listed", "told"), [(None, "absent"), ([], "listed"), ([" "], "listed")])
def test_where_spotify_lists_nothing_musicbrainz_is_asked(
    sample: SampleMusicBrainz, listed: list[str] | None, told: str
) -> None:
    assert find(sample, ask_spotify=lambda _: listed) == [row(spotify_genres=told)]
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", {"pop": 1}, spotify_ids=(SPOTIFY_ID,))]
    assert find(sample, ask_spotify=lambda _: listed) == from_musicbrainz("url", {"pop": 1}, spotify_genres=told)


@pytest.mark.parametrize(
    ("body", "genres"),
    [
        (b'{"genres": ["art pop", "soul"]}', ["art pop", "soul"]),
        (b'{"genres": []}', []),
        (b'{"genres": null}', None),
        (b'{"name": "Velvet Foxes"}', None),
        (b'{"genres": "soul"}', None),
        (b'{"genres": {"0": "soul"}}', None),
        (b'{"genres": ["soul", 7, null, ["pop"]]}', ["soul"]),
    ],
)
def test_genres_of_spotify_are_a_list_or_absent(body: bytes, genres: list[str] | None) -> None:
    assert spotify_genres(body) == genres


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_artist_of_spotify_is_unexpected(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="the artist is"):
        spotify_genres(body)


def test_texts_that_no_file_could_hold_are_cleaned(sample: SampleMusicBrainz) -> None:
    (found,) = find(sample, Artist("x\0", "Velvet\0 Foxes \ud800", ()))
    assert (found["artist_id"], found["artist_name"]) == ("x\ufffd", "Velvet\ufffd Foxes ?")


# What is sent


@pytest.mark.parametrize(
    "identifier",
    ["", "a/b", "..", "../artist", 'a"b', "a?b=c", "a#b", "a%2Fb", "é" * 22, "a b", "a\n", "٣" * 12, "A" * 65],
)
def test_odd_identifiers_reach_no_address(sample: SampleMusicBrainz, identifier: str) -> None:
    client = make_client(sample)
    assert client.artist_by_url(identifier) == client.artists_by_isrc(identifier) == []
    with pytest.raises(MusicBrainzUnexpected, match="no identifier of MusicBrainz"):
        client.genres(identifier)
    assert sample.calls == []


@pytest.mark.parametrize("isrc", ["QZ123456789", "QZ12345678901", "qz1234567890", "QZ12345/7890", "123456789012"])
def test_what_is_no_isrc_is_not_asked_for(sample: SampleMusicBrainz, isrc: str) -> None:
    assert make_client(sample).artists_by_isrc(isrc) == []
    assert sample.calls == []


def test_an_identifier_that_is_no_uuid_is_not_followed(sample: SampleMusicBrainz) -> None:
    sample.answers = [prepared("/url", {"relations": [{"artist": {"id": "../../user", "name": "Velvet Foxes"}}]})]
    with pytest.raises(MusicBrainzUnexpected, match="no identifier of MusicBrainz"):
        find(sample)
    assert sample.calls == [BY_URL]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("AC/DC", r'artist:"AC\/DC"'),
        ("!!!", r'artist:"\!\!\!"'),
        ('Say "Hey" \\', r'artist:"Say \"Hey\" \\"'),
        ('" OR artist:*', r'artist:"\" OR artist\:\*"'),
        ("A+-&&||!(){}[]^~*?:B", r'artist:"A\+\-\&\&\|\|\!\(\)\{\}\[\]\^\~\*\?\:B"'),
        ("Sigur\tRós", 'artist:"Sigur Rós"'),
        ("夜のあと", 'artist:"夜のあと"'),
    ],
)
def test_a_name_is_searched_for_as_it_is(sample: SampleMusicBrainz, name: str, query: str) -> None:
    sample.artists = [SampleArtist(ONE, " ".join(name.split()), {})]
    assert make_client(sample).search_artist(name) == [Match(ONE, " ".join(name.split()), 100)]
    assert parse_qs(urlsplit(sample.calls[0]).query)["query"] == [query]


def test_a_search_tells_scores(sample: SampleMusicBrainz) -> None:
    sample.artists = [SampleArtist(TWO, "Velvet Foxes Trio", {}), SampleArtist(ONE, "Velvet Foxes", {})]
    matches = make_client(sample).search_artist("Velvet Foxes")
    assert matches == [Match(ONE, "Velvet Foxes", 100), Match(TWO, "Velvet Foxes Trio", 70)]


@pytest.mark.parametrize("name", ["", " \t", "x" * 301])
def test_what_is_no_name_is_not_searched_for(sample: SampleMusicBrainz, name: str) -> None:
    assert make_client(sample).search_artist(name) == []
    assert sample.calls == []


@pytest.mark.parametrize(
    ("contact", "comment"),
    [("me@example.org", " ( me@example.org )"), ("", ""), ("J\nX-A: b", " ( J X-A: b )"), ("友@例", " ( ?@? )")],
)
def test_the_user_agent_names_application_and_contact(sample: SampleMusicBrainz, contact: str, comment: str) -> None:
    make_client(sample, contact=contact).artist_by_url(SPOTIFY_ID)
    assert sample.user_agents == [f"listening-history-pipeline/{version('listening-history-pipeline')}{comment}"]


def test_requests_are_spaced(sample: SampleMusicBrainz) -> None:
    client = make_client(sample, seconds_between=0.2)
    begun = time.monotonic()
    for _ in range(3):
        client.artist_by_url(SPOTIFY_ID)
    assert time.monotonic() - begun >= 0.4
    assert client.requests == 3


@pytest.mark.parametrize(
    ("url", "setting", "effective"),
    [
        ("https://musicbrainz.org/ws/2", 0, 1.0),
        ("https://MusicBrainz.org:443/ws/2/", 0.5, 1.0),
        ("https://beta.musicbrainz.org/ws/2", -1, 1.0),
        ("https://musicbrainz.org./ws/2", float("nan"), 1.0),
        ("https://musicbrainz.org/ws/2", 2.5, 2.5),
        ("http://mirror.example.org/musicbrainz.org/ws/2", 0.1, 0.1),
        ("http://notmusicbrainz.org/ws/2", 0, 0),
    ],
)
def test_the_public_server_is_never_asked_faster_than_once_a_second(url: str, setting: float, effective: float) -> None:
    assert MusicBrainz(url, "", setting, 5).seconds_between == effective


def test_a_server_that_counts_is_content_with_a_second_between(sample: SampleMusicBrainz) -> None:
    sample.strict_rate = True
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES, spotify_ids=(SPOTIFY_ID,))]
    client = make_client(sample, seconds_between=1.0)
    assert len(find(sample, musicbrainz=client)) == client.requests == 2


# What can go wrong


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_once_more(sample: SampleMusicBrainz, status: int) -> None:
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", GENRES, spotify_ids=(SPOTIFY_ID,))]
    busy = {"error": "Your requests are exceeding the allowable rate limit."}
    sample.answers = [prepared("/url", busy, status, **{"Retry-After": "0"})]
    client = make_client(sample)
    assert client.artist_by_url(SPOTIFY_ID) == [Match(ONE, "Velvet Foxes", 100)]
    assert sample.calls == [BY_URL, BY_URL]
    assert client.requests == 2


def test_without_a_wait_in_the_answer_a_second_is_waited(sample: SampleMusicBrainz) -> None:
    sample.answers = [prepared("/url", b"<html>busy</html>", 503)]
    begun = time.monotonic()
    assert make_client(sample).artist_by_url(SPOTIFY_ID) == []
    assert time.monotonic() - begun >= 1.0


def test_a_server_that_stays_busy_is_unavailable_after_one_retry(sample: SampleMusicBrainz) -> None:
    sample.answers = [prepared("/url", b"busy", 503, **{"Retry-After": "0"})] * 9
    with pytest.raises(MusicBrainzUnavailable, match=r"status 503.*later slot"):
        find(sample)
    assert sample.calls == [BY_URL, BY_URL]


def test_a_long_wait_is_left_to_a_later_slot(sample: SampleMusicBrainz) -> None:
    sample.answers = [prepared("/url", b"busy", 503, **{"Retry-After": "60"})]
    with pytest.raises(MusicBrainzUnavailable):
        find(sample)
    assert sample.calls == [BY_URL]


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404])
def test_a_page_for_people_is_unexpected_and_not_asked_again(sample: SampleMusicBrainz, status: int) -> None:
    page = prepared("/url", b"<html>maintenance</html>", status, Location=f"{sample.url}/elsewhere")
    sample.answers = [page]
    with pytest.raises(MusicBrainzUnexpected, match=rf"status {status} .*maintenance.*MUSICBRAINZ_URL"):
        find(sample)
    assert sample.calls == [BY_URL]


@pytest.mark.parametrize("body", [[], None, {}, {"relations": None}, {"relations": [7]}, {"relations": {"0": {}}}])
@pytest.mark.parametrize("path", ["/url", "/isrc/", "/artist"])
def test_another_shape_is_unexpected(sample: SampleMusicBrainz, path: str, body: Any) -> None:
    sample.answers = [prepared(path, body)]
    with pytest.raises(MusicBrainzUnexpected):
        find(sample)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/url", {"relations": [{"artist": None}]}),
        ("/url", {"relations": [{"artist": {"id": ONE}}]}),
        ("/url", {"relations": [{"artist": {"id": None, "name": "Velvet Foxes"}}]}),
        ("/isrc/", {"recordings": [{"title": "without credit"}]}),
        ("/isrc/", {"recordings": [{"artist-credit": [{"name": "Velvet Foxes"}]}]}),
        ("/artist", {"artists": [{"id": ONE, "name": "Velvet Foxes"}]}),
        ("/artist", {"artists": [{"id": ONE, "name": "Velvet Foxes", "score": True}]}),
        ("/artist/", {"genres": [{"name": None, "count": 1}]}),
        ("/artist/", {"genres": [{"name": "pop", "count": "1"}]}),
        ("/artist/", {"id": ONE}),
    ],
)
def test_an_answer_that_lacks_what_is_documented_is_unexpected(sample: SampleMusicBrainz, path: str, body: Any) -> None:
    known_by_page = (SPOTIFY_ID,) if path == "/artist/" else ()
    sample.artists = [SampleArtist(ONE, "Velvet Foxes", {}, spotify_ids=known_by_page)]
    sample.answers = [prepared(path, body)]
    with pytest.raises(MusicBrainzUnexpected, match="later slot"):
        find(sample)


def test_a_slow_server_is_given_up() -> None:
    with SampleMusicBrainz(delay=0.5) as sample, pytest.raises(MusicBrainzUnavailable, match="ReadTimeout"):
        make_client(sample, timeout=0.2).artist_by_url(SPOTIFY_ID)


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/ws/2"
    client = MusicBrainz(url, "", 0, 5)
    with pytest.raises(MusicBrainzUnavailable, match="ConnectionError"):
        client.artist_by_url(SPOTIFY_ID)
    assert client.requests == 2


def test_both_errors_are_caught_as_one() -> None:
    assert issubclass(MusicBrainzUnavailable, MusicBrainzError)
    assert issubclass(MusicBrainzUnexpected, MusicBrainzError)


# The sample server


def test_the_sample_server_refuses_who_has_no_name_or_no_patience(sample: SampleMusicBrainz) -> None:
    client = make_client(sample)
    client.session.headers["User-Agent"] = "python-requests/2.34"
    with pytest.raises(MusicBrainzUnexpected, match="status 400"):
        client.artist_by_url(SPOTIFY_ID)
    assert sample.malformed == ["GET /ws/2/url: 400 Please name your application in the User-Agent."]
    sample.malformed.clear()
    sample.strict_rate = True
    known = {"fmt": "json", "resource": f"https://open.spotify.com/artist/{SPOTIFY_ID}"}
    answers = [make_client(sample).session.get(f"{sample.url}/url", params=known) for _ in range(2)]
    assert (answers[-1].status_code, list(answers[-1].json())) == (503, ["error", "help"])


def test_the_sample_artists_follow_from_the_seed_and_are_found_in_every_way(sample: SampleMusicBrainz) -> None:
    tracks = make_catalogue(353, artists=20)
    sample.artists = make_artists(tracks, 353)
    assert sample.artists == make_artists(tracks, 353) != make_artists(tracks, 354)
    people = {person["id"]: person["name"] for track in tracks for person in track["artists"]}
    isrcs = {
        spotify_id: [t["external_ids"]["isrc"] for t in tracks if spotify_id in [p["id"] for p in t["artists"]]]
        for spotify_id in people
    }
    client = make_client(sample)
    found = [
        find(sample, Artist(spotify_id, name, tuple(isrcs[spotify_id])), musicbrainz=client)[0]["matched_by"]
        for spotify_id, name in people.items()
    ]
    assert {way: found.count(way) for way in ("url", "isrc", "name", "")} == {"url": 14, "isrc": 2, "name": 1, "": 3}
    assert {len(artist.genres) for artist in sample.artists} == {0, 1, 2, 3, 4}

"""From a page of the Web API to rows: everything that may be missing, null or odd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.plays import COLUMNS, Play, parse_page
from tests.samples import FETCHED, item, page, track


def parse_one(entry: Any) -> Play:
    plays, skipped = parse_page(
        page(entry) if "played_at" in entry else json.dumps({"items": [entry]}).encode(), "me", FETCHED
    )
    assert skipped == []
    return plays[0]


def skipped_reason(entry: Any) -> Any:
    plays, skipped = parse_page(json.dumps({"items": [entry]}).encode(), "me", FETCHED)
    assert plays == []
    return skipped[0]["reason"]


def test_a_play_becomes_one_row_with_every_column() -> None:
    guests = [{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]
    entry = item("2026-11-22T14:03:11.250Z", artists=guests)
    entry["context"] = {"type": "playlist", "uri": "spotify:playlist:1"}
    assert parse_one(entry) == {
        "account": "me",
        "played_at_utc": "2026-11-22T14:03:11.250Z",
        "played_date_utc": "2026-11-22",
        "song_name": "Falling for Monday",
        "artist_name": "Velvet Harbour",
        "song_duration_ms": "210000",
        "song_link": "https://open.spotify.com/track/FallingForMonday000000",
        "album_art_link": "https://i.scdn.co/image/large",
        "album_name": "Paper Lanterns",
        "album_id": "album00000000000000001",
        "artist_id": "a1",
        "track_id": "FallingForMonday000000",
        "isrc": "QZAAA2435733",
        "track_uri": "spotify:track:FallingForMonday000000",
        "is_local": "false",
        "explicit": "false",
        "disc_number": "1",
        "track_number": "3",
        "album_type": "album",
        "album_release_date": "2024-02-29",
        "album_release_date_precision": "day",
        "album_total_tracks": "9",
        "artists": '[{"id": "a1", "name": "Velvet Harbour"}, {"id": "a2", "name": "Golden Avenue"}]',
        "album_artists": '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]',
        "context_type": "playlist",
        "context_uri": "spotify:playlist:1",
        "last_updated_datetime_utc": "2026-11-22T14:30:01.482913Z",
    }
    assert tuple(parse_one(entry)) == COLUMNS


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2022-12-21T14:57:43Z", "2022-12-21T14:57:43.000Z"),
        ("2022-12-21T14:57:43.5Z", "2022-12-21T14:57:43.500Z"),
        ("2022-12-21T14:57:43.123456Z", "2022-12-21T14:57:43.123456Z"),
        ("2022-12-21T16:57:43.001+02:00", "2022-12-21T14:57:43.001Z"),
        ("2022-12-21T14:57:43", "2022-12-21T14:57:43.000Z"),
    ],
)
def test_the_moment_is_stored_in_utc_however_it_is_written(given: str, stored: str) -> None:
    assert parse_one(item(given))["played_at_utc"] == stored


@pytest.mark.parametrize("given", ["2006-04-01T00:00:00Z", "2026-11-23T14:30:01.400Z"])
def test_the_first_and_the_last_possible_moment_are_taken(given: str) -> None:
    assert parse_one(item(given))["played_at_utc"][:10] == given[:10]


def test_only_a_moment_a_name_and_a_length_are_needed() -> None:
    play = parse_one(
        {"played_at": "2026-11-22T14:03:11Z", "track": {"uri": "spotify:track:x", "name": "N", "duration_ms": 1}}
    )
    assert {name: value for name, value in play.items() if value not in ("", "[]")} == {
        "account": "me",
        "played_at_utc": "2026-11-22T14:03:11.000Z",
        "played_date_utc": "2026-11-22",
        "song_name": "N",
        "song_duration_ms": "1",
        "track_uri": "spotify:track:x",
        "last_updated_datetime_utc": "2026-11-22T14:30:01.482913Z",
    }


@pytest.mark.parametrize("name", sorted(set(track()) - {"duration_ms"}))
@pytest.mark.parametrize("oddity", [None, [], {}, 7, "track", [None], [[]]])
def test_any_other_field_may_be_odd(name: str, oddity: object) -> None:
    entry = item("2026-11-22T14:03:11Z")
    entry["track"][name] = oddity
    assert parse_one(entry)["played_at_utc"] == "2026-11-22T14:03:11.000Z"


def test_any_other_field_may_be_missing() -> None:
    for name in sorted(set(track()) - {"duration_ms"}):
        entry = item("2026-11-22T14:03:11Z")
        del entry["track"][name]
        assert parse_one(entry)["track_uri"].startswith("spotify:")


def test_a_local_file_is_kept_without_an_id() -> None:
    uri = "spotify:local:Salt+Kites:Tapes:Demo+3:181"
    local = parse_one(
        item("2026-11-22T14:03:11Z", id=None, uri=uri, is_local=True, artists=[{"id": None, "name": "Salt Kites"}])
    )
    assert (local["track_id"], local["track_uri"], local["is_local"]) == ("", uri, "true")
    assert (local["artist_id"], local["artists"]) == ("", '[{"id": null, "name": "Salt Kites"}]')


def test_a_track_without_uri_and_id_is_told_apart_by_its_names() -> None:
    nameless = [
        parse_one(item("2026-11-22T14:03:11Z", uri=None, id=None, name=name))["track_uri"] for name in ("A b", "C")
    ]
    assert nameless == [
        "spotify:local:Velvet+Harbour:Paper+Lanterns:A+b:210",
        "spotify:local:Velvet+Harbour:Paper+Lanterns:C:210",
    ]


def test_an_identifier_too_long_for_an_index_gets_its_digest() -> None:
    long = parse_one(item("2026-11-22T14:03:11Z", uri="spotify:local:" + "x" * 10_000))["track_uri"]
    other = parse_one(item("2026-11-22T14:03:11Z", uri="spotify:local:" + "x" * 10_001))["track_uri"]
    assert long != other
    assert len(long.encode()) < 200


def test_a_name_keeps_everything_but_what_postgresql_cannot_hold() -> None:
    name = '\'); drop table x;-- "q" $$ \\ \t \r\n \0 \ud800 🎧 شارع'
    assert parse_one(item("2026-11-22T14:03:11Z", name=name))["song_name"] == name.replace("\0", "\ufffd").replace(
        "\ud800", "?"
    )


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "not an object"),
        ({"played_at": "2026-11-22T14:03:11Z"}, "no track"),
        ({"played_at": "2026-11-22T14:03:11Z", "track": None}, "no track"),
        (item("2026-11-22T14:03:11Z", type="episode"), "of type episode, not a track"),
        (item("yesterday"), "no played_at that is a date and time"),
        ({**item(""), "played_at": 1}, "no played_at that is a date and time"),
        (item("2006-03-31T23:59:59.999Z"), "played_at is before 2006-04-01, when Spotify did not exist"),
        (item("0001-01-01T00:00:00Z"), "played_at is before 2006-04-01, when Spotify did not exist"),
        (item("2026-11-23T14:30:01.500Z"), "played_at is more than a day after the poll"),
        (item("2099-01-01T00:00:00Z"), "played_at is more than a day after the poll"),
        (item("2026-11-22T14:03:11Z", duration_ms=None), "no duration_ms"),
        (item("2026-11-22T14:03:11Z", duration_ms=True), "no duration_ms"),
        (item("2026-11-22T14:03:11Z", duration_ms=-5), "no duration_ms"),
    ],
)
def test_what_is_no_play_is_passed_over_with_a_reason(entry: Any, reason: str) -> None:
    assert skipped_reason(entry) == reason


def test_an_item_that_is_no_play_does_not_cost_its_neighbours() -> None:
    body = json.dumps({"items": [None, item("2026-11-22T14:03:11Z"), {"track": None}]}).encode()
    plays, skipped = parse_page(body, "me", FETCHED)
    assert [play["song_name"] for play in plays] == ["Falling for Monday"]
    assert [entry["item"] for entry in skipped] == [0, 2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"<html><h1>502 Bad Gateway</h1></html>", "not JSON"),
        (page(item("2026-11-22T14:03:11Z"))[:-40], "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "no list of items"),
        (b"null", "no list of items"),
        (b'{"items": null}', "no list of items"),
        (b'{"error": {"status": 500, "message": "Server error"}}', "Server error"),
    ],
)
def test_what_is_no_page_is_an_error_that_says_so(body: bytes, words: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=words):
        parse_page(body, "me", FETCHED)

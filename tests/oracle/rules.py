"""Which plays the listener has taken out of the reports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.plays import Play, fold
from tests.oracle.raw import Row
from tests.oracle.tracks import Track

HOURS = re.compile(r"([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-4])")
ADDRESS = re.compile(r"^(spotify:[a-z]+:|https?://open\.spotify\.com/([a-z-]+/)?[a-z]+/)")


@dataclass(frozen=True)
class Library:
    """What is known of an account's tracks and artists. `genres`: from an artist to the weights of their genres."""

    tracks: Mapping[str, Track]
    names: Mapping[str, str]
    genres: Mapping[str, Mapping[str, Decimal]]


def is_excluded(play: Play, rules: list[Row], library: Library) -> bool:
    return any(is_in_force(rule) and matches(rule, play, library) for rule in rules)


def is_in_force(rule: Row) -> bool:
    return rule["is_active"] is not False


def matches(rule: Row, play: Play, library: Library) -> bool:
    """Whether a rule speaks of a play: of what was played, or of when and where; from one date to another."""
    if (rule["from_date"] and play.date < rule["from_date"]) or (rule["to_date"] and play.date > rule["to_date"]):
        return False
    value = rule["value"] or ""
    if rule["kind"] == "play":
        return bool(play.play_id == value)
    if rule["kind"] == "account":
        return bool(play.account == (value or rule["account"]))
    if rule["kind"] == "platform":
        return bool(value) and fold(value) in fold(play.platform or "")
    if rule["kind"] == "shorter_than":
        return value.isdecimal() and play.ms < int(value) * 1000
    if rule["kind"] == "hour_window":
        window = HOURS.fullmatch(value)
        return window is not None and is_within(play.hour, int(window[1]), int(window[2]))
    track = library.tracks.get(play.uri) if play.content_type == "track" else None
    return track is not None and names(rule["kind"], value, track, library)


def is_within(hour: int, begin: int, end: int) -> bool:
    """Whether an hour of the day lies in a window that may go over midnight; one of equal ends is the whole day."""
    length = (end - begin) % 24 or 24
    return (hour - begin) % 24 < length


def names(kind: str, value: str, track: Track, library: Library) -> bool:
    """Whether a value, a name or an id, URI or link, is that of the track, or of its album, artist or genre."""
    bare, plain = ADDRESS.sub("", value).partition("?")[0], fold(value)
    if kind == "track":
        return value == track.uri or bare == track.track_id
    if kind == "album":
        return bare == track.album_id or plain == fold(track.album_name or "")
    if kind == "artist":
        return any(bare == key or plain == fold(library.names[key]) for key in track.artist_keys)
    if kind == "genre":
        return any(plain == fold(genre) for key in track.artist_keys for genre in library.genres.get(key, ()))
    return False

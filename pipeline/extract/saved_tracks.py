"""From pages of saved tracks to events: a track was saved, a track was removed.

Format: `GET /v1/me/tracks`, Spotify Web API reference: `{"items": [{"added_at": …, "track": …}], "total": …}`, what was
saved last comes first. Relied on: `items`, `total`, some identity of a track. An absence is believed only of a read in
which every page fits the one before, so that nothing that goes wrong at Spotify looks like a removal.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.plays import PassedOver, describe_track, read_page, track_of
from pipeline.extract.values import format_moment, parse_moment

COLUMNS = (
    "account",
    "observed_at_utc",
    "observed_date_utc",
    "event",
    "added_at_utc",
    "track_uri",
    "track_id",
    "isrc",
    "song_name",
    "artist_name",
    "artists",
    "album_id",
    "album_name",
    "album_art_link",
    "song_link",
    "song_duration_ms",
    "is_local",
)
PAGE = 50
SavedTrack = dict[str, str]
Entry = SavedTrack | None  # None: what holds a place in the library but is no track
Outcome = Literal["unchanged", "added", "complete", "shifting", "empty"]


@dataclass(frozen=True)
class Library:
    """What a read of the library came to. `total`: how many entries Spotify says it has; `calls`: pages fetched.

    `outcome`: "unchanged" and "added", as the first pages alone tell; "complete", everything was seen; "shifting", what
    was seen does not fit together; "empty", nothing is left of tracks that were known. The last two record no removal.
    """

    events: list[SavedTrack]
    total: int
    outcome: Outcome
    calls: int


def read_library(
    fetch: Callable[[int, int], bytes],
    account: str,
    known: Mapping[str, SavedTrack],
    observed_at: datetime.datetime,
    accept_empty: bool = False,
) -> Library:
    """What has happened to the library since `known`: track_uri → the row with which the track was last saved.

    `fetch(offset, limit)` gives the body of a page; what it raises passes through. `accept_empty`: believe a library in
    which nothing is left. Raises UnexpectedAnswer when a page is none.
    """
    moment = format_moment(observed_at)
    seen = {"account": account, "observed_at_utc": moment, "observed_date_utc": moment[:10]}
    reading = _Reading(fetch, seen)
    recognized = False
    while reading.steady and reading.goes_on and not recognized:
        recognized = any(_is_known(track, known) for track in reading.take_page())
    if _only_added(reading, known):
        events = _saved(reading, known)
        return Library(events, reading.total, "added" if events else "unchanged", reading.pages)
    while reading.steady and reading.goes_on:
        reading.take_page()
    calls = reading.pages
    if not reading.steady:
        reading = _Reading(fetch, seen)
        while reading.goes_on:
            reading.take_page()
        calls += reading.pages
    missing = [track for uri, track in known.items() if uri not in reading.tracks]
    # An entry that is no track may be any of those that are missing.
    if not reading.steady or (missing and reading.unusable):
        return Library(_saved(reading, known), reading.total, "shifting", calls)
    if missing and reading.total == 0 and not accept_empty:
        return Library([], 0, "empty", calls)
    removed = [_event("removed", seen, track) for track in missing]
    return Library([*_saved(reading, known), *removed], reading.total, "complete", calls)


@dataclass
class _Reading:
    """Pages from the first on, put together. `unusable`: entries that are no track. `steady`: every page named the same
    total, was as long as it had to be and went on where the one before ended, and no track came twice."""

    fetch: Callable[[int, int], bytes]
    seen: Mapping[str, str]
    tracks: dict[str, SavedTrack] = field(default_factory=dict)
    unusable: int = 0
    total: int = -1
    pages: int = 0
    steady: bool = True
    last: str | None = None
    goes_on: bool = True

    def take_page(self) -> list[SavedTrack]:
        """The tracks of the next page.

        It begins with the entry that ended the page before. Where it does not, the library was edited meanwhile, or the
        two pages are of different ages, and a track can have slipped through between them though the total agrees.
        """
        offset = self.pages * (PAGE - 1)
        total, entries = _parse_page(self.fetch(offset, PAGE), self.seen)
        keys = [entry["track_uri"] if entry else None for entry in entries]
        joined = bool(offset and keys) and keys[0] == self.last
        fits = (joined or not offset) and self.total in (-1, total)
        fits = fits and len(entries) == min(PAGE, max(total - offset, 0))
        before = len(self.tracks) + self.unusable
        for entry in entries[1 if joined else 0 :]:
            if entry is None:
                self.unusable += 1
            else:
                fits = fits and entry["track_uri"] not in self.tracks
                # Of two under one key the first is the one saved last.
                self.tracks.setdefault(entry["track_uri"], entry)
        self.steady = self.steady and fits
        self.goes_on = offset + PAGE < total and len(self.tracks) + self.unusable > before
        self.total, self.pages, self.last = total, self.pages + 1, keys[-1] if keys else None
        return [entry for entry in entries if entry]


def _parse_page(body: bytes, seen: Mapping[str, str]) -> tuple[int, list[Entry]]:
    page = read_page(body)
    total = page.get("total")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise UnexpectedAnswer(f"the answer does not say how many tracks are saved; it begins {body[:60]!r}")
    return total, [_parse_entry(item, seen) for item in page["items"]]


def _parse_entry(item: Any, seen: Mapping[str, str]) -> Entry:
    try:
        track = track_of(item)
    except PassedOver:
        return None
    if not any(isinstance(track.get(name), str) and track[name] for name in ("uri", "id", "name")):
        return None
    added_at = parse_moment(item.get("added_at"))
    moment = {"added_at_utc": format_moment(added_at)} if added_at else {}
    return _event("saved", seen, {**describe_track(track), **moment})


def _event(event: str, seen: Mapping[str, str], track: Mapping[str, str]) -> SavedTrack:
    row = {**track, **seen, "event": event}
    return {name: row.get(name, "") for name in COLUMNS}


def _is_known(track: SavedTrack, known: Mapping[str, SavedTrack]) -> bool:
    """Whether it has been saved ever since. Where Spotify leaves the moment out, nothing says it was saved anew."""
    before = known.get(track["track_uri"])
    return before is not None and track["added_at_utc"] in ("", before["added_at_utc"])


def _saved(reading: _Reading, known: Mapping[str, SavedTrack]) -> list[SavedTrack]:
    return [track for track in reading.tracks.values() if not _is_known(track, known)]


def _only_added(reading: _Reading, known: Mapping[str, SavedTrack]) -> bool:
    """Whether the new stands before the known and explains the total: then nothing further down is missing.

    Only a removal that a track saved with an older date makes up for is not seen, until the next complete read.
    """
    tracks = list(reading.tracks.values())
    fresh = _saved(reading, known)
    new = sum(track["track_uri"] not in known for track in fresh)
    on_top = tracks[: len(fresh)] == fresh and (len(tracks) > len(fresh) or not tracks)
    return reading.steady and not reading.unusable and on_top and len(known) + new == reading.total

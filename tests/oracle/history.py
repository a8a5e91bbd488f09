"""All that the reports of one account are made of."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import raw as rows_of_staging
from tests.oracle.numbers import Key, rounded
from tests.oracle.periods import DAY, Date, Period
from tests.oracle.plays import Play, Told, exported_play, polled_plays
from tests.oracle.raw import Raw, Row, Span
from tests.oracle.removed import Removed, near_duplicates, of_polled
from tests.oracle.rules import Library, is_excluded
from tests.oracle.sources import is_undated, pairs
from tests.oracle.tracks import Track, tracks_of


@dataclass(frozen=True)
class History:
    """`all_plays`: spoken and excluded ones too; `plays`: those that count. Both in the order of their ends, and of
    play_id. `today`: the local date of what is known last. `gaps`: the open ones. `removed`: rows that are no
    plays of their own."""

    account: str
    zone: ZoneInfo
    all_plays: list[Play]
    plays: list[Play]
    today: Date
    library: Library
    gaps: list[Span]
    completeness: Mapping[Date, str]
    rules: list[Row]
    removed: list[Removed]

    @cached_property
    def first_date(self) -> Date:
        return self.plays[0].date

    @property
    def has_gap(self) -> bool:
        return bool(self.gaps)

    def has_gap_in(self, first: Date, last: Date) -> bool:
        """Whether an open gap overlaps these local dates, both included."""
        begin, end = self.midnight(first), self.midnight(last + DAY)
        return any(gap_begin < end and gap_end >= begin for gap_begin, gap_end in self.gaps)

    def midnight(self, date: Date) -> datetime.datetime:
        """With which a local date begins."""
        return datetime.datetime.combine(date, datetime.time(), self.zone).astimezone(datetime.UTC)

    def between(self, first: Date, last: Date) -> list[Play]:
        """The plays of these local dates, both included."""
        return [play for play in self.plays if first <= play.date <= last]

    def is_complete(self, period: Period) -> bool:
        return period.is_complete(self.first_date, self.today)

    def track(self, play: Play) -> Track:
        return self.library.tracks[play.uri]

    def recording(self, play: Play) -> str:
        return self.track(play).recording

    def artists(self, play: Play) -> tuple[str, ...]:
        return self.track(play).artist_keys

    def album(self, play: Play) -> str | None:
        return self.track(play).album_key

    def genre_shares(self, uri: str) -> dict[str, Fraction]:
        """What of a play of this track goes to which genre: every artist's equal share, by the artist's weights."""
        shares: dict[str, Fraction] = defaultdict(Fraction)
        artists = self.library.tracks[uri].artist_keys
        for artist in artists:
            for genre, weight in self.library.genres.get(artist, {}).items():
                shares[genre] += Fraction(weight) / len(artists)
        return shares

    @cached_property
    def first_heard(self) -> dict[str, Play]:
        """The first play of every recording."""
        return first_by(self.plays, lambda play: [self.recording(play)])

    @cached_property
    def artists_first_heard(self) -> dict[str, Play]:
        return first_by(self.plays, self.artists)


def first_by(plays: Iterable[Play], keys: Callable[[Play], Iterable[str]]) -> dict[str, Play]:
    found: dict[str, Play] = {}
    for play in plays:
        for key in keys(play):
            found.setdefault(key, play)
    return found


def grouped(plays: Iterable[Play], key: Callable[[Play], Key]) -> dict[Key, list[Play]]:
    groups: dict[Key, list[Play]] = defaultdict(list)
    for play in plays:
        groups[key(play)].append(play)
    return dict(groups)


def grouped_by_each(plays: Iterable[Play], keys: Callable[[Play], Iterable[Key]]) -> dict[Key, list[Play]]:
    """A play goes into the group of each of its keys."""
    groups: dict[Key, list[Play]] = defaultdict(list)
    for play in plays:
        for key in keys(play):
            groups[key].append(play)
    return dict(groups)


def weights_of(rows: list[Row]) -> dict[str, dict[str, Decimal]]:
    """Genres by artist, of the latest asking: by votes where there are any, else all alike."""
    latest: dict[str, datetime.datetime] = {}
    for row in rows:
        artist, at = row["artist_id"], row["last_updated_datetime_utc"]
        latest[artist] = max(at, latest.get(artist, at))
    votes: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row["artist_genre"] is not None and row["last_updated_datetime_utc"] == latest[row["artist_id"]]:
            votes[row["artist_id"]][row["artist_genre"]] = row["genre_votes"] or 0
    weights: dict[str, dict[str, Decimal]] = {}
    for artist, genres in votes.items():
        total = sum(genres.values())
        weights[artist] = {
            genre: rounded(Fraction(count, total) if total else Fraction(1, len(genres)), 8)
            for genre, count in genres.items()
        }
    return weights


def read_histories(
    connection: Any, zone: ZoneInfo, zones: Mapping[str, ZoneInfo] | None = None, shortest_play: int = 0
) -> list[History]:
    """Of every account that has a play. `zones`: of the accounts that have one of their own."""
    accounts = sorted(rows_of_staging.read(connection, shortest_play).items())
    histories = [history_of(account, raw, (zones or {}).get(account, zone)) for account, raw in accounts]
    return [history for history in histories if history is not None]


def plays_of(raw: Raw, zone: ZoneInfo) -> tuple[list[Play], list[Removed]]:
    """Every row of the export without near-duplicates, and the plays that the Web API alone has; in the order of their
    ends. And the rows that are no plays of their own."""
    rows = [Told(exported_play(row, zone), row, (row,)) for row in raw.exported]
    repeated = near_duplicates(rows, (is_undated(row) for row in raw.exported))
    exported = [told for number, told in enumerate(rows) if number not in repeated]
    polled = polled_plays(raw.polled, zone)
    numbers = {id(told): number for number, told in enumerate(polled)}
    kept = {numbers[id(told)]: other.play for told, other in pairs(polled, exported, raw.polled)}
    removed = [
        *(Removed("impossible_timestamp", row) for row in raw.impossible),
        *(
            Removed("near_duplicate", rows[number].row, rows[other].play, rows[number].play)
            for number, other in repeated.items()
        ),
        *of_polled(polled, kept),
    ]
    plays = [told.play for told in exported] + [told.play for n, told in enumerate(polled) if n not in kept]
    return sorted(plays, key=lambda play: (play.ended_at, play.play_id)), removed


def history_of(account: str, raw: Raw, zone: ZoneInfo) -> History | None:
    """None without a play."""
    everything, removed = plays_of(raw, zone)
    if not everything:
        return None
    tracks, names = tracks_of(raw)
    library = Library(tracks, names, weights_of(raw.genres))
    music = [play for play in everything if play.content_type == "track"]
    newest = [everything[-1].ended_at, *([raw.fetched_at] if raw.fetched_at else [])]
    return History(
        account=account,
        zone=zone,
        all_plays=everything,
        plays=[play for play in music if not is_excluded(play, raw.rules, library)] if raw.rules else music,
        today=max(newest).astimezone(zone).date(),
        library=library,
        gaps=raw.gaps,
        completeness=raw.completeness,
        rules=raw.rules,
        removed=removed,
    )

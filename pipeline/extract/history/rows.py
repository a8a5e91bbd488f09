"""From rows of the data export to lines of the partitions data/spotify_history.

Format: "Extended streaming history", as Spotify's own page about it and exports of 2014 to 2026 have it. `ts`, the end
of the play or the moment an offline device told of it, and `ms_played` are relied on; anything else may be missing or
null. The address (`ip_addr`), the browser (`user_agent_decrypted`) and the user's name are not kept.

A line is put together by hand from cached parts: a million rows through csv.writer take as long as all else together.
"""

from __future__ import annotations

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from pipeline.extract.values import EARLIEST_PLAY, identifier, text

# What was played. Field of the export → column of the partition.
CONTENT = {
    "spotify_track_uri": "track_uri",
    "master_metadata_track_name": "track_name",
    "master_metadata_album_artist_name": "album_artist_name",
    "master_metadata_album_album_name": "album_name",
    "spotify_episode_uri": "episode_uri",
    "episode_name": "episode_name",
    "episode_show_name": "episode_show_name",
    "audiobook_uri": "audiobook_uri",
    "audiobook_title": "audiobook_title",
    "audiobook_chapter_uri": "audiobook_chapter_uri",
    "audiobook_chapter_title": "audiobook_chapter_title",
}
# How it was played.
CIRCUMSTANCES = ("platform", "conn_country", "reason_start", "reason_end")
FLAGS = ("shuffle", "skipped", "offline", "incognito_mode")
COLUMNS = (
    "account",
    "played_date_utc",
    "played_at_utc",
    "row_id",
    "last_updated_datetime_utc",
    "ms_played",
    *CONTENT.values(),
    *CIRCUMSTANCES,
    *FLAGS,
    "offline_timestamp",
)
NOT_KEPT = {"ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "username", "city", "region"}
KEPT = ("ts", "ms_played", *CONTENT, *CIRCUMSTANCES, *FLAGS, "offline_timestamp")
ABSENT: dict[str, Any] = dict.fromkeys(KEPT)
# In the order in which they name what was played: a chapter before the audiobook it is of.
URIS = [
    [*CONTENT].index(field)
    for field in ("spotify_track_uri", "spotify_episode_uri", "audiobook_chapter_uri", "audiobook_uri")
]
SIDE = len(CIRCUMSTANCES) + len(FLAGS)
BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
LARGEST = 2**53
PUNCTUATION = tuple("--T::Z")
EARLIEST = f"{EARLIEST_PLAY:%Y-%m-%dT%H:%M:%SZ}"
# offline_timestamp counts milliseconds in older rows and seconds in newer.
FIRST_OF_MILLISECONDS = 10**11
Skipped = dict[str, list[int]]

_values = itemgetter("ts", "ms_played", "offline_timestamp", "offline", *CONTENT, *CIRCUMSTANCES, *FLAGS)


class NoRow(Exception):
    """Why an entry of the export gives no row."""


def key_length(account: str) -> int:
    """How many characters at the begin of a line are its identity: account, date, moment, row_id."""
    return len(f"{account},2026-11-22,2026-11-22T14:30:00Z,0123456789abcdef,")


class LineMaker:
    """Makes lines for one account and one import. `stamp`: when the import began, as it stands in the lines; UTC.
    `bounds`: begin and end of the time within which plays count for `first` and `last`.

    `read`: entries seen so far. `first`, `last`: the earliest and the latest `ts` among the lines.
    `skipped`: reason → numbers of the entries that gave no line, from 1. `unknown`: fields that no column is kept for.
    """

    def __init__(self, account: str, stamp: str, bounds: tuple[str, str] = ("", "~")) -> None:
        self.account = account
        self.stamp = stamp
        self.bounds = bounds
        self._now = stamp[:19] + "Z"
        self.read = 0
        self.first = self.last = ""
        self.skipped: Skipped = defaultdict(list)
        self.unknown: set[str] = set()
        self._fields = 0
        self._known: dict[Any, tuple[str, str]] = {}

    def lines(self, entries: Iterable[Any]) -> list[str]:
        """A line, without its end, for every entry that is a play; sorted, and of equal ones the first alone."""
        made: dict[str, str] = {}
        length = key_length(self.account)
        for entry in entries:
            self.read += 1
            try:
                line = self._line(entry)
            except NoRow as reason:
                self.skipped[str(reason)].append(self.read)
                continue
            made.setdefault(line[:length], line)
        keys = sorted(made)
        if keys:
            self._note_moments(keys)
        return [made[key] for key in keys]

    def _note_moments(self, keys: list[str]) -> None:
        begin, end = self.bounds
        place = len(f"{self.account},2026-11-22,")
        first = next((moment for key in keys if (moment := key[place : place + 20]) >= begin), "")
        last = next((moment for key in reversed(keys) if (moment := key[place : place + 20]) <= end), "")
        if first and first <= last:
            self.first = min(first, self.first or first)
            self.last = max(last, self.last)

    def _line(self, entry: Any) -> str:
        if not isinstance(entry, dict):
            raise NoRow("not an object")
        if len(entry) != self._fields:
            self._fields = len(entry)
            self.unknown.update(map(text, entry.keys() - ABSENT.keys() - NOT_KEPT))
        try:
            values = _values(entry)
        except KeyError:
            values = _values(ABSENT | entry)
        ts, ms_played, offline_timestamp, is_offline = values[:4]
        moment = _moment(ts)
        if moment < EARLIEST:
            raise NoRow(f"ts is before {EARLIEST[:10]}, when Spotify did not exist")
        if moment > self._now:
            raise NoRow("ts is after the import")
        if type(ms_played) is not int or not 0 <= ms_played < LARGEST:
            ms_played = _milliseconds(ms_played)
        if type(offline_timestamp) is not int or not 0 < offline_timestamp < LARGEST:
            offline_timestamp = ""
        what, content = self._parts(values[4:-SIDE], _content)
        begun = ""
        if is_offline is True and offline_timestamp:
            begun = offline_timestamp // 1000 if offline_timestamp > FIRST_OF_MILLISECONDS else offline_timestamp
        row_id = hashlib.blake2b(f"{what}|{ms_played}|{begun}".encode(), digest_size=8).hexdigest()
        _, context = self._parts(values[-SIDE:], _context)
        return (
            f"{self.account},{moment[:10]},{moment},{row_id},{self.stamp},{ms_played},{content},{context},"
            f"{offline_timestamp}"
        )

    def _parts(self, values: tuple[Any, ...], make: Callable[[tuple[Any, ...]], tuple[str, str]]) -> tuple[str, str]:
        """`make(values)`, remembered: a history repeats its tracks and devices."""
        try:
            known = self._known.get(values)
        except TypeError:  # a list or an object where a text should be
            return make(values)
        if known is None:
            known = self._known[values] = make(values)
        return known


def _content(values: tuple[Any, ...]) -> tuple[str, str]:
    """What tells one content from another: the URI, else all names; and its columns."""
    cleaned = [identifier(value) if index in URIS else text(value) for index, value in enumerate(values)]
    uri = next((cleaned[index] for index in URIS if cleaned[index]), "")
    return uri or "\n".join(cleaned), ",".join(map(quoted, cleaned))


def _context(values: tuple[Any, ...]) -> tuple[str, str]:
    texts = [quoted(text(value)) for value in values[: len(CIRCUMSTANCES)]]
    flags = [BOOLEANS.get(str(value).lower(), "") for value in values[len(CIRCUMSTANCES) :]]
    return "", ",".join(texts + flags)


def quoted(value: str) -> str:
    """A field of CSV; the empty one stands for an absent value."""
    if '"' in value or "," in value or "\n" in value or "\r" in value:
        return '"' + value.replace('"', '""') + '"'
    return value


def _moment(value: Any) -> str:
    """`ts` as YYYY-MM-DDTHH:MM:SSZ."""
    try:
        moment = datetime.datetime.fromisoformat(value)
        # ISO 8601 knows other ways of as many letters: 2026-W01-1T10:00:00Z, 20260101T100000,1Z.
        if len(value) == 20 and (value[4], value[7], value[10], value[13], value[16], value[19]) == PUNCTUATION:
            return str(value)
        moment = moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        raise NoRow("ts is no date and time") from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _milliseconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST:
        raise NoRow("ms_played is no number of milliseconds")
    return int(value)

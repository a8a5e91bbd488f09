"""What is known of a track: what was polled last goes before what was exported last."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.oracle.plays import exported_end, fold, identify, md5
from tests.oracle.raw import Raw, Row

VARIOUS = "various artists"
NOBODY = "(unknown)"


@dataclass(frozen=True)
class Credit:
    """An artist as a row names them; the export and local files know no id."""

    id: str | None
    name: str | None

    @property
    def name_key(self) -> str | None:
        return None if self.name is None else "name:" + md5(fold(self.name))


@dataclass(frozen=True)
class Track:
    """`artists`: for display; `artist_keys`: each of them once. `total_tracks`: of its album."""

    uri: str
    track_id: str | None
    name: str
    artists: str
    artist_keys: tuple[str, ...]
    recording: str
    album_id: str | None
    album_name: str | None
    album_artist: str | None
    album_key: str | None
    total_tracks: int | None
    url: str | None


@dataclass(frozen=True)
class Mention:
    """What one row tells of a track."""

    is_polled: bool
    at: datetime.datetime
    row: Row
    name: str
    credits: tuple[Credit, ...]
    album_artist: str | None

    @property
    def weight(self) -> tuple[Any, ...]:
        """The row that counts has the greatest."""
        return self.is_polled, bool(self.credits), self.at


def mentions_of(raw: Raw) -> dict[str, list[Mention]]:
    """By track."""
    rows: dict[str, list[Mention]] = defaultdict(list)
    for row in raw.polled:
        credits = tuple(Credit(artist.get("id"), artist.get("name")) for artist in row["artists"])
        album_artist = row["album_artists"][0].get("name") if row["album_artists"] else None
        name = "(untitled)" if row["song_name"] is None else row["song_name"]
        rows[row["track_uri"]].append(Mention(True, row["played_at_utc"], row, name, credits, album_artist))
    for row in raw.exported:
        kind, uri = identify(row)
        if kind == "track":
            artist = row["album_artist_name"]
            is_somebody = artist is not None and fold(artist) != VARIOUS
            name = "(untitled)" if row["track_name"] is None else row["track_name"]
            credits = (Credit(None, artist),) if is_somebody else ()
            rows[uri].append(Mention(False, exported_end(row), row, name, credits, artist))
    return rows


class Artists:
    """Who is meant by a credit, and what they are called."""

    def __init__(self, mentions: dict[str, list[Mention]]) -> None:
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, list[tuple[datetime.datetime, str]]] = defaultdict(list)
        for rows in mentions.values():
            for row in rows:
                for credit in row.credits:
                    if credit.id and credit.name_key:
                        self._ids[credit.name_key].add(credit.id)
                    own_key = credit.id or credit.name_key
                    if own_key:
                        self._names[own_key].append((row.at, NOBODY if credit.name is None else credit.name))

    def key(self, credit: Credit) -> str | None:
        """The id; of a name alone that of the one polled artist who goes by it; else, or if they are several, the
        name's key."""
        if credit.id or credit.name_key is None:
            return credit.id
        ids = self._ids.get(credit.name_key, set())
        return next(iter(ids)) if len(ids) == 1 else credit.name_key

    def name(self, key: str) -> str:
        """As of the latest play that credits them."""
        latest = max(at for at, _ in self._names[key])
        return min(name for at, name in self._names[key] if at == latest)


def tracks_of(raw: Raw) -> tuple[dict[str, Track], dict[str, str]]:
    """Tracks by URI, and names by artist."""
    mentions = mentions_of(raw)
    artists = Artists(mentions)
    tracks = {}
    for uri, rows in mentions.items():
        greatest = max(row.weight for row in rows)
        # Export rows of one second: the same one every time.
        best = min((row for row in rows if row.weight == greatest), key=_order)
        tracks[uri] = _track(uri, best, artists, raw.overrides.get(uri))
    keys = {key for track in tracks.values() for key in track.artist_keys}
    return tracks, {key: artists.name(key) for key in keys}


def _order(told: Mention) -> tuple[Any, ...]:
    album = told.row["album_name"]
    return told.name, album is None, album or "", told.album_artist or ""


def _track(uri: str, told: Mention, artists: Artists, override: str | None) -> Track:
    row = told.row
    names = [credit.name for credit in told.credits if credit.name is not None]
    keys = [artists.key(credit) for credit in told.credits]
    isrc = row["isrc"] if told.is_polled else None
    track_id = uri.removeprefix("spotify:track:") if uri.startswith("spotify:track:") else None
    url = f"https://open.spotify.com/track/{track_id}" if track_id else None
    album = row["album_name"]
    return Track(
        uri=uri,
        track_id=row["track_id"] if told.is_polled else track_id,
        name=told.name,
        artists=", ".join(names) if names else NOBODY,
        artist_keys=tuple(dict.fromkeys(key for key in keys if key is not None)),
        recording=f"override:{override}" if override else f"isrc:{isrc}" if isrc else uri,
        album_id=row["album_id"] if told.is_polled else None,
        album_name=album,
        album_artist=told.album_artist,
        album_key=None if album is None else "album:" + md5(f"{fold(album)}|{fold(told.album_artist or '')}"),
        total_tracks=row["album_total_tracks"] if told.is_polled else None,
        url=row["song_link"] if told.is_polled else url,
    )

"""From a recently-played page to rows: one dict per play, keyed like the partition's columns.

Format: `GET /v1/me/player/recently-played`, Spotify Web API reference. Only `played_at`, `track.duration_ms` and some
identity of the track are relied on; anything else may be missing, null or new.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import unicodedata
from typing import Any
from urllib.parse import quote_plus

from pipeline import config
from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.values import EARLIEST_PLAY, boolean, format_moment, identifier, integer, parse_moment, text

COLUMNS = (
    "account",
    "played_at_utc",
    "played_date_utc",
    "song_name",
    "artist_name",
    "song_duration_ms",
    "song_link",
    "album_art_link",
    "album_name",
    "album_id",
    "artist_id",
    "track_id",
    "isrc",
    "track_uri",
    "is_local",
    "explicit",
    "disc_number",
    "track_number",
    "album_type",
    "album_release_date",
    "album_release_date_precision",
    "album_total_tracks",
    "artists",
    "album_artists",
    "context_type",
    "context_uri",
    "last_updated_datetime_utc",
)
Play = dict[str, str]
# How the reason begins for which an entry is passed over that is no loss: an episode, for instance.
OTHER_KIND = "of type"
# A play cannot end after it was fetched; the clocks of this machine and of Spotify may differ.
CLOCKS_DIFFER = datetime.timedelta(days=1)


def parse_page(body: bytes, account: str, fetched_at: datetime.datetime) -> tuple[list[Play], list[dict[str, Any]]]:
    """Rows of one response, and what was passed over: `{"item": index, "reason": …, "entry": …}`. `entry` is the same
    in each page that holds the entry.

    Raises UnexpectedAnswer when the body is no page of plays at all.
    """
    plays, skipped = [], []
    for index, item in enumerate(read_page(body)["items"]):
        try:
            plays.append(parse_item(item, account, fetched_at))
        except PassedOver as reason:
            skipped.append({"item": index, "reason": str(reason), "entry": _entry(item)})
    return plays, skipped


def read_page(body: bytes) -> dict[str, Any]:
    """The answer: an object with a list of `items`. Raises UnexpectedAnswer when it is anything else."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(
            f"the answer is not JSON ({type(error).__name__}); it begins"
            f" {config.scrub(body.decode(errors='replace'))[:60]!r}"
        ) from error
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        problem = page.get("error") if isinstance(page, dict) else None
        raise UnexpectedAnswer(
            f"the answer has no list of items; its error says {config.scrub(json.dumps(problem))[:200]}"
        )
    return page


def _entry(item: Any) -> str:
    """`played_at`; without one, a digest of the whole entry."""
    played_at = item.get("played_at") if isinstance(item, dict) else None
    if isinstance(played_at, str) and parse_moment(played_at):
        return played_at
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:16]


class PassedOver(Exception):
    """Why an item gives no row."""


def track_of(item: Any) -> dict[str, Any]:
    """The item's track. Raises PassedOver when there is none: null, or an episode."""
    if not isinstance(item, dict):
        raise PassedOver("not an object")
    track = item.get("track")
    if not isinstance(track, dict):
        raise PassedOver("no track")
    kind = text(track.get("type"))
    if kind not in ("", "track"):
        raise PassedOver(f"{OTHER_KIND} {config.scrub(kind)[:40]}, not a track")
    return track


def parse_item(item: Any, account: str, fetched_at: datetime.datetime, latest: datetime.datetime | None = None) -> Play:
    """One entry of a page. `latest`: the latest possible `played_at`; a day after `fetched_at` if not given. Raises
    PassedOver where it is no play."""
    track = track_of(item)
    played_at = parse_moment(item.get("played_at"))
    if played_at is None:
        raise PassedOver("no played_at that is a date and time")
    if played_at < EARLIEST_PLAY:
        raise PassedOver(f"played_at is before {EARLIEST_PLAY:%Y-%m-%d}, when Spotify did not exist")
    if played_at > (latest or fetched_at + CLOCKS_DIFFER):
        raise PassedOver("played_at is after the import" if latest else "played_at is more than a day after the poll")
    description = describe_track(track)
    if not description["song_duration_ms"]:
        raise PassedOver("no duration_ms")
    context = _object(item.get("context"))
    return {
        "account": account,
        "played_at_utc": format_moment(played_at),
        "played_date_utc": played_at.date().isoformat(),
        **description,
        "context_type": text(context.get("type")),
        "context_uri": text(context.get("uri")),
        "last_updated_datetime_utc": format_moment(fetched_at),
    }


def describe_track(track: dict[str, Any]) -> dict[str, str]:
    """Everything that is kept of a track, `song_name` to `album_artists`; absent is the empty string."""
    album = _object(track.get("album"))
    artists = _credits(track.get("artists"))
    duration = integer(track.get("duration_ms"))
    images = album.get("images")
    first = artists[0] if artists else {}
    return {
        "song_name": text(track.get("name")),
        "artist_name": first.get("name") or "",
        "song_duration_ms": duration,
        "song_link": text(_object(track.get("external_urls")).get("spotify")),
        "album_art_link": text(_object(images[0]).get("url")) if isinstance(images, list) and images else "",
        "album_name": text(album.get("name")),
        "album_id": identifier(album.get("id")),
        "artist_id": first.get("id") or "",
        "track_id": identifier(track.get("id")),
        "isrc": identifier(_object(track.get("external_ids")).get("isrc")).upper(),
        "track_uri": _track_uri(track, artists, album, duration),
        "is_local": boolean(track.get("is_local")),
        "explicit": boolean(track.get("explicit")),
        "disc_number": integer(track.get("disc_number")),
        "track_number": integer(track.get("track_number")),
        "album_type": text(album.get("album_type")),
        "album_release_date": text(album.get("release_date")),
        "album_release_date_precision": text(album.get("release_date_precision")),
        "album_total_tracks": integer(album.get("total_tracks")),
        "artists": json.dumps(artists, ensure_ascii=False),
        "album_artists": json.dumps(_credits(album.get("artists")), ensure_ascii=False),
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _credits(artists: Any) -> list[dict[str, str | None]]:
    """`[{"id": …, "name": …}]` in the order of the credits; a local file's artist has no id."""
    if not isinstance(artists, list):
        return []
    parsed = [
        {"id": identifier(artist.get("id")) or None, "name": text(artist.get("name")) or None}
        for artist in artists
        if isinstance(artist, dict)
    ]
    return [artist for artist in parsed if artist["id"] or artist["name"]]


def _track_uri(
    track: dict[str, Any], artists: list[dict[str, str | None]], album: dict[str, Any], duration: str
) -> str:
    """What tells two tracks apart when everything else may be null: the URI, else the id, else the names."""
    if uri := identifier(track.get("uri")):
        return uri
    if track_id := identifier(track.get("id")):
        return f"spotify:track:{track_id}"
    names = (artists[0]["name"] if artists else "", text(album.get("name")), text(track.get("name")))
    seconds = str(int(duration or 0) // 1000)
    return identifier(
        ":".join(
            ["spotify", "local", *(quote_plus(unicodedata.normalize("NFC", name or "")) for name in names), seconds]
        )
    )

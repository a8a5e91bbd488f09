"""Plays and pages for the tests, in the Web API's form. All names are made up."""

from __future__ import annotations

import datetime
import json
import zlib
from typing import Any

Json = dict[str, Any]
# The polling hours (UTC) of an unchanged luigi.cfg.
AWAKE_HOURS = {*range(7), *range(14, 24)}
FETCHED = datetime.datetime(2026, 11, 22, 14, 30, 1, 482913, tzinfo=datetime.UTC)


def track(name: str = "Falling for Monday", minutes: float = 3.5, **changes: Any) -> Json:
    """A track of one artist on one album; `changes` replace or add fields."""
    key = "".join(letter for letter in name.title() if letter.isalnum())[:22].ljust(22, "0")
    return {
        "album": {
            "album_type": "album",
            "artists": [{"id": "artist0000000000000001", "name": "Velvet Harbour"}],
            "id": "album00000000000000001",
            "images": [{"height": 640, "url": "https://i.scdn.co/image/large", "width": 640}],
            "name": "Paper Lanterns",
            "release_date": "2024-02-29",
            "release_date_precision": "day",
            "total_tracks": 9,
        },
        "artists": [{"id": "artist0000000000000001", "name": "Velvet Harbour"}],
        "disc_number": 1,
        "duration_ms": int(minutes * 60_000),
        "explicit": False,
        "external_ids": {"isrc": f"QZAAA24{zlib.crc32(name.encode(errors='surrogatepass')) % 100_000:05}"},
        "external_urls": {"spotify": f"https://open.spotify.com/track/{key}"},
        "id": key,
        "is_local": False,
        "name": name,
        "track_number": 3,
        "type": "track",
        "uri": f"spotify:track:{key}",
        **changes,
    }


def item(played_at: str, **changes: Any) -> Json:
    """One entry of recently-played; `changes` go to the track."""
    return {"track": track(**changes), "played_at": played_at, "context": None}


def page(*items: Json) -> bytes:
    """The body of an answer, newest first."""
    ordered = sorted(items, key=lambda entry: str(entry["played_at"]), reverse=True)
    return json.dumps({"items": ordered, "next": None, "cursors": None, "limit": 50}).encode()


def evening(count: int, date: str = "2026-11-21", first: int = 0, start: str = "18:00") -> list[Json]:
    """`count` plays of different tracks, four minutes apart."""
    begin = datetime.datetime.fromisoformat(f"{date}T{start}:00")
    return [
        item(
            f"{(begin + datetime.timedelta(minutes=4 * n)).isoformat(timespec='milliseconds')}Z",
            name=f"Song {first + n}",
        )
        for n in range(count)
    ]


def export_row(ts: str, name: str = "Song", ms_played: int = 200_000, **fields: Any) -> dict[str, Any]:
    """An entry of the data export, of the newer generation."""
    return {
        "ts": ts,
        "platform": "ios",
        "ms_played": ms_played,
        "conn_country": "DE",
        "ip_addr": "203.0.113.7",
        "master_metadata_track_name": name,
        "master_metadata_album_artist_name": "Somebody",
        "master_metadata_album_album_name": "Album",
        "spotify_track_uri": f"spotify:track:{name.lower().replace(' ', '')}",
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "audiobook_title": None,
        "audiobook_uri": None,
        "audiobook_chapter_uri": None,
        "audiobook_chapter_title": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "offline_timestamp": None,
        "incognito_mode": False,
        **fields,
    }

"""The other archive that Spotify delivers, "Account data": one year, by the minute, without URIs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.listener.archive import write_zip
from tests.listener.moments import DAY_MS, to_seconds
from tests.listener.truth import Play

ROWS_A_FILE = 10_000


def write_account_data(path: Path, plays: Iterable[Play]) -> Path:
    """Write the zip: the last year of `plays`, and the files that come with it."""
    known = list(plays)
    since = known[-1].end_ms - 365 * DAY_MS if known else 0
    recent = [play for play in known if play.end_ms >= since]
    music = [_music(play) for play in recent if play.title.kind in ("track", "local")]
    podcasts = [_podcast(play) for play in recent if play.title.kind == "episode"]
    members = {"MyData/Read_Me_First.pdf": b"%PDF-1.4\n%%EOF\n"}
    for number in range(0, max(len(music), 1), ROWS_A_FILE):
        name = f"MyData/StreamingHistory_music_{number // ROWS_A_FILE}.json"
        members[name] = _json(music[number : number + ROWS_A_FILE])
    tracks = [{"trackName": row["trackName"], "artistName": row["artistName"]} for row in music[:20]]
    return write_zip(
        path,
        members
        | {
            "MyData/StreamingHistory_podcast_0.json": _json(podcasts),
            "MyData/Playlist1.json": _json({"playlists": [{"name": "For the road", "items": tracks}]}),
            "MyData/YourLibrary.json": _json({"tracks": tracks, "albums": [], "shows": []}),
            "MyData/Userdata.json": _json({"username": "made-up", "country": "ZZ", "createdFromFacebook": False}),
            "MyData/Inferences.json": _json({"inferences": ["made up"]}),
        },
    )


def _music(play: Play) -> dict[str, Any]:
    return {**_end(play), "artistName": play.title.album_artist, "trackName": play.title.name, **_length(play)}


def _podcast(play: Play) -> dict[str, Any]:
    return {**_end(play), "podcastName": play.title.album, "episodeName": play.title.name, **_length(play)}


def _end(play: Play) -> dict[str, str]:
    """2022-12-21 14:57"""
    return {"endTime": to_seconds(play.end_ms)[:16].replace("T", " ")}


def _length(play: Play) -> dict[str, int]:
    return {"msPlayed": play.ms_played}


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()

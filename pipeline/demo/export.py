"""The sample listener's data export, as Spotify would send it: what was heard, to the millisecond.

Format: "Extended streaming history". It knows each play once, where the Web API tells some twice or in parts.
"""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.demo.person import SamplePlay

Json = dict[str, Any]
NAME = "Spotify Extended Streaming History/Streaming_History_Audio_{first}-{last}_0.json"


def write_export(path: Path, plays: Iterable[SamplePlay]) -> int:
    """Write the zip; returns its rows. `plays` in the order in which they were heard."""
    rows = list(_rows(plays))
    name = NAME.format(first=rows[0]["ts"][:4], last=rows[-1]["ts"][:4])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, json.dumps(rows, ensure_ascii=False, indent=2))
    return len(rows)


def _rows(plays: Iterable[SamplePlay]) -> Iterator[Json]:
    heard: tuple[Json, datetime.datetime, int] | None = None  # track, end, milliseconds
    for play in plays:
        track, end = play.item["track"], datetime.datetime.fromisoformat(play.played_at)
        since = (end - heard[1]) // datetime.timedelta(milliseconds=1) if heard else track["duration_ms"]
        ms_played = min(track["duration_ms"], since)
        if heard and heard[0] is track and heard[2] + since <= track["duration_ms"] + 2000:
            ms_played += heard[2]  # a part of the same play
        elif heard:
            yield _row(*heard)
        heard = track, end, ms_played
    if heard:
        yield _row(*heard)


def _row(track: Json, end: datetime.datetime, ms_played: int) -> Json:
    is_whole = ms_played >= 0.95 * track["duration_ms"]
    return {
        "ts": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "platform": "android",
        "ms_played": ms_played,
        "conn_country": "DE",
        "ip_addr": "203.0.113.7",
        "master_metadata_track_name": track["name"],
        "master_metadata_album_artist_name": track["album"]["artists"][0]["name"],
        "master_metadata_album_album_name": track["album"]["name"],
        "spotify_track_uri": track["uri"],
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "audiobook_title": None,
        "audiobook_uri": None,
        "audiobook_chapter_uri": None,
        "audiobook_chapter_title": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone" if is_whole else "fwdbtn",
        "shuffle": False,
        "skipped": not is_whole,
        "offline": False,
        "offline_timestamp": int(end.timestamp()) - ms_played // 1000,
        "incognito_mode": False,
    }

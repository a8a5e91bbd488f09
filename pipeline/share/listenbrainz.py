"""The zip that ListenBrainz imports: that of its own export, listens/<year>/<month>.jsonl, one listen a line.

Source of the format: listenbrainz.readthedocs.io, "JSON Documentation", and the server's importer of its own archives
(a zip of at most 500 files of at most 500 MB; a line has `listened_at` and `track_metadata` and nothing beside).
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import IO, Any

import orjson

from pipeline.data_format import program_version
from pipeline.share.plays import COLUMNS
from pipeline.share.tables import Rows

# What ListenBrainz takes: no listen of before October 2002, none of more bytes.
EARLIEST = 1_033_430_400
LARGEST = 10_240
# ListenBrainz' own import of a Spotify export leaves out what was heard for less, unless that was all of it.
SHORT_MS = 30_000
NAMES = [column.name for column in COLUMNS]
Play = dict[str, Any]


@dataclass
class Listens:
    """Writes listens and counts: `written`, and what was `left_out`, by reason. A profile at ListenBrainz is public, so
    private sessions are left out unless asked for."""

    with_excluded: bool = False
    with_private: bool = False
    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def write(self, file: IO[bytes], batches: Iterable[Rows]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for month, lines in groupby(self._lines(batches), key=lambda line: line[0]):
                with archive.open(f"listens/{month}.jsonl", "w") as entry:
                    for _, line in lines:
                        entry.write(line)

    def _lines(self, batches: Iterable[Rows]) -> Iterator[tuple[str, bytes]]:
        for rows in batches:
            for row in rows:
                play = dict(zip(NAMES, row, strict=True))
                line = orjson.dumps(as_listen(play))
                reason = self._reason_against(play) or (len(line) > LARGEST and f"longer than {LARGEST:,} bytes")
                if reason:
                    self.left_out[reason] += 1
                else:
                    self.written += 1
                    # By their ends, in whose order they come: a file is written once.
                    yield f"{play['played_at']:%Y}/{play['played_at'].month}", line + b"\n"

    def _reason_against(self, play: Play) -> str | None:
        if play["content_type"] != "track":
            return "no track"
        if play["excluded_by"] and not self.with_excluded:
            return "taken off by an exclusion rule"
        if play["is_private"] and not self.with_private:
            return "heard in a private session"
        if play["ms_played"] < SHORT_MS and not play["is_completed"]:
            return "broken off within 30 seconds"
        if not play["artists"] or play["title"] == "(untitled)":
            return "without an artist or a title"
        return "before October 2002" if play["started_at"].timestamp() < EARLIEST else None


def as_listen(play: Play) -> dict[str, Any]:
    """`listened_at` is the begin of the play. What is not known is left out."""
    at_spotify = not play["is_local"]
    told = {
        "artist_names": play["artists"],
        "release_artist_name": play["album_artist"],
        "isrc": play["isrc"],
        "tracknumber": play["track_number"],
        "discnumber": play["disc_number"],
        "duration_ms": play["duration_ms"],
        "ms_played": None if play["is_estimated"] else play["ms_played"],
        "spotify_id": play["url"] if at_spotify else None,
        "origin_url": play["url"] if at_spotify else None,
        "spotify_album_id": f"https://open.spotify.com/album/{play['album_id']}" if play["album_id"] else None,
        "spotify_artist_ids": [f"https://open.spotify.com/artist/{each}" for each in play["artist_ids"] if each],
        "music_service": "spotify.com" if at_spotify else None,
        "media_player": "Spotify",
        "submission_client": "listening-history-pipeline",
        "submission_client_version": program_version(),
    }
    names = {"artist_name": ", ".join(play["artists"]), "track_name": play["title"], "release_name": play["album"]}
    return {
        "listened_at": int(play["started_at"].timestamp()),
        "track_metadata": {
            **{name: value for name, value in names.items() if value},
            "additional_info": {name: value for name, value in told.items() if value not in (None, "", [])},
        },
    }

"""Files of the Airflow pipeline before this one: CSV of what it polled, in the forms that it had over the years."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from tests.listener.moments import to_milliseconds, to_seconds
from tests.listener.polled import Polled

# "milliseconds" 2022-12-21T14:57:43.123Z; "seconds" 2022-12-21T14:57:43Z; "space" 2022-12-21 14:57:43.123000
TimeFormat = Literal["milliseconds", "seconds", "space"]
COLUMNS = (
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
    "last_updated_datetime_utc",
)


def write_predecessor(
    folder: Path,
    polled: Iterable[Polled],
    *,
    time_format: TimeFormat = "milliseconds",
    track_id: bool = True,
    release_date: bool = False,
    partitions: bool = False,
) -> list[Path]:
    """Write `spotify_songs.csv`, or a file per UTC day (`2022/12/2022-12-21.csv`), and return the paths.

    `track_id`, `release_date`: whether the columns track_id and album_release_date are there. Every item is a row, in
    the order of its end, as the API returned it.
    """
    columns = [name for name in COLUMNS if track_id or name != "track_id"]
    if release_date:
        columns.insert(columns.index("album_id"), "album_release_date")
    rows = [row_of(entry, time_format) for entry in sorted(polled, key=lambda entry: entry.played_at_ms)]
    if not partitions:
        return [_write(folder / "spotify_songs.csv", columns, rows)]
    days = itertools.groupby(rows, key=lambda row: row["played_date_utc"])
    return [_write(folder / day[:4] / day[5:7] / f"{day}.csv", columns, list(rows_of_day)) for day, rows_of_day in days]


def row_of(entry: Polled, time_format: TimeFormat = "milliseconds") -> dict[str, str]:
    """All columns, album_release_date among them; what is null is empty."""
    track = entry.item["track"]
    album, artist = track["album"], track["artists"][0]
    images = album["images"]
    values = {
        "played_at_utc": _format(entry.played_at_ms, time_format),
        "played_date_utc": to_seconds(entry.played_at_ms)[:10],
        "song_name": track["name"],
        "artist_name": artist["name"],
        "song_duration_ms": track["duration_ms"],
        "song_link": track["external_urls"].get("spotify"),
        "album_art_link": images[0]["url"] if images else None,
        "album_name": album["name"],
        "album_release_date": album.get("release_date"),
        "album_id": album["id"],
        "artist_id": artist["id"],
        "track_id": track["id"],
        "last_updated_datetime_utc": _format(entry.visible_ms, time_format),
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _format(unix_ms: int, time_format: TimeFormat) -> str:
    if time_format == "seconds":
        return to_seconds(unix_ms)
    if time_format == "space":
        return to_milliseconds(unix_ms).replace("T", " ").replace("Z", "000")
    return to_milliseconds(unix_ms)


def _write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path

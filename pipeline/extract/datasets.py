"""The families of day partitions. Each is a folder under data/ and a table of schema `staging`, of one name."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from pipeline.extract import genres, plays, saved_tracks
from pipeline.extract.history import rows as history

Row = dict[str, str]
Identity = tuple[datetime.datetime, *tuple[str, ...]]


@dataclass(frozen=True)
class Dataset:
    """`columns`: of the files and, in that order, of the table. `moment`, `date`: by which rows are sorted and parted.
    `key`: what tells rows of one moment apart. `captured`: the moment of the answer that brought the row."""

    name: str
    columns: tuple[str, ...]
    moment: str
    date: str
    key: tuple[str, ...]
    captured: str

    def identity(self, row: Row) -> Identity:
        """What makes two rows of one account the same."""
        return (datetime.datetime.fromisoformat(row[self.moment]), *(row[column] for column in self.key))

    @property
    def table_key(self) -> tuple[str, ...]:
        return ("account", self.date, self.moment, *self.key)


PLAYS = Dataset(
    "spotify_songs",
    plays.COLUMNS,
    moment="played_at_utc",
    date="played_date_utc",
    key=("track_uri",),
    captured="last_updated_datetime_utc",
)
GENRES = Dataset(
    "spotify_genres",
    genres.COLUMNS,
    moment="last_updated_datetime_utc",
    date="asked_date_utc",
    key=("artist_id", "artist_genre", "genre_source"),
    captured="last_updated_datetime_utc",
)
SAVED_TRACKS = Dataset(
    "spotify_saved_tracks",
    saved_tracks.COLUMNS,
    moment="observed_at_utc",
    date="observed_date_utc",
    key=("track_uri", "event"),
    captured="observed_at_utc",
)
HISTORY = Dataset(
    "spotify_history",
    history.COLUMNS,
    moment="played_at_utc",
    date="played_date_utc",
    key=("row_id",),
    captured="last_updated_datetime_utc",
)
DATASETS = (PLAYS, GENRES, SAVED_TRACKS, HISTORY)

"""Partition files into the tables of schema `staging`. Knows Postgres and files, nothing of Luigi."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from pipeline.extract.partitions import list_partitions
from pipeline.extract.plays import COLUMNS
from pipeline.load.errors import PartitionRefused
from pipeline.load.postgres import WAREHOUSE_LOCK, ensure_schema

KEY = ("account", "played_date_utc", "played_at_utc", "track_uri")
KEY_LIST = sql.SQL(", ").join(map(sql.Identifier, KEY))
COLUMN_LIST = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))


@dataclass(frozen=True)
class Loaded:
    """`plays`: rows that staging did not have."""

    partitions: int
    plays: int


@dataclass(frozen=True)
class Version:
    """A partition file as it is now."""

    account: str
    path: str
    size_bytes: int
    modified_ns: int


def begin_load(connection: Any) -> None:
    """Take the warehouse for this transaction: loads are numbered in the order in which they become visible."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (WAREHOUSE_LOCK,))
    ensure_schema(connection)


def load_new_partitions(connection: Any, data: Path, account: str) -> Loaded:
    """Load every partition of the account that staging does not hold in its present version; the caller commits.

    Looking at all files instead of this slot's alone is what makes a dropped database, a slot that never came this far,
    or a file restored from a backup come right by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select account, path, size_bytes, modified_ns from staging.loaded_partitions where account = %s",
            (account,),
        )
        held = {Version(*row) for row in cursor.fetchall()}
    return _load(connection, data, (version for version in _versions(data, account) if version not in held))


def reload_all_partitions(connection: Any, data: Path) -> Loaded:
    """Empty staging and load every partition of every account; the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute("truncate staging.spotify_songs, staging.spotify_genres, staging.loaded_partitions")
        cursor.execute("truncate pipeline.dbt_runs")
    return _load(connection, data, _versions(data))


def _versions(data: Path, account: str | None = None) -> Iterator[Version]:
    for path in list_partitions(data, account):
        status = path.stat()
        name = str(path)[len(str(data)) + 1 :]  # Path.relative_to takes a tenth of a second for ten years of files
        yield Version(name.split("/")[1].removeprefix("account="), name, status.st_size, status.st_mtime_ns)


def _load(connection: Any, data: Path, versions: Iterable[Version]) -> Loaded:
    partitions = 0
    with connection.cursor() as cursor:
        for version in versions:
            if partitions == 0:
                cursor.execute("create temporary table incoming (like staging.spotify_songs) on commit drop")
                cursor.execute("alter table incoming drop column load_id")
            _copy(cursor, data / version.path)
            cursor.execute(
                "insert into staging.loaded_partitions values (%s, %s, %s, %s) on conflict (account, path)"
                " do update set size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns",
                (version.account, version.path, version.size_bytes, version.modified_ns),
            )
            partitions += 1
        return Loaded(partitions, _insert_new(cursor) if partitions else 0)


def _copy(cursor: Any, path: Path) -> None:
    statement = sql.SQL("copy incoming ({}) from stdin (format csv, header match)").format(COLUMN_LIST)
    try:
        with path.open("rb") as file:
            cursor.copy_expert(statement, file)
    except (psycopg2.DataError, psycopg2.IntegrityError) as error:
        # e.g. COPY incoming, line 7, column song_duration_ms: "abc"
        where = (error.diag.context or "").removeprefix("COPY incoming, ").splitlines()
        raise PartitionRefused(
            f"{path}: {error.diag.message_primary} ({where[0] if where else 'no line given'})."
            " Nothing was loaded; repair the file or restore it from a backup, then run the slot again"
        ) from None


def _qualified(table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, column) for column in COLUMNS)


def _insert_new(cursor: Any) -> int:
    """Move `incoming` into staging; a row corrected in its file is corrected. Returns how many rows changed."""
    cursor.execute(
        sql.SQL(
            "insert into staging.spotify_songs as known ({columns}, load_id)"
            " select distinct on ({key}) {columns}, (select nextval('staging.load_id')) from incoming"
            " on conflict ({key}) do update set ({columns}, load_id) = row(excluded.*)"
            " where ({columns_known}) is distinct from ({columns_read})"
        ).format(
            columns=COLUMN_LIST,
            key=KEY_LIST,
            columns_known=_qualified("known"),
            columns_read=_qualified("excluded"),
        )
    )
    new_plays: int = cursor.rowcount
    # An artist's row carries the name last seen.
    cursor.execute(
        """
        insert into staging.spotify_genres (account, artist_id, artist_name, last_updated_datetime_utc)
        select distinct on (account, artist ->> 'id')
            account, artist ->> 'id', artist ->> 'name', last_updated_datetime_utc
        from incoming cross join jsonb_array_elements(artists) as artist
        where artist ->> 'id' is not null
        order by account, artist ->> 'id', last_updated_datetime_utc desc, artist ->> 'name'
        on conflict (account, artist_id, artist_genre, genre_source) do update
        set artist_name = excluded.artist_name, last_updated_datetime_utc = excluded.last_updated_datetime_utc
        where excluded.last_updated_datetime_utc > spotify_genres.last_updated_datetime_utc
        """
    )
    return new_plays

"""The way to PostgreSQL: the server named by DATABASE_URL, or the embedded one under data/postgres."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from pipeline import config
from pipeline.load.embedded import embedded_dsn
from pipeline.load.errors import DatabaseError

# Key of the advisory lock that loads and dbt runs hold: one at a time, so nothing moves under dbt.
WAREHOUSE_LOCK = 5_077_001
# Whoever waits ten minutes for that lock waits for a run that hangs.
# To compile a query takes longer than any of these gains by it.
OPTIONS = "-c TimeZone=UTC -c lock_timeout=600000 -c jit=off"
# Of schema.sql. One more with every change of a table in it: databases of before are then brought up (load/upgrade.py).
SCHEMA_VERSION = 2
# What schema.sql makes.
TABLES = [
    *(
        f"staging.{name}"
        for name in (
            "spotify_songs",
            "spotify_genres",
            "spotify_saved_tracks",
            "spotify_history",
            "polls",
            "history_spans",
            "loaded_partitions",
            "table_updates",
            "load_id",
            "schema_version",
        )
    ),
    *(f"pipeline.{name}" for name in ("dbt_runs", "api_calls", "library_reads", "imports")),
]


def dsn() -> str:
    """libpq key-value string of the database in use. Starts the embedded server where no URL is set."""
    settings = config.postgres()
    if not settings.url:
        return str(make_dsn(embedded_dsn(config.storage().root / "postgres"), options=OPTIONS))
    try:
        given = config.parse_url(settings.url)
        if "password" in given:
            config.check_length("the password in DATABASE_URL", given["password"])
        return make_dsn(
            settings.url,
            connect_timeout=settings.connect_timeout,
            password=given.get("password", settings.password),
            options=f"{given.get('options', '')} {OPTIONS}",
        )
    except config.SettingError as error:
        # A DatabaseError stops only the tasks that need the database: the slot polls.
        raise DatabaseError(str(error)) from None


def connect() -> Any:
    """A new connection in UTC. Raises DatabaseError, without the password, when there is none to be had."""
    target = dsn()
    try:
        connection = psycopg2.connect(target, application_name="pipeline")
    except psycopg2.OperationalError as error:
        parts = parse_dsn(target)
        raise DatabaseError(
            f"cannot connect to PostgreSQL at {parts.get('host', 'localhost')}, database {parts.get('dbname', '')!r},"
            f" user {parts.get('user', '')!r}: {_words(error)}. Check DATABASE_URL and that the server runs."
            " Plays already fetched are safe in data/ and are loaded by the next slot"
        ) from None
    return connection


def _words(error: psycopg2.Error) -> str:
    return config.scrub(str(error)).strip()


@contextlib.contextmanager
def transaction() -> Iterator[Any]:
    """One connection, one transaction: committed at the end, rolled back (by closing) on any error."""
    connection = connect()
    try:
        yield connection
        connection.commit()
    except psycopg2.OperationalError as error:
        raise DatabaseError(
            f"PostgreSQL went away or gave up in the middle ({_words(error)}). Nothing of this step was kept;"
            " the next slot does it again"
        ) from error
    finally:
        connection.close()


@contextlib.contextmanager
def held_warehouse() -> Iterator[None]:
    """Keep every load and every other dbt run out until the end of the block, or of this process."""
    connection = connect()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s)", (WAREHOUSE_LOCK,))
    except psycopg2.Error as error:
        connection.close()
        raise DatabaseError(
            f"waited ten minutes for another load or dbt run to end ({_words(error)}). See what hangs:"
            " select * from pg_stat_activity where application_name = 'pipeline'"
        ) from error
    try:
        yield
    finally:
        connection.close()


def ensure_schema(connection: Any) -> None:
    """Bring the tables up to schema.sql, within the caller's transaction: a new database, an older one, or one that
    somebody has dropped a table of. Raises DatabaseError for a newer one."""
    with connection.cursor() as cursor:
        cursor.execute("select array_agg(to_regclass(name) is null) from unnest(%s) as name", (TABLES,))
        missing = dict(zip(TABLES, cursor.fetchone()[0], strict=True))
        version = SCHEMA_VERSION if all(missing.values()) else _version(cursor, missing)
        if version == SCHEMA_VERSION and not any(missing.values()):
            return
        from pipeline.load.upgrade import apply_schema, rebuild_tables

        if version != SCHEMA_VERSION:
            rebuild_tables(connection, SCHEMA_VERSION)
            return
        apply_schema(cursor, SCHEMA_VERSION)
        for table in (name.removeprefix("staging.") for name, is_missing in missing.items() if is_missing):
            # A table that was dropped is filled from its files again.
            cursor.execute(
                "delete from staging.loaded_partitions where path >= %s and path < %s", (f"{table}/", f"{table}0")
            )
        if missing["staging.spotify_history"] or missing["staging.history_spans"]:
            cursor.execute("truncate pipeline.imports, staging.history_spans")  # from their records again
        if missing["staging.spotify_songs"]:
            # Loads are numbered from 1 again: what was remembered of the old ones would hide the new.
            cursor.execute("truncate pipeline.dbt_runs, staging.loaded_partitions, staging.table_updates")


def _version(cursor: Any, missing: dict[str, bool]) -> int:
    """0 where the tables do not tell: they are older than the first release, or somebody has dropped the schema."""
    if missing["staging.schema_version"]:
        return 0
    cursor.execute("select version, program from staging.schema_version")
    version, program = cursor.fetchone() or (0, "")
    if version > SCHEMA_VERSION:
        raise DatabaseError(
            f"the database is of version {version}, made by version {program} of this program; this one knows versions"
            f" up to {SCHEMA_VERSION}. Nothing was changed. Install the newer version again; or, to stay with this one,"
            " drop the schemas staging and pipeline and run luigi --module pipeline RebuildStaging"
        )
    return int(version)

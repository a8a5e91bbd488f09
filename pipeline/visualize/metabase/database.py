"""The database connection of Metabase, and what Metabase has read of the tables behind it."""

from __future__ import annotations

import logging
import time
from typing import Any

from psycopg2.extensions import parse_dsn

from pipeline import config
from pipeline.load.postgres import dsn, transaction
from pipeline.visualize.metabase.client import POLL_SECONDS, Json, Metabase
from pipeline.visualize.metabase.errors import DatabaseRefused, NameTaken, NotSynced, Refused
from pipeline.visualize.metabase.role import SCHEMA

logger = logging.getLogger("luigi-interface")
NAME = "Listening history"
Fields = dict[tuple[str, str], int]


def details(password: str) -> Json:
    """How Metabase connects. Raises SettingError where it cannot be known."""
    settings = config.metabase()
    given = parse_dsn(dsn()) if config.postgres().url else {}
    host = settings.database_host or given.get("host", "").partition(",")[0]
    if not config.postgres().url and not settings.database_host:
        raise config.SettingError(
            "the pipeline uses its embedded PostgreSQL, which listens on a socket of this machine alone: no Metabase"
            " server can reach it. Set DATABASE_URL to a PostgreSQL server, run luigi --module pipeline RebuildStaging,"
            " which fills it from data/, and publish again"
        )
    if not host or (host.startswith("/") and not settings.database_host):
        raise config.SettingError(
            "DATABASE_URL names no host that a Metabase could connect to: set METABASE_DATABASE_HOST to that of"
            " PostgreSQL as Metabase sees it"
        )
    encrypted = given.get("sslmode", "prefer") in ("require", "verify-ca", "verify-full")
    return {
        "host": host,
        "port": settings.database_port or int(given.get("port", "5432").partition(",")[0]),
        "dbname": settings.database_name or given.get("dbname") or given.get("user", ""),
        "user": settings.database_user,
        "password": password,
        "ssl": encrypted,
        **({"ssl-mode": given["sslmode"]} if encrypted else {}),
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": SCHEMA,
    }


def ensure_database(metabase: Metabase, password: str) -> int:
    """Find or make the connection, and have Metabase read the schema; returns its id.

    Names are not unique at Metabase: one of our name that logs in as another role, to another database, is not ours.
    A password cannot be read back: whether Metabase still has the right one shows when it is told to read the schema.
    """
    wanted = details(password)
    flags = {"is_full_sync": True, "is_on_demand": False, "auto_run_queries": True}
    named = [each for each in metabase.get("/api/database")["data"] if each["name"] == NAME]
    found = next((each for each in named if _is_ours(each, wanted)), None)
    if found is None:
        if named:
            raise NameTaken(
                f"Metabase has a database named {NAME!r} already, and it does not log in as {wanted['user']!r}: it was"
                " not made here. Rename it in Metabase (Admin settings > Databases), then run this again"
            )
        return int(
            _connect(metabase.post, "/api/database", {"name": NAME, "engine": "postgres", "details": wanted, **flags})[
                "id"
            ]
        )
    path = f"/api/database/{found['id']}"
    kept = found.get("details") or {}
    change = {"name": NAME, "engine": "postgres", "details": wanted, **flags}
    if any(kept.get(name) != value for name, value in wanted.items() if name != "password"):
        _connect(metabase.put, path, change)
    try:
        metabase.post(f"{path}/sync_schema", {})
    except Refused:
        _connect(metabase.put, path, change)
        _connect(metabase.post, f"{path}/sync_schema", {})
    return int(found["id"])


def _is_ours(found: Json, wanted: Json) -> bool:
    kept = found.get("details") or {}
    same_place = all(kept.get(name) == wanted[name] for name in ("host", "port", "dbname"))
    return bool(found["engine"] == "postgres" and (kept.get("user") == wanted["user"] or same_place))


def _connect(call: Any, path: str, body: Json) -> Json:
    try:
        return dict(call(path, body) or {})
    except Refused as error:
        wanted = body.get("details", {})
        raise DatabaseRefused(
            f"{error}. Metabase tried to connect to PostgreSQL at host {wanted.get('host')!r}, port"
            f" {wanted.get('port')},"
            f" database {wanted.get('dbname')!r}, as {wanted.get('user')!r}. These are as Metabase sees them, perhaps"
            " from inside a container, where localhost is the container itself: set METABASE_DATABASE_HOST,"
            " METABASE_DATABASE_PORT and METABASE_DATABASE_NAME, and see that pg_hba.conf lets the role in",
            error.fields,
        ) from None


def wait_for_fields(metabase: Metabase, database: int, patience: float) -> Fields:
    """Metabase's ids of every column of the reports, (table, column) → id, once it has read them all."""
    wanted = _columns()
    deadline = time.monotonic() + patience
    said = 0
    while True:
        fields = _fields(metabase, database)
        missing = wanted - fields.keys()
        if not missing:
            return fields
        tables = {table for table, _ in wanted}
        waiting = {table for table, _ in missing}
        if time.monotonic() > deadline:
            raise NotSynced(
                f"Metabase has not read {len(waiting)} of the {len(tables)} tables of schema {SCHEMA} in {patience:.0f}"
                f" seconds ({', '.join(sorted(waiting)[:5])}). See Admin settings > Databases > {NAME}, and its log;"
                " then run this again, or raise [metabase] patience"
            )
        if len(waiting) != said:
            logger.info("Metabase reads the tables: %d of %d are known", len(tables) - len(waiting), len(tables))
            said = len(waiting)
        time.sleep(POLL_SECONDS)


def _columns() -> set[tuple[str, str]]:
    """What stands in the schema now."""
    with transaction() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select table_name::text, column_name::text from information_schema.columns where table_schema = %s",
            (SCHEMA,),
        )
        return set(cursor.fetchall())


def _fields(metabase: Metabase, database: int) -> Fields:
    metadata = metabase.get(f"/api/database/{database}/metadata", include_hidden="true")
    return {
        (table["name"], field["name"]): field["id"]
        for table in metadata["tables"]
        if table["schema"] == SCHEMA
        for field in table["fields"]
    }

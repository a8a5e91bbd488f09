"""What PostgreSQL keeps of deleted rows: dead rows, statistics, write-ahead log (WAL), log. Removed as far as possible.

vacuum full    dead rows of the tables; they are written to new files
analyze        pg_statistic holds frequent values of each column; for an empty table, analyze leaves those of before
checkpoint     files of old tables are removed, and WAL files before it are free
wal_recycle    otherwise a free WAL file is renamed and used again, with its old content until then
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from psycopg2 import errors, sql

from pipeline import config

Table = tuple[str, str]
MOST_SWITCHES = 100  # a server with max_wal_size = 1 GB keeps 64 WAL files at most
OTHER_SERVER = (
    "your PostgreSQL server (DATABASE_URL): its log; its write-ahead log, which it overwrites in the course of days;"
    " archives, replicas and dumps of it"
)

DELETE_STATISTICS = """delete from pg_statistic where starelid = any(%s::regclass[]::oid[])
 or starelid in (select indexrelid from pg_index where indrelid = any(%s::regclass[]::oid[]))""".replace("\n", "")


def overwrite(connection: Any, tables: list[Table]) -> list[str]:
    """Returns sentences on traces that are left. The caller has committed."""
    left = []
    connection.autocommit = True
    with connection.cursor() as cursor:
        left += _open_transactions(cursor)
        for table in tables:
            cursor.execute(sql.SQL("vacuum (full, analyze) {}").format(sql.Identifier(*table)))
        names = [f"{schema}.{name}" for schema, name in tables if _is_empty(cursor, (schema, name))]
        statement = cursor.mogrify(DELETE_STATISTICS, (names, names)).decode()
        try:
            if names:
                cursor.execute(statement)
        except errors.InsufficientPrivilege:
            left.append(
                f"pg_stats of {', '.join(names)}: only a superuser can remove the statistics of empty tables. Run as a"
                f" superuser: {statement}; vacuum full pg_statistic"
            )
        # Deleted statistics too stay in the file until then. Without the right to do so, PostgreSQL prints a warning.
        cursor.execute("vacuum full pg_catalog.pg_statistic")
        if config.postgres().url:
            with contextlib.suppress(errors.InsufficientPrivilege):
                cursor.execute("checkpoint")
            left.append(OTHER_SERVER)
        else:
            _remove_wal(cursor)
            _empty_log(config.storage().root / "postgres")
    return left


def _is_empty(cursor: Any, table: Table) -> bool:
    cursor.execute(sql.SQL("select not exists (select from {})").format(sql.Identifier(*table)))
    return bool(cursor.fetchone()[0])


def _open_transactions(cursor: Any) -> list[str]:
    """Vacuum keeps deleted rows that a transaction of before can see."""
    cursor.execute(
        "select string_agg(pid::text, ', ') from pg_stat_activity where backend_xmin is not null"
        " and backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid()"
    )
    (pids,) = cursor.fetchone()
    sentence = f"deleted rows that an open transaction can see (process {pids}): end it, and run this command again"
    return [sentence] if pids else []


def _remove_wal(cursor: Any) -> None:
    """Of the embedded server. Files that are renamed for later use are filled with zeros first, and then removed."""
    cursor.execute("alter system set wal_recycle = off")
    cursor.execute("select pg_reload_conf()")
    try:
        for _ in range(MOST_SWITCHES):
            cursor.execute("checkpoint")
            cursor.execute("select pg_switch_wal()")
            cursor.execute("checkpoint")
            cursor.execute(
                "select exists (select from pg_ls_waldir()"
                " where name ~ '^[0-9A-F]{24}$' and name > pg_walfile_name(pg_current_wal_lsn()))"
            )
            if not cursor.fetchone()[0]:
                break
        # The last of these files: only its begin was written since.
        cursor.execute("select pg_switch_wal()")
        cursor.execute("checkpoint")
    finally:
        cursor.execute("alter system reset wal_recycle")
        cursor.execute("select pg_reload_conf()")


def _empty_log(folder: Path) -> None:
    """The server appends to its log, so it goes on at the begin of the emptied file."""
    with contextlib.suppress(FileNotFoundError):
        os.truncate(folder / "log", 0)

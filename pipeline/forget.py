"""`python -m pipeline forget --account x`: every trace of one account, gone from files, logs and database."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock
from psycopg2 import sql

from pipeline.alerts.incidents import forget_incidents
from pipeline.alerts.outbox import forget_messages
from pipeline.config import naming
from pipeline.extract.files import account_lock, named_lock, write_atomic
from pipeline.folders import matching, walk
from pipeline.load.overwrite import overwrite
from pipeline.load.postgres import connect, held_warehouse

SCHEMAS = ["staging", "pipeline", "intermediate", "marts", "reporting", "luigi"]


def traces(data: Path, account: str) -> list[Path]:
    """Files and folders that are the account's alone: named so, at whatever depth."""
    named = re.compile(
        rf"account={re.escape(account)}(\.json(\.(\d+\.)?damaged)?)?|\.account={re.escape(account)}\.json\.tmp"
    )
    return sorted(path for depth in ("*/*", "*/*/*") for path in matching(data, depth) if named.fullmatch(path.name))


def forget_files(data: Path, logs: Path, account: str) -> list[str]:
    """Delete the account's files, and the lines of the logs that name it. Returns what was removed, in words."""
    removed = []
    with contextlib.ExitStack() as locks:
        for writer in _writers(data, account):
            locks.enter_context(writer)
        for path in traces(data, account):
            files = sum(len(files) for _, _, files in walk(path)) if path.is_dir() else 1
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed.append(f"{path.relative_to(data)} ({_count(files, 'file')})")
        alerts = (
            forget_incidents(data, account) + forget_messages(data, account) + _forget_damaged_alerts(data, account)
        )
        lines = sum(_forget_lines(path, account) for path in matching(logs, "*.log*"))
    if alerts:
        removed.append(f"alerts ({_count(alerts, 'entry', 'entries')})")
    if lines:
        removed.append(f"{_count(lines, 'line')} of the logs")
    for lock in matching(data / "locks", f"*account={account}.lock"):
        lock.unlink()
    return removed


def _forget_damaged_alerts(data: Path, account: str) -> int:
    """Damaged incidents, which cannot tell whose they are, and notes that name a file of the account."""
    damaged = [path for path in matching(data / "alerts", "*.damaged") if path.is_file()]
    named = [
        path for path in matching(data / "alerts" / "damaged", "*.note") if naming(account).search(path.read_bytes())
    ]
    for path in (*damaged, *named):
        path.unlink()
    return len(damaged) + len(named)


def _writers(data: Path, account: str) -> list[FileLock]:
    """The locks of everybody who writes files of the account."""
    names = ("saved_tracks", "pauses", "tokens", "history")
    return [
        account_lock(data, account),
        *(named_lock(data, f"{name}-account={account}") for name in names),
        named_lock(data, "musicbrainz"),
    ]


def _forget_lines(path: Path, account: str) -> int:
    named = naming(account)
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not named.search(line)]
    if len(kept) < len(lines):
        write_atomic(path, b"".join(kept))
    return len(lines) - len(kept)


def forget_rows(account: str) -> tuple[list[str], list[str]]:
    """Delete the account's rows from every table there is. Returns what was removed and what is left, in words.

    Marts hold nothing that mixes accounts, so without these rows they are what a rebuild would make of the rest.
    """
    removed = []
    with held_warehouse(), contextlib.closing(connect()) as connection:
        with connection.cursor() as cursor:
            for schema, table in _tables(cursor, "account"):
                statement = sql.SQL("delete from {} where account = %s").format(sql.Identifier(schema, table))
                cursor.execute(statement, (account,))
                if cursor.rowcount:
                    removed.append(f"{schema}.{table} ({_count(cursor.rowcount, 'row')})")
            if _tables(cursor, "update_id"):
                cursor.execute(
                    "delete from staging.table_updates where position(%s in update_id) > 0", (f" account={account} ",)
                )
                if cursor.rowcount:
                    removed.append(f"staging.table_updates ({_count(cursor.rowcount, 'row')})")
            if ("luigi", "task_parameters") in _tables(cursor, "task_id"):
                _forget_task_history(cursor, account)
            tables = _tables(cursor)
        connection.commit()
        left = overwrite(connection, tables)
    return removed, left


def _forget_task_history(cursor: Any, account: str) -> None:
    """Delete luigid's rows of the account's tasks."""
    cursor.execute(
        "select array_agg(task_id) from luigi.task_parameters where name = 'account' and value = %s", (account,)
    )
    gone = cursor.fetchone()[0] or []
    cursor.execute("delete from luigi.task_events where task_id = any(%s)", (gone,))
    cursor.execute("delete from luigi.task_parameters where task_id = any(%s)", (gone,))
    cursor.execute("delete from luigi.tasks where id = any(%s)", (gone,))


def _tables(cursor: Any, column: str | None = None) -> list[tuple[str, str]]:
    """Schema and name of each table, or of those with this column. Seeds are the listener's own files."""
    cursor.execute(
        "select distinct table_schema, table_name from information_schema.tables"
        " inner join information_schema.columns using (table_schema, table_name)"
        " where table_type = 'BASE TABLE' and table_schema = any(%s) and column_name = coalesce(%s, column_name)"
        " order by 1, 2",
        (SCHEMAS, column),
    )
    return list(cursor.fetchall())


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"

"""Partition files into the tables of schema `staging`. Knows Postgres and files, nothing of Luigi."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extras import execute_values

from pipeline import config
from pipeline.extract.datasets import DATASETS, HISTORY, PLAYS, Dataset
from pipeline.extract.partitions import list_partitions
from pipeline.load.errors import PartitionRefused
from pipeline.load.postgres import WAREHOUSE_LOCK, ensure_schema

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Loaded:
    """`rows`: those that staging did not have, or had otherwise. `shrunk`: files that hold fewer rows than staging."""

    partitions: int
    rows: int
    shrunk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """A partition file as it is now."""

    account: str
    path: str
    size_bytes: int
    modified_ns: int

    @property
    def date(self) -> str:
        return Path(self.path).stem


def begin_load(connection: Any) -> None:
    """Take the warehouse for this transaction: loads are numbered in the order in which they become visible."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (WAREHOUSE_LOCK,))
    ensure_schema(connection)


def load_new_partitions(
    connection: Any, data: Path, account: str, dataset: Dataset, tell: Tell = lambda done, total: None
) -> Loaded:
    """Load every partition of the account that staging does not hold in its present version; the caller commits.
    `tell`: called with how many files are loaded, and of how many.

    Looking at all files instead of this slot's alone is what makes a dropped database, a slot that never came this far,
    or a file restored from a backup come right by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select account, path, size_bytes, modified_ns from staging.loaded_partitions"
            " where account = %s and path >= %s and path < %s",
            (account, f"{dataset.name}/", f"{dataset.name}0"),
        )
        held = {Version(*row) for row in cursor.fetchall()}
    new = (version for version in _versions(dataset, data, account) if version not in held)
    return _load(connection, data, dataset, new, tell)


def reload_all_partitions(connection: Any, data: Path) -> dict[str, Loaded]:
    """Empty staging and load every partition of every account; the caller commits. By dataset's name."""
    with connection.cursor() as cursor:
        for dataset in DATASETS:
            cursor.execute(sql.SQL("truncate staging.{}").format(sql.Identifier(dataset.name)))
        cursor.execute("truncate staging.loaded_partitions, pipeline.dbt_runs")
    return {dataset.name: _load(connection, data, dataset, _versions(dataset, data)) for dataset in DATASETS}


def _versions(dataset: Dataset, data: Path, account: str | None = None) -> Iterator[Version]:
    for path in list_partitions(dataset, data, account):
        status = path.stat()
        name = str(path)[len(str(data)) + 1 :]  # Path.relative_to takes a tenth of a second for ten years of files
        yield Version(name.split("/")[1].removeprefix("account="), name, status.st_size, status.st_mtime_ns)


def _load(
    connection: Any,
    data: Path,
    dataset: Dataset,
    versions: Iterable[Version],
    tell: Tell = lambda done, total: None,
) -> Loaded:
    new = list(versions)
    if not new:
        return Loaded(0, 0)
    with connection.cursor() as cursor:
        held = _held(cursor, dataset, new)
        cursor.execute("select set_config('pipeline.load_id', nextval('staging.load_id')::text, true)")
        rows = None if held else _copy_straight(cursor, data, dataset, new, tell)
        shrunk: tuple[str, ...] = ()
        if rows is None:
            rows, shrunk = _merge(cursor, data, dataset, new, held)
        record_versions(cursor, new)
    return Loaded(len(new), rows, shrunk)


def _held(cursor: Any, dataset: Dataset, versions: Sequence[Version]) -> dict[tuple[str, str], int]:
    """How many rows staging holds of each account and date of these files; those with none are left out."""
    cursor.execute(
        sql.SQL(
            "select account, {date}::text, count(*) from staging.{table}"
            " where account = any(%s) and {date} = any(%s::date[]) group by 1, 2"
        ).format(date=sql.Identifier(dataset.date), table=sql.Identifier(dataset.name)),
        (list({version.account for version in versions}), [version.date for version in versions]),
    )
    return {(account, date): rows for account, date, rows in cursor.fetchall()}


def _copy_straight(cursor: Any, data: Path, dataset: Dataset, versions: Sequence[Version], tell: Tell) -> int | None:
    """Days of which staging has nothing go into its table as they are, a month in one COPY. Returns the rows; None, and
    nothing was copied, where a file is not as the pipeline writes it."""
    header = (",".join(dataset.columns) + "\n").encode()
    statement = sql.SQL("copy staging.{} ({}) from stdin (format csv)").format(
        sql.Identifier(dataset.name), _columns(dataset)
    )
    rows = files = 0
    cursor.execute("savepoint straight")
    try:
        for _, month in groupby(versions, key=lambda version: version.path.rpartition("/")[0]):
            bodies = [(data / version.path).read_bytes() for version in month]
            if not all(body.startswith(header) and body.endswith(b"\n") for body in bodies):
                raise ValueError("not as the pipeline writes it")
            cursor.copy_expert(statement, io.BytesIO(b"".join(body[len(header) :] for body in bodies)))
            rows, files = rows + cursor.rowcount, files + len(bodies)
            tell(files, len(versions))
    except (ValueError, psycopg2.DataError, psycopg2.IntegrityError):
        cursor.execute("rollback to savepoint straight")
        return None
    return rows


def _merge(
    cursor: Any, data: Path, dataset: Dataset, versions: Sequence[Version], held: dict[tuple[str, str], int]
) -> tuple[int, tuple[str, ...]]:
    """Days that staging knows in part: their files beside it, then what is new or otherwise into it. Returns the rows
    that changed, and the files with fewer rows than staging."""
    table = {"table": sql.Identifier(dataset.name), "incoming": sql.Identifier(f"incoming_{dataset.name}")}
    create = "create temporary table {incoming} (like staging.{table}) on commit drop"
    cursor.execute(sql.SQL(create).format(**table))
    cursor.execute(sql.SQL("alter table {incoming} drop column load_id").format(**table))
    shrunk = [
        version.path
        for version in versions
        if _copy(cursor, data / version.path, dataset, table["incoming"]) < held.get((version.account, version.date), 0)
    ]
    return _insert_new(cursor, dataset, table), tuple(shrunk)


def record_versions(cursor: Any, versions: Sequence[Version]) -> None:
    execute_values(
        cursor,
        "insert into staging.loaded_partitions values %s on conflict (account, path)"
        " do update set size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns",
        [(version.account, version.path, version.size_bytes, version.modified_ns) for version in versions],
        page_size=1000,
    )


def _copy(cursor: Any, path: Path, dataset: Dataset, incoming: sql.Identifier) -> int:
    """Returns the rows of the file."""
    statement = sql.SQL("copy {} ({}) from stdin (format csv, header match)").format(incoming, _columns(dataset))
    try:
        with path.open("rb") as file:
            cursor.copy_expert(statement, file)
            return int(cursor.rowcount)
    except (psycopg2.DataError, psycopg2.IntegrityError) as error:
        # e.g. COPY incoming_spotify_songs, line 7, column song_duration_ms: "abc"
        where = config.scrub(error.diag.context or "").partition(", ")[2].splitlines()
        raise PartitionRefused(
            f"{path}: {config.scrub(error.diag.message_primary or '')} ({where[0] if where else 'no line given'})."
            " Nothing was loaded; repair the file or restore it from a backup, then run the slot again"
        ) from None


def _columns(dataset: Dataset, table: str | None = None) -> sql.Composed:
    names = ((table, column) if table else (column,) for column in dataset.columns)
    return sql.SQL(", ").join(sql.Identifier(*name) for name in names)


def _insert_new(cursor: Any, dataset: Dataset, table: dict[str, sql.Identifier]) -> int:
    """Move the incoming rows into staging; a row corrected in its file is corrected. Returns how many rows changed."""
    # xmax is 0 in a row that was inserted, and not 0 in one that was updated.
    cursor.execute(
        sql.SQL(
            "with moved as ("
            "insert into staging.{table} as known ({columns}, load_id)"
            " select distinct on ({key}) {columns}, current_setting('pipeline.load_id')::bigint from {incoming}"
            " on conflict ({key}) do update set ({columns}, load_id) = row(excluded.*)"
            " where ({columns_known}) is distinct from ({columns_read}) returning (xmax::text != '0') as is_correction)"
            " select count(*), count(*) filter (where is_correction) from moved"
        ).format(
            **table,
            columns=_columns(dataset),
            key=sql.SQL(", ").join(map(sql.Identifier, dataset.table_key)),
            columns_known=_columns(dataset, "known"),
            columns_read=_columns(dataset, "excluded"),
        )
    )
    changed, corrected = cursor.fetchone()
    if corrected and dataset in (PLAYS, HISTORY):
        require_full_build(cursor)
    return int(changed)


def require_full_build(cursor: Any) -> None:
    """Clear the project version of the last dbt run, so that the next one builds everything; the caller commits.

    For changes that new rows do not show: a row that was corrected, or times that an import covers. An incremental
    model knows that a row changed, not what the row said before: the old title, ISRC or artist would stay in what was
    built from it. Rows change only if somebody edits a partition file.
    """
    cursor.execute("update pipeline.dbt_runs set project_version = 'rows changed' where step = 'run'")

"""Partition files into the tables of schema `staging`. Knows Postgres and files, nothing of Luigi."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from pipeline.extract.datasets import DATASETS, Dataset
from pipeline.extract.partitions import list_partitions
from pipeline.load.errors import PartitionRefused
from pipeline.load.postgres import WAREHOUSE_LOCK, ensure_schema


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


def begin_load(connection: Any) -> None:
    """Take the warehouse for this transaction: loads are numbered in the order in which they become visible."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (WAREHOUSE_LOCK,))
    ensure_schema(connection)


def load_new_partitions(connection: Any, data: Path, account: str, dataset: Dataset) -> Loaded:
    """Load every partition of the account that staging does not hold in its present version; the caller commits.

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
    return _load(connection, data, dataset, new)


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


def _load(connection: Any, data: Path, dataset: Dataset, versions: Iterable[Version]) -> Loaded:
    partitions = 0
    shrunk: list[str] = []
    table = {"table": sql.Identifier(dataset.name), "incoming": sql.Identifier(f"incoming_{dataset.name}")}
    with connection.cursor() as cursor:
        for version in versions:
            if partitions == 0:
                create = "create temporary table {incoming} (like staging.{table}) on commit drop"
                cursor.execute(sql.SQL(create).format(**table))
                cursor.execute(sql.SQL("alter table {incoming} drop column load_id").format(**table))
            rows = _copy(cursor, data / version.path, dataset, table["incoming"])
            if rows < _held(cursor, version, dataset):
                shrunk.append(version.path)
            record_version(cursor, version)
            partitions += 1
        return Loaded(partitions, _insert_new(cursor, dataset, table) if partitions else 0, tuple(shrunk))


def _held(cursor: Any, version: Version, dataset: Dataset) -> int:
    """How many rows of a partition's day staging holds."""
    cursor.execute(
        sql.SQL("select count(*) from staging.{} where account = %s and {} = %s").format(
            sql.Identifier(dataset.name), sql.Identifier(dataset.date)
        ),
        (version.account, Path(version.path).stem),
    )
    return int(cursor.fetchone()[0])


def record_version(cursor: Any, version: Version) -> None:
    cursor.execute(
        "insert into staging.loaded_partitions values (%s, %s, %s, %s) on conflict (account, path)"
        " do update set size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns",
        (version.account, version.path, version.size_bytes, version.modified_ns),
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
        where = (error.diag.context or "").partition(", ")[2].splitlines()
        raise PartitionRefused(
            f"{path}: {error.diag.message_primary} ({where[0] if where else 'no line given'})."
            " Nothing was loaded; repair the file or restore it from a backup, then run the slot again"
        ) from None


def _columns(dataset: Dataset, table: str | None = None) -> sql.Composed:
    names = ((table, column) if table else (column,) for column in dataset.columns)
    return sql.SQL(", ").join(sql.Identifier(*name) for name in names)


def _insert_new(cursor: Any, dataset: Dataset, table: dict[str, sql.Identifier]) -> int:
    """Move the incoming rows into staging; a row corrected in its file is corrected. Returns how many rows changed."""
    cursor.execute(
        sql.SQL(
            "insert into staging.{table} as known ({columns}, load_id)"
            " select distinct on ({key}) {columns}, (select nextval('staging.load_id')) from {incoming}"
            " on conflict ({key}) do update set ({columns}, load_id) = row(excluded.*)"
            " where ({columns_known}) is distinct from ({columns_read})"
        ).format(
            **table,
            columns=_columns(dataset),
            key=sql.SQL(", ").join(map(sql.Identifier, dataset.table_key)),
            columns_known=_columns(dataset, "known"),
            columns_read=_columns(dataset, "excluded"),
        )
    )
    changed: int = cursor.rowcount
    return changed

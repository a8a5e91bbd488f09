"""A campaign of its own process: `python -m tests.import_kill_points EXPORT OLDER_EXPORT`.

An import is killed by SIGKILL before each of its writes, to files and to PostgreSQL, one after another; then it is run
again, to its end, and must leave what an import leaves that nobody killed. OLDER_EXPORT was imported before, so that
partitions exist which the other changes.

Prints one JSON object: how many were killed. The parent has no threads, so forking is safe.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import sys
from pathlib import Path
from typing import Any

import luigi

import pipeline
from pipeline.extract.answers import utc_now
from pipeline.extract.datasets import HISTORY, PLAYS
from pipeline.extract.history.records import list_records, read_record
from pipeline.extract.partitions import list_partitions, read_partition
from pipeline.load.postgres import connect
from tests.kill_points import DATA, Hook, begin_with_nothing, compare, finish, killed_at, on_file_writes, on_statements


def main(export: str, older: str) -> int:
    logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)
    report = {
        "files": campaign(pipeline.ExtractHistory, on_file_writes, export, older),
        "statements": campaign(pipeline.CopyHistory, on_statements, export, older),
    }
    print(json.dumps(report))
    return 0


def campaign(task: Any, hook: Hook, export: str, older: str) -> int:
    """Kill at write 1, 2, 3, … until an import comes through; returns how many were killed."""
    expected: Any = None
    for point in itertools.count():
        begin_with_nothing()
        finish(pipeline.CopyHistory(export=older))
        # The first time nobody is killed: what is left then is what must be left always.
        if point and not killed_at(point, task(export=export), hook):
            return point - 1
        for dataset in (HISTORY, PLAYS):
            for path in list_partitions(dataset, DATA):
                read_partition(dataset, path)
        forget_what_this_process_knows()
        finish(pipeline.CopyHistory(export=export))
        expected = expected or what_is_left()
        compare(f"what is left after point {point}", what_is_left(), expected)
    raise AssertionError("never: the counting has no end")


def forget_what_this_process_knows() -> None:
    luigi.task_register.Register.clear_instance_cache()


def what_is_left() -> Any:
    """Partitions, receipts and tables without the moments at which it all happened."""
    rows = json.dumps(
        [read_partition(dataset, path) for dataset in (HISTORY, PLAYS) for path in list_partitions(dataset, DATA)]
    )
    records = [record for path in list_records(DATA) if (record := read_record(DATA, path, utc_now()))]
    for number, record in enumerate(records):
        rows = rows.replace(record.imported_at, f"import {number}")
    receipts = [[dataclasses.asdict(file) for file in record.files] for record in records]
    left_over = [path for path in DATA.rglob("*") if path.suffix in (".tmp", ".receipt") or path.name == "unfinished"]
    compare("files left over", left_over, [])
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from staging.spotify_history), (select count(*) from staging.spotify_songs),"
            " (select sum(inserted) from pipeline.imports), (select count(*) from staging.history_spans)"
        )
        tables = cursor.fetchone()
    return rows, receipts, tables


if __name__ == "__main__":
    sys.exit(main(*map(str, map(Path, sys.argv[1:]))))

"""The floor of an import: json.load of every file, csv, COPY into a temporary table, insert into a keyed one.

`python tests/bench/import_floor.py ZIP`, with the database in DATABASE_URL; one process, no check, nothing kept of it
but the table.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import zipfile

import psycopg2

TYPES = {
    "ts": "timestamptz",
    "ms_played": "bigint",
    "offline_timestamp": "bigint",
    **dict.fromkeys(("shuffle", "skipped", "offline", "incognito_mode"), "boolean"),
}


def main(path: str) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines)
    columns: list[str] = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                with archive.open(name) as file:
                    rows = json.load(file)
                columns = columns or list(rows[0])
                writer.writerows([row.get(column) for column in columns] for row in rows)
    lines.seek(0)
    table = ", ".join(f"{column} {TYPES.get(column, 'text')}" for column in columns)
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists public.import_floor")
        cursor.execute(f"create temporary table incoming ({table})")
        cursor.copy_expert("copy incoming from stdin (format csv)", lines)
        # A key takes no null, which the URI of a podcast is.
        key = "unique (ts, spotify_track_uri, ms_played)"
        cursor.execute(f"create table public.import_floor (number bigserial, {table}, {key})")
        cursor.execute(
            f"insert into public.import_floor ({', '.join(columns)}) select * from incoming on conflict do nothing"
        )
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1])

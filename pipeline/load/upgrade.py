"""A database of an older version, brought up in place: what files tell is dropped and loaded again.

No step from one version to the next is written, and so none is wrong: schema staging and the receipts are what today's
program makes of data/, and dbt builds everything anew. Kept as they are: pipeline.api_calls and pipeline.library_reads,
which no file tells of. Should those change, schema.sql alters them.
"""

from __future__ import annotations

import importlib.resources
import logging
from typing import Any

from psycopg2 import sql

from pipeline import config
from pipeline.data_format import program_version

logger = logging.getLogger("luigi-interface")
# Beside all of schema `staging`.
FROM_FILES = ("imports", "dbt_runs")


def apply_schema(cursor: Any, version: int) -> None:
    """Create what is missing of schema.sql, and say which version it is."""
    cursor.execute(importlib.resources.files("pipeline.load").joinpath("schema.sql").read_text())
    cursor.execute("delete from staging.schema_version")
    cursor.execute(
        "insert into staging.schema_version (version, program) values (%s, %s)", (version, program_version())
    )


def rebuild_tables(connection: Any, version: int) -> None:
    """Drop what files tell, and load the files of every account; the caller commits, and holds the warehouse.

    Views that dbt has put on the tables go with them; the dbt run of the same slot makes them again.
    """
    from pipeline.load.history import reload_all_imports
    from pipeline.load.ledger import reload_all_polls
    from pipeline.load.staging import reload_all_partitions

    with connection.cursor() as cursor:
        cursor.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname = 'staging' or schemaname = 'pipeline' and tablename = any(%s)",
            (list(FROM_FILES),),
        )
        for table in cursor.fetchall():
            cursor.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(*table)))
        apply_schema(cursor, version)
    data = config.storage().root
    logger.info("the database is not of version %d: its tables are made anew from %s", version, data)
    loaded = reload_all_partitions(connection, data)
    polls, imports = reload_all_polls(connection, data), reload_all_imports(connection, data)
    rows = ", ".join(f"{name} {dataset.rows:,}" for name, dataset in loaded.items())
    logger.info("rows loaded: %s; %d polls, receipts of %d imports", rows, polls, imports)

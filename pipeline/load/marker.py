"""Luigi's marker of a finished task, in the pipeline's own PostgreSQL."""

from __future__ import annotations

import logging
import os
from typing import Any

import luigi.contrib.postgres
import psycopg2

from pipeline import config
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import connect

logger = logging.getLogger("luigi-interface")
_shared: dict[int, Any] = {}
# Why the last marker could not be asked for in this process, if any could not.
unreachable: list[str] = []


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
            words = config.scrub(str(error))
            unreachable[:] = [f"{type(error).__name__}: {words}"]
            logger.warning("%s is taken as not done: %s", self.update_id, words)
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

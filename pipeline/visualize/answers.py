"""Asks the cards' questions of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg2

from pipeline import config
from pipeline.visualize.cards import Card, CardError
from pipeline.visualize.query import Filters, fill


@dataclass(frozen=True)
class Answer:
    """What a query returned: names of the columns, and rows in their order."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Any]:
        """All values of one column; empty where there is no such column."""
        if name not in self.names:
            return []
        position = self.names.index(name)
        return [row[position] for row in self.rows]


class Asker:
    """Answers cards over one connection. A question that several cards share is asked once."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.known: dict[tuple[str, tuple[Any, ...]], Answer] = {}

    def ask(self, card: Card, filters: Filters) -> Answer:
        """Raises CardError where PostgreSQL refuses the query."""
        sql, values = fill(card.sql, filters)
        key = (sql, tuple(values.values()))
        if key not in self.known:
            with self.connection.cursor() as cursor:
                try:
                    cursor.execute(sql, values)
                except (psycopg2.ProgrammingError, psycopg2.DataError) as error:
                    words = config.scrub(str(error)).strip()
                    raise CardError(
                        f"card {card.id!r}: PostgreSQL refuses its SQL: {words}\nIf a report is missing,"
                        " build the models first: luigi --module pipeline RunPipeline --run-at …"
                    ) from None
                self.known[key] = Answer(tuple(column.name for column in cursor.description), tuple(cursor.fetchall()))
        return self.known[key]

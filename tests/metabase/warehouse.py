"""Databases of the sample Metabase: real connections, and what a sync reads through them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg2

from tests.metabase.bodies import Json, Refusal

MASK = "**MetabasePass**"
COLUMNS = """
    select table_name::text, column_name::text, data_type::text, ordinal_position
    from information_schema.columns
    where table_schema = %s
    order by table_name, ordinal_position
"""
BASE_TYPES = {"date": "type/Date", "numeric": "type/Decimal", "bigint": "type/BigInteger", "integer": "type/Integer"}


class Warehouses:
    """`slow`: after how many looks at the metadata a sync has come to its end."""

    def __init__(self) -> None:
        self.databases: dict[int, Json] = {}
        self.tables: dict[tuple[int, str, str], Json] = {}
        self.fields: dict[tuple[int, str, str, str], Json] = {}
        self.slow = 0
        self._ids = count(1)
        self._looks: dict[int, int] = {}

    @contextlib.contextmanager
    def connection(self, details: Json) -> Iterator[Any]:
        """As the role that was given. Raises Refusal, in the words that Metabase passes on."""
        try:
            given = psycopg2.connect(
                host=details["host"],
                port=details["port"],
                dbname=details["dbname"],
                user=details["user"],
                password=details.get("password") or None,
                connect_timeout=5,
                options="-c TimeZone=UTC",
            )
        except psycopg2.Error as error:
            words = str(error).strip()
            field = "password" if "password" in words else "host"
            raise Refusal(
                400, {"message": words, "errors": {field: f"check your {field} settings"}, "valid": False}
            ) from None
        try:
            yield given
        finally:
            given.close()

    def add(self, body: Json) -> Json:
        self._test(body["details"])
        made = {
            "id": next(self._ids),
            "is_on_demand": False,
            "auto_run_queries": True,
            "is_full_sync": True,
            "description": None,
            "features": ["native-parameters"],
            "is_sample": False,
            "is_saved_questions": False,
            "initial_sync_status": "incomplete",
            **body,
        }
        self.databases[made["id"]] = made
        self.sync(made["id"])
        return self.shown(made["id"])

    def change(self, number: int, body: Json) -> Json:
        found = self.found(number)
        details = {**found["details"], **body.get("details", {})}
        if details.get("password") == MASK:
            details["password"] = found["details"].get("password")
        if details != found["details"]:
            self._test(details)
        found.update({"is_on_demand": False, **body, "details": details})
        return self.shown(number)

    def found(self, number: int) -> Json:
        if number not in self.databases:
            raise Refusal(404, "Not found.")
        return self.databases[number]

    def shown(self, number: int, include: str = "") -> Json:
        """As it is told: without the password. `include`: tables, or tables.fields."""
        found = self.found(number)
        password = {"password": MASK} if found["details"].get("password") else {}
        shown = {**found, "details": {**found["details"], **password}}
        if include:
            shown["tables"] = [
                {**table, "fields": self.fields_of(table["id"])} if include == "tables.fields" else table
                for key, table in self.tables.items()
                if key[0] == number
            ]
        return shown

    def fields_of(self, table: int) -> list[Json]:
        return [field for field in self.fields.values() if field["table_id"] == table]

    def _test(self, details: Json) -> None:
        with self.connection(details):
            pass

    def sync(self, number: int) -> None:
        """Begin to read the tables: what the role may see, of the schemas of the filter."""
        details = self.found(number)["details"]
        try:
            with self.connection(details) as connection, connection.cursor() as cursor:
                cursor.execute(COLUMNS, (details.get("schema-filters-patterns", "public"),))
                rows = cursor.fetchall()
        except Refusal as refusal:
            raise Refusal(422, refusal.body) from None
        schema = details.get("schema-filters-patterns", "public")
        for table, column, kind, position in rows:
            self._table(number, schema, table)
            self._field(number, schema, table, column, kind, position)
        present = {(table, column) for table, column, _, _ in rows}
        for key in [key for key in self.fields if key[0] == number and key[2:] not in present]:
            del self.fields[key]
        for name in [key for key in self.tables if key[0] == number and key[2] not in {row[0] for row in rows}]:
            del self.tables[name]
        self._looks[number] = 0

    def _table(self, number: int, schema: str, name: str) -> None:
        made = {
            "id": next(self._ids),
            "db_id": number,
            "name": name,
            "schema": schema,
            "display_name": name.replace("_", " ").title(),
            "active": True,
            "entity_type": "entity/GenericTable",
            **dict.fromkeys(("description", "points_of_interest", "caveats", "visibility_type")),
        }
        self.tables.setdefault((number, schema, name), made)

    def _field(self, number: int, schema: str, table: str, name: str, kind: str, position: int) -> None:
        made = {
            "id": next(self._ids),
            "table_id": self.tables[number, schema, table]["id"],
            "name": name,
            "display_name": name.replace("_", " ").title(),
            "base_type": BASE_TYPES.get(kind, "type/Text"),
            "position": position,
            "visibility_type": "normal",
            "has_field_values": None,
            "settings": None,
            **dict.fromkeys(("description", "semantic_type", "fk_target_field_id", "coercion_strategy")),
        }
        self.fields.setdefault((number, schema, table, name), made)

    def metadata(self, number: int) -> Json:
        self._looks[number] += 1
        done = self._looks[number] > self.slow
        found = self.found(number)
        if done:
            found["initial_sync_status"] = "complete"
        tables = [
            {**table, "fields": self.fields_of(table["id"])}
            for key, table in self.tables.items()
            if key[0] == number and done
        ]
        return {**self.shown(number), "tables": tables}

    def by_id(self, kind: str, number: int) -> Json:
        rows = self.tables.values() if kind == "table" else self.fields.values()
        for row in rows:
            if row["id"] == number:
                return row
        raise Refusal(404, "Not found.")

    def column_of(self, number: int) -> str:
        """The whole name of a field, as it goes into SQL."""
        for (_, *names), field in self.fields.items():
            if field["id"] == number:
                return ".".join(f'"{name}"' for name in names)
        raise Refusal(400, f"field {number} does not exist")

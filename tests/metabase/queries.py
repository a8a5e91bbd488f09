"""Native queries as Metabase runs them: filters put into the SQL by its rules, run as the role that was given.

https://www.metabase.com/docs/latest/questions/native-editor/sql-parameters
https://www.metabase.com/docs/latest/questions/native-editor/field-filters
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import psycopg2

from tests.metabase.bodies import Json
from tests.metabase.warehouse import Warehouses

TOKEN = re.compile(r"(\[\[|\]\]|\{\{.*?\}\})")
# Which parameter fits which kind of tag.
FITS = {"text": {"string/=", "category", "text"}, "number": {"number/=", "category"}, "date": {"date/single", "date"}}
ROWS = 2000
DAYS = re.compile(r"past(\d+)days(~?)")


class CannotRun(Exception):
    """Said in the answer's `error`, with status `failed`."""


def run(warehouses: Warehouses, query: Json, parameters: list[Json]) -> Json:
    """The body of an answer of `/query`."""
    (stage,) = query["stages"]
    tags = stage.get("template-tags") or {}
    tags = {tag["name"]: tag for tag in tags} if isinstance(tags, list) else tags
    details = warehouses.found(query["database"])["details"]
    try:
        with warehouses.connection(details) as connection, connection.cursor() as cursor:
            cursor.execute("select current_date")
            values = _values(tags, parameters)
            sql, given = fill(stage["native"], tags, values, warehouses, cursor.fetchone()[0])
            cursor.execute(sql, given)
            rows = cursor.fetchmany(ROWS)
            names = [column.name for column in cursor.description]
    except (CannotRun, psycopg2.Error) as error:
        return {"status": "failed", "error": str(error).strip(), "row_count": 0, "data": {"rows": [], "cols": []}}
    columns = [{"name": name, "display_name": name, "base_type": "type/*"} for name in names]
    return {"status": "completed", "row_count": len(rows), "data": {"rows": rows, "cols": columns}}


def _values(tags: dict[str, Json], parameters: list[Json]) -> dict[str, Any]:
    """Values by tag: those that were given, else the tag's default."""
    found = {}
    for parameter in parameters:
        kind, (_, name, *_) = parameter["target"]
        tag = tags.get(name)
        if tag is None:
            raise CannotRun(f"no template tag {name!r}")
        if kind != ("dimension" if tag["type"] == "dimension" else "variable"):
            raise CannotRun(f"target {kind!r} does not fit the template tag {name!r}")
        allowed = {"date/all-options", "date/range", "date/single"} if tag["type"] == "dimension" else FITS[tag["type"]]
        if parameter["type"] not in allowed:
            raise CannotRun(f"Invalid parameter type {parameter['type']!r} for parameter {name!r}")
        found[name] = parameter.get("value")
    for name, tag in tags.items():
        if found.get(name) in (None, "", []) and tag.get("default") not in (None, "", []):
            found[name] = tag["default"]
        if found.get(name) in (None, "", []) and tag.get("required"):
            raise CannotRun(f"You'll need to pick a value for {tag['display-name']!r} before this query can run.")
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def fill(
    sql: str, tags: dict[str, Json], values: dict[str, Any], warehouses: Warehouses, today: datetime.date
) -> tuple[str, list[Any]]:
    """SQL and parameters of psycopg2. Parts in [[ ]] go where a filter in them has no value."""
    given: list[Any] = []
    done: list[str] = []
    part: list[str] | None = None
    kept: list[Any] = []
    filled = named = 0
    for token in TOKEN.split(sql):
        into = done if part is None else part
        if token == "[[":
            part, kept, filled, named = [], [], 0, 0
        elif token == "]]" and part is not None:
            if not named:
                raise CannotRun("[[...]] clauses must contain at least one {{...}}")
            if filled == named:
                done += part
                given += kept
            part = None
        elif token.startswith("{{"):
            name = token[2:-2].strip()
            if name not in tags:
                raise CannotRun(f"no template tag {name!r}")
            named += 1
            if name in values:
                filled += 1
                text, more = _substitute(tags[name], values[name], warehouses, today)
            elif tags[name]["type"] == "dimension":
                text, more = "1 = 1", []
            elif part is None:
                raise CannotRun(f"Cannot run the query: missing required parameters: {name!r}")
            else:
                text, more = "", []
            into.append(text)
            (given if part is None else kept).extend(more)
        else:
            into.append(token.replace("%", "%%"))
    return "".join(done), given


def _substitute(tag: Json, value: Any, warehouses: Warehouses, today: datetime.date) -> tuple[str, list[Any]]:
    if tag["type"] != "dimension":
        values = value if isinstance(value, list) else [value]
        if len(values) != 1:
            raise CannotRun(f"one value is wanted for {tag['name']!r}")
        return "%s::varchar", [str(values[0])]
    column = warehouses.column_of(tag["dimension"][-1])
    first, last = _dates(str(value), today)
    if first and last:
        return f"{column} BETWEEN %s::date AND %s::date", [first, last]
    return (f"{column} >= %s::date", [first]) if first else (f"{column} <= %s::date", [last])


def _dates(value: str, today: datetime.date) -> tuple[str, str]:
    if days := DAYS.fullmatch(value):
        last = today if days[2] else today - datetime.timedelta(days=1)
        return str(today - datetime.timedelta(days=int(days[1]))), str(last)
    first, tilde, last_text = value.partition("~")
    return (first, last_text) if tilde else (first, first)

"""A card's SQL with its filters filled in.

The SQL is written as Metabase reads it: `{{account}}` is a filter, and a part in `[[ ]]` is left out where a filter in
it has no value. `{{dates}}` stands for a whole condition, on the column DATES; the others for one value each.
https://www.metabase.com/docs/latest/questions/native-editor/optional-variables
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

# Name, and what a person reads.
FILTERS = {"account": "Account", "dates": "Dates", "artist": "Artist", "period": "Wrapped of"}
# Schema, table, column that the filter `dates` is about.
DATES = ("reporting", "rpt_days", "played_date")
TAG = re.compile(r"\{\{\s*(\w+)\s*\}\}")
OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Filters:
    """What the cards are asked about. `dates`: the first and the last local date; `period`: 2026, 2026-Q3, 2026-11."""

    account: str
    dates: tuple[datetime.date, datetime.date] | None = None
    artist: str | None = None
    period: str | None = None


def tags(sql: str) -> set[str]:
    """Names of the filters in `sql`."""
    return set(TAG.findall(sql))


def fill(sql: str, filters: Filters) -> tuple[str, dict[str, object]]:
    """The query and its parameters, for psycopg2. Values never become text of the query."""
    given = {name for name in FILTERS if getattr(filters, name) is not None}
    sql = OPTIONAL.sub(lambda part: part[1] if tags(part[1]) <= given else "", sql)
    if missing := tags(sql) - given:
        raise ValueError(f"the query needs a value for {{{{{min(missing)}}}}}")
    sql = TAG.sub(lambda tag: _placeholder(tag[1]), sql.replace("%", "%%"))
    first_date, last_date = filters.dates or (None, None)
    return sql, {
        "account": filters.account,
        "artist": filters.artist,
        "period": filters.period,
        "first_date": first_date,
        "last_date": last_date,
    }


def _placeholder(name: str) -> str:
    if name != "dates":
        return f"%({name})s"
    column = ".".join(f'"{part}"' for part in DATES)
    return f"{column} between %(first_date)s and %(last_date)s"

"""Holds the reports of a database against the oracle, cell by cell."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2

from tests.oracle.history import History, read_histories
from tests.oracle.numbers import Rows
from tests.oracle.periods import DAY, Date
from tests.oracle.plays import unix_ms
from tests.oracle.raw import query, table
from tests.oracle.reports import RANGED, REPORTS

SHOWN = 5
# What a play is called here, and in marts.fct_plays.
PLAY_COLUMNS = {
    "account": "account",
    "uri": "track_uri",
    "ended_at": "played_at",
    "ms": "ms_played",
    "started_at": "started_at",
    "date": "played_date",
    "hour": "played_hour",
    "content_type": "content_type",
    "is_estimated": "is_estimated",
    "is_skipped": "is_skipped",
    "is_completed": "is_completed",
    "play_id": "play_id",
}


@dataclass
class Compared:
    """`differences`: in words, with the key, the column and both values."""

    name: str
    rows: int = 0
    cells: int = 0
    differences: list[str] = field(default_factory=list)


def compare(
    connection: Any, zone: ZoneInfo, zones: Mapping[str, ZoneInfo] | None = None, shortest_play: int = 0
) -> list[Compared]:
    """The plays first, then every report. `connection`: in UTC; `zones`: of accounts that have one of their own;
    `shortest_play`: the setting shortest_play_seconds."""
    connection.autocommit = True
    histories = read_histories(connection, zone, zones, shortest_play)
    found = [compare_plays(connection, histories)]
    with_music = [history for history in histories if history.plays]
    for report in REPORTS:
        expected: Rows = {}
        for history in with_music if report.of_music else histories:
            expected |= report.rows(history)
        statement = f"select * from reporting.{report.name}"
        found.append(compare_rows(connection, report.name, ("account", *report.key), expected, statement))
    for ranged in RANGED:
        total = Compared(f"{ranged.name}(from, to)")
        for history in with_music:
            for first, last in ranges(history):
                given = (history.account, first, last)
                statement = f"select %s as account, t.* from reporting.{ranged.name}(%s, %s::date, %s::date) as t"
                rows = ranged.of_range(history, first, last)
                one = compare_rows(
                    connection, ranged.name, ("account", ranged.key), rows, statement, history.account, *given
                )
                total.rows, total.cells = total.rows + one.rows, total.cells + one.cells
                total.differences += [f"{first} to {last}: {difference}" for difference in one.differences]
        found.append(total)
    return found


def ranges(history: History) -> Iterator[tuple[Date, Date]]:
    """A day, four weeks, a calendar year, from the middle of a year to that of the third after, all, and none."""
    first, today = history.first_date, history.today
    some_day = history.plays[len(history.plays) // 2].date
    yield some_day, some_day
    yield some_day - 27 * DAY, some_day
    yield Date(some_day.year, 1, 1), Date(some_day.year, 12, 31)
    yield Date(first.year, 7, 1), Date(first.year + 3, 6, 30)
    yield first, today
    yield first - 10 * DAY, first - DAY
    yield some_day, some_day - DAY


def compare_plays(connection: Any, histories: list[History]) -> Compared:
    """Each side as a bag of plays: one of both is missing, too many, or another one."""
    rows = query(connection, f"select {', '.join(PLAY_COLUMNS.values())} from marts.fct_plays")
    built = Counter(tuple(plain(row[column]) for column in PLAY_COLUMNS.values()) for row in rows)
    expected = Counter(
        tuple(plain(getattr(play, name)) for name in PLAY_COLUMNS)
        for history in histories
        for play in history.all_plays
    )
    result = Compared("marts.fct_plays", expected.total(), len(PLAY_COLUMNS) * expected.total())
    for play, count in sorted((expected - built).items(), key=str):
        result.differences.append(f"{count} x not in the database: {play}")
    for play, count in sorted((built - expected).items(), key=str):
        result.differences.append(f"{count} x only in the database: {play}")
    return result


def compare_rows(
    connection: Any, name: str, key: tuple[str, ...], expected: Rows, statement: str, *given: Any
) -> Compared:
    result = Compared(name, len(expected), sum(len(cells) for cells in expected.values()))
    try:
        columns, rows = table(connection, statement, *given)
    except psycopg2.Error as error:
        result.differences.append(f"cannot be read: {str(error).splitlines()[0]}")
        return result
    wanted = dict.fromkeys([*key, *(column for cells in expected.values() for column in cells)])
    missing = [column for column in wanted if column not in columns]
    result.differences += [f"has no column {column}" for column in missing]
    if set(missing) & set(key):
        return result
    built: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in (dict(zip(columns, values, strict=True)) for values in rows):
        row_key = tuple(row[column] for column in key)
        if row_key in built:
            result.differences.append(f"{words(key, row_key)}: more than one row")
        built[row_key] = row
    for row_key in sorted(expected.keys() - built.keys(), key=str):
        result.differences.append(f"{words(key, row_key)}: not in the database: {expected[row_key]}")
    for row_key in sorted(built.keys() - expected.keys(), key=str):
        result.differences.append(f"{words(key, row_key)}: only in the database: {built[row_key]}")
    for row_key in (each for each in expected if each in built):
        for column, value in expected[row_key].items():
            if column not in missing and plain(built[row_key][column]) != plain(value):
                said = f"{column} is {built[row_key][column]!r}, by the oracle {value!r}"
                result.differences.append(f"{words(key, row_key)}: {said}")
    return result


def words(key: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return ", ".join(f"{column} {value}" for column, value in zip(key, values, strict=True))


def plain(value: Any) -> Any:
    """Values that are equal when they say the same: a moment, whatever its zone; a truth value, which is no number."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return "moment", unix_ms(value), value.microsecond % 1000
    return value


def report_of(found: list[Compared]) -> str:
    """A table, and the first differences of each report."""
    total = Compared("total", sum(each.rows for each in found), sum(each.cells for each in found))
    total.differences = [difference for each in found for difference in each.differences]
    lines = [f"{'report':<28}{'rows':>12}{'cells':>14}{'differences':>13}"]
    for each in (*found, total):
        lines.append(f"{each.name:<28}{each.rows:>12,}{each.cells:>14,}{len(each.differences):>13,}")
    for each in found:
        lines += ["", f"{each.name}:"] if each.differences else []
        lines += [f"  {difference}" for difference in each.differences[:SHOWN]]
    return "\n".join(lines)

"""The rows of staging as they were loaded, and what the ledger says of gaps."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Span = tuple[datetime.datetime, datetime.datetime]


@dataclass
class Raw:
    """Of one account. `gaps`: the open ones; `completeness`: of a local date, where it is known; `fetched_at`: of the
    newest poll that brought a page; `overrides`: from a track to the recording that the listener says it is;
    `impossible`: rows of both sources with an impossible timestamp, which stand in no other list."""

    exported: list[Row] = field(default_factory=list)
    polled: list[Row] = field(default_factory=list)
    genres: list[Row] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    completeness: dict[datetime.date, str] = field(default_factory=dict)
    fetched_at: datetime.datetime | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    rules: list[Row] = field(default_factory=list)
    impossible: list[Row] = field(default_factory=list)


def read(connection: Any, shortest_play: int = 0) -> dict[str, Raw]:
    """By account. The connection's time zone has to be UTC. `shortest_play`: the setting shortest_play_seconds."""
    accounts: dict[str, Raw] = defaultdict(Raw)
    for row in query(connection, "select * from staging.spotify_history"):
        raw = accounts[row["account"]]
        (raw.exported if is_possible(row, datetime.timedelta()) else raw.impossible).append(row)
    for row in query(connection, "select * from staging.spotify_songs"):
        raw = accounts[row["account"]]
        (raw.polled if is_possible(row, datetime.timedelta(days=1)) else raw.impossible).append(row)
    for row in query(connection, "select * from staging.spotify_genres"):
        accounts[row["account"]].genres.append(row)
    for row in query(connection, "select * from marts.fct_gaps where is_open"):
        accounts[row["account"]].gaps.append((row["begins_at"], row["ends_at"]))
    for row in query(connection, "select * from marts.fct_capture_days"):
        accounts[row["account"]].completeness[row["date_local"]] = row["completeness"]
    polls = "select account, max(fetched_at) as fetched_at from staging.polls where outcome = 'polled' group by 1"
    for row in query(connection, polls):
        accounts[row["account"]].fetched_at = row["fetched_at"]
    overrides, rules = seed(connection, "recording_overrides"), seed(connection, "exclusion_rules")
    if shortest_play:
        rules.append(
            {
                **dict.fromkeys(("account", "from_date", "to_date")),
                "rule_id": "(shortest_play_seconds)",
                "is_active": True,
                "kind": "shorter_than",
                "value": str(shortest_play),
            }
        )
    for account, raw in accounts.items():
        # The account's own row goes before one for all accounts.
        for row in sorted(overrides, key=lambda row: row["account"] == account):
            if row["account"] in (None, "", account):
                raw.overrides[row["track_uri"]] = row["recording"]
        raw.rules = [rule for rule in rules if rule["account"] in (None, "", account)]
    return dict(accounts)


def is_possible(row: Row, skew: datetime.timedelta) -> bool:
    """Whether a play ended when Spotify existed, and not after its row was captured."""
    begin = datetime.datetime(2006, 4, 1, tzinfo=datetime.UTC)
    return bool(begin <= row["played_at_utc"] <= row["last_updated_datetime_utc"] + skew)


def seed(connection: Any, name: str) -> list[Row]:
    """The rows of a table that dbt makes of a file, in whatever schema; none where there is no such table."""
    found = query(connection, f"select table_schema from information_schema.tables where table_name = '{name}'")
    return query(connection, f"select * from {found[0]['table_schema']}.{name}") if found else []


def query(connection: Any, statement: str, *values: Any) -> list[Row]:
    columns, rows = table(connection, statement, *values)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def table(connection: Any, statement: str, *values: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns, and rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return [column.name for column in cursor.description], list(cursor.fetchall())

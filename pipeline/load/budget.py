"""How many calls of Spotify's Web API an account may still make today. What polls need is kept free."""

from __future__ import annotations

import datetime
from typing import Any

# Two calls a slot, with room for the retries of a bad day.
KEPT_FOR_POLLS = 100


class BudgetSpent(Exception):
    """No call is left today beside those of the polls; the next day goes on."""


def calls_used(connection: Any, account: str, day: datetime.date) -> int:
    """Calls of the account on a UTC day: polls by their records, the rest as counted before each call."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select coalesce(sum(calls_used), 0) from staging.polls where account = %(account)s"
            " and fetched_at >= %(day)s::date::timestamptz and fetched_at < (%(day)s::date + 1)::timestamptz)"
            " + (select coalesce(sum(calls), 0) from pipeline.api_calls"
            " where account = %(account)s and day_utc = %(day)s)",
            {"account": account, "day": day},
        )
        return int(cursor.fetchone()[0])


def spend_call(connection: Any, account: str, day: datetime.date, purpose: str, daily_calls: int) -> None:
    """Count one call that is about to be made for something else than a poll. Raises BudgetSpent.

    `connection` commits by itself: the call counts even if the process dies in it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(calls), 0) from pipeline.api_calls where account = %s and day_utc = %s", (account, day)
        )
        spent = int(cursor.fetchone()[0])
        used = calls_used(connection, account, day)
        if spent >= daily_calls - KEPT_FOR_POLLS or used >= daily_calls:
            raise BudgetSpent(
                f"{used} of {daily_calls} calls are used today, and {KEPT_FOR_POLLS} are kept for polls"
                " ([spotify] daily_calls); the next day goes on"
            )
        cursor.execute(
            "insert into pipeline.api_calls as counted (account, day_utc, purpose, calls) values (%s, %s, %s, 1)"
            " on conflict (account, day_utc, purpose) do update set calls = counted.calls + 1",
            (account, day, purpose),
        )

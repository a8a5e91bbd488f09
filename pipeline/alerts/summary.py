"""A week, a month or a year in a message: what the reports say of it, against the one before."""

from __future__ import annotations

import datetime
import html
from typing import Any

from psycopg2.extras import RealDictCursor

from pipeline.alerts.periods import grain_of
from pipeline.visualize.units import text

LINES = 5
ONE_BEFORE = {"week": "the week before", "month": "the month before", "year": "the year before"}
AT_LEAST = "At least: plays may be missing in this time."


class NotSummedUp(ValueError):
    """There is nothing to say of the period (yet); the message says why."""


def summarize(connection: Any, account: str, period: str) -> str | None:
    """The message, as Slack's mrkdwn; None for a period before the history. Raises NotSummedUp."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:

        def ask(query: str, *values: Any) -> list[dict[str, Any]]:
            cursor.execute(query, (account, *values))
            return [dict(row) for row in cursor.fetchall()]

        whole = ask(
            "select periods.*, totals.today from reporting.rpt_periods as periods"
            " inner join reporting.rpt_totals as totals on periods.account = totals.account"
            " where periods.account = %s and periods.label = %s",
            period,
        )
        if not whole:
            before = "select from reporting.rpt_periods where account = %s and grain = %s and label < %s limit 1"
            if not ask(before, grain_of(period), period):
                return None
            raise NotSummedUp(f"{period} is no period of the history of account {account!r}")
        told = whole[0]
        if told["today"] <= told["period_end"]:
            raise NotSummedUp(f"{period} is not over yet: the history of account {account!r} ends on {told['today']}")
        between = (told["period_start"], told["period_end"])
        songs = ask(
            "select track_name, artists, plays from reporting.top_tracks(%s, %s, %s, 5) order by rank", *between
        )
        artists = ask("select artist_name, plays from reporting.top_artists(%s, %s, %s, 5) order by rank", *between)
        found = ask(
            "select artist_name from reporting.rpt_new_artists"
            " where account = %s and first_played_date between %s and %s order by plays desc, first_played_at",
            *between,
        )
        streak = ask(
            "select max(days) filter (where is_current) as current, max(days) as longest"
            " from reporting.rpt_streaks where account = %s"
        )[0]
    lines = [
        f"*{_name(told)}* of {account}",
        _heard(told),
        _list("Songs", [(f"{song['track_name']} – {song['artists']}", song["plays"]) for song in songs]),
        _list("Artists", [(artist["artist_name"], artist["plays"]) for artist in artists]),
        _found([artist["artist_name"] for artist in found]),
        _streak(streak["current"], streak["longest"]),
        AT_LEAST if told["is_at_least"] else "",
        _estimated(told),
    ]
    return "\n".join(line for line in lines if line)


def _name(told: dict[str, Any]) -> str:
    begin, end = told["period_start"], told["period_end"]
    if told["grain"] == "week":
        return f"Week {begin:%V}, {_day(begin)} to {_day(end)} {end:%Y}"
    return f"{begin:%B %Y}" if told["grain"] == "month" else f"{begin:%Y}"


def _day(date: datetime.date) -> str:
    return f"{date.day} {date:%b}"


def _heard(told: dict[str, Any]) -> str:
    line = f"{text(told['minutes'], 'minutes')} minutes"
    if told["minutes_before"] is not None:
        change = f"{text(told['change'], 'change')} against" if told["change"] is not None else "after"
        line += f", {change} {ONE_BEFORE[told['grain']]} ({text(told['minutes_before'], 'minutes')})"
    days = told["days_listened"]
    return f"{line}; {_count(told['plays'], 'play')} on {_count(days, 'day')}"


def _list(name: str, entries: list[tuple[str, int]]) -> str:
    lines = [f"{place}. {html.escape(entry, quote=False)} ({plays})" for place, (entry, plays) in enumerate(entries, 1)]
    return "\n".join([f"*{name}*", *lines]) if lines else ""


def _found(names: list[str]) -> str:
    if not names:
        return "No artist was new."
    shown = html.escape(", ".join(names[:LINES]), quote=False)
    more = f" and {len(names) - LINES} more" if len(names) > LINES else ""
    return f"{_count(len(names), 'new artist')}: {shown}{more}"


def _streak(current: int | None, longest: int | None) -> str:
    if not current:
        return ""
    return f"{_count(current, 'day')} in a row until now" + (
        "" if current == longest else f"; the longest was {longest}"
    )


def _estimated(told: dict[str, Any]) -> str:
    if not told["minutes"] or not told["minutes_estimated"]:
        return ""
    return f"{text(told['minutes_estimated'] / told['minutes'], 'share')} of the minutes are estimated."


def _count(number: int, noun: str) -> str:
    return f"{text(number, 'count')} {noun}{'' if number == 1 else 's'}"

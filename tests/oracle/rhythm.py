"""When music is heard: hours, weekdays, months, seasons, and in which sittings."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.history import History
from tests.oracle.numbers import Rows, Tally, minutes, ranks, rounded, share, tally
from tests.oracle.periods import Date, dates
from tests.oracle.plays import Play

SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")
PAUSE = datetime.timedelta(minutes=30)
MICROSECOND = datetime.timedelta(microseconds=1)


def hours_of_week(history: History) -> Rows:
    cells = {(weekday, hour): Tally() for weekday in range(1, 8) for hour in range(24)}
    for play in history.plays:
        cells[play.date.isoweekday(), play.hour].add(play)
    whole = sum(cell.ms for cell in cells.values())
    return {
        (history.account, *key): {**cell.cells(), "share_of_minutes": share(cell.ms, whole)}
        for key, cell in cells.items()
    }


def rhythm(history: History) -> Rows:
    """`days`: how many dates from the first one to today have the value; an hour is on every date."""
    of_date: dict[str, tuple[range, Callable[[Date], int]]] = {
        "weekday": (range(1, 8), lambda date: date.isoweekday()),
        "day_of_month": (range(1, 32), lambda date: date.day),
        "month": (range(1, 13), lambda date: date.month),
    }
    everyday = list(dates(history.first_date, history.today))
    tallies = {("hour", hour): Tally() for hour in range(24)}
    tallies |= {(unit, value): Tally() for unit, (values, _) in of_date.items() for value in values}
    number_of_days: dict[tuple[str, int], int] = defaultdict(int)
    for hour in range(24):
        number_of_days["hour", hour] = len(everyday)
    for unit, (_, value_of) in of_date.items():
        for date in everyday:
            number_of_days[unit, value_of(date)] += 1
        for play in history.plays:
            tallies[unit, value_of(play.date)].add(play)
    for play in history.plays:
        tallies["hour", play.hour].add(play)
    return {
        (history.account, *key): {
            **total.cells(),
            "days": number_of_days[key],
            "minutes_per_day": minutes(Fraction(total.ms, number_of_days[key])) if number_of_days[key] else None,
        }
        for key, total in tallies.items()
    }


def season_clock(history: History) -> Rows:
    cells = {(season, hour): Tally() for season in SEASONS for hour in range(24)}
    of_season: dict[str, int] = defaultdict(int)
    for play in history.plays:
        season = SEASONS[play.date.month % 12 // 3]
        cells[season, play.hour].add(play)
        of_season[season] += play.ms
    return {
        (history.account, season, hour): {
            "plays": cell.plays,
            "minutes": minutes(cell.ms),
            "share_of_season": share(cell.ms, of_season[season]),
        }
        for (season, hour), cell in cells.items()
    }


@dataclass(frozen=True)
class Session:
    """Plays without a pause of more than half an hour between them."""

    plays: list[Play]

    @property
    def started_at(self) -> datetime.datetime:
        return min(play.started_at for play in self.plays)

    @property
    def ended_at(self) -> datetime.datetime:
        return max(play.ended_at for play in self.plays)

    @property
    def duration_minutes(self) -> Fraction:
        """Pauses included."""
        return Fraction((self.ended_at - self.started_at) // MICROSECOND, 60_000_000)


def find_sessions(history: History) -> list[Session]:
    found: list[Session] = []
    for play in history.plays:
        # Plays come in the order of their ends: the last one ended latest.
        if found and play.started_at - found[-1].plays[-1].ended_at <= PAUSE:
            found[-1].plays.append(play)
        else:
            found.append(Session([play]))
    return found


def sessions(history: History) -> Rows:
    found = {session.started_at: session for session in find_sessions(history)}
    totals = {start: tally(session.plays) for start, session in found.items()}
    rank = ranks({start: (session.duration_minutes, totals[start].ms) for start, session in found.items()})
    return {
        (history.account, start): {
            **totals[start].cells(),
            "rank": rank[start],
            "started_at_local": start.astimezone(history.zone).replace(tzinfo=None),
            "ended_at_local": session.ended_at.astimezone(history.zone).replace(tzinfo=None),
            "ended_at": session.ended_at,
            "tracks": len({play.uri for play in session.plays}),
            "duration_minutes": rounded(session.duration_minutes, 2),
        }
        for start, session in found.items()
    }

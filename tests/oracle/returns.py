"""What comes again: days on end, tracks on repeat, favourites of old, this day in other years."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable

from tests.oracle.history import History, grouped
from tests.oracle.numbers import Cells, Rows, ranks, tally
from tests.oracle.periods import DAY, Date, monday
from tests.oracle.plays import Play
from tests.oracle.tops import representative

OBSESSION_PLAYS = 10
FAVOURITE_PLAYS = 20
FORGOTTEN_AFTER = 180 * DAY
WEEK = 7 * DAY


def chains(dates: Iterable[Date], step: datetime.timedelta) -> list[list[Date]]:
    """Dates that follow one another at this step, in order."""
    found: list[list[Date]] = []
    for date in sorted(set(dates)):
        if found and date - found[-1][-1] == step:
            found[-1].append(date)
        else:
            found.append([date])
    return found


def streaks(history: History) -> Rows:
    found = chains((play.date for play in history.plays), DAY)
    longest = max(found, key=lambda streak: (len(streak), streak[0]))
    return {
        (history.account, streak[0]): {
            "streak_end": streak[-1],
            "days": len(streak),
            "is_current": streak[-1] >= history.today - DAY,
            "is_longest": streak is longest,
        }
        for streak in found
    }


def obsessions(history: History) -> Rows:
    """Weeks on end, in each of which one track was played ten times or more. Weeks are named by their Monday."""
    rows: Rows = {}
    for uri, plays in grouped(history.plays, lambda play: play.uri).items():
        by_week = Counter(monday(play.date) for play in plays)
        for weeks in chains((week for week, count in by_week.items() if count >= OBSESSION_PLAYS), WEEK):
            peak = max(weeks, key=lambda week: (by_week[week], -week.toordinal()))
            track = history.library.tracks[uri]
            rows[history.account, uri, weeks[0]] = {
                "last_week": weeks[-1],
                "weeks": len(weeks),
                "plays": sum(by_week[week] for week in weeks),
                "peak_week": peak,
                "peak_plays": by_week[peak],
                "is_over": weeks[-1] + 6 * DAY < history.today,
                "track_name": track.name,
                "artists": track.artists,
            }
    return rows


def shown(history: History, plays: list[Play]) -> Cells:
    """How a recording is shown: by the track of it that stands for these plays."""
    track = representative(history, plays)
    return {"track_name": track.name, "artists": track.artists, "track_uri": track.uri, "track_url": track.url}


def forgotten_favourites(history: History) -> Rows:
    """Recordings played twenty times or more, and not for half a year."""
    found: dict[str, list[Play]] = {}
    for key, plays in grouped(history.plays, history.recording).items():
        if len(plays) >= FAVOURITE_PLAYS and plays[-1].date <= history.today - FORGOTTEN_AFTER:
            found[key] = plays
    rank = ranks({key: tally(plays).score for key, plays in found.items()})
    return {
        (history.account, key): {
            **tally(plays).cells(),
            **shown(history, plays),
            "rank": rank[key],
            "last_played_date": plays[-1].date,
            "days_since": (history.today - plays[-1].date).days,
        }
        for key, plays in found.items()
    }


def on_this_day(history: History) -> Rows:
    """What was played on today's month and day of earlier years."""
    today = history.today
    before = [
        play
        for play in history.plays
        if play.date < today and (play.date.month, play.date.day) == (today.month, today.day)
    ]
    groups = grouped(before, lambda play: (play.date, history.recording(play)))
    return {
        (history.account, date, key): {
            **tally(plays).cells(),
            **shown(history, plays),
            "years_ago": today.year - date.year,
        }
        for (date, key), plays in groups.items()
    }

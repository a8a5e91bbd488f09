"""Totals of the whole history, of its days and of its periods; skips and discoveries by month."""

from __future__ import annotations

from fractions import Fraction

from tests.oracle.history import History, grouped
from tests.oracle.numbers import Cells, Number, Rows, Tally, change, minutes, share, tally
from tests.oracle.periods import DAY, GRAINS, Date, Period, dates, period_of, periods
from tests.oracle.plays import Play
from tests.oracle.rules import is_in_force, matches


def totals(history: History) -> Rows:
    plays = history.plays
    last = plays[-1]
    cells = {
        **tally(plays).cells(),
        **distinct(history, plays),
        "days_listened": len({play.date for play in plays}),
        "days": (history.today - history.first_date).days + 1,
        "first_played_date": history.first_date,
        "last_played_date": last.date,
        "today": history.today,
        "is_at_least": history.has_gap,
    }
    return {(history.account,): cells}


def distinct(history: History, plays: list[Play]) -> Cells:
    """How many recordings, artists and albums."""
    return {
        "tracks": len({history.recording(play) for play in plays}),
        "artists": len({artist for play in plays for artist in history.artists(play)}),
        "albums": len({history.album(play) for play in plays} - {None}),
    }


def tallies_by_date(history: History) -> dict[Date, Tally]:
    """Of every date from the first one to today."""
    found = {date: Tally() for date in dates(history.first_date, history.today)}
    for play in history.plays:
        found[play.date].add(play)
    return found


def days(history: History) -> Rows:
    """`minutes_7_days`, `minutes_28_days`: minutes a day, on average of the dates that end with this one."""
    tallies = tallies_by_date(history)
    rows: Rows = {}
    for date, day in tallies.items():
        before = tallies.get(date - DAY)
        is_complete = date < history.today
        rows[history.account, date] = {
            **day.cells(),
            "is_complete": is_complete,
            "minutes_day_before": minutes(before.ms) if before else None,
            "change": change(day.ms, before.ms) if before and is_complete else None,
            "completeness": history.completeness.get(date),
        }
        for length in (7, 28):
            span = [tallies.get(date - number * DAY) for number in range(length)]
            ms = sum(each.ms for each in span if each)
            rows[history.account, date][f"minutes_{length}_days"] = (
                minutes(Fraction(ms, length)) if all(each is not None for each in span) else None
            )
    return rows


def of_periods(history: History, grain: str) -> dict[Period, list[Play]]:
    """From that of the first date to that of today."""
    by_start = grouped(history.plays, lambda play: period_of(grain, play.date).start)
    return {period: by_start.get(period.start, []) for period in periods(grain, history.first_date, history.today)}


def change_of_periods(history: History, period: Period, ms: Number, before: Period | None, ms_before: Number) -> object:
    """Null unless both are complete."""
    if before is None or not (history.is_complete(period) and history.is_complete(before)):
        return None
    return change(ms, ms_before)


def all_periods(history: History) -> Rows:
    rows: Rows = {}
    for grain in GRAINS:
        before, total_before = None, Tally()
        for period, plays in of_periods(history, grain).items():
            total = tally(plays)
            rows[history.account, grain, period.start] = {
                **total.cells(),
                "period_end": period.end,
                "label": period.label,
                "days_listened": len({play.date for play in plays}),
                "is_complete": history.is_complete(period),
                "minutes_before": minutes(total_before.ms) if before else None,
                "change": change_of_periods(history, period, total.ms, before, total_before.ms),
                "is_at_least": history.has_gap_in(period.start, period.end),
            }
            before, total_before = period, total
    return rows


def exclusion_rules(history: History) -> Rows:
    """What every rule that concerns the account speaks of, spoken content too, whether it is in force or not."""
    rows: Rows = {}
    for rule in history.rules:
        matched = [play for play in history.all_plays if matches(rule, play, history.library)]
        rows[history.account, rule["rule_id"]] = {
            "kind": rule["kind"],
            "value": rule["value"],
            "is_in_force": is_in_force(rule),
            "plays": len(matched),
            "minutes": minutes(tally(matched).ms),
        }
    return rows


def skips(history: History) -> Rows:
    rows: Rows = {}
    for month, plays in grouped(history.plays, lambda play: play.date.replace(day=1)).items():
        skips_judged = [play.is_skipped for play in plays if play.is_skipped is not None]
        ends_judged = [play.is_completed for play in plays if play.is_completed is not None]
        rows[history.account, month] = {
            "plays": len(plays),
            "plays_judged": len(skips_judged),
            "skips": sum(skips_judged),
            "skip_share": share(sum(skips_judged), len(skips_judged)),
            "plays_completion_judged": len(ends_judged),
            "completions": sum(ends_judged),
            "completion_share": share(sum(ends_judged), len(ends_judged)),
            "plays_estimated": sum(play.is_estimated for play in plays),
        }
    return rows

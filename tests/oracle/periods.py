"""Weeks (ISO, from Monday), months, quarters and years of the local calendar."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

GRAINS = ("week", "month", "quarter", "year")
DAY = datetime.timedelta(days=1)
Date = datetime.date


@dataclass(frozen=True)
class Period:
    """`end`: its last date."""

    grain: str
    start: Date
    end: Date

    @property
    def label(self) -> str:
        """2026-W53, 2026-11, 2026-Q4, 2026."""
        year, week, _ = self.start.isocalendar()
        return {
            "week": f"{year}-W{week:02}",
            "month": f"{self.start.year}-{self.start.month:02}",
            "quarter": f"{self.start.year}-Q{(self.start.month + 2) // 3}",
            "year": f"{self.start.year}",
        }[self.grain]

    def is_complete(self, first: Date, today: Date) -> bool:
        """Whether every date of it lies between the first date, inclusive, and today, exclusive."""
        return self.start >= first and self.end < today

    def __contains__(self, date: Date) -> bool:
        return self.start <= date <= self.end


def period_of(grain: str, date: Date) -> Period:
    if grain == "week":
        start = monday(date)
        return Period(grain, start, start + 6 * DAY)
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    first_month = (date.month - 1) // months * months + 1
    start = date.replace(month=first_month, day=1)
    after = start.replace(year=start.year + 1) if months == 12 else _months_later(start, months)
    return Period(grain, start, after - DAY)


def _months_later(first_of_month: Date, months: int) -> Date:
    number = first_of_month.year * 12 + first_of_month.month - 1 + months
    return Date(number // 12, number % 12 + 1, 1)


def periods(grain: str, first: Date, last: Date) -> Iterator[Period]:
    """From the one with the first date to the one with the last."""
    period = period_of(grain, first)
    while period.start <= last:
        yield period
        period = period_of(grain, period.end + DAY)


def dates(first: Date, last: Date) -> Iterator[Date]:
    """Both included."""
    while first <= last:
        yield first
        first += DAY


def monday(date: Date) -> Date:
    return date - (date.isoweekday() - 1) * DAY

"""The filters of the page. It cannot ask PostgreSQL, so it carries the answers to the questions asked most."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

from pipeline.visualize.query import Filters
from pipeline.visualize.units import period_name

# This one, and the one before.
CHOICES = 2
WRAPPED = ("year", "quarter", "month")


@dataclass(frozen=True)
class Variant:
    """One choice of a filter: what the page calls it, and what the cards are asked."""

    name: str
    filters: Filters


def of_dates(filters: Filters, today: datetime.date | None) -> list[Variant]:
    """The choices of the filter `dates`. The first is shown."""
    if today is None:
        return [Variant("All time", filters)]
    new_year = today.replace(month=1, day=1)
    year_before = (new_year.replace(year=new_year.year - 1), new_year - datetime.timedelta(days=1))
    return [
        Variant("Last 30 days", replace(filters, dates=(today - datetime.timedelta(days=30), today))),
        Variant(f"{today:%Y} so far", replace(filters, dates=(new_year, today))),
        Variant(f"{year_before[0]:%Y}", replace(filters, dates=year_before)),
        Variant("All time", filters),
    ]


def of_periods(connection: Any, filters: Filters) -> list[Variant]:
    """The choices of the filter `period`: the latest years, quarters and months of the history, the year first."""
    found = []
    with connection.cursor() as cursor:
        for grain in WRAPPED:
            cursor.execute(
                "select periods.label, periods.period_start, periods.period_end >= totals.today"
                " from reporting.rpt_periods as periods"
                " inner join reporting.rpt_totals as totals on periods.account = totals.account"
                " where periods.account = %s and periods.grain = %s"
                " order by periods.period_start desc limit %s",
                (filters.account, grain, CHOICES),
            )
            for label, begin, goes_on in cursor.fetchall():
                name = period_name(grain, begin) + " so far" * goes_on
                found.append(Variant(name, replace(filters, period=label)))
    return found or [Variant("", filters)]

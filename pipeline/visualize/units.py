"""Values as a person reads them: the units that cards/cards.schema.json names."""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

NOTHING = "–"
# Written behind a number that stands alone.
SUFFIXES = {"minutes": "min", "exact_minutes": "min", "days": "days"}
DECIMALS = {"count": 0, "minutes": 0, "days": 0, "exact_minutes": 1, "tenths": 1}
# Fractions: 0.125 is 12.5 %. A part of something, a growth, a difference of two parts.
PERCENTAGES = {"share": "{:.1f} %", "change": "{:+.0f} %", "points": "{:+.1f}"}
NUMBERS = {*DECIMALS, *PERCENTAGES}
TIMES = {"date": "{0.day} {0:%b %Y}", "month": "{0:%b %Y}", "moment": "{0.day} {0:%b %Y, %H:%M}"}
PERIODS = {"year": "{0:%Y}", "quarter": "Q{quarter} {0:%Y}", "month": "{0:%B %Y}"}


def text(value: Any, unit: str) -> str:
    """`value` of a query's column, in its unit. Without a value: a dash."""
    if value is None:
        return NOTHING
    if unit in DECIMALS:
        exponent = Decimal(1).scaleb(-DECIMALS[unit])
        # Halves go up, as on paper and in PostgreSQL; Python alone would round them to even.
        return f"{Decimal(str(value)).quantize(exponent, ROUND_HALF_UP):,}"
    if unit in PERCENTAGES:
        return PERCENTAGES[unit].format(100 * Decimal(str(value)))
    if unit in TIMES:
        return TIMES[unit].format(value)
    if unit == "flag":
        return "yes" if value else "no"
    return str(value)


def machine(value: Any) -> str:
    """`value` as a program reads it: a plain number, an ISO 8601 date, or the text itself."""
    if value is None:
        return ""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)


def period_name(grain: str, begin: datetime.date) -> str:
    """2026, Q3 2026, November 2026."""
    return PERIODS[grain].format(begin, quarter=(begin.month + 2) // 3)

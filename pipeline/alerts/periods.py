"""Which week, month or year is to be summed up when."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo

from pipeline.config import SettingError

# In the morning after its last day, in the listener's zone; a machine that was off then has so many days to do it.
MORNING = datetime.time(6)
DAYS_TO_SEND = 6
FORMS = {"week": "{0.year:04}-W{0.week:02}", "month": "{1:%Y-%m}", "year": "{1:%Y}"}
PERIOD = re.compile(r"[0-9]{4}(-W[0-9]{2}|-[0-9]{2})?")


def due_periods(slot: datetime.datetime, zone: str, grains: list[str]) -> list[str]:
    """Labels (2026-W47, 2026-10, 2025) of what is over and to be summed up in `slot` (UTC, aware), in this order."""
    local = slot.astimezone(ZoneInfo(zone))
    due = []
    for grain in grains:
        begins = _begin(grain, local.date())
        morning = datetime.datetime.combine(begins, MORNING, local.tzinfo)
        if morning <= local < morning + datetime.timedelta(days=DAYS_TO_SEND):
            due.append(label(grain, begins - datetime.timedelta(days=1)))
    return due


def label(grain: str, day: datetime.date) -> str:
    """What the reports call the period of `grain` in which `day` lies."""
    return FORMS[grain].format(day.isocalendar(), day)


def grain_of(period: str) -> str:
    if "W" in period:
        return "week"
    return "month" if "-" in period else "year"


def check_period(text: str) -> str:
    if not PERIOD.fullmatch(text):
        raise SettingError(f"{text!r} is no period: write a week, a month or a year, such as 2026-W47, 2026-10 or 2025")
    return text


def _begin(grain: str, day: datetime.date) -> datetime.date:
    if grain == "week":
        return day - datetime.timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)

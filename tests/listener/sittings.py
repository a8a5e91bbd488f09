"""When the listener sits down to listen: by day, over midnight, and in the nights that are hard to count."""

from __future__ import annotations

import datetime
import random

from tests.listener.moments import to_datetime

HOUR_MS = 3_600_000
PLAYS_A_SITTING = 11.0
# Hours of the day, UTC, and how often a sitting begins in them.
HOURS = tuple(range(24))
OFTEN = (2, 1, 1, 1, 1, 3, 8, 8, 5, 3, 3, 4, 5, 4, 3, 4, 6, 9, 9, 9, 9, 8, 6, 4)
# Around 01:00 UTC, when the clocks of Europe change, and around midnight of UTC and of Central Europe.
AROUND_ONE = (0.3, 0.6, 0.9, 0.99, 1.1, 1.5, 1.9)
AROUND_MIDNIGHT = (22.5, 22.9, 22.99, 23.4, 23.9, 23.99)
AFTER_MIDNIGHT = (0.0, 0.01, 0.2)


def sitting_starts(chance: random.Random, day_ms: int, plays: float) -> list[int]:
    """Moments (Unix ms), in order, at which sittings of about `plays` plays begin on the UTC day from `day_ms` on."""
    hours = [hour + chance.random() for hour in chance.choices(HOURS, OFTEN, k=round(max(plays, 0) / PLAYS_A_SITTING))]
    date = to_datetime(day_ms).date()
    if is_clock_change(date):
        hours += AROUND_ONE
    if (date.month, date.day) == (12, 31):
        hours += AROUND_MIDNIGHT
    if (date.month, date.day) == (1, 1):
        hours += AFTER_MIDNIGHT
    if hours and chance.random() < 0.15:
        hours.append(23.95)
    return [day_ms + int(hour * HOUR_MS) for hour in sorted(hours)]


def is_clock_change(date: datetime.date) -> bool:
    """Whether the clocks of Europe change on that day, at 01:00 UTC: the last Sundays of March and October."""
    return date.month in (3, 10) and date.weekday() == 6 and date.day > 24

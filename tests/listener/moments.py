"""Moments are Unix milliseconds, UTC: exact, and cheap by the million."""

from __future__ import annotations

import datetime
import functools

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MS = datetime.timedelta(milliseconds=1)
DAY_MS = 86_400_000
CLOCK = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440))


def to_datetime(unix_ms: int) -> datetime.datetime:
    """Exact, which `fromtimestamp` of a fraction is not."""
    return EPOCH + unix_ms * MS


def to_unix_ms(when: datetime.datetime) -> int:
    return (when - EPOCH) // MS


@functools.lru_cache(maxsize=64)
def date_of(day: int) -> str:
    """ISO date of the `day`th day since 1970."""
    return (EPOCH + datetime.timedelta(days=day)).date().isoformat()


def to_seconds(unix_ms: int) -> str:
    """2022-12-21T14:57:43Z: the fraction is cut off, as in the export."""
    minute, second = divmod(unix_ms // 1000, 60)
    return f"{date_of(minute // 1440)}T{CLOCK[minute % 1440]}:{second:02}Z"


def to_milliseconds(unix_ms: int) -> str:
    """2022-12-21T14:57:43.123Z, as the Web API has it."""
    return f"{to_seconds(unix_ms)[:-1]}.{unix_ms % 1000:03}Z"

"""Values as they come from outside, made fit for a partition: text that UTF-8, an index and PostgreSQL can hold."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

LONGEST_IDENTIFIER = 200
# No play can be older: Spotify was founded in April 2006.
EARLIEST_PLAY = datetime.datetime(2006, 4, 1, tzinfo=datetime.UTC)


def format_moment(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC, milliseconds always written: 2022-12-21T14:57:43.000Z."""
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def parse_moment(value: Any) -> datetime.datetime | None:
    """The moment in UTC; None when the value is no date and time. Without an offset it counts as UTC."""
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def text(value: Any) -> str:
    """Text that UTF-8 and PostgreSQL can hold: no NUL, no lone surrogate. Absent is the empty string."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def identifier(value: Any) -> str:
    """An identifier short enough to stand in an index: a longer one keeps its beginning and gets its digest."""
    cleaned = text(value)
    if len(cleaned) <= LONGEST_IDENTIFIER and len(cleaned.encode()) <= LONGEST_IDENTIFIER:
        return cleaned
    return f"{cleaned[:40]}…sha256:{hashlib.sha256(cleaned.encode()).hexdigest()}"


def integer(value: Any) -> str:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return str(value) if is_count else ""


def boolean(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else ""

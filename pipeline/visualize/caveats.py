"""What a card has to say of its numbers: "at least", where plays may be missing; "estimated", where Spotify did not
tell how long a track was heard. Read from columns of these names, which the reports have."""

from __future__ import annotations

from typing import Any

from pipeline.visualize.answers import Answer
from pipeline.visualize.units import text

AT_LEAST = "At least: plays may be missing, see Data health."
TIME_UNITS = ("minutes", "exact_minutes")


def is_at_least(answer: Answer) -> bool:
    return any(answer.column("is_at_least"))


def is_estimated(row: dict[str, Any]) -> bool:
    """Whether the row's minutes are an estimate, in part or wholly."""
    return bool(row.get("is_estimated") or row.get("minutes_estimated"))


def estimated_share(answer: Answer) -> str | None:
    """How much of a card's minutes is estimated: "3.2 %"; None where nothing is."""
    estimated = sum(value or 0 for value in answer.column("minutes_estimated"))
    minutes = sum(value or 0 for value in answer.column("minutes"))
    return text(estimated / minutes, "share") if estimated and minutes else None


def notes(answer: Answer) -> list[str]:
    """Sentences under a card."""
    found = [AT_LEAST] if is_at_least(answer) else []
    if share := estimated_share(answer):
        found.append(f"{share} of the minutes are estimated.")
    elif any(answer.column("is_estimated")):
        found.append("≈ is an estimate.")
    return found

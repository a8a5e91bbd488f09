"""Numbers as the reports show them: exact until they are rounded once, half away from zero."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from tests.oracle.plays import Play

Key = TypeVar("Key", bound=Hashable)
Number = int | Fraction
Cells = dict[str, Any]
Rows = dict[tuple[Any, ...], Cells]


def rounded(value: Number, digits: int) -> Decimal:
    """Half away from zero."""
    whole = math.floor(abs(value) * 10**digits + Fraction(1, 2))
    return Decimal(whole if value >= 0 else -whole).scaleb(-digits)


def minutes(ms: Number) -> Decimal:
    """Milliseconds in minutes, of two digits."""
    return rounded(Fraction(ms) / 60_000, 2)


def share(part: Number, whole: Number) -> Decimal | None:
    """Four digits; None of nothing."""
    return rounded(Fraction(part) / whole, 4) if whole else None


def change(now: Number, before: Number) -> Decimal | None:
    """By what share `now` is more than `before`; None where there was nothing before."""
    return share(now - before, before) if before > 0 else None


def ranks(scores: Mapping[Key, Any]) -> dict[Key, int]:
    """1 and the number of those with a greater score; equal ones share a rank."""
    found: dict[Key, int] = {}
    before: Key | None = None
    for number, key in enumerate(sorted(scores, key=lambda each: scores[each], reverse=True), start=1):
        found[key] = found[before] if before is not None and scores[before] == scores[key] else number
        before = key
    return found


@dataclass
class Tally:
    """Plays added up. Lengths in milliseconds."""

    plays: int = 0
    ms: int = 0
    ms_estimated: int = 0

    def add(self, play: Play) -> None:
        self.plays += 1
        self.ms += play.ms
        self.ms_estimated += play.ms if play.is_estimated else 0

    @property
    def score(self) -> tuple[int, int]:
        """By which most things are ranked."""
        return self.plays, self.ms

    def cells(self) -> Cells:
        return {"plays": self.plays, **self.minutes()}

    def minutes(self) -> Cells:
        return {"minutes": minutes(self.ms), "minutes_estimated": minutes(self.ms_estimated)}


def tally(plays: Iterable[Play]) -> Tally:
    total = Tally()
    for play in plays:
        total.add(play)
    return total

"""Rows that are no plays, and rows that are plays once more."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from typing import Any

from tests.listener.manifest import Defects
from tests.listener.moments import to_seconds
from tests.listener.rows import Json, is_reported_late
from tests.listener.series import Series
from tests.listener.truth import Play

# How far a near-duplicate one second later is from its row, in ms_played.
NEAR_MS = 50
NEAR_KINDS = ("platform", "reason", "second")
UNKNOWN = {
    "made_up_context": {"uri": "spotify:playlist:made-up", "position": 3, "path": ["a", None, 1.5]},
    "made_up_score": 1e-07,
    "made_up_note": 'new, "and" nowhere\ndescribed 🎧',
}


def _without(name: str) -> Callable[[Json, random.Random], Any]:
    return lambda row, chance: {key: value for key, value in row.items() if key != name}


def _with(name: str, *values: Any) -> Callable[[Json, random.Random], Any]:
    return lambda row, chance: {**row, name: chance.choice(values)}


# By reason; each is made of a row that is also there unharmed.
BAD: dict[str, Callable[[Json, random.Random], Any]] = {
    "not an object": lambda row, chance: chance.choice([None, 17, "a row", [row["ts"], row["ms_played"]], True]),
    "no ts": _without("ts"),
    "ts garbage": _with("ts", None, "", "yesterday", 1_600_000_000, "2019-13-45T99:00:00Z", ["2019-01-01T00:00:00Z"]),
    "ms_played missing": _without("ms_played"),
    "ms_played text": _with("ms_played", "three minutes", ""),
    "ms_played negative": _with("ms_played", -1, -200_000),
}


def near_duplicate(play: Play, row: Json, chance: random.Random) -> tuple[str, Json]:
    """A double of the row that differs a little, and in what: "platform", "reason" (the same second and milliseconds)
    or "second" (one second later, up to NEAR_MS off).

    The last is made only of plays of some length whose `ts` is their end: no two true plays can look like that.
    """
    kind = chance.choice(NEAR_KINDS)
    if kind == "second" and not is_reported_late(play) and play.ms_played >= 5_000:
        later = to_seconds(play.end_ms + 1000)
        ms = play.ms_played + chance.choice([-1, 1]) * chance.randint(1, NEAR_MS)
        return kind, {**row, "ts": later, "ms_played": ms}
    if kind == "reason":
        return kind, {**row, "reason_start": "made-up-reason"}
    return "platform", {**row, "platform": None}


class Spoiler:
    """Draws what is wrong about each row: at most one thing, so that all can be counted."""

    def __init__(self, defects: Defects, chance: random.Random) -> None:
        self.defects, self.chance = defects, chance
        rates = defects.exact, defects.exact_in_another_file, defects.near, defects.bad
        self.rates = tuple(itertools.accumulate(rates))
        # In turn, so that a small export has all of them.
        self.reasons = itertools.cycle(BAD)

    def add(self, series: Series, play: Play, ts: str, text: str) -> list[tuple[int, int]]:
        """Add the play's row (`text`, as JSON), and what comes with it. Returns how a near-duplicate has it: how many
        milliseconds later, and its ms_played."""
        if self.chance.random() < self.defects.unknown_fields:
            text = f"{text[:-1]},{series.text_of(UNKNOWN)[1:]}"
        series.add(ts, text)
        drawn = self.chance.random()
        exact, elsewhere, near, bad = self.rates
        if drawn < exact:
            series.add(ts, text)
        elif drawn < elsewhere:
            series.repeat_in_the_next_file(ts, text)
        elif drawn < near:
            kind, double = near_duplicate(play, json.loads(text), self.chance)
            series.add(double["ts"], series.text_of(double), kind)
            return [(1000 if kind == "second" else 0, double["ms_played"])]
        elif drawn < bad:
            reason = next(self.reasons)
            series.add_to_the_middle(series.text_of(BAD[reason](json.loads(text), self.chance)), reason)
        return []

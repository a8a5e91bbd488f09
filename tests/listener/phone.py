"""A phone that is offline for hours or days, and tells Spotify afterwards what it played."""

from __future__ import annotations

import random
from typing import Literal

from tests.listener.habits import Step

Stamp = Literal["sound", "zero", "garbage"]
HOUR_MS = 3_600_000
# As many rows of one second as have been seen.
ROWS_A_SECOND = 185
# Plays of one title that share the second of syncing, and whose start Spotify does not know, differ in length by this.
APART_MS = 1_500


class OfflinePhone:
    """`online_at`: when it syncs (Unix ms). `late`: whether Spotify takes that for the end of the plays, as mostly.
    `stamp`: what Spotify knows of the start of the play that is on."""

    def __init__(self, chance: random.Random, day_ms: int) -> None:
        hours = chance.uniform(0, 20) + chance.choice([chance.uniform(3, 12), chance.uniform(12, 72)])
        self.online_at = day_ms + int(hours * HOUR_MS)
        self.late = chance.random() < 0.85
        self.stamp: Stamp = "sound"
        self._chance = chance
        self._plays = 0
        self._told: dict[str, dict[int, Stamp]] = {}

    def tell_apart(self, step: Step) -> Step:
        """Choose what is known of the step's start; where it is nothing, give the step a length that no other play of
        the title has. The phone stops no play meanwhile: its start and length give its end."""
        (self.stamp,) = self._chance.choices(("sound", "zero", "garbage"), (70, 15, 15))
        told = self._told.setdefault(step.title.exported_uri, {})
        ms, by = step.ms, -APART_MS
        while any(abs(ms - other) < APART_MS and {self.stamp, stamp} != {"sound"} for other, stamp in told.items()):
            ms += by
            if ms < 0:
                ms, by = step.ms + APART_MS, APART_MS
        told[ms] = self.stamp
        return step._replace(ms=ms, paused_ms=0)

    def sync(self) -> int | None:
        """When Spotify hears of the next play (Unix ms); null when it is told the true end."""
        self._plays += 1
        return self.online_at + (self._plays - 1) // ROWS_A_SECOND * 1000 if self.late else None


def begins_offline(chance: random.Random, day_ms: int) -> OfflinePhone | None:
    """On one day of twelve."""
    return OfflinePhone(chance, day_ms) if chance.random() < 1 / 12 else None

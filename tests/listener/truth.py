"""What was really played: a listener's years, play by play, to the millisecond."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.listener.catalogue import Catalogue, Title, make_catalogue
from tests.listener.habits import HABITS, Step
from tests.listener.moments import DAY_MS, to_datetime, to_unix_ms
from tests.listener.phone import OfflinePhone, Stamp, begins_offline
from tests.listener.sittings import sitting_starts

# Two plays of one title never end closer than this, so that a row one second beside another can only be its double.
APART_MS = 3_000
# Nobody finishes a play this close to the moment at which a phone syncs, for the same reason.
BESIDE_SYNC_MS = 15_000
PLATFORMS = (
    "Android OS 6.0 API 23 (made-up, Phone 1)",
    "iOS 11.2 (Phone7,2)",
    "Windows 10 (10.0.17134; x64)",
    "web_player linux;browser 1.0;desktop",
    "Partner made-up_speaker;kitchen",
    "android",
)
PHONES = PLATFORMS[:2]


@dataclass(frozen=True, slots=True)
class Play:
    """One play. `number`: its place in the history.

    `ms_played` is exact; it is `end_ms - start_ms`, or less when the play stood still meanwhile. `synced_ms`: when a
    phone that was offline told Spotify (null: at once). `stamp`: whether Spotify knows the start of an offline play.
    All moments are Unix milliseconds, UTC.
    """

    number: int
    title: Title
    start_ms: int
    end_ms: int
    ms_played: int
    reason_start: str
    reason_end: str
    skipped: bool
    shuffle: bool
    offline: bool
    private: bool
    platform: str
    country: str
    synced_ms: int | None
    stamp: Stamp

    @property
    def start(self) -> datetime.datetime:
        return to_datetime(self.start_ms)

    @property
    def end(self) -> datetime.datetime:
        return to_datetime(self.end_ms)

    @property
    def known_ms(self) -> int:
        """From when on Spotify knows of the play: an export made before cannot have it."""
        return self.end_ms if self.synced_ms is None else self.synced_ms


@dataclass(frozen=True)
class Sitting:
    """What the plays of one sitting have in common. `phone`: offline meanwhile; null when online."""

    platform: str
    country: str
    shuffle: bool
    private: bool
    phone: OfflinePhone | None


def listen(seed: int, begin: datetime.datetime, days: int, plays_a_day: float = 60.0) -> Iterator[Play]:
    """Plays from midnight (UTC) of `begin` on, in the order in which they were heard; about `days * plays_a_day`.

    A longer history begins with the plays of a shorter one, as long as both have the same seed and plays a day.
    """
    chance = random.Random(f"listener {seed}")
    catalogue = make_catalogue(seed)
    first_day = to_unix_ms(begin) // DAY_MS * DAY_MS
    phone: OfflinePhone | None = None
    last_sync = free_at = 0
    last_end: dict[str, int] = {}
    number = 0
    country = "DE"
    for day in range(days):
        day_ms = first_day + day * DAY_MS
        if phone and phone.online_at < day_ms:
            phone = None
        if phone is None and (phone := begins_offline(chance, day_ms)):
            last_sync = phone.online_at
        if chance.random() < 0.03:
            country = chance.choice(["DE", "DE", "FR", "JP", "ZZ"])
        # What a day lacks or has too much, the next ones make up for.
        wanted = (day + 1) * plays_a_day * chance.uniform(0.98, 1.02) - number
        for start_ms in sitting_starts(chance, day_ms, wanted):
            clock = max(start_ms, free_at)
            sitting = _sitting(chance, country, phone if phone and clock < phone.online_at else None)
            for step in _steps(chance, catalogue):
                step = sitting.phone.tell_apart(step) if sitting.phone else step
                end_ms = clock + step.ms + step.paused_ms
                if sitting.phone and end_ms + BESIDE_SYNC_MS > sitting.phone.online_at:
                    break
                # Held back until no rule of the truth is broken.
                late = max(last_end.get(step.title.exported_uri, 0) + APART_MS - end_ms, 0)
                if not sitting.phone and abs(end_ms + late - last_sync) < BESIDE_SYNC_MS:
                    late += 2 * BESIDE_SYNC_MS
                clock, end_ms = clock + late, end_ms + late
                yield _play(number, step, sitting, clock, end_ms)
                last_end[step.title.exported_uri] = end_ms
                number += 1
                clock = free_at = end_ms + step.gap_ms + 1


def _sitting(chance: random.Random, country: str, phone: OfflinePhone | None) -> Sitting:
    """Even while the phone is offline, another device can be online."""
    if phone and chance.random() < 0.15:
        phone = None
    platform = chance.choice(PHONES if phone else PLATFORMS)
    return Sitting(platform, country, chance.random() < 0.5, chance.random() < 0.04, phone)


def _steps(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    habits, often = zip(*HABITS, strict=True)
    (habit,) = chance.choices(habits, often)
    steps: Iterator[Step] = habit(chance, catalogue)
    return steps


def _play(number: int, step: Step, sitting: Sitting, start_ms: int, end_ms: int) -> Play:
    phone = sitting.phone
    return Play(
        number,
        step.title,
        start_ms,
        end_ms,
        step.ms,
        step.reason_start,
        step.reason_end,
        step.skipped,
        sitting.shuffle,
        phone is not None,
        sitting.private,
        sitting.platform,
        sitting.country,
        phone.sync() if phone else None,
        phone.stamp if phone else "sound",
    )

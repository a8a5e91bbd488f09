"""A listener's weeks, with everything that makes a history hard to catch.

Heavy days and silent ones; a radio left on while nobody polls; titles skipped by the dozen; loops; podcasts, which
take places in Spotify's window of 50 and are never returned; private sessions; a phone that is offline for hours while
another device goes on; and a Spotify that shows nothing new for hours.
"""

from __future__ import annotations

import dataclasses
import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.demo.listener import make_catalogue, make_play
from pipeline.demo.person import SamplePlay

Json = dict[str, Any]
# A title, for how many seconds it is heard, and the play's kind.
Step = tuple[Json, float, str]
Habit = Callable[[random.Random, list[Json]], Iterator[Step]]
HOUR = 3600.0
# Hours of the day (UTC) at which sittings begin; from 7 to 14 the listener sleeps, and nothing is polled.
AWAKE = (0, 1, 2, 3, 4, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)


def live(seed: int, begin: datetime.datetime, end: datetime.datetime) -> Iterator[SamplePlay]:
    """The plays between two moments (UTC) in the order in which they were heard, which is not that of their coming."""
    chance = random.Random(seed)
    tracks = make_catalogue(seed)
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    free_at = begin  # Spotify plays on one device at a time
    while day < end:
        for hours, habit in sorted(_day(chance), key=lambda sitting: sitting[0]):
            start = max(day + datetime.timedelta(hours=hours), free_at)
            for play in _sitting(chance, start, habit(chance, tracks)):
                free_at = datetime.datetime.fromisoformat(play.played_at)
                if free_at < end:
                    yield play
        day += datetime.timedelta(days=1)


def stalls(
    seed: int, begin: datetime.datetime, end: datetime.datetime
) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """When Spotify shows nothing new: on one day of eight, from one hour to nine."""
    chance = random.Random(f"stalls {seed}")
    found = []
    for day in range((end - begin).days):
        if chance.random() < 0.12:
            start = begin + datetime.timedelta(days=day, hours=chance.uniform(0, 24))
            found.append((start, start + datetime.timedelta(hours=chance.uniform(1, 9))))
    return found


def _day(chance: random.Random) -> Iterator[tuple[float, Habit]]:
    """When (in hours, UTC) and how the listener listens on one day."""
    (sittings,) = chance.choices((0, 2, 4, 8), weights=(1, 2, 5, 3))
    for _ in range(sittings):
        (habit,) = chance.choices((_whole_tracks, _skipping, _on_repeat, _podcasts, _told_twice), (9, 3, 2, 2, 1))
        yield chance.choice(AWAKE) + chance.random(), habit
    if sittings and chance.random() < 0.2:
        yield chance.uniform(6.5, 9), _radio


def _sitting(chance: random.Random, start: datetime.datetime, steps: Iterator[Step]) -> Iterator[SamplePlay]:
    """The plays of one device from `start` on, and when Spotify comes to show them."""
    private = chance.random() < 0.06
    offline = chance.random() < 0.12
    plays = []
    for track, seconds, kind in steps:
        start += datetime.timedelta(seconds=seconds)
        plays.append((track, start, "private" if private else kind))
        start += datetime.timedelta(seconds=chance.choice([0, 0, 0, 0.4, 30]))
    online_again = start + datetime.timedelta(hours=chance.uniform(0.5, 14))
    for track, played_at, kind in plays:
        on_its_way = datetime.timedelta(seconds=chance.uniform(5, 240))
        play = make_play(track, played_at, online_again if offline else played_at + on_its_way)
        yield dataclasses.replace(play, kind=kind)


def _whole_tracks(chance: random.Random, tracks: list[Json], hours: float = 0) -> Iterator[Step]:
    left = (hours or chance.uniform(0.2, 2)) * HOUR
    while left > 0:
        track = chance.choice(tracks)
        left -= _seconds(track)
        yield track, _seconds(track), "track"


def _radio(chance: random.Random, tracks: list[Json]) -> Iterator[Step]:
    return _whole_tracks(chance, tracks, hours=chance.uniform(1, 6))


def _skipping(chance: random.Random, tracks: list[Json]) -> Iterator[Step]:
    for _ in range(chance.randint(10, 75)):
        track = chance.choice(tracks)
        yield track, min(chance.uniform(20, 40), _seconds(track)), "track"


def _on_repeat(chance: random.Random, tracks: list[Json]) -> Iterator[Step]:
    track = chance.choice(tracks)
    for _ in range(chance.randint(3, 20)):
        yield track, _seconds(track), "track"


def _podcasts(chance: random.Random, tracks: list[Json]) -> Iterator[Step]:
    """News of a few minutes or one long talk, with music in between."""
    for _ in range(chance.randint(1, 12)):
        yield chance.choice(tracks), chance.choice([chance.uniform(60, 300), chance.uniform(300, 3000)]), "episode"
        if chance.random() < 0.4:
            track = chance.choice(tracks)
            yield track, _seconds(track), "track"


def _told_twice(chance: random.Random, tracks: list[Json]) -> Iterator[Step]:
    """What the Web API makes of some plays: one in two parts, or the same again 1.7 s later."""
    for track in chance.sample(tracks, chance.randint(2, 8)):
        parts = chance.choice([(0.2, 0.8), (1.0,)])
        for part in parts:
            yield track, _seconds(track) * part, "track"
        if len(parts) == 1:
            yield track, 1.7, "track"


def _seconds(track: Json) -> float:
    return float(track["duration_ms"]) / 1000

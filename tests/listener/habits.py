"""How the listener listens: what a sitting is made of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.listener.catalogue import Catalogue, Title


class Step(NamedTuple):
    """A play to be. `ms`: for how long it is heard; `paused_ms`: for how long it stands still meanwhile; `gap_ms`: what
    passes before the next one. `skipped` goes with the reasons "fwdbtn" and "backbtn", and with no other."""

    title: Title
    ms: int
    reason_start: str
    reason_end: str = "trackdone"
    skipped: bool = False
    paused_ms: int = 0
    gap_ms: int = 0


Habit = Callable[[random.Random, Catalogue], Iterator[Step]]
# Why a play ends early without being skipped.
STOPS = ("endplay", "logout", "remote", "unexpected-exit", "unexpected-exit-while-paused", "trackerror", "unknown", "")


def whole_tracks(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    """Music as it comes: most titles to the end, some skipped, some stopped, some with a pause or wound back."""
    tracks = catalogue.tracks
    started = "clickrow"
    for _ in range(chance.randint(3, 25)):
        title = tracks[int(len(tracks) * chance.random() ** 3)]
        kind = chance.random()
        if kind < 0.02:
            title = chance.choice(catalogue.removed if kind < 0.008 else catalogue.locals)
        length = title.duration_ms
        end = chance.random()
        if end < 0.70:
            step = Step(title, length - (end < 0.2) * chance.randrange(30), started)
        elif end < 0.86:
            step = skipped(chance, title, started, length // 2)
        elif end < 0.90:
            paused_ms = chance.randrange(20_000, 2_400_000)
            step = Step(title, length, started, paused_ms=paused_ms)
        elif end < 0.905:
            step = Step(title, length + chance.randrange(5_000, 60_000), started)  # wound back
        else:
            paused_ms = chance.choice([0, 0, 45_000])
            step = Step(title, int(length * chance.random()), started, chance.choice(STOPS), paused_ms=paused_ms)
        yield step if chance.random() < 0.8 else step._replace(gap_ms=chance.choice([400, 1_000, 30_000]))
        started = step.reason_end if step.reason_end in ("trackdone", "fwdbtn", "backbtn", "trackerror") else "playbtn"


def skipped(chance: random.Random, title: Title, started: str, longest_ms: int) -> Step:
    ms = 0 if chance.random() < 0.15 else chance.randrange(1, longest_ms)
    return Step(title, ms, started, "backbtn" if chance.random() < 0.1 else "fwdbtn", True, gap_ms=60)


def skipping(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    """Titles tried out by the dozen, some of them not even for a millisecond."""
    for _ in range(chance.randint(8, 40)):
        yield skipped(chance, chance.choice(catalogue.tracks), "fwdbtn", 25_000)


def on_repeat(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    title = catalogue.tracks[int(len(catalogue.tracks) * chance.random() ** 3)]
    for _ in range(chance.randint(3, 20)):
        yield Step(title, title.duration_ms, "trackdone")


def again_at_once(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    """A track of a few seconds, or the first seconds of a longer one, several times within a minute."""
    title = chance.choice(catalogue.shorts)
    for _ in range(chance.randint(3, 6)):
        yield Step(title, title.duration_ms, "trackdone")
    title = chance.choice(catalogue.tracks)
    for _ in range(chance.randint(2, 5)):
        yield Step(title, chance.randrange(2_000, 9_000), "backbtn", "backbtn", True, gap_ms=200)
    yield Step(title, title.duration_ms, "backbtn")


def podcasts(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    for _ in range(chance.randint(1, 2)):
        title = chance.choice(catalogue.episodes)
        ms = int(title.duration_ms * chance.choice([1.0, chance.random()]))
        done = ms == title.duration_ms
        paused_ms = chance.choice([0, 0, 900_000])
        yield Step(title, ms, "clickrow", "trackdone" if done else "endplay", paused_ms=paused_ms)


def audiobook(chance: random.Random, catalogue: Catalogue) -> Iterator[Step]:
    book = chance.choice(catalogue.books)
    first = chance.randrange(len(book) - 2)
    for title in book[first : first + chance.randint(1, 2)]:
        yield Step(title, title.duration_ms, "trackdone")


HABITS: tuple[tuple[Habit, int], ...] = (
    (whole_tracks, 58),
    (skipping, 7),
    (on_repeat, 6),
    (again_at_once, 5),
    (podcasts, 5),
    (audiobook, 2),
)

"""What goes wrong in a simulated fortnight, and how it is brought about: each fault has a begin and an end."""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify, error
from tests.month import BODIES, POLL
from tests.own_postgres import OwnPostgres
from tests.slack import SampleSlack

# How often a fault begins, relative to the others, and for how many slots it lasts.
FAULTS = {
    "machine off": (3, 2, 16),
    "spotify 503": (3, 1, 3),
    "spotify garbled": (3, 1, 3),
    "spotify 401": (2, 1, 1),
    "spotify 429, short": (2, 1, 1),
    "spotify 429, hours": (2, 1, 1),
    "slack 404": (2, 1, 6),
    "slack 429": (2, 1, 2),
    "slack 500": (3, 1, 8),
    "slack slow": (2, 1, 2),
    "postgres stopped": (3, 1, 4),
    "postgres restarted": (4, 1, 1),
    "killed": (4, 1, 2),
    "terminated": (4, 1, 2),
    "log disk full": (3, 1, 4),
    ".env malformed": (2, 1, 3),
    "luigi.cfg malformed": (2, 1, 3),
    "programs gone": (2, 1, 6),
    "clock set back": (2, 4, 6),
    "luigid absent": (2, 1, 3),
    "consent ended": (2, 2, 5),
}
SET_BACK = datetime.timedelta(hours=2)


@dataclass
class World:
    """What the pipeline has around it. `settings`: what stands in .env."""

    project: Path
    logs: Path
    spotify: SampleSpotify
    slack: SampleSlack
    postgres: OwnPostgres
    settings: dict[str, str]
    clock_wrong_by: datetime.timedelta = datetime.timedelta()

    def write_settings(self, **changes: str) -> None:
        lines = [f"{name}={value}\n" for name, value in {**self.settings, **changes}.items()]
        (self.project / ".env").write_text("".join(lines))
        (self.project / ".env").chmod(0o600)


def plan(
    seed: int, slots: list[datetime.datetime], often: float, off: datetime.timedelta
) -> dict[datetime.datetime, str]:
    """The fault of each slot; where there is none, one begins with the chance `often`. The first hours are spared; a
    machine that is off for `off` comes in the middle."""
    chance = random.Random(f"fortnight {seed}")
    planned: dict[datetime.datetime, str] = {}
    fault, left = "", 4
    waiting = sorted(FAULTS, key=lambda _: chance.random())  # each once before any comes again
    away = slots[len(slots) // 2]
    for slot in slots:
        if off and away <= slot < away + off:
            planned[slot], fault, left = "machine off", "", 2
            continue
        if left == 0:
            fault = ""
            left = 1
            if chance.random() < often:
                weights = [weight for weight, _, _ in FAULTS.values()]
                fault = waiting.pop() if waiting else chance.choices(list(FAULTS), weights)[0]
                left = chance.randint(*FAULTS[fault][1:])
        planned[slot] = fault
        left -= 1
    return planned


@contextlib.contextmanager
def going_on(world: World, fault: str, chance: random.Random) -> Iterator[None]:
    """The fault, from its first slot to its last."""
    begin, end = CHANGES.get(fault, (nothing, nothing))
    begin(world, chance)
    try:
        yield
    finally:
        end(world, chance)


def before_a_slot(world: World, fault: str, chance: random.Random) -> None:
    """What is to be done anew in each slot of the fault."""
    world.spotify.answers = answers(fault, chance)
    world.slack.answers = [Answer("/", 429, b"rate_limited", {"Retry-After": "2000"})] if fault == "slack 429" else []


def answers(fault: str, chance: random.Random) -> list[Answer]:
    """What Spotify says instead of a page."""
    if fault == "spotify 503":
        return [error(POLL, 503, "Service unavailable")] * 4  # the call and its three retries
    if fault == "spotify 401":
        return [error(POLL, 401, "The access token expired")]
    if fault == "spotify garbled":
        return [Answer(POLL, 200, chance.choice(BODIES))]
    if fault.startswith("spotify 429"):
        seconds = 1 if fault.endswith("short") else chance.randint(3600, 5 * 3600)
        return [error(POLL, 429, "Too many requests", {"Retry-After": str(seconds)})]
    return []


Change = Callable[[World, random.Random], Any]


def nothing(world: World, chance: random.Random) -> None:
    pass


def set_slack(status: int, seconds: float = 0) -> Change:
    def change(world: World, chance: random.Random) -> None:
        world.slack.status, world.slack.seconds = status, seconds

    return change


def fill_log_disk(world: World, chance: random.Random) -> None:
    with contextlib.suppress(OSError), (world.logs / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def malform_settings(world: World, chance: random.Random) -> None:
    world.write_settings(LISTENER_TIMEZONE=chance.choice(["Mars/Olympus", "Europe/Berlin'", "UTC+1:00:00:00"]))


def malform_luigi_cfg(world: World, chance: random.Random) -> None:
    path = world.project / "luigi.cfg"
    path.rename(path.with_suffix(".good"))
    path.write_text(path.with_suffix(".good").read_text() + "\n[spotify\naccounts me\n")


def mend_luigi_cfg(world: World, chance: random.Random) -> None:
    path = world.project / "luigi.cfg"
    path.with_suffix(".good").rename(path)


def revoke(world: World, chance: random.Random) -> None:
    world.spotify.accounts.revoke(world.spotify.me)
    world.spotify.accounts.access_tokens.clear()


def consent_again(world: World, chance: random.Random) -> None:
    world.settings["SPOTIFY_REFRESH_TOKEN"] = world.spotify.add_person(world.spotify.me)
    world.write_settings()


def set_clock_back(world: World, chance: random.Random) -> None:
    world.clock_wrong_by = -SET_BACK


def set_clock_right(world: World, chance: random.Random) -> None:
    world.clock_wrong_by = datetime.timedelta()


CHANGES: dict[str, tuple[Change, Change]] = {
    "slack 404": (set_slack(404), set_slack(200)),
    "slack 500": (set_slack(500), set_slack(200)),
    "slack slow": (set_slack(200, 3), set_slack(200)),
    "postgres stopped": (lambda world, _: world.postgres.stop(), lambda world, _: world.postgres.start()),
    "log disk full": (fill_log_disk, lambda world, _: (world.logs / "ballast").unlink()),
    ".env malformed": (malform_settings, lambda world, _: world.write_settings()),
    "luigi.cfg malformed": (malform_luigi_cfg, mend_luigi_cfg),
    "programs gone": (
        lambda world, _: world.write_settings(PIPELINE_BIN="/nowhere"),
        lambda world, _: world.write_settings(),
    ),
    "clock set back": (set_clock_back, set_clock_right),
    "luigid absent": (
        lambda world, _: world.write_settings(LUIGI_SCHEDULER_URL="http://127.0.0.1:1/"),
        lambda world, _: world.write_settings(),
    ),
    "consent ended": (revoke, consent_again),
}

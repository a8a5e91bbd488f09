"""A simulated month that proves the ledger: whatever was lost lies in a gap, and no hour called complete lost anything.

    python -m tests.month --seed 1 --days 30        settings in the environment, as for the pipeline

The slots of the awake hours run one after another in this process, each at its simulated moment, with faults at random
from the seed. Listeners, clock and the waits that Spotify asks for are made up; tasks, files, PostgreSQL and, once at
the end, dbt are real. Without settings, everything is in a folder that is removed again.

Prints a report, and as the last line one JSON object. Exit code 1: a promise of the ledger is broken.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import datetime
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import luigi
import time_machine

import pipeline
from pipeline import config
from pipeline.demo.habits import live, stalls
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract.datasets import PLAYS
from pipeline.extract.partitions import list_partitions
from pipeline.load.postgres import connect
from pipeline.slot import HALF_HOUR
from pipeline.transform.build import run_models
from tests.month_report import judge, read_results, report
from tests.samples import AWAKE_HOURS

# The awake hours are those of this zone, whose clocks change in the first week.
BEGIN, ZONE = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC), "America/Los_Angeles"
DAY = datetime.timedelta(days=1)
POLL = "/v1/me/player/recently-played"
# How often a fault begins, relative to the others, and for how many slots it lasts.
FAULTS = {
    "missed": (3, 1, 34),  # the machine is off
    "down": (6, 1, 8),  # 503, and again after every retry
    "garbled": (4, 1, 3),  # 200, and no page
    "limited": (8, 1, 1),  # 429, to be waited out
    "paused": (3, 1, 1),  # 429, for hours
    "quota": (1, 1, 1),  # 429, for up to a day
    "refused": (6, 1, 1),  # 401
    "twice": (6, 1, 1),  # two runs at once
    "killed": (8, 1, 2),  # once the answer is kept
    "damaged": (3, 1, 8),  # the newest partition
}
FAULTS_A_SLOT = 0.05
BODIES = (b'{"items": [{"track": {"name": "Fal', b"<html><title>Bad Gateway</title></html>", b"{}")
WAITS = {"limited": (1, 60), "paused": (600, 10 * 3600), "quota": (5 * 3600, 24 * 3600)}  # seconds


@dataclass
class Listener:
    """A person, whose account has the name that Spotify knows them by, and what goes wrong in which slot.

    `expected`: rows that the ledger must come to hold, all of them and those of pages; and how often each fault was.
    """

    person: Person
    faults: dict[datetime.datetime, str]
    polled_at: datetime.datetime = BEGIN
    damaged: tuple[Path, bytes, bytes] | None = None
    expected: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.month")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=30)
    arguments = parser.parse_args()
    logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)
    started = time.monotonic()
    data = choose_settings()
    with SampleSpotify(now=BEGIN, rotate=True) as spotify, contextlib.closing(connect()) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("create schema staging")  # fails where there is a history already
        os.environ.update(spotify.environment())
        listeners = let_in(spotify, arguments.seed, arguments.days)
        run_slots(spotify, data, listeners, arguments.seed, BEGIN + arguments.days * DAY)
        run_models(BEGIN)
        verdicts = [
            judge(each.person, each.expected, each.polled_at, read_results(connection, each.person.account_id))
            for each in listeners
        ]
    text, summary = report(arguments.seed, arguments.days, verdicts)
    print(f"{text}\n({time.monotonic() - started:.0f} s)\n{json.dumps(summary)}")
    return 1 if summary["broken"] else 0


def choose_settings() -> Path:
    """The data folder of the environment, which must be empty; without one, a folder that goes at the end."""
    if not os.environ.get("DATA_DIR"):
        os.environ.update({"DATA_DIR": tempfile.mkdtemp(prefix="month-"), "DATABASE_URL": ""})
        atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)  # after the server in it has stopped
    # What is empty here is not looked up in .env either.
    nowhere = ("LUIGI_SCHEDULER_URL", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN")
    database = os.environ.get("DATABASE_URL", "")
    os.environ.update({**dict.fromkeys(nowhere, ""), "DATABASE_URL": database, "LISTENER_TIMEZONE": ZONE})
    data = config.storage().root
    if data.exists() and {path.name for path in data.iterdir()} - {"dbt"}:
        raise SystemExit(f"{data} is in use: a month wants a folder for itself, and a database")
    return data


def let_in(spotify: SampleSpotify, seed: int, days: int) -> list[Listener]:
    """Two people who know nothing of each other, and who listened before the first poll already."""
    listeners = []
    for number, account in enumerate(("anna", "ben")):
        begin, end, own = BEGIN - DAY, BEGIN + days * DAY, 1000 * number + seed
        person = Person(account, list(live(own, begin, end)), stalls=stalls(own, begin, end))
        os.environ[f"SPOTIFY_REFRESH_TOKEN_{account.upper()}"] = spotify.add_person(person)
        listeners.append(Listener(person, plan_faults(random.Random(f"faults {own}"), end)))
    return listeners


def slots_from_begin() -> Iterator[datetime.datetime]:
    slot = BEGIN
    while True:
        if slot.hour in AWAKE_HOURS:
            yield slot
        slot += HALF_HOUR


def plan_faults(chance: random.Random, end: datetime.datetime) -> dict[datetime.datetime, str]:
    """What goes wrong, by slot. The first slot is spared: what was heard before it is nobody's loss."""
    planned: dict[datetime.datetime, str] = {}
    fault, left = "", 1
    for slot in slots_from_begin():
        if slot >= end:
            break
        if left == 0:
            (fault,) = chance.choices(list(FAULTS), [often for often, _, _ in FAULTS.values()])
            fault = fault if chance.random() < FAULTS_A_SLOT else ""
            left = chance.randint(*FAULTS[fault][1:]) if fault else 1
        planned[slot] = fault
        left -= 1
    return planned


def run_slots(spotify: SampleSpotify, data: Path, listeners: list[Listener], seed: int, end: datetime.datetime) -> None:
    """Every slot of every listener; from `end` on without faults, until all have been polled once more."""
    chance = random.Random(f"slots {seed}")
    with time_machine.travel(BEGIN) as clock, mock.patch("time.sleep", sleeping(spotify, clock)):
        for slot in slots_from_begin():
            spotify.now = slot + datetime.timedelta(seconds=chance.uniform(1, 90))
            clock.move_to(spotify.now)
            polled = [run_slot(spotify, data, each, slot) for each in listeners]
            if slot >= end and all(polled):
                return


def sleeping(spotify: SampleSpotify, clock: time_machine.Traveller) -> Callable[[float], None]:
    """Waits that Spotify asks for pass in simulated time; those for locks are short, and real."""
    real = time.sleep

    def sleep(seconds: float) -> None:
        if seconds < 0.5:
            real(seconds)
        else:
            clock.shift(seconds)
            spotify.now += datetime.timedelta(seconds=seconds)

    return sleep


def run_slot(spotify: SampleSpotify, data: Path, listener: Listener, slot: datetime.datetime) -> bool:
    """Run one slot as its fault has it, and note which rows it owes the ledger. True when its page is in staging."""
    fault, account = listener.faults.get(slot, ""), listener.person.account_id
    chance = random.Random(f"{account} {slot}")
    break_or_repair(data, listener, fault, chance)
    listener.expected[fault or "no fault"] += 1
    if fault == "missed":
        return False
    task = pipeline.CopyToStaging(run_at=slot.replace(tzinfo=None), account=account)
    prepared = answers(fault, chance)
    spotify.answers, calls = list(prepared), len(spotify.calls)
    other = start_child(task, dies=fault == "killed") if fault in ("twice", "killed") else None
    if fault != "killed":
        luigi.build([task], local_scheduler=True, log_level="CRITICAL")
    if other:
        os.waitpid(other, 0)
    asked = sum(POLL in call for call in spotify.calls[calls:])
    pages = asked - (len(prepared) - len(spotify.answers))
    polled = task.requires().complete()
    # A page that could not be merged at once gets its row once it has been; the attempt has one too, if it lived.
    rows = (fault != "killed") + (0 if polled else pages)
    listener.expected.update({"rows": rows, "pages": pages})
    if pages:
        listener.polled_at = spotify.now
    return pages > 0 and bool(task.complete())  # type: ignore[no-untyped-call]


def answers(fault: str, chance: random.Random) -> list[Answer]:
    """What Spotify says instead of a page."""
    if fault == "down":
        return [error(POLL, 503, "Service unavailable")] * 4  # the call and its three retries
    if fault == "refused":
        return [error(POLL, 401, "The access token expired")]
    if fault == "garbled":
        return [Answer(POLL, 200, chance.choice(BODIES))]
    if fault in WAITS:
        reason = {"reason": "QUOTA_EXCEEDED"} if fault == "quota" else {}
        return [error(POLL, 429, "Too many requests", {"Retry-After": str(chance.randint(*WAITS[fault]))}, **reason)]
    return []


def start_child(task: luigi.Task, dies: bool) -> int:
    """The same slot at the same time in a process of its own; or one that dies as soon as the answer is kept."""
    child = os.fork()
    if child == 0:
        if dies:
            sys.addaudithook(die_before_the_merge)
        luigi.build([task], local_scheduler=True, log_level="CRITICAL")
        os._exit(0)
    return child


def die_before_the_merge(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
    if writes and any(f"/{folder}/" in str(arguments[0]) for folder in (PLAYS.name, "polls")):
        os.kill(os.getpid(), signal.SIGKILL)


def break_or_repair(data: Path, listener: Listener, fault: str, chance: random.Random) -> None:
    """Cut the newest day's file off for as long as the fault lasts; then put it back as it was."""
    if fault == "damaged" and not listener.damaged:
        path = list_partitions(PLAYS, data, listener.person.account_id)[-1]
        whole = path.read_bytes()
        listener.damaged = path, whole, whole[: -chance.randint(5, 200)]
        path.write_bytes(listener.damaged[2])
    elif fault != "damaged" and listener.damaged:
        path, whole, cut = listener.damaged
        if path.read_bytes() != cut:
            raise SystemExit(f"{path} was damaged, and has been written to")
        path.write_bytes(whole)
        listener.damaged = None


if __name__ == "__main__":
    sys.exit(main())

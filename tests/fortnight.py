"""A simulated fortnight under a real cron daemon, with faults: is every promise kept?

    python -m tests.fortnight --seed 1 --days 14

The daemon and all that it starts have the clock of tests/crond.py; the line in the crontab is the one that
`make install-cron` puts there, of a copy of the project with an .env of its own; wrapper, Luigi, files, PostgreSQL and
dbt are real, and in real time. Spotify, Slack and the listener are made up. Needs root, cron and a C compiler.

Prints the seed, a line a day, a report, and as the last line one JSON object. Exit code 1: a promise is broken.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import datetime
import json
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2

from pipeline.config import PROJECT
from pipeline.demo.habits import live, stalls
from pipeline.demo.person import Person, SamplePlay
from pipeline.demo.spotify import SampleSpotify
from pipeline.load.embedded import embedded_dsn
from pipeline.slot import HALF_HOUR
from tests import crond
from tests.fortnight_faults import World, before_a_slot, going_on, plan
from tests.fortnight_report import Diary, judge_fortnight
from tests.own_postgres import OwnPostgres
from tests.samples import AWAKE_HOURS
from tests.slack import SampleSlack

# Both the clocks of Berlin, which is the daemon's zone, and those of New York change in these days.
BEGIN, ZONE = datetime.datetime(2026, 10, 21, 14, tzinfo=datetime.UTC), "Europe/Berlin"
DAY = datetime.timedelta(days=1)
WEBHOOK = "/services/T0/B0/webhook-secret"
# Slots after the last fault, for everything to recover.
AFTERWARDS = 6
# Six in the morning of that zone, in UTC.
WEEK_IS_TOLD_BY = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fortnight", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the listener and of the faults")
    parser.add_argument("--days", type=float, default=14, help="how long it is; may be a part of one")
    parser.add_argument("--often", type=float, default=0.13, help="chance that a fault begins in a slot without one")
    parser.add_argument("--messages", action="store_true", help="print what Slack was told, and when")
    options = parser.parse_args()
    if why := crond.why_not():
        parser.error(why)
    print(f"Seed {options.seed}, {options.days:g} days", flush=True)
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="fortnight-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the embedded PostgreSQL in it has stopped
    diary = run_fortnight(Path(folder), options.seed, datetime.timedelta(days=options.days), options.often)
    for moment, message in diary.messages if options.messages else ():
        print(f"{moment:%d %b %H:%M}  {message}\n")
    text, summary = diary.report()
    print(f"{text}\n({time.monotonic() - started:.0f} s)\n{json.dumps({'seed': options.seed, **summary})}")
    return 1 if summary["broken"] else 0


def run_fortnight(folder: Path, seed: int, lasts: datetime.timedelta, often: float) -> Diary:
    """Everything from the installation of the line to the verdict."""
    end = BEGIN + lasts
    me = Person("me", list(heard(seed, end)), stalls=stalls(seed, BEGIN - DAY, end))
    slots = [slot for slot in every_slot(end) if slot < end]
    off = 3 * DAY if lasts >= 10 * DAY else datetime.timedelta()
    faults = plan(seed, slots, often, off)
    with prepared(folder, me) as (world, daemon):
        mondays = {slot.date() for slot in slots if slot.weekday() == 0 and slot.hour >= WEEK_IS_TOLD_BY}
        diary = Diary(me, len(slots), len(mondays))
        run_slots(world, daemon, diary, faults, random.Random(f"slots {seed}"), end)
        with contextlib.closing(psycopg2.connect(world.postgres.url, options="-c TimeZone=UTC")) as connection:
            judge_fortnight(diary, connection, folder / "data", {WEBHOOK.rpartition("/")[2]})
    return diary


def heard(seed: int, end: datetime.datetime) -> Iterator[SamplePlay]:
    """A listener who is silent on a day of three."""
    silent = {day for day in range(40) if random.Random(f"silent {seed} {day}").random() < 0.33}
    for play in live(seed, BEGIN - DAY, end):
        if (datetime.datetime.fromisoformat(play.played_at) - BEGIN).days not in silent:
            yield play


def every_slot(end: datetime.datetime) -> Iterator[datetime.datetime]:
    slot = BEGIN
    while True:
        if slot.hour in AWAKE_HOURS:
            yield slot
        slot += HALF_HOUR
        if slot > end + DAY:
            return


@contextlib.contextmanager
def prepared(folder: Path, me: Person) -> Iterator[tuple[World, crond.Crond]]:
    """The project, the servers, the daemon with the line in its crontab."""
    folder.chmod(0o755)
    project, logs = folder / "project", folder / "logs"
    project.mkdir()
    logs.mkdir()
    for name in ("cron", "dbt", "pipeline"):
        shutil.copytree(PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "luigi.cfg", project)
    embedded_dsn(folder / "embedded" / "postgres")  # makes the user that PostgreSQL runs as, under root
    postgres = OwnPostgres(folder / "cluster")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", logs], check=True)
    with SampleSpotify(now=BEGIN, rotate=True) as spotify, SampleSlack() as slack:
        spotify.me = me
        settings = {
            **spotify.environment(),
            "SPOTIFY_REFRESH_TOKEN": spotify.add_person(me),
            "DATA_DIR": str(folder / "data"),
            "LOG_DIR": str(logs),
            "DATABASE_URL": postgres.url,
            "MUSICBRAINZ_ARTISTS_PER_SLOT": "0",
            "LISTENER_TIMEZONE": ZONE,
            "SLACK_WEBHOOK_URL": f"{slack.url}{WEBHOOK}",
            "PIPELINE_BIN": str(Path(sys.executable).parent),
        }
        world = World(project, logs, spotify, slack, postgres, settings)
        world.write_settings()
        try:
            with crond.running(folder / "crond", BEGIN - crond.MINUTE, ZONE, PYTHONPATH=str(project)) as daemon:
                daemon.install()
                installed = daemon.run(str(project / "cron" / "install.sh"))
                assert installed.returncode == 0, installed.stderr
                yield world, daemon
        finally:
            subprocess.run(["umount", "-l", logs], check=True)
            postgres.stop()


def run_slots(
    world: World,
    daemon: crond.Crond,
    diary: Diary,
    faults: dict[datetime.datetime, str],
    chance: random.Random,
    end: datetime.datetime,
) -> None:
    """Every slot with its fault, and some after the last."""
    now_on, left = "", AFTERWARDS
    with contextlib.ExitStack() as stack:
        for slot in every_slot(end):
            fault = faults.get(slot, "")
            if fault != now_on:
                stack.close()
                stack.enter_context(going_on(world, fault, chance))
                now_on = fault
            diary.faults[fault or "none"] += 1
            if fault != "machine off":
                before_a_slot(world, fault, chance)
                run_slot(world, daemon, diary, slot, fault, chance)
            if slot >= end:
                left -= 1
                if left == 0:
                    return
            if (slot.hour, slot.minute) == (23, 30):
                print(f"  {slot:%d %b}  {diary.in_short()}", flush=True)


def run_slot(
    world: World, daemon: crond.Crond, diary: Diary, slot: datetime.datetime, fault: str, chance: random.Random
) -> None:
    """Let cron start it, do to it what the fault is, and note how it ended."""
    world.spotify.now = slot + datetime.timedelta(seconds=2)
    told = len(world.slack.taken)
    sudden = fault in ("killed", "terminated", "postgres restarted")
    daemon.step(world.spotify.now + world.clock_wrong_by, wait=0 if sudden else 300)
    if sudden:
        time.sleep(chance.choice([0.2, 0.4, 0.7, 1, 2]))
        if fault == "postgres restarted":
            subprocess.run(shlex.split(world.postgres.restart_command), check=True, capture_output=True)
        else:
            strike(daemon, fault)
        daemon.finish(300)
    assert not daemon.jobs(), f"the slot {slot} does not end"
    diary.messages += [(world.spotify.now, message["text"]) for _, message in world.slack.taken[told:]]
    diary.read_logs(world.logs)


def strike(daemon: crond.Crond, fault: str) -> None:
    """kill -9 for luigi, or SIGTERM for the wrapper above it."""
    for job in daemon.jobs():
        for process in psutil.Process(job).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if fault == "killed" and "RunPipeline" in words:
                    process.kill()
                elif fault == "terminated" and words[-1:] and words[-1].endswith("cron/run.sh") and "sh" in words[0]:
                    process.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

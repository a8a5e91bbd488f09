"""Ten years from two sources against the truth: `python -m tests.agreement --days 3650 --polled 20 --order poll-first`.

A made-up listener's export, defects included, is imported by the real task, before or after the last days of the same
history were polled slot by slot. Then every play of the truth must be in marts.fct_plays once, with its exact
milliseconds, and nothing else. Settings in the environment, as for the pipeline; without, everything is in a folder
that is removed again.

Prints a report. Exit code 1: the marts are not the truth.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import datetime
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luigi
import time_machine

import pipeline
from pipeline.demo.spotify import SampleSpotify
from pipeline.load.postgres import connect
from pipeline.slot import HALF_HOUR
from tests.listener.export import write_export
from tests.listener.manifest import Expected, Manifest
from tests.listener.polled import Polled, body, pages
from tests.listener.truth import Play, listen
from tests.samples import AWAKE_HOURS

END = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
ORDERS = ("import-only", "poll-first", "import-first", "between")
Counted = tuple[str, int, int]  # what, end (Unix ms), milliseconds heard


@dataclass(frozen=True)
class Found:
    """The plays of the marts by source, and how many export rows found the polled play that is the same."""

    export: Counter[Counted]
    polled_only: list[Counted]
    matched: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--plays-a-day", type=float, default=60)
    parser.add_argument("--polled", type=int, default=20, help="how many of the last days are polled as well")
    parser.add_argument("--order", choices=ORDERS, default="poll-first")
    parser.add_argument("--generation", choices=("endsong", "streaming_history"), default="streaming_history")
    arguments = parser.parse_args()
    logging.getLogger("luigi-interface").setLevel(logging.ERROR)
    started = time.monotonic()
    folder = choose_settings()
    begin = END - datetime.timedelta(days=arguments.days)
    plays = list(listen(arguments.seed, begin, arguments.days, arguments.plays_a_day))
    export = folder / "my_spotify_data.zip"
    manifest = write_export(export, plays, generation=arguments.generation, seed=arguments.seed)
    polled = poll_and_import(plays, export, arguments.polled, arguments.order, arguments.seed)
    problems = judge(manifest, polled, read_found())
    print(f"({time.monotonic() - started:.0f} s)")
    return 1 if problems else 0


def choose_settings() -> Path:
    """A folder that goes at the end; the data folder is in it where the environment names none."""
    folder = Path(tempfile.mkdtemp(prefix="agreement-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the server in it has stopped
    nowhere = ("LUIGI_SCHEDULER_URL", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "LISTENER_TIMEZONE", "LISTENER_TIMEZONES")
    os.environ.update({**dict.fromkeys(nowhere, ""), "MUSICBRAINZ_ARTISTS_PER_SLOT": "0"})
    if not os.environ.get("DATA_DIR"):
        os.environ.update({"DATA_DIR": str(folder / "data"), "DATABASE_URL": ""})
    return folder


def poll_and_import(plays: list[Play], export: Path, days: int, order: str, seed: int) -> list[Polled]:
    """Returns what was polled, each entry once."""
    slots = [] if order == "import-only" else slots_of(END - datetime.timedelta(days=days), days + 4)
    seen = pages([play for play in plays if play.end >= END - datetime.timedelta(days=days + 1)], slots, seed)
    half = {"poll-first": len(slots), "between": len(slots) // 2}.get(order, 0)
    with SampleSpotify(now=END, token_seconds=10**9) as spotify:
        os.environ.update(spotify.environment())
        poll(spotify, [*zip(slots, seen, strict=True)][:half])
        run(pipeline.ImportHistory(export=str(export)))
        poll(spotify, [*zip(slots, seen, strict=True)][half:])
    entries = {(entry.item["track"]["uri"], entry.played_at_ms): entry for page in seen for entry in page}
    return list(entries.values())


def slots_of(begin: datetime.datetime, days: int) -> list[datetime.datetime]:
    slots = [begin + number * HALF_HOUR for number in range(48 * days)]
    return [slot for slot in slots if slot.hour in AWAKE_HOURS]


def poll(spotify: SampleSpotify, slots: list[tuple[datetime.datetime, list[Polled]]]) -> None:
    """Every page that differs from the one before is polled; whole slots, with dbt, once a day and at the end."""
    before: list[Polled] = []
    for number, (slot, page) in enumerate(slots):
        is_last = number == len(slots) - 1
        if page == before and not is_last:
            continue
        before, spotify.now, spotify.page = page, slot, body(page)
        task = pipeline.DbtTest if is_last or slot.hour == 23 else pipeline.ExtractRecent
        with time_machine.travel(slot + datetime.timedelta(minutes=1), tick=False):
            run(task(run_at=slot.replace(tzinfo=None)))


def run(task: luigi.Task) -> None:
    if not luigi.build([task], local_scheduler=True, log_level="ERROR"):
        raise SystemExit(f"{task} failed")


def read_found() -> Found:
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select source, track_uri, (extract(epoch from played_at) * 1000)::bigint, ms_played, polled_at is not null"
            " from marts.fct_plays"
        )
        rows = cursor.fetchall()
    return Found(
        Counter((uri, at, ms) for source, uri, at, ms, _ in rows if source == "export"),
        [(uri, at, ms) for source, uri, at, ms, _ in rows if source != "export"],
        sum(matched for *_, matched in rows),
    )


def judge(manifest: Manifest, polled: list[Polled], found: Found) -> int:
    """Prints the comparison; returns how many plays are missing, wrong or too many."""
    expected, left = list(manifest.expected), found.export.copy()
    missing = []
    for play in expected:
        ways = [(play.played_at_ms, play.ms_played), *play.or_else]
        counted = next((way for at, ms in ways if left[way := (named(play), at, ms)]), None)
        if counted:
            left[counted] -= 1
        else:
            missing.append(play)
    superfluous = +left
    # The first part of a play in two is a play by itself where what came before it is not known (README).
    parts = {entry.played_at_ms for entry in polled if entry.role == "step"}
    alone = [play for play in found.polled_only if play[1] not in parts]
    figures: dict[str, Any] = {
        "rows in the export": manifest.rows,
        "plays of the truth": len(expected),
        "plays from the export in fct_plays": found.export.total(),
        "milliseconds of the truth": sum(play.ms_played for play in expected),
        "milliseconds in fct_plays": sum(ms * count for (_, _, ms), count in found.export.items()),
        "polled entries": len(polled),
        "polled plays matched": found.matched,
        "polled only, parts of plays in two parts": len(found.polled_only) - len(alone),
        "polled only": len(alone),
        "missing": len(missing),
        "too many": superfluous.total(),
    }
    for what, figure in figures.items():
        print(f"{figure:>16,}  {what}")
    for example in [*missing[:5], *list(superfluous)[:5], *alone[:5]]:
        print("   ", example)
    print(json.dumps(figures))
    return len(missing) + superfluous.total() + len(alone)


def named(expected: Expected) -> str:
    return expected.play.title.exported_uri or "unknown"


if __name__ == "__main__":
    sys.exit(main())

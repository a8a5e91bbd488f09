"""make demo: a made-up listener's day, run for real: sample Spotify and MusicBrainz → luigi → PostgreSQL → dbt; then
two years more, from their data export.

Everything is kept apart from your own data, in data/demo, and is made again each time. `python -m pipeline.demo` with
a command of `python -m pipeline`, or with `luigi …`, runs that command on the demo's data and settings.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.demo.export import write_export
from pipeline.demo.listener import listen, make_catalogue, make_play
from pipeline.demo.musicbrainz import SampleMusicBrainz, make_artists
from pipeline.demo.person import SamplePlay
from pipeline.demo.screens import (
    show_files,
    show_gaps,
    show_genres,
    show_marts,
    show_next_steps,
    show_rules,
    show_wrapped,
)
from pipeline.demo.spotify import SampleSpotify, error

# A day with everything in it: an empty slot, a gap, an outage, a play that arrives late.
SEED = 353
ACCOUNT = "sample"
# Slot (UTC), and what it shows.
SLOTS = (
    ("02:00", "the first poll: all that Spotify still knows"),
    ("02:30", "nothing new: no dbt is started"),
    ("06:30", "the last slot of the night"),
    ("14:00", "the first of the day: more than 50 plays since"),
    ("15:30", "Spotify is down: the slot fails, and says so"),
    ("16:30", "after the outage: what was missed is caught"),
    ("20:00", "more, and a play of a phone that was offline"),
    ("23:30", "the evening"),
)
DOWN = "15:30"
# Played while nobody polls, and more than Spotify remembers.
MARATHON = 65
# Settings that would lead out of the demo.
ELSEWHERE = ("DATABASE_URL", "LUIGI_SCHEDULER_URL", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "LISTENER_TIMEZONES")
# Port 9 of loopback, "discard", on which nothing listens.
NO_SERVER = "http://127.0.0.1:9"
YEARS_BEFORE = datetime.timedelta(days=730)


def main(arguments: list[str]) -> int:
    data = config.storage().root / "demo"
    if arguments:
        return run_command(data, arguments)
    today = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = today - datetime.timedelta(days=1)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    catalogue = make_catalogue(SEED)
    heard = [*listen(SEED, day - datetime.timedelta(days=2), today), *marathon(catalogue, day)]
    # Not of the seed of the day: another history before it.
    before = listen(SEED + 1, day - YEARS_BEFORE, day - datetime.timedelta(days=2), catalogue)
    plays = sorted([*before, *heard], key=lambda play: play.played_at)
    with (
        SampleSpotify(heard) as spotify,
        SampleMusicBrainz(make_artists(catalogue, SEED)) as musicbrainz,
    ):
        spotify.me.saved = [{"added_at": f"{day:%Y-%m-%d}T01:00:00Z", "track": track} for track in catalogue[:80]]
        os.environ.update(spotify.environment() | musicbrainz.environment() | settings(data))
        return run_day(spotify, day, data, plays)


def settings(data: Path) -> dict[str, str]:
    """Environment in which nothing but the sample server and the demo's own database is reached, whatever yours are."""
    own = {"DATA_DIR": str(data), "SPOTIFY_ACCOUNTS": ACCOUNT, "LISTENER_TIMEZONE": "Europe/Berlin"}
    return dict.fromkeys(ELSEWHERE, "") | own


def run_command(data: Path, arguments: list[str]) -> int:
    """`python -m pipeline ARGUMENTS`, or `luigi …`, on the demo's data; returns its exit code."""
    if not (data / "spotify_songs").is_dir():
        print(f"There is no demo in {os.path.relpath(data)} yet. Run: make demo", file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pipeline", *arguments]
    if arguments[0] == "luigi":
        command = [str(Path(sys.executable).with_name("luigi")), *arguments[1:]]
    # The servers of the demo have gone: its tokens must not reach the real ones.
    sample = {"SPOTIFY_CLIENT_ID": "sample", "SPOTIFY_API_URL": NO_SERVER, "SPOTIFY_ACCOUNTS_URL": NO_SERVER}
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.run(command, env={**os.environ, **settings(data), **sample}).returncode
    return 130


def marathon(catalogue: list[dict[str, Any]], day: datetime.datetime) -> list[SamplePlay]:
    """A morning of tracks that are skipped after two minutes."""
    begin = day.replace(hour=9)
    return [
        make_play(catalogue[7 * n % len(catalogue)], begin + datetime.timedelta(minutes=2 * n)) for n in range(MARATHON)
    ]


def run_day(spotify: SampleSpotify, day: datetime.datetime, data: Path, plays: list[SamplePlay]) -> int:
    """Run the slots of `day`, import the export of all `plays`, and show what they left; returns an exit code."""
    from pipeline.load.postgres import connect

    begun = time.monotonic()
    print("A sample Spotify, a made-up listener; all the rest is the real pipeline.")
    with contextlib.closing(connect()) as connection:  # keeps the embedded server up between the slots
        connection.autocommit = True
        print(f"PostgreSQL is up after {time.monotonic() - begun:.1f} s. The slots of {day:%A, %d %B %Y} (UTC):\n")
        print("  slot   exit   new plays   in staging   in fct_plays   seconds")
        staged = 0
        for slot, remark in SLOTS:
            spotify.now = day.replace(hour=int(slot[:2]), minute=int(slot[3:]))
            # Four calls: the first and its three retries.
            spotify.answers = [error("/v1/me/player", 503, "Service unavailable")] * 4 if slot == DOWN else []
            begun = time.monotonic()
            process = run_slot(spotify.now)
            if (process.returncode != 0) != (slot == DOWN):
                print(process.stderr, file=sys.stderr)
                print(
                    f"Slot {slot} ended with exit code {process.returncode}, unexpectedly: see above.", file=sys.stderr
                )
                return 1
            seconds = time.monotonic() - begun
            before, (staged, counted) = staged, counts(connection)
            new = staged - before
            print(f"  {slot} {process.returncode:>6} {new:>11} {staged:>12} {counted:>14} {seconds:>9.1f}   {remark}")
            if slot == DOWN:
                print(f"         {first_cause(process.stderr)}")
        show_rules(connection)
        show_gaps(connection)
        if not import_export(connection, data, plays):
            return 1
        show_genres(connection)
        show_marts(connection)
        show_wrapped(connection)
        show_files(data)
        print("\nHow things stand: .venv/bin/python -m pipeline.demo status\n", flush=True)
        subprocess.run([sys.executable, "-m", "pipeline", "status"], cwd=config.PROJECT)
    show_next_steps(data, ACCOUNT)
    return 0


def import_export(connection: Any, data: Path, plays: list[SamplePlay]) -> bool:
    """Two sources, one history. Whether all went well."""
    export = data / "my_spotify_data.zip"
    write_export(export, plays)
    print(f"\nThe data export of the same listener: ImportHistory --export {os.path.relpath(export)}")
    begun = time.monotonic()
    process = run_luigi("ImportHistory", "--export", str(export), "--account", ACCOUNT)
    if process.returncode:
        print(f"{process.stderr}\nThe import ended with exit code {process.returncode}: see above.", file=sys.stderr)
        return False
    print("\n".join(f"  {line}" for line in process.stdout.strip().splitlines()))
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) filter (where polled_at is not null), count(*) filter (where source = 'export'),"
            " count(*) filter (where is_estimated),"
            " (select count(*) from marts.fct_gaps where not is_open) from marts.fct_plays"
        )
        both, exported, polled_only, closed = cursor.fetchone()
    print(
        f"\nImported, built and tested in {time.monotonic() - begun:.1f} s: {exported:,} plays with exact milliseconds."
    )
    print(f"Known to both sources and counted once: {both}; to the polls alone: {polled_only}. Gaps closed: {closed}.")
    return True


def run_slot(moment: datetime.datetime) -> subprocess.CompletedProcess[str]:
    """What cron runs."""
    return run_luigi("RunPipeline", "--run-at", moment.strftime("%Y-%m-%dT%H%M"), "--account", ACCOUNT)


def run_luigi(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`luigi --module pipeline …` as a process of its own."""
    command = [str(Path(sys.executable).with_name("luigi")), "--module", "pipeline", *arguments]
    return subprocess.run(command, cwd=config.PROJECT, capture_output=True, text=True)


def counts(connection: Any) -> tuple[int, int]:
    """Rows in staging, plays in fct_plays."""
    with connection.cursor() as cursor:
        cursor.execute("select (select count(*) from staging.spotify_songs), (select count(*) from marts.fct_plays)")
        staged, counted = cursor.fetchone()
        return staged, counted


def first_cause(log: str) -> str:
    """The error's own sentence, from the log of a failed run."""
    return next(
        (line.split(": ", 1)[1] for line in log.splitlines() if line.startswith("pipeline.")), "no cause in the log"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

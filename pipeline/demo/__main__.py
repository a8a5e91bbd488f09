"""make demo: a made-up listener's day, run for real: sample Spotify and MusicBrainz → luigi → PostgreSQL → dbt; then
two years more, from their data export.

Everything is kept apart from your own data, in data/demo, and is made anew each time.
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
YEARS_BEFORE = datetime.timedelta(days=730)
WHY = {
    "window_overrun": "Spotify keeps the last 50 alone",
    "short_page": "a short page proves nothing",
    "late_plays": "more late plays may have come when the 50 were full",
    "unreadable_items": "Spotify returned what is no play",
}


def main() -> int:
    data = config.storage().root / "demo"
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
        os.environ.update(spotify.environment() | musicbrainz.environment() | {"SPOTIFY_ACCOUNTS": ACCOUNT})
        # Nothing but the sample server and a database of the demo's own is reached, whatever your settings are.
        os.environ.update(
            dict.fromkeys(("DATABASE_URL", "LUIGI_SCHEDULER_URL", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN"), "")
        )
        os.environ.update({"DATA_DIR": str(data), "LISTENER_TIMEZONE": "Europe/Berlin"})
        return run_day(spotify, day, data, plays)


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
        show_files(data)
        print("\nHow things stand: python -m pipeline status\n", flush=True)
        subprocess.run([sys.executable, "-m", "pipeline", "status"], cwd=config.PROJECT)
    show_next_steps(data)
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


def show_rules(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from staging.spotify_songs as late where exists ("
            "select from staging.spotify_songs as known"
            " where known.load_id < late.load_id and known.played_at_utc > late.played_at_utc)"
        )
        (late,) = cursor.fetchone()
        cursor.execute("select count(*), sum(steps) from marts.fct_plays where steps > 1")
        plays, steps = cursor.fetchone()
    print(f"\nArrived after younger plays had been stored, and put in their place: {late}.")
    print(f"Returned by Spotify in several rows, and counted once: {steps or 0} rows, plays: {plays}.")


def show_gaps(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select begins_at, ends_at, why from marts.fct_gaps where is_open order by found_at")
        gaps = cursor.fetchall()
    for begins_at, ends_at, why in gaps:
        print(f"A gap: plays may be lost from {begins_at:%a %H:%M} to {ends_at:%a %H:%M} UTC, for {WHY[why]}.")
    print("Totals say that they are at least so much, until a data export closes the gaps.")


def show_genres(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select share_of_plays, artists_with_genre, artists, artists_waiting from reporting.rpt_genre_coverage"
        )
        share, with_genre, artists, waiting = cursor.fetchone()
        cursor.execute("select count(*), count(*) filter (where plays = 0) from reporting.rpt_saved_tracks")
        saved, never_played = cursor.fetchone()
    print(f"Plays with a genre: {share:.0%} ({with_genre} of {artists} artists; {waiting} still to be asked for).")
    print(f"Saved tracks: {saved}, of which never played: {never_played}.")


def show_marts(connection: Any) -> None:
    import pandas

    print("\nMinutes are exact where the export has the play; the Web API does not tell how long a track was heard.")
    with connection.cursor() as cursor:
        for title, query in (
            (
                "Top tracks",
                "select rank, track_name, artists, plays, minutes, minutes_estimated as estimated"
                " from reporting.rpt_top_tracks order by rank",
            ),
            (
                "Top artists",
                "select rank, artist_name, plays, minutes, minutes_estimated as estimated"
                " from reporting.rpt_top_artists order by rank",
            ),
            (
                "Recently played, in Europe/Berlin",
                "select to_char(played_at_local, 'Dy HH24:MI') as ended, track_name, artists, minutes"
                " from reporting.rpt_recently_played order by played_at desc",
            ),
        ):
            cursor.execute(f"{query} limit 5")
            table = pandas.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
            print(f"\n{title}\n{table.to_string(index=False)}")


def show_files(data: Path) -> None:
    def shown(path: Path) -> str:
        return os.path.relpath(path)

    print(f"\nWhat was kept, in {shown(data)}/")
    for folder, meaning in (
        ("raw", "answers of Spotify, byte for byte"),
        ("spotify_songs", "day partitions: everything else can be rebuilt from them"),
        ("spotify_history", "day partitions of the data export"),
        ("polls", "records of the polls"),
    ):
        files = [path for path in (data / folder).rglob("*") if path.is_file()]
        print(f"  {folder + '/':<16} {len(files):>3} {meaning}")


def show_next_steps(data: Path) -> None:
    folder = os.path.relpath(data)
    print("\nWhat to try next")
    print(f"  DATA_DIR={folder} .venv/bin/luigi --module pipeline RebuildStaging     PostgreSQL again from the files")
    print(f"  DATA_DIR={folder} .venv/bin/python -m pipeline dbt show -s rpt_top_tracks     a report by dbt")
    print('  README.md, "Your own history"                                           with your Spotify account')


if __name__ == "__main__":
    sys.exit(main())

"""Ten years of reports against the oracle: `python -m tests.oracle --days 3650 --seed 1 --zone Europe/Berlin`.

A made-up listener's export, without defects, is imported by the real task; the last days are polled slot by slot, some
of them after the export was made, so that what was heard then is known from the Web API alone. Genres of most artists
come in as partitions. Then every report is compared. Settings in the environment, as for the pipeline; without,
everything is in a folder that is removed again.

--here   generates nothing and compares what the database of the settings holds

Prints a table of rows, cells and differences. Exit code 1: a report says something else than the oracle.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import logging
import os
import random
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pipeline
from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.datasets import GENRES
from pipeline.extract.genres import COLUMNS
from pipeline.extract.partitions import merge_rows
from pipeline.extract.values import format_moment
from pipeline.load.postgres import connect
from tests.agreement import END, choose_settings, poll, run, slots_of
from tests.listener.catalogue import make_catalogue
from tests.listener.export import write_export
from tests.listener.moments import to_unix_ms
from tests.listener.polled import pages
from tests.listener.truth import Play, listen
from tests.oracle.compare import compare, report_of

ORDERS = ("import-first", "between", "poll-first")
DAY = datetime.timedelta(days=1)
WORDS = "ambient,bossa nova,dream pop,dub,hip hop,jazz,krautrock,polka,shoegaze,synthpop,techno,yé-yé".split(",")
# Until Spotify tells of a play, at most.
LATE_MS = 600_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--plays-a-day", type=float, default=60)
    parser.add_argument("--polled", type=int, default=6, help="how many of the last days with plays")
    parser.add_argument("--order", choices=ORDERS, default="import-first")
    parser.add_argument("--zone", default=os.environ.get("LISTENER_TIMEZONE") or "Europe/Berlin")
    parser.add_argument("--here", action="store_true", help="compare what the database holds")
    arguments = parser.parse_args()
    logging.getLogger("luigi-interface").setLevel(logging.ERROR)
    if not arguments.here:
        folder = choose_settings()
        os.environ["LISTENER_TIMEZONE"] = arguments.zone
        began = time.monotonic()
        generate(folder, arguments.seed, arguments.days, arguments.plays_a_day, arguments.polled, arguments.order)
        print(f"({time.monotonic() - began:.0f} s until the reports were built)")
    began = time.monotonic()
    with contextlib.closing(connect()) as connection:
        found = compare(connection, ZoneInfo(arguments.zone), shortest_play=config.listener().shortest_play)
    print(report_of(found))
    print(f"({time.monotonic() - began:.0f} s for the oracle and the comparison)")
    return 1 if any(each.differences for each in found) else 0


def generate(folder: Path, seed: int, days: int, plays_a_day: float, polled_days: int, order: str) -> None:
    """Everything up to the built reports, by the real tasks."""
    plays = list(listen(seed, END - days * DAY, days, plays_a_day))
    begin = sorted({play.end.date() for play in plays})[-polled_days]
    recent = [play for play in plays if play.end.date() >= begin - DAY]
    made_at = quiet_moment(recent[len(recent) // 3 : 2 * len(recent) // 3])
    export = folder / "my_spotify_data.zip"
    write_export(export, (play for play in plays if play.known_ms <= made_at), seed=seed, clean=True)
    midnight = datetime.datetime.combine(begin, datetime.time(), datetime.UTC)
    slots = slots_of(midnight, (END - midnight).days + 1)
    # After the export the machine is on once a day: more is played than a page holds, and nobody closes the gaps.
    slots = [slot for slot in slots if to_unix_ms(slot) <= made_at or (slot.hour, slot.minute) == (23, 30)]
    seen = [*zip(slots, pages(recent, slots, seed), strict=True)]
    first = {"import-first": 0, "between": len(seen) // 2, "poll-first": len(seen) - 1}[order]
    with SampleSpotify(now=END, token_seconds=10**9) as spotify:
        os.environ.update(spotify.environment())
        write_genres(seed)
        poll(spotify, seen[:first])
        run(pipeline.ImportHistory(export=str(export)))
        poll(spotify, seen[first:-1])
        run(pipeline.EnrichGenres(run_at=slots[-2].replace(tzinfo=None)))
        # What was found in one slot is in the reports of the next one.
        poll(spotify, seen[-1:])


def quiet_moment(plays: list[Play]) -> int:
    """When the export is made (Unix ms): in the middle of the longest silence in which no phone keeps to itself what
    was heard before; at the end where there is none."""
    silences = [(after.start_ms - play.end_ms, play.end_ms) for play, after in itertools.pairwise(plays)]
    moments = [begin + length // 2 for length, begin in sorted(silences, reverse=True)]
    quiet = (at for at in moments if not any(play.end_ms <= at < play.known_ms + LATE_MS for play in plays))
    return next(quiet, to_unix_ms(END))


def write_genres(seed: int) -> None:
    """Partitions as EnrichGenres writes them: of most artists, with votes or without; some were asked for twice, some
    in vain."""
    chance = random.Random(f"genres {seed}")
    artists = {artist.id: artist.name for track in make_catalogue(seed).tracks for artist in track.artists}
    for number, (artist, name) in enumerate(artists.items()):
        if number % 6 == 0:
            continue
        for asked_at in (END - 2 * DAY, END - DAY)[number % 4 == 0 :]:
            genres = chance.sample(WORDS, chance.choice((0, 1, 1, 2, 3, 5)))
            has_votes = chance.random() < 0.7
            told = {
                **dict.fromkeys(COLUMNS, ""),
                "account": "me",
                "artist_id": artist,
                "artist_name": name,
                "asked_date_utc": asked_at.date().isoformat(),
                "last_updated_datetime_utc": format_moment(asked_at),
            }
            source = {"genre_source": "musicbrainz", "matched_by": "url", "musicbrainz_id": f"mbid-{number}"}
            found = [
                {**told, **source, "artist_genre": genre, "genre_votes": str(chance.randint(1, 9) * has_votes)}
                for genre in genres
            ]
            merge_rows(GENRES, config.storage().root, "me", found or [told])


if __name__ == "__main__":
    sys.exit(main())

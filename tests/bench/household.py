"""A household of five accounts, as many as Spotify lets into one application; their plays are made inside PostgreSQL.

Each listens like the listener of history.py, 274 plays a day, and is polled every half hour. Written as partitions, ten
million plays would take half an hour; by household.sql they take a few minutes. Everything follows from hashes of the
play's number, counted from the newest back, so that a short history is the end of a long one.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psycopg2

from pipeline.config import PROJECT
from pipeline.extract.values import format_moment
from pipeline.load.staging import begin_load
from tests.bench.history import END, NEWS_BEGIN, PAGE_EVERY, WINDOW
from tests.bench.installation import Installation
from tests.bench.measure import Run, run_process

Say = Callable[[str], None]
ACCOUNTS = ("a1", "a2", "a3", "a4", "a5")
# Whose reports are asked for, and who hears something new.
ACCOUNT = ACCOUNTS[0]
ZONE = "Europe/Berlin"
# Of a page of news, every so manieth track was never heard before.
UNHEARD_EVERY = 30

STATEMENTS = Path(__file__).with_name("household.sql")
# Ranks of popularity are dealt to the same 20,000 tracks otherwise for everybody; none of these divides 20,000.
MATES = (1, 7, 11, 13, 17)
# What a slot does behind its load, without a poll.
TRANSFORM = (
    "from pipeline.extract.answers import utc_now; from pipeline.transform.build import {step}; {step}(utc_now())"
)


@dataclass(frozen=True)
class Household(Installation):
    """The pipeline of five listeners, `plays` in all."""

    prefix: ClassVar[str] = "household"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "SPOTIFY_ACCOUNTS": ACCOUNT, "LISTENER_TIMEZONE": ZONE}

    def make(self, say: Say) -> None:
        """Fill staging with plays, polls, genres and saved tracks."""
        for number, name in enumerate(ACCOUNTS, start=1):
            with contextlib.closing(psycopg2.connect(self.database_url, options="-c TimeZone=UTC")) as connection:
                begin_load(connection)
                with connection.cursor() as cursor:
                    cursor.execute("select set_config('pipeline.load_id', nextval('staging.load_id')::text, true)")
                    cursor.execute("set local work_mem = '256MB'")
                    cursor.execute(
                        STATEMENTS.read_text(),
                        {
                            "account": number,
                            "name": name,
                            "plays": self.plays // len(ACCOUNTS),
                            "mates": MATES[number - 1],
                            "end": END,
                        },
                    )
                connection.commit()
            say(f"  {number} of {len(ACCOUNTS)} accounts made")

    def set_up(self, say: Say) -> Run:
        """Make the household, and have the pipeline build and test its models, which is what is measured."""
        say(f"making a household of {self.plays:,} plays")
        self.make(say)
        self._execute("vacuum (analyze)")
        build = self._run_python(TRANSFORM.format(step="run_models"))
        say(f"  models built in {build.seconds:.1f} s")
        test = self._run_python(TRANSFORM.format(step="run_tests"))
        say(f"  and tested in {test.seconds:.1f} s")
        # What autovacuum does within minutes; in the middle of a measurement it would be noise.
        self._execute("vacuum (analyze)")
        self._execute("checkpoint")
        return Run(build.seconds + test.seconds, max(build.peak_bytes, test.peak_bytes))

    def news_page(self, number: int) -> bytes:
        """50 plays after the end of the history: some of those before it once more, and a few of unheard tracks."""
        heard = self._query(
            "select played_at_utc, to_jsonb(songs) from staging.spotify_songs as songs where account = %s"
            " and played_at_utc <= %s order by played_at_utc desc offset %s limit %s",
            ACCOUNT,
            END,
            # No further back than the shortest household goes.
            WINDOW * (number % 4),
            WINDOW,
        )
        later = NEWS_BEGIN + (number + 1) * PAGE_EVERY - heard[0][0]
        items = [
            item(played_at + later, song, f"new{number}" if place % UNHEARD_EVERY == 0 else "")
            for place, (played_at, song) in enumerate(heard)
        ]
        return json.dumps({"items": items, "next": None, "cursors": None, "limit": WINDOW}).encode()

    def _run_python(self, program: str) -> Run:
        return run_process([sys.executable, "-c", program], self.environment, PROJECT, self.log)


def item(played_at: datetime.datetime, song: dict[str, Any], renamed: str) -> dict[str, Any]:
    """A play as the Web API returns it. `renamed`: the beginning of another track's id; empty for the track itself."""
    track_id = renamed + song["track_id"][len(renamed) :]
    return {
        "track": {
            "album": {
                "album_type": song["album_type"],
                "artists": song["album_artists"],
                "id": song["album_id"],
                "images": [{"url": song["album_art_link"]}],
                "name": song["album_name"],
                "release_date": song["album_release_date"],
                "release_date_precision": song["album_release_date_precision"],
                "total_tracks": song["album_total_tracks"],
            },
            "artists": song["artists"],
            "disc_number": song["disc_number"],
            "duration_ms": song["song_duration_ms"],
            "explicit": song["explicit"],
            "external_ids": {"isrc": renamed.upper() + song["isrc"][len(renamed) :]},
            "external_urls": {"spotify": song["song_link"]},
            "id": track_id,
            "is_local": False,
            "name": song["song_name"],
            "track_number": song["track_number"],
            "type": "track",
            "uri": f"spotify:track:{track_id}",
        },
        "played_at": format_moment(played_at),
        "context": None,
    }

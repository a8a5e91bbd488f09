"""Random histories out of two sources, the loads in which they come, and dbt as a slot calls it.

tests/test_two_sources_models.py runs a few of them, `python -m tests.sequences` many.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from pipeline import config
from pipeline.load.postgres import ensure_schema
from tests.conftest import BIN, Database

UTC = datetime.UTC
Moment = datetime.datetime
WINDOW = datetime.timedelta(seconds=60)
SECOND = datetime.timedelta(seconds=1)
WORKING_TABLES = ["int_days_to_rebuild", "int_days_to_count", "int_sessions_to_count", "int_news_tracks"]
# What tells of the runs themselves: in which load a row became what it is, and when dbt ran (rpt_capture).
OF_RUNS = ["changed_in_load", "built_at_local", "tested_at_local", "fully_tested_at_local"]
LOADED = Moment(2026, 12, 1, tzinfo=UTC)
# Spotify did not exist before.
BEGIN = Moment(2006, 4, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Track:
    uri: str
    isrc: str | None
    title: str
    artist_id: str
    artist: str
    album_artist: str
    length: int  # seconds
    album: str | None = None


@dataclass(frozen=True)
class Polled:
    account: str
    track: Track
    at: Moment
    isrc: str | None
    album: str | None = None
    captured_at: Moment | None = None  # None: ten minutes after the end

    @property
    def is_possible(self) -> bool:
        return self.at >= BEGIN and (self.captured_at is None or self.at <= self.captured_at + 86400 * SECOND)


@dataclass(frozen=True)
class Exported:
    account: str
    at: Moment  # as reported
    ms_played: int
    uri: str | None
    title: str | None
    artist: str | None
    offline: bool = False
    offline_timestamp: int | None = None
    episode: str | None = None
    reason_end: str | None = "trackdone"
    album: str | None = None

    @property
    def row_id(self) -> str:
        told = (self.uri, self.title, self.artist, self.ms_played, self.offline_timestamp, self.episode)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @property
    def ended_at(self) -> Moment | None:
        """By the device's clock where that is sound; None where the times are not known."""
        reason = self.reason_end or ""
        if not (self.offline or reason == "logout" or reason.startswith("unexpected-exit")):
            return self.at
        stamp = self.offline_timestamp or 0
        begin = stamp if stamp > 10**11 else stamp * 1000 if stamp >= 10**9 else None
        if begin is None or begin > 10**13:
            return None
        begun_at = Moment(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=begin)
        end = begun_at + datetime.timedelta(milliseconds=self.ms_played)
        sound = begun_at >= self.at - datetime.timedelta(days=31) and end <= self.at + 60 * SECOND
        return end if sound else None

    @property
    def is_possible(self) -> bool:
        return BEGIN <= self.at <= LOADED


Load = list[Polled | Exported]


def insert(database: Database, load: Load) -> None:
    """One load, as pipeline/load would have made it of partitions."""
    connection = psycopg2.connect(database.url, options="-c TimeZone=UTC")
    with connection, connection.cursor() as cursor:
        ensure_schema(connection)
        cursor.execute("select nextval('staging.load_id')")
        (number,) = cursor.fetchone() or (0,)
        execute_values(
            cursor,
            "insert into staging.spotify_songs (account, played_at_utc, played_date_utc, song_name, artist_name,"
            " song_duration_ms, song_link, track_id, isrc, track_uri, is_local, explicit, artists, album_artists,"
            " album_name, album_id, album_total_tracks, last_updated_datetime_utc, load_id) values %s",
            [
                (
                    *(play.account, play.at, play.at.date(), play.track.title, play.track.artist),
                    *(play.track.length * 1000, None, play.track.uri[14:], play.isrc, play.track.uri, False, False),
                    json.dumps([{"id": play.track.artist_id, "name": play.track.artist}]),
                    json.dumps([{"id": None, "name": play.track.album_artist}]),
                    *(play.album, play.album and f"id of {play.album}", 10 if play.album else None),
                    *(play.captured_at or play.at + 10 * 60 * SECOND, number),
                )
                for play in load
                if isinstance(play, Polled)
            ],
        )
        execute_values(
            cursor,
            "insert into staging.spotify_history (account, played_date_utc, played_at_utc, row_id,"
            " last_updated_datetime_utc, ms_played, track_uri, track_name, album_artist_name, album_name, episode_uri,"
            " episode_name, reason_end, skipped, offline, offline_timestamp, incognito_mode, load_id) values %s",
            [
                (
                    *(row.account, row.at.date(), row.at, row.row_id, LOADED, row.ms_played, row.uri, row.title),
                    *(row.artist, row.album, row.episode, row.episode and "An episode"),
                    *(row.reason_end, False, row.offline, row.offline_timestamp, False, number),
                )
                for row in load
                if isinstance(row, Exported)
            ],
        )
    connection.close()


# One process for all runs of a test: importing dbt and parsing the project take longer than they do.
DRIVER = """
import os, sys
from pipeline.transform import dbt

for line in sys.stdin:
    scope, *arguments = line.split()
    os.environ["DBT_TEST_SCOPE"] = scope
    try:
        dbt.invoke(*arguments)
    except dbt.DbtFailed as error:
        print(repr(str(error)), flush=True)
    else:
        print("done", flush=True)
"""


class Dbt:
    """dbt as a slot calls it, and what it has built."""

    def __init__(self, process: subprocess.Popen[str], database: Database) -> None:
        self.process, self.database = process, database

    def seed(self) -> None:
        """Rules by artist, genre, album and hour: credits, genres and albums that change move plays in and out."""
        self._invoke("full", "seed")
        self.database.rows(
            "insert into seeds.exclusion_rules (rule_id, account, kind, value, from_date)"
            " values ('singer', null, 'artist', 'singer 2', null), ('genre', null, 'genre', 'Waltz', null),"
            " ('album', null, 'album', 'Album 4', null), ('night', 'ann', 'hour_window', '23-1', '2026-03-20')"
        )

    def run(self, *arguments: str) -> None:
        self._invoke("full", "run", *arguments)
        self._record("run")

    def run_in_part(self, *models: str) -> None:
        """An incremental run that ends in the middle: some models are built, and no success is recorded."""
        self._invoke("full", "run", "--select", *(f"{model},config.materialized:incremental" for model in models))

    def test(self, scope: str) -> None:
        self._invoke(scope, "test", "--exclude-resource-type", "unit_test")
        self._record("test")

    def _invoke(self, *words: str) -> None:
        assert self.process.stdin and self.process.stdout
        print(*words, file=self.process.stdin, flush=True)
        said = []
        while (line := self.process.stdout.readline()) not in ("done\n", ""):
            said.append(line)
            assert not line.startswith(("'", '"')), "".join(said).replace("\\n", "\n")
        assert line, f"dbt has ended: {''.join(said)}"

    def _record(self, step: str) -> None:
        self.database.rows(
            "insert into pipeline.dbt_runs (step, scope, slot, loaded_through, project_version)"
            " select %s, 'news', now(), last_value, '' from staging.load_id",
            step,
        )

    def relations(self) -> dict[str, list[str]]:
        """Every table and view that dbt builds, row for row; without the working tables of a single build, and without
        what tells of the runs themselves."""
        names = self.database.rows(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('intermediate', 'marts', 'reporting') and table_name != all(%s) order by 1",
            WORKING_TABLES,
        )
        return {
            name: [
                str(row)
                for (row,) in self.database.rows(
                    f"select row - %s::text[] from {name} as t, to_jsonb(t) as row order by 1", OF_RUNS
                )
            ]
            for (name,) in names
        }


@contextlib.contextmanager
def running_dbt(database: Database, environment: dict[str, str]) -> Iterator[Dbt]:
    connection = psycopg2.connect(database.url)
    with connection:
        ensure_schema(connection)
    connection.close()
    command = [str(BIN / "python"), "-c", DRIVER]
    with subprocess.Popen(
        command,
        cwd=config.PROJECT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        dbt = Dbt(process, database)
        dbt.seed()
        yield dbt
        assert process.stdin
        process.stdin.close()


# --- A made-up history ------------------------------------------------------------------------------------------------


def some_tracks(chance: random.Random) -> list[Track]:
    """Few tracks, so that they meet often: releases of one recording, titles that differ in their marks, short ones,
    and albums of one track that a rule excludes."""
    tracks = []
    for n in range(14):
        isrc = f"ISRC{n // 2}" if n % 7 else None
        artist = n % 4
        letter = "é" if n % 2 else "e\u0301"  # one letter in two forms
        tracks.append(
            Track(
                f"spotify:track:{n:022}",
                isrc,
                f"Song {n // 2}" + ("!" if n % 2 else "") if n % 5 else f"Песня «{n // 2}»",
                f"artist{artist}",
                f"Singer {artist}" if artist != 3 else "Singér 3".replace("é", letter),
                "Various Artists" if n == 3 else f"Singer {(artist + n % 2) % 4}",
                chance.choice((20, 40, 70, 200)),
                f"Album {n // 2}" if n % 3 else None,
            )
        )
    return tracks


def some_history(seed: int, account: str, sittings: int = 12) -> Load:
    """Sittings over two months, around midnights; polled, exported, or both, with every blemish of an export: other
    releases of a track, tracks that move to another album, and offline rows that stand at the second of a sync."""
    chance = random.Random(f"{seed} {account}")
    tracks = some_tracks(chance)
    polled: dict[tuple[Moment, str], Polled] = {}
    exported: dict[tuple[Moment, str], Exported] = {}

    def another_release(track: Track) -> Track:
        return chance.choice(
            [other for other in tracks if other.isrc == track.isrc or other.title[:6] == track.title[:6]]
        )

    def export(track: Track, at: Moment, ms_played: int, **changes: Any) -> None:
        row = Exported(account, at, ms_played, track.uri, track.title, track.album_artist, album=track.album, **changes)
        if chance.random() < 0.2:  # another release, or no URI at all
            row = dataclasses.replace(row, uri=chance.choice((another_release(track).uri, None)))
        exported[row.at, row.row_id] = row

    for day in sorted(chance.sample(range(60), sittings)):
        now = Moment(2026, 3, 1, 22, tzinfo=UTC) + datetime.timedelta(days=day, seconds=chance.randrange(9000))
        sources = chance.choice(("both", "both", "both", "polled", "exported"))
        drift = chance.choice((0, 0, 0, 20, -30, 45))
        is_on_a_plane = chance.random() < 0.2
        for _ in range(chance.randrange(5, 30)):
            track = chance.choice(tracks)
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                heard = track.length * chance.choice((1, 1, 1, 0.3, 0))
                now += (heard + chance.random()) * SECOND
                end = now.replace(microsecond=now.microsecond // 1000 * 1000)
                if sources != "exported" and heard and chance.random() < 0.95:
                    release = another_release(track) if chance.random() < 0.1 else track
                    told = release.isrc if chance.random() < 0.7 else None
                    album = chance.choice(("Album 4", "Album 9", None)) if chance.random() < 0.05 else release.album
                    polled[end, release.uri] = Polled(account, release, end, told, album)
                    if chance.random() < 0.06:  # another row of that moment: often the same recording, relinked
                        captured = end + chance.choice((600, 600, 7200)) * SECOND
                        other = chance.choice([*(t for t in tracks if t.isrc == release.isrc), chance.choice(tracks)])
                        isrc = chance.choice((other.isrc, told))
                        again = Polled(account, other, end, isrc, other.album, captured)
                        polled.setdefault((end, other.uri), again)
                is_offline = is_on_a_plane or chance.random() < 0.05
                if sources != "polled" and not is_on_a_plane and chance.random() < 0.95:
                    whole = (end + chance.gauss(drift, 3) * SECOND).replace(microsecond=0)
                    ms_played = int(heard * 1000)
                    export(track, whole, ms_played, reason_end=chance.choice(("trackdone", "fwdbtn", None)))
                    if chance.random() < 0.1:  # told twice, nearly
                        export(track, whole + chance.randrange(3) * SECOND, max(0, ms_played - 700))
                if is_offline:  # told of later: in ms, in seconds, or as nonsense
                    begun_ms = int(end.timestamp() * 1000) - int(heard * 1000)
                    stamp = chance.choice((begun_ms, begun_ms // 1000, 0, None, None, 0, 9 * 10**18, -1, 10**12))
                    synced = now + datetime.timedelta(days=chance.choice((0, 3, 20, 30, 40)))
                    synced = synced.replace(minute=0, second=0, microsecond=0)  # many rows at one second
                    export(track, synced, int(heard * 1000), offline=True, offline_timestamp=stamp)
                if chance.random() < 0.06:  # an exit: the row carries the next start of the app
                    begun = int(end.timestamp() - heard)
                    stamp = chance.choice((begun, begun, begun * 1000, begun - 40 * 86400, 0, None))
                    started = (end + chance.choice((5, 3600, 30_000, 400_000)) * SECOND).replace(microsecond=0)
                    reason = chance.choice(("unexpected-exit", "unexpected-exit-while-paused", "logout"))
                    export(track, started, int(heard * 1000), offline_timestamp=stamp, reason_end=reason)
                if chance.random() < 0.01:  # a clock that was wrong
                    moment = chance.choice((Moment(2099, 1, 1, 12, tzinfo=UTC), Moment(2001, 1, 1, tzinfo=UTC)))
                    export(track, moment, 200_000)
                    polled[moment, track.uri] = Polled(account, track, moment, track.isrc, captured_at=LOADED)
                if chance.random() < 0.03:
                    episode = Exported(account, end.replace(microsecond=0), 900_000, None, None, None)
                    spoken = dataclasses.replace(episode, episode=f"spotify:episode:{chance.randrange(3):022}")
                    exported[spoken.at, spoken.row_id] = spoken
    nonsense = Exported(account, Moment(2026, 3, 5, tzinfo=UTC), 10**15, tracks[0].uri, tracks[0].title, "Singer 0")
    exported[nonsense.at, nonsense.row_id] = nonsense
    return [*polled.values(), *exported.values()]


def in_loads(history: Load, seed: int, count: int = 5) -> list[Load]:
    """The history of one account in `count` loads, some of them empty: first one source, or a part of both; then the
    rest in loads of any order."""
    chance = random.Random(seed)
    parts: list[Load] = [[] for _ in range(count)]
    style = chance.randrange(3)
    for play in history:
        if style == 0:  # the Web API over years, then the export at once, then both again
            part = 0 if isinstance(play, Polled) else count // 2
            part = chance.choice((part, part, part, count - 1))
        elif style == 1:  # by time, as in life
            part = max(0, min(count - 1, (play.at - Moment(2026, 3, 1, tzinfo=UTC)).days * count // 65))
        else:
            part = chance.randrange(count)
        parts[part].append(play)
    return parts

"""One history out of two sources: however it comes in, dbt builds what it would build from nothing, and pairs as a
plain walk through the plays does."""

from __future__ import annotations

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
import pytest
from psycopg2.extras import execute_values

from pipeline import config
from pipeline.load.postgres import ensure_schema
from tests.conftest import BIN, Database, Pipeline

UTC = datetime.UTC
Moment = datetime.datetime
WINDOW = datetime.timedelta(seconds=60)
SECOND = datetime.timedelta(seconds=1)
LOADED = Moment(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Track:
    uri: str
    isrc: str | None
    title: str
    artist_id: str
    artist: str
    album_artist: str
    length: int  # seconds


@dataclass(frozen=True)
class Polled:
    account: str
    track: Track
    at: Moment
    isrc: str | None


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

    @property
    def row_id(self) -> str:
        told = (self.uri, self.title, self.artist, self.ms_played, self.offline_timestamp, self.episode)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @property
    def ended_at(self) -> Moment | None:
        """By the device's clock where that is sound; None where the times are not known."""
        if not self.offline:
            return self.at
        stamp = self.offline_timestamp or 0
        begin = stamp if stamp > 10**11 else stamp * 1000 if stamp >= 10**9 else None
        if begin is None or begin > 10**13:
            return None
        begun_at = Moment(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=begin)
        end = begun_at + datetime.timedelta(milliseconds=self.ms_played)
        sound = begun_at >= self.at - datetime.timedelta(days=31) and end <= self.at + 60 * SECOND
        return end if sound else None


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
            " last_updated_datetime_utc, load_id) values %s",
            [
                (
                    *(play.account, play.at, play.at.date(), play.track.title, play.track.artist),
                    *(play.track.length * 1000, None, play.track.uri[14:], play.isrc, play.track.uri, False, False),
                    json.dumps([{"id": play.track.artist_id, "name": play.track.artist}]),
                    json.dumps([{"id": None, "name": play.track.album_artist}]),
                    *(play.at + 10 * 60 * SECOND, number),
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
                    *(row.artist, "Album" if row.title else None, row.episode, row.episode and "An episode"),
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
        """Rules by artist, genre and hour, so that credits and genres that change move plays in and out."""
        self._invoke("full", "seed")
        self.database.rows(
            "insert into seeds.exclusion_rules (rule_id, account, kind, value, from_date)"
            " values ('singer', null, 'artist', 'singer 2', null), ('genre', null, 'genre', 'Waltz', null),"
            " ('night', 'ann', 'hour_window', '23-1', '2026-03-20')"
        )

    def run(self, *arguments: str) -> None:
        self._invoke("full", "run", *arguments)
        self._record("run")

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

    def tables(self) -> dict[str, list[str]]:
        """Every table that dbt builds, row for row; but for what tells of the runs alone."""
        names = self.database.rows(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('intermediate', 'marts')"
            " and tablename not in"
            " ('int_days_to_rebuild', 'int_news_tracks', 'int_days_to_count', 'int_sessions_to_count') order by 1"
        )
        return {
            name: [
                str(row)
                for (row,) in self.database.rows(
                    f"select row - 'changed_in_load' from {name} as t, to_jsonb(t) as row"
                    " where (row ->> 'is_excluded')::boolean is not false order by 1"
                )
            ]
            for (name,) in names
        }


@pytest.fixture
def dbt(pipeline: Pipeline, database: Database) -> Iterator[Dbt]:
    connection = psycopg2.connect(database.url)
    with connection:
        ensure_schema(connection)
    connection.close()
    command = [str(BIN / "python"), "-c", DRIVER]
    environment = {**os.environ, **pipeline.environment}
    with subprocess.Popen(
        command, cwd=config.PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        dbt = Dbt(process, database)
        dbt.seed()
        yield dbt
        assert process.stdin
        process.stdin.close()


# --- A made-up history ------------------------------------------------------------------------------------------------


def some_tracks(chance: random.Random) -> list[Track]:
    """Few tracks, so that they meet often: releases of one recording, titles that differ in their marks, short ones."""
    tracks = []
    for n in range(14):
        isrc = f"ISRC{n // 2}" if n % 7 else None
        artist = n % 4
        tracks.append(
            Track(
                f"spotify:track:{n:022}",
                isrc,
                f"Song {n // 2}" + ("!" if n % 2 else "") if n % 5 else f"Песня «{n // 2}»",
                f"artist{artist}",
                f"Singer {artist}",
                "Various Artists" if n == 3 else f"Singer {(artist + n % 2) % 4}",
                chance.choice((20, 40, 70, 200)),
            )
        )
    return tracks


def some_history(seed: int) -> Load:
    """Sittings over two months, around midnights; polled, exported, or both, with every blemish that an export has."""
    chance = random.Random(seed)
    tracks = some_tracks(chance)
    polled: dict[tuple[str, Moment, str], Polled] = {}
    exported: dict[tuple[str, Moment, str], Exported] = {}

    def export(account: str, track: Track, at: Moment, ms_played: int, **changes: Any) -> None:
        row = Exported(account, at, ms_played, track.uri, track.title, track.album_artist, **changes)
        if row.ended_at is None:  # never polled: what int_offline_matches pairs takes a full build
            row = dataclasses.replace(row, uri=f"spotify:track:{99:022}", title="On the plane")
        elif chance.random() < 0.15:  # another release, or no release at all
            other = chance.choice([t for t in tracks if t.isrc == track.isrc or t.title[:6] == track.title[:6]])
            row = dataclasses.replace(row, uri=chance.choice((other.uri, None)))
        exported[row.account, row.at, row.row_id] = row

    for day in sorted(chance.sample(range(60), 24)):
        account = chance.choice(("ann", "ann", "bob"))
        now = Moment(2026, 3, 1, 22, tzinfo=UTC) + datetime.timedelta(days=day, seconds=chance.randrange(9000))
        sources = chance.choice(("both", "both", "both", "polled", "exported"))
        drift = chance.choice((0, 0, 0, 20, -30, 45))
        for _ in range(chance.randrange(5, 30)):
            track = chance.choice(tracks)
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                heard = track.length * chance.choice((1, 1, 1, 0.3, 0))
                now += (heard + chance.random()) * SECOND
                end = now.replace(microsecond=now.microsecond // 1000 * 1000)
                if sources != "exported" and heard and chance.random() < 0.95:
                    told = track.isrc if chance.random() < 0.7 else None
                    polled[account, end, track.uri] = Polled(account, track, end, told)
                if sources != "polled" and chance.random() < 0.95:
                    whole = (end + chance.gauss(drift, 3) * SECOND).replace(microsecond=0)
                    ms_played = int(heard * 1000)
                    export(account, track, whole, ms_played, reason_end=chance.choice(("trackdone", "fwdbtn", None)))
                    if chance.random() < 0.1:  # told twice, nearly
                        export(account, track, whole + chance.randrange(3) * SECOND, max(0, ms_played - 700))
                if chance.random() < 0.05:  # offline, told of days later: in ms, in seconds, or as nonsense
                    begun_ms = int(end.timestamp() * 1000) - int(heard * 1000)
                    stamp = chance.choice((begun_ms, begun_ms // 1000, 0, None, 9 * 10**18, -1, 10**12))
                    synced = (end + datetime.timedelta(days=chance.choice((0, 3, 20, 40)))).replace(microsecond=0)
                    export(account, track, synced, int(heard * 1000), offline=True, offline_timestamp=stamp)
                if chance.random() < 0.03:
                    episode = Exported(account, end.replace(microsecond=0), 900_000, None, None, None)
                    spoken = dataclasses.replace(episode, episode=f"spotify:episode:{chance.randrange(3):022}")
                    exported[account, spoken.at, spoken.row_id] = spoken
    nonsense = Exported("bob", Moment(2026, 3, 5, tzinfo=UTC), 10**15, tracks[0].uri, tracks[0].title, "Singer 0")
    exported[nonsense.account, nonsense.at, nonsense.row_id] = nonsense
    return [*polled.values(), *exported.values()]


def in_loads(history: Load, seed: int) -> list[Load]:
    """First one source, or a part of both; then the rest in loads of any order."""
    chance = random.Random(seed)
    parts: list[Load] = [[] for _ in range(5)]
    style = seed % 3
    for play in history:
        if style == 0:  # the Web API over years, then the export at once, then both again
            part = 0 if isinstance(play, Polled) else 2
            part = chance.choice((part, part, part, 4))
        elif style == 1:  # by time, as in life
            part = min(4, (play.at - Moment(2026, 3, 1, tzinfo=UTC)).days // 13)
        else:
            part = chance.randrange(5)
        parts[part].append(play)
    return [part for part in parts if part]


# --- The rule, walked through ----------------------------------------------------------------------------------------


def name_key(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def pairs_by_the_rule(database: Database, history: Load) -> set[tuple[Any, ...]]:
    """Pairs out of the polled plays that dbt has joined and the export rows that it lets count, one by one."""
    by_row = {(row.account, row.at, row.row_id): row for row in history if isinstance(row, Exported)}
    rows = [
        (account, by_row[account, reported_at, row_id], uri)
        for account, reported_at, row_id, uri in database.rows(
            "select account, reported_at, row_id, track_uri from intermediate.int_history_plays"
            " where content_type = 'track' and not is_near_duplicate"
        )
    ]
    steps = {(play.account, play.at, play.track.uri): play for play in history if isinstance(play, Polled)}
    plays = [
        (steps[account, at, uri], isrc)
        for account, at, uri, isrc in database.rows(
            "select account, played_at, track_uri, isrc from intermediate.int_polled_plays"
        )
    ]
    isrcs: dict[tuple[str, str], set[str]] = {}
    for step in steps.values():
        if step.isrc:
            isrcs.setdefault((step.account, step.track.uri), set()).add(step.isrc)
    candidates = []
    for play, isrc in plays:
        for account, row, uri in rows:
            end = row.ended_at or row.at
            if account != play.account or abs(play.at - end) > WINDOW:
                continue
            if uri == play.track.uri:
                matched_by = 0
            elif isrc and isrc in isrcs.get((account, uri), ()):
                matched_by = 1
            elif (
                row.title
                and name_key(row.title) == name_key(play.track.title)
                and row.artist in (play.track.artist, play.track.album_artist)
            ):
                matched_by = 2
            else:
                continue
            order = (matched_by, abs(play.at - end), play.at, end, play.track.uri, row.at, row.row_id)
            candidates.append((order, play, row, play.at - end))
    taken: set[Any] = set()
    pairs = set()
    for order, play, row, difference in sorted(candidates, key=lambda candidate: candidate[0]):
        if play in taken or row in taken:
            continue
        taken |= {play, row}
        name = ("track_id", "isrc", "names")[order[0]]
        milliseconds = round(difference / datetime.timedelta(milliseconds=1))
        pairs.add((play.account, play.at, play.track.uri, row.at, row.row_id, name, milliseconds))
    return pairs


def near_duplicates_by_the_rule(history: Load) -> set[tuple[Any, ...]]:
    """From the longest to the shortest, against those that count so far."""
    known = [
        (row.account, row.uri or row.title, row.ended_at, row)
        for row in history
        if isinstance(row, Exported) and row.title and row.ended_at and row.ms_played <= 12 * 3_600_000
    ]
    counted: list[tuple[Any, Any, Moment, Exported]] = []
    found = set()
    for account, track, end, row in sorted(
        known, key=lambda each: (-each[3].ms_played, each[2], each[3].at, each[3].row_id)
    ):
        length = datetime.timedelta(milliseconds=row.ms_played)
        for other_account, other_track, other_end, other in counted:
            if (account, track) == (other_account, other_track):
                begun = max(end - length, other_end - datetime.timedelta(milliseconds=other.ms_played))
                if min(end, other_end) - begun > max(2 * SECOND, length / 2):
                    found.add((account, row.at, row.row_id))
                    break
        else:
            counted.append((account, track, end, row))
    return found


@pytest.mark.parametrize("seed", [1])
def test_whatever_comes_in_whatever_order_the_marts_are_what_a_rebuild_makes_of_it(
    dbt: Dbt, database: Database, seed: int
) -> None:
    history = some_history(seed)
    for n, load in enumerate(in_loads(history, seed)):
        insert(database, load)
        if n == 2:  # found out long after the plays
            database.rows(
                "insert into staging.spotify_genres (account, artist_id, artist_genre, genre_source, asked_date_utc,"
                " last_updated_datetime_utc, load_id)"
                " select account, 'artist1', 'waltz', 'musicbrainz', '2026-12-01', now(), 0"
                " from (values ('ann'), ('bob')) as accounts (account)"
            )
        dbt.run()
        if n % 2:
            dbt.test("news")
    dbt.test("full")
    database.rows(
        "insert into staging.history_spans values ('ann', '2026-03-05', '2026-04-20', 'export', now()),"
        " ('bob', '2026-03-01', '2026-05-20', 'export', now())"
    )
    dbt.run()
    incremental = dbt.tables()
    found = set(
        database.rows(
            "select account, polled_at, polled_track_uri, export_reported_at, export_row_id, matched_by, difference_ms"
            " from intermediate.int_play_matches"
        )
    )
    assert found == pairs_by_the_rule(database, history)
    assert {pair[5] for pair in found} == {"track_id", "isrc", "names"}
    removed = set(
        database.rows("select account, reported_at, row_id from intermediate.int_history_plays where is_near_duplicate")
    )
    assert removed == near_duplicates_by_the_rule(history)
    assert removed
    dbt.run("--full-refresh")
    rebuilt = dbt.tables()
    for table, rows in rebuilt.items():
        assert incremental[table] == rows, table
    dbt.test("full")


def test_what_a_slot_tells_of_a_track_changes_what_was_built_of_it_long_ago(dbt: Dbt, database: Database) -> None:
    """Its ISRC pairs plays that had nothing in common; its artist's id takes the place of a name; and a pair with
    another release takes a track its only play."""
    then, now = Moment(2026, 3, 1, 12, tzinfo=UTC), Moment(2026, 5, 1, 12, tzinfo=UTC)
    single = Track("spotify:track:single", "ISRC", "Song", "artist1", "Ann", "Ann", 200)
    album = Track("spotify:track:album", "ISRC", "Song (Live)", "artist2", "Bo", "Bo", 200)
    exported = Exported("me", then, 200_000, album.uri, album.title, album.album_artist)
    insert(database, [Polled("me", single, then + SECOND, "ISRC"), exported])
    dbt.run()
    dbt.test("full")
    totals = "select track_uri, plays from intermediate.int_track_totals order by 1"
    artists = "select artist_key like 'name:%%' from marts.bridge_track_artists where track_uri = %s"
    assert database.rows(totals) == [(album.uri, 1), (single.uri, 1)]
    assert database.rows(artists, album.uri) == [(True,)]
    # The same artist on a third track tells the id; the album's track itself, polled, the ISRC.
    insert(database, [Polled("me", dataclasses.replace(album, uri="spotify:track:other"), now, None)])
    dbt.run()
    assert database.rows(artists, album.uri) == [(False,)]
    dbt.test("news")
    insert(database, [Polled("me", album, now + 900 * SECOND, "ISRC")])
    dbt.run()
    dbt.test("news")
    assert database.rows("select matched_by, difference_ms from intermediate.int_play_matches") == [("isrc", 1000)]
    assert database.rows(totals) == [(album.uri, 2), ("spotify:track:other", 1)]
    dbt.test("full")
    incremental = dbt.tables()
    dbt.run("--full-refresh")
    assert dbt.tables() == incremental

"""A heavy listener: 274 plays a day, 20,000 tracks, the popular ones played often; everything follows from a seed.

python -m tests.bench.history DATA PLAYS
"""

from __future__ import annotations

import datetime
import functools
import itertools
import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.extract.datasets import PLAYS
from pipeline.extract.partitions import format_partition, partition_path
from pipeline.extract.plays import Play, parse_page
from pipeline.extract.values import format_moment

Json = dict[str, Any]
Heard = tuple[datetime.datetime, int]  # end of the play (UTC), number of the track

ACCOUNT = "me"
WINDOW = 50
TRACKS = 20_000
ARTISTS = 3_000
PLAYS_A_DAY = 274
END = datetime.datetime(2023, 12, 20, 22, tzinfo=datetime.UTC)
# A few days on: the first slot's neighbouring days are then its own, and every slot costs the same.
NEWS_BEGIN = END + datetime.timedelta(days=5)
# 50 plays take 3 hours; five such pages make a day like those of the history.
PAGE_EVERY = datetime.timedelta(hours=5)


def write_partitions(data: Path, plays: int) -> None:
    """Write the last `plays` plays of the listener's history as day partitions, telling how far it is."""
    written = files = 0
    for date, heard in itertools.groupby(
        itertools.islice(_listen_backwards(END, seed=0), plays), lambda play: play[0].date()
    ):
        rows = [_row(played_at, number) for played_at, number in heard]
        path = partition_path(PLAYS, data, ACCOUNT, date.isoformat())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(format_partition(PLAYS, rows))
        written, files = written + len(rows), files + 1
        if files % 1000 == 0:
            print(f"          {written:,} of {plays:,} plays", file=sys.stderr, flush=True)


def known_page() -> bytes:
    """The page of a slot without news: the last 50 plays of the history."""
    return _page(_listen_backwards(END, seed=0))


def news_page(number: int) -> bytes:
    """The page of the `number`th slot with news: 50 plays, all of them newer than any page before."""
    return _page(_listen_backwards(NEWS_BEGIN + (number + 1) * PAGE_EVERY, seed=number + 1, nights=False))


def _page(heard: Iterator[Heard]) -> bytes:
    items = [_item(played_at, number) for played_at, number in itertools.islice(heard, WINDOW)]
    return json.dumps({"items": items, "next": None, "cursors": None, "limit": WINDOW}).encode()


def _listen_backwards(end: datetime.datetime, seed: int, nights: bool = True) -> Iterator[Heard]:
    """Plays, newest first, without end: so a short history is the end of a long one, and both end on the same day."""
    chance = random.Random(seed)
    popularity = list(itertools.accumulate(1 / (rank + 20) for rank in range(TRACKS)))
    now = end
    while True:
        number = chance.choices(range(TRACKS), cum_weights=popularity)[0]
        if chance.random() < 0.03:
            number = TRACKS + chance.randrange(TRACKS)  # tried out, seldom heard again
        seconds = track(number)["duration_ms"] / 1000
        habit = chance.random()
        if habit < 0.10:  # skipped
            steps = [seconds * chance.uniform(0.05, 0.6)]
        elif habit < 0.12:  # on repeat
            steps = [seconds] * 3
        elif habit < 0.13:  # returned in two parts
            steps = [seconds * 0.8, seconds * 0.2]
        elif habit < 0.14:  # returned twice
            steps = [1.7, seconds * 0.97]
        else:
            steps = [seconds]
        for step in steps:
            yield now, number
            now -= datetime.timedelta(milliseconds=int(step * 1000))
        if nights and chance.random() < 1.04 / PLAYS_A_DAY:
            now -= datetime.timedelta(seconds=int(chance.uniform(6 * 3600, 9 * 3600)))
        elif chance.random() < 0.05:
            now -= datetime.timedelta(seconds=int(chance.uniform(30, 600)))


@functools.cache
def track(number: int) -> Json:
    """A track as the Web API describes it; the same number is always the same track."""
    chance = random.Random(number)
    artists = [_described("artist", _rank(chance, ARTISTS)) for _ in range(1 + (chance.random() < 0.2))]
    return {
        **_described("track", number),
        "album": {
            **_described("album", number // 8),
            "album_type": "album",
            "artists": artists[:1],
            "images": [{"url": f"https://i.scdn.co/image/{number // 8:040x}", "width": 640, "height": 640}],
            "release_date": f"{1975 + number % 48}-05-17",
            "release_date_precision": "day",
            "total_tracks": 8,
        },
        "artists": artists,
        "disc_number": 1,
        "duration_ms": int(min(max(chance.gauss(215_000, 50_000), 45_000), 900_000)),
        "explicit": chance.random() < 0.1,
        "external_ids": {"isrc": f"QZ{number:010}"},
        "is_local": False,
        "track_number": number % 8 + 1,
    }


def _rank(chance: random.Random, among: int) -> int:
    return int(math.exp(chance.uniform(0, math.log(among))))


def _described(kind: str, number: int) -> Json:
    identifier = f"{kind}{number:0>{22 - len(kind)}}"
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identifier}"},
        "href": f"https://api.spotify.com/v1/{kind}s/{identifier}",
        "id": identifier,
        "name": f"The {kind} with number {number}",
        "type": kind,
        "uri": f"spotify:{kind}:{identifier}",
    }


def _item(played_at: datetime.datetime, number: int) -> Json:
    return {"track": track(number), "played_at": format_moment(played_at), "context": None}


def _row(played_at: datetime.datetime, number: int) -> Play:
    return {
        **_track_columns(number),
        "played_at_utc": format_moment(played_at),
        "played_date_utc": played_at.date().isoformat(),
        "last_updated_datetime_utc": format_moment(played_at + datetime.timedelta(minutes=10)),
    }


@functools.cache
def _track_columns(number: int) -> Play:
    """A track's columns, made by the pipeline itself out of an item; a million items would take it minutes."""
    plays, _ = parse_page(json.dumps({"items": [_item(END, number)]}).encode(), ACCOUNT, END)
    return plays[0]


if __name__ == "__main__":
    write_partitions(Path(sys.argv[1]), int(sys.argv[2]))

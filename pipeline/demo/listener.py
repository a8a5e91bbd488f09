"""A made-up listener: a catalogue of tracks and a history that behaves like a person's.

Everything follows from a seed. Artists, albums and titles are put together from word lists; none is anybody's.
"""

from __future__ import annotations

import datetime
import random
import string
from collections.abc import Iterator
from typing import Any

from pipeline.demo.person import SamplePlay

Json = dict[str, Any]
BASE62 = string.digits + string.ascii_letters
FIRST = (
    "Velvet Paper Copper Northern Slow Electric Hollow Golden Silent Amber Second Distant Plastic Winter Salt".split()
)
SECOND = (
    "Harbour Lantern Foxes Avenue Satellites Garden Machine Sisters Orchard Signal Tides Parade Mirrors Kites".split()
)
VERBS = "Waiting Falling Dancing Driving Dreaming Leaving Burning Counting Drifting Calling Running Sleeping".split()
PLACES = "for Monday,on Glass,in the Rain,without You,at Midnight,through Static,by the Sea,to Lisbon".split(",")
OTHER_SCRIPTS = ("夜のあと", "바다의 노래", "Ночной трамвай", "Où va l'été ?", "شارع الضوء")


def make_catalogue(seed: int, artists: int = 60) -> list[Json]:
    """Tracks as the Web API describes them, in the form a development-mode application gets since 2026."""
    chance = random.Random(seed)
    names = [f"{first} {second}" for first in FIRST for second in SECOND]
    people = [_described(chance, "artist", name) for name in chance.sample(names, artists)]
    titles = [f"{verb} {place}" for verb in VERBS for place in PLACES]
    tracks: list[Json] = []
    for person in people:
        for _ in range(chance.randint(1, 3)):
            album = {
                **_described(chance, "album", chance.choice([*titles, *OTHER_SCRIPTS])),
                "album_type": chance.choice(["album", "album", "single"]),
                "artists": [person],
                "images": [],
                "release_date": f"{chance.randint(1975, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                "release_date_precision": "day",
                "total_tracks": 8,
            }
            for number in range(1, chance.randint(3, 9)):
                guests = chance.sample(people, 1) if chance.random() < 0.2 else []
                tracks.append(
                    {
                        **_described(chance, "track", chance.choice([*titles, *OTHER_SCRIPTS])),
                        "album": album,
                        "artists": [person, *(guest for guest in guests if guest is not person)],
                        "disc_number": 1,
                        "duration_ms": int(min(max(chance.gauss(215_000, 50_000), 45_000), 900_000)),
                        "explicit": chance.random() < 0.1,
                        "external_ids": {"isrc": f"QZ{chance.randint(10**9, 10**10 - 1)}"},
                        "is_local": False,
                        "track_number": number,
                    }
                )
    return tracks


def listen(
    seed: int, begin: datetime.datetime, end: datetime.datetime, catalogue: list[Json] | None = None
) -> Iterator[SamplePlay]:
    """The plays between two moments (UTC), oldest first: sittings in the day, favourites, loops, skips, and what the
    Web API makes of them: a play told twice or in two parts, and a phone that was offline for a while."""
    chance = random.Random(seed)
    tracks = catalogue or make_catalogue(seed)
    favourites = chance.sample(tracks, 40)
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        for hour, likely in ((5, 0.5), (7, 0.3), (15, 0.6), (18, 0.7), (21, 0.6)):
            if chance.random() < likely:
                start = day + datetime.timedelta(hours=hour, seconds=chance.uniform(0, 5400))
                sitting = _sitting(chance, tracks, favourites, start)
                offline_until = max((played for played, _ in sitting), default=start) + datetime.timedelta(hours=2)
                offline = chance.random() < 0.08
                for played_at, track in sitting:
                    if begin <= played_at < end:
                        delay = datetime.timedelta(seconds=chance.uniform(5, 240))
                        yield make_play(track, played_at, offline_until if offline else played_at + delay)
        day += datetime.timedelta(days=1)


def make_play(track: Json, played_at: datetime.datetime, visible_at: datetime.datetime | None = None) -> SamplePlay:
    """`played_at`: end of the play, UTC; `visible_at`: when Spotify shows it, at once by default."""
    stamp = played_at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return SamplePlay({"track": track, "played_at": stamp, "context": None}, visible_at or played_at)


def _sitting(
    chance: random.Random, tracks: list[Json], favourites: list[Json], start: datetime.datetime
) -> list[tuple[datetime.datetime, Json]]:
    plays: list[tuple[datetime.datetime, Json]] = []
    now = start
    for _ in range(chance.randint(3, 14)):
        track = chance.choice(favourites if chance.random() < 0.6 else tracks)
        length = datetime.timedelta(milliseconds=track["duration_ms"])
        habit = chance.random()
        if habit < 0.12:  # skipped
            steps = [length * chance.uniform(0.05, 0.6)]
        elif habit < 0.16:  # on repeat
            steps = [length] * 3
        elif habit < 0.18:  # returned in two parts
            steps = [length * 0.2, length * 0.8]
        elif habit < 0.20:  # returned twice
            steps = [length * 0.97, datetime.timedelta(seconds=1.7)]
        else:
            steps = [length]
        for step in steps:
            now += step
            plays.append((now, track))
        now += datetime.timedelta(seconds=chance.choice([0, 0, 0, 0.4, 30]))
    return plays


def _described(chance: random.Random, kind: str, name: str) -> Json:
    identifier = "".join(chance.choices(BASE62, k=22))
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identifier}"},
        "href": f"https://api.spotify.com/v1/{kind}s/{identifier}",
        "id": identifier,
        "name": name,
        "type": kind,
        "uri": f"spotify:{kind}:{identifier}",
    }

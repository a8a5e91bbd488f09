"""What the listener can play: tracks, podcasts, audiobooks, local files. All names are put together from word lists."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote_plus

from pipeline.demo.listener import FIRST, OTHER_SCRIPTS, PLACES, SECOND, VERBS

Kind = Literal["track", "removed", "local", "episode", "chapter"]
BASE62 = string.digits + string.ascii_letters
VARIOUS = "Various Artists"
# What breaks careless CSV, SQL, JSON and terminals.
AWKWARD = (
    'He Said "Stay", Then Left',
    "Comma, Comma, Comma",
    "Line One\nLine Two",
    "It's Nobody's; -- Really",
    "Neon 🌃 Drive 👩‍🚀",
    "Back\\slash\tand Tab",
    "=SUM(Of Us)",
    "100% {Sure} $1",
    " Spaces Around ",
    "Cafe\u0301 / Caf\u00e9",
    "<b>Bold</b> & Brave",
    "null",
    *OTHER_SCRIPTS,
    "שיר של גשם",
    "ต้นไม้ในสายฝน",
)


@dataclass(frozen=True, slots=True)
class Artist:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Title:
    """Something that can be played.

    `uri`: of the track, episode or chapter. Of a track, `album_artist` is what the export names (for a compilation
    it is none of `artists`). Of an episode, `album` is its show; of a chapter, the audiobook, whose URI is
    `album_uri`. A title of kind "removed" is a track that has left the catalogue: Spotify's export names nothing of it.
    `video`: the export has it in files of their own.
    """

    kind: Kind
    uri: str
    name: str
    artists: tuple[Artist, ...]
    album: str
    album_uri: str
    album_artist: str
    isrc: str
    duration_ms: int
    video: bool = False

    @property
    def id(self) -> str:
        return self.uri.rsplit(":", 1)[1]

    @property
    def exported_uri(self) -> str:
        """By what the export tells the title apart from others; empty for a removed track."""
        return "" if self.kind == "removed" else self.uri


@dataclass(frozen=True)
class Catalogue:
    """`tracks`: the popular ones first. `shorts`: of a few seconds. `books`: chapters, by audiobook."""

    tracks: tuple[Title, ...]
    shorts: tuple[Title, ...]
    removed: tuple[Title, ...]
    locals: tuple[Title, ...]
    episodes: tuple[Title, ...]
    books: tuple[tuple[Title, ...], ...]


def make_catalogue(seed: int, artists: int = 180) -> Catalogue:
    """About 20 tracks an artist (196 artists at most). No artist has two tracks of one name."""
    chance = random.Random(f"catalogue {seed}")
    names = [f"{first} {second}" for first in FIRST for second in SECOND]
    people = [Artist(_identifier(chance), name) for name in chance.sample(names, artists)]
    titles = [f"{verb} {place}" for verb in VERBS for place in PLACES]
    tracks = [track for person in people for track in _tracks(chance, person, people, titles)]
    chance.shuffle(tracks)
    return Catalogue(
        tuple(tracks),
        tuple(_track(chance, people[n], f"Interlude {n}", chance.randint(4_000, 14_000)) for n in range(8)),
        tuple(_track(chance, chance.choice(people), f"Gone {n}", _length(chance), "removed") for n in range(30)),
        tuple(_local(chance, chance.choice(people), name) for name in chance.sample(titles, 20)),
        tuple(_episode(chance, show, n) for show in ("The Salt Hour", "Numbers & Nerves 🎙") for n in range(150)),
        tuple(_book(chance, name) for name in ("The Lantern Keeper", "A History of Tides, Vol. 2")),
    )


def _tracks(chance: random.Random, person: Artist, people: list[Artist], titles: list[str]) -> list[Title]:
    """The tracks of one artist, by album; a few are found on a compilation."""
    names = chance.sample(titles, chance.randint(12, 24)) + chance.sample(AWKWARD, 2)
    chance.shuffle(names)
    tracks = []
    album, album_uri, album_artist = "", "", person.name
    for number, name in enumerate(names):
        if number % 7 == 0:
            various = chance.random() < 0.05
            album_artist = VARIOUS if various else person.name
            album, album_uri = f"Sounds of {chance.choice(SECOND)}" if various else name, _uri(chance, "album")
        guest = chance.choice(people)
        credited = (person, guest) if chance.random() < 0.2 and guest is not person else (person,)
        video = chance.random() < 0.005
        isrc, length = f"QZ{chance.randrange(10**10):010}", _length(chance)
        uri = _uri(chance, "track")
        tracks.append(Title("track", uri, name, credited, album, album_uri, album_artist, isrc, length, video))
    return tracks


def _track(chance: random.Random, person: Artist, name: str, duration_ms: int, kind: Kind = "track") -> Title:
    isrc = f"QY{chance.randrange(10**10):010}"
    uri, album_uri = _uri(chance, "track"), _uri(chance, "album")
    return Title(kind, uri, name, (person,), name, album_uri, person.name, isrc, duration_ms)


def _local(chance: random.Random, person: Artist, name: str) -> Title:
    duration_ms = _length(chance)
    words = ":".join(quote_plus(word) for word in (person.name, "Tapes", name))
    uri = f"spotify:local:{words}:{duration_ms // 1000}"
    return Title("local", uri, name, (Artist("", person.name),), "Tapes", "", person.name, "", duration_ms)


def _episode(chance: random.Random, show: str, number: int) -> Title:
    duration_ms = chance.choice([chance.randint(120_000, 400_000), chance.randint(1_200_000, 4_200_000)])
    name = f"№ {number}: {chance.choice(VERBS)}, {chance.choice(PLACES)}"
    video = chance.random() < 0.1
    return Title("episode", _uri(chance, "episode"), name, (), show, "", "", "", duration_ms, video)


def _book(chance: random.Random, name: str) -> tuple[Title, ...]:
    book = _uri(chance, "show")
    return tuple(
        Title(
            "chapter",
            _uri(chance, "episode"),
            f"Chapter {number}",
            (),
            name,
            book,
            "",
            "",
            chance.randint(600_000, 2_400_000),
        )
        for number in range(1, 25)
    )


def _length(chance: random.Random) -> int:
    """Of a track, in ms."""
    return int(min(max(chance.gauss(215_000, 50_000), 45_000), 900_000))


def _uri(chance: random.Random, kind: str) -> str:
    return f"spotify:{kind}:{_identifier(chance)}"


def _identifier(chance: random.Random) -> str:
    return "".join(chance.choices(BASE62, k=22))

"""A sample MusicBrainz on the loopback interface: what its web service promises, errors included.

    GET /ws/2/url?resource=…        the artists whose page at Spotify the address is
    GET /ws/2/isrc/{isrc}           recordings and who is credited on them
    GET /ws/2/artist?query=…        a search by name; 100 for an equal name, less for one that contains it
    GET /ws/2/artist/{mbid}         one artist with genres and their votes

Source of the format: musicbrainz.org/doc/MusicBrainz_API; the tests of its server.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.demo.loopback import Answer, LoopbackServer

# A little less than the second that is promised: requests sent a second apart may arrive closer.
STRICT_SECONDS = 0.95
SPOTIFY_ARTIST = "https://open.spotify.com/artist/"
AGENT_WITH_NAME = re.compile(r"(?!python-)[^\s/]+/\S+")
GENRES = (
    "rock,pop,jazz,electronic,ambient,folk,indie rock,indie pop,hip hop,soul,funk,blues,country,classical,metal,punk,"
    "reggae,house,techno,drum and bass,trip hop,shoegaze,dream pop,post-rock,singer-songwriter"
).split(",")
Json = dict[str, Any]


@dataclass(frozen=True)
class SampleArtist:
    """`genres`: votes by name. `spotify_ids`, `isrcs`: by what else than the name MusicBrainz knows the artist."""

    mbid: str
    name: str
    genres: dict[str, int]
    spotify_ids: tuple[str, ...] = ()
    isrcs: tuple[str, ...] = ()

    def described(self) -> Json:
        return {"id": self.mbid, "name": self.name, "sort-name": self.name, "disambiguation": ""}


def make_artists(catalogue_tracks: list[Json], seed: int) -> list[SampleArtist]:
    """What MusicBrainz knows of the artists of a made-up catalogue: 70 % by their page at Spotify, 10 % by a recording
    only, 5 % by name only, the others not at all."""
    chance = random.Random(seed)
    names: dict[str, str] = {}
    isrcs: dict[str, list[str]] = {}
    for track in catalogue_tracks:
        for person in track["artists"]:
            names[person["id"]] = person["name"]
            isrcs.setdefault(person["id"], []).append(track["external_ids"]["isrc"])
    shuffled = chance.sample(sorted(names), len(names))
    artists = []
    for place, spotify_id in enumerate(shuffled):
        share = place / len(shuffled)
        if share < 0.85:
            artists.append(
                SampleArtist(
                    mbid=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                    name=names[spotify_id],
                    genres={genre: chance.randint(1, 12) for genre in chance.sample(GENRES, chance.randint(0, 4))},
                    spotify_ids=(spotify_id,) if share < 0.7 else (),
                    isrcs=tuple(isrcs[spotify_id]) if share < 0.8 else (),
                )
            )
    return artists


class SampleMusicBrainz(LoopbackServer):
    """`with SampleMusicBrainz(artists) as musicbrainz:` serves until the block ends.

    `delay`: seconds before each answer. `strict_rate`: 503 to requests that come within a second.
    """

    def __init__(self, artists: Iterable[SampleArtist] = (), delay: float = 0.0, strict_rate: bool = False) -> None:
        super().__init__()
        self.artists = list(artists)
        self.delay = delay
        self.strict_rate = strict_rate
        self.user_agents: list[str] = []
        self._last_call = -math.inf

    @property
    def url(self) -> str:
        return f"{self.origin}/ws/2"

    def environment(self) -> dict[str, str]:
        """What points the pipeline at this server."""
        return {"MUSICBRAINZ_URL": self.url, "MUSICBRAINZ_SECONDS_BETWEEN": "0"}

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        self.user_agents.append(headers.get("User-Agent", ""))
        time.sleep(self.delay)  # not in `respond`: there the others would wait, too
        return super().answer(method, target, headers, body)

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        if not AGENT_WITH_NAME.match(headers.get("User-Agent", "")):
            return _error(400, "Please name your application in the User-Agent.")
        since, self._last_call = time.monotonic() - self._last_call, time.monotonic()
        if self.strict_rate and since < STRICT_SECONDS:
            return _error(503, "Your requests are exceeding the allowable rate limit.")
        path = urlsplit(target).path.removeprefix("/ws/2")
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        if query.get("fmt") != "json":
            return Answer("", 200, b'<?xml version="1.0"?><metadata/>', {"Content-Type": "application/xml"})
        if path == "/url":
            return self._url(query.get("resource", ""))
        if path == "/artist":
            return self._search(query.get("query", ""), int(query.get("limit", "25")))
        if path.startswith("/isrc/"):
            return self._isrc(unquote(path.removeprefix("/isrc/")))
        return self._artist(unquote(path.removeprefix("/artist/")))

    def _url(self, resource: str) -> Answer:
        spotify_id = resource.removeprefix(SPOTIFY_ARTIST)
        relations = [
            {"type": "free streaming", "target-type": "artist", "direction": "backward", "artist": artist.described()}
            for artist in self.artists
            if spotify_id in artist.spotify_ids
        ]
        if not relations:
            return _error(404, "Not Found")
        return _json(
            {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, resource)), "resource": resource, "relations": relations}
        )

    def _isrc(self, isrc: str) -> Answer:
        if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", isrc):
            return _error(400, "Invalid isrc.")
        credited = [artist for artist in self.artists if isrc in artist.isrcs]
        if not credited:
            return _error(404, "Not Found")
        credit = [{"name": artist.name, "joinphrase": "", "artist": artist.described()} for artist in credited]
        recording = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, isrc)), "title": "A recording", "artist-credit": credit}
        return _json({"isrc": isrc, "recordings": [recording]})

    def _search(self, query: str, limit: int) -> Answer:
        phrase = re.fullmatch(r'artist:"((?:[^"\\]|\\.)+)"', query)
        if not phrase:
            return _error(400, "Search: the query could not be parsed.")
        wanted = re.sub(r"\\(.)", r"\1", phrase[1]).casefold()
        found = [
            {**artist.described(), "score": 100 * len(wanted) // len(artist.name.casefold())}
            for artist in self.artists
            if wanted in artist.name.casefold()
        ]
        found.sort(key=lambda artist: -artist["score"])
        return _json({"count": len(found), "offset": 0, "artists": found[:limit]})

    def _artist(self, mbid: str) -> Answer:
        artist = next((artist for artist in self.artists if artist.mbid == mbid), None)
        if artist is None:
            return _error(404, "Not Found")
        genres = [{"name": name, "count": count, "disambiguation": ""} for name, count in sorted(artist.genres.items())]
        return _json({**artist.described(), "genres": genres})


def _json(body: Json) -> Answer:
    return Answer("", 200, json.dumps(body).encode())


def _error(status: int, message: str) -> Answer:
    help = "For usage, please see: https://musicbrainz.org/development/mmd"
    return Answer("", status, json.dumps({"error": message, "help": help}).encode())

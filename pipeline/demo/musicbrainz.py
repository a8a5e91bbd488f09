"""A sample MusicBrainz on the loopback interface: what its web service promises, errors included.

    GET /ws/2/url?resource=…        the artists whose page at Spotify the address is; by its MBID, too
    GET /ws/2/isrc/{isrc}           recordings and who is credited on them
    GET /ws/2/artist?query=…        a search by name; 100 for an equal name, less for one that contains it
    GET /ws/2/artist/{mbid}         one artist; with inc=genres, genres and their votes

Relations, credits, genres and tags are returned only if `inc` names them. A request that MusicBrainz would refuse
because of its form is refused and listed in `malformed`; see musicbrainz_requests.py.
Source of the format: musicbrainz.org/doc/MusicBrainz_API; the tests of its server.
"""

from __future__ import annotations

import json
import math
import random
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.musicbrainz_requests import NAMES, BadRequest, Request, Term, read_request, read_search
from pipeline.demo.musicbrainz_xml import as_xml

# A little less than the second that is promised: requests sent a second apart may arrive closer.
STRICT_SECONDS = 0.95
SPOTIFY_ARTIST = "https://open.spotify.com/artist/"
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

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        path = urlsplit(target).path
        try:
            request = read_request(method, target, headers)
        except BadRequest as bad:
            self.malformed.append(f"{method} {path}: 400 {bad}")
            return _formatted(_error(400, str(bad)), target)
        self.malformed += [f"{method} {path}: MusicBrainz ignores the parameter {name}" for name in request.ignored]
        return None

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        since, self._last_call = time.monotonic() - self._last_call, time.monotonic()
        if self.strict_rate and since < STRICT_SECONDS:
            return _formatted(_error(503, "Your requests are exceeding the allowable rate limit."), target)
        request = read_request(method, target, headers)
        answer = {"url": self._url, "isrc": self._isrc, "artist": self._artist}[request.resource](request)
        return _formatted(answer, target)

    def _url(self, request: Request) -> Answer:
        known = {f"{SPOTIFY_ARTIST}{each}" for artist in self.artists for each in artist.spotify_ids}
        ids = {str(uuid.uuid5(uuid.NAMESPACE_URL, address)): address for address in known}
        resource = ids.get(request.key.lower(), "") if request.key else request.query["resource"]
        if resource not in known:
            return _error(404, "Not Found")
        found: Json = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, resource)), "resource": resource}
        if "artist-rels" in request.includes:
            found["relations"] = [
                {
                    "type": "free streaming",
                    "target-type": "artist",
                    "direction": "backward",
                    "artist": artist.described(),
                }
                for artist in self.artists
                if resource.removeprefix(SPOTIFY_ARTIST) in artist.spotify_ids
            ]
        return _json(found)

    def _isrc(self, request: Request) -> Answer:
        isrc = request.key
        credited = [artist for artist in self.artists if isrc in artist.isrcs]
        if not credited:
            return _error(404, "Not Found")
        recording: Json = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, isrc)), "title": "A recording"}
        if request.includes & {"artists", "artist-credits"}:
            recording["artist-credit"] = [
                {"name": artist.name, "joinphrase": "", "artist": artist.described()} for artist in credited
            ]
        return _json({"isrc": isrc, "recordings": [recording]})

    def _artist(self, request: Request) -> Answer:
        if not request.key:
            return self._search(request)
        artist = next((artist for artist in self.artists if artist.mbid == request.key.lower()), None)
        if artist is None:
            return _error(404, "Not Found")
        votes = [{"name": name, "count": count} for name, count in sorted(artist.genres.items())]
        found = artist.described()
        if "genres" in request.includes:
            found["genres"] = [{**vote, "disambiguation": ""} for vote in votes]
        if "tags" in request.includes:
            found["tags"] = votes
        return _json(found)

    def _search(self, request: Request) -> Answer:
        terms = read_search(request.query["query"])
        scored = [(_score(terms, artist), artist) for artist in self.artists]
        found = [{**artist.described(), "score": score} for score, artist in scored if score]
        found.sort(key=lambda artist: -artist["score"])
        shown = found[request.offset : request.offset + request.limit]
        return _json({"count": len(found), "offset": request.offset, "artists": shown})


def _score(terms: list[Term], artist: SampleArtist) -> int:
    """0 to 100: the share of the name in the terms, all of which must match. A phrase is part of the name, words are
    some of its words."""
    name = artist.name.casefold()
    for term in terms:
        if term.field == "arid":
            is_found = term.words == artist.mbid
        else:
            is_found = term.words in name if term.is_phrase else set(term.words.split()) <= set(name.split())
        if not is_found or term.field not in (*NAMES, "arid"):
            return 0
    named = " ".join(term.words for term in terms if term.field != "arid")
    return min(100, 100 * len(named) // len(name)) if named else 100


def _json(body: Json) -> Answer:
    return Answer("", 200, json.dumps(body).encode())


def _error(status: int, message: str) -> Answer:
    help = "For usage, please see: https://musicbrainz.org/development/mmd"
    return Answer("", status, json.dumps({"error": message, "help": help}).encode())


def _formatted(answer: Answer, target: str) -> Answer:
    """As the request wants it: XML, or JSON with fmt=json."""
    if parse_qs(urlsplit(target).query).get("fmt") == ["json"]:
        return answer
    content = {"Content-Type": "application/xml; charset=utf-8"}
    return Answer("", answer.status, as_xml(json.loads(answer.body)), content)

"""A client of the MusicBrainz web service, version 2, in JSON. Knows HTTP, nothing of rows or of Luigi.

MusicBrainzError
├── MusicBrainzUnavailable   no answer, a time-out, 429 or 5xx, even after one more try
└── MusicBrainzUnexpected    an answer that is not what the web service documents

Every message says what happens next. Source of the format: musicbrainz.org/doc/MusicBrainz_API and its page
Rate_Limiting: one request a second at most, with a User-Agent that names the application and a contact.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import math
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from pipeline import config
from pipeline.exchange import bound_session

PUBLIC_HOST = "musicbrainz.org"
SHORT_WAIT = 1.0  # seconds before the one more try, where the server names no other
LONGEST_WAIT = 5.0  # seconds of Retry-After that are waited for in place
LONGEST_NAME = 300  # characters; a longer one makes no address that a server would take
SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{1,64}")
# As MusicBrainz checks it: anything else is answered with 400.
ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LUCENE_SPECIAL = re.compile(r'([-+&|!(){}\[\]^"~*?:\\/])')
AGAIN = "The artist counts as not asked yet, and a later slot asks again; no play is lost"


class MusicBrainzError(Exception):
    """MusicBrainz did not give what was asked for."""

    is_foreign = True  # pipeline/causes.py


class MusicBrainzUnavailable(MusicBrainzError):
    """No usable answer even after one more try."""


class MusicBrainzUnexpected(MusicBrainzError):
    """HTML, no JSON, another shape or another status than documented."""


@dataclass(frozen=True)
class Match:
    """An artist of MusicBrainz that may be the one looked for. `score`: 0 to 100; 100 where it was no search."""

    mbid: str
    name: str
    score: int = 100


class MusicBrainz:
    """`url`: up to and with /ws/2. `seconds_between`: at least so many from the start of one request to the next."""

    def __init__(self, url: str, contact: str, seconds_between: float, timeout: float) -> None:
        self.url = url.rstrip("/")
        self.contact = contact
        host = (urlsplit(url).hostname or "").rstrip(".")
        is_public = host == PUBLIC_HOST or host.endswith(f".{PUBLIC_HOST}")
        # Everybody's server blocks who is faster than this; a mirror of one's own may be asked as one likes.
        self.seconds_between = max(1.0, seconds_between) if is_public else seconds_between
        self.timeout = timeout
        self.requests = 0
        self._last_start = -math.inf

    @functools.cached_property
    def session(self) -> requests.Session:
        session = requests.Session()
        bound_session(session)
        agent = f"listening-history-pipeline/{importlib.metadata.version('listening-history-pipeline')}"
        contact = " ".join(self.contact.encode("ascii", "replace").decode().split())  # what a header can hold
        session.headers["User-Agent"] = f"{agent} ( {contact} )" if contact else agent
        return session

    def artist_by_url(self, spotify_artist_id: str) -> list[Match]:
        """The artists whose page at Spotify this is: `{"relations": [{"artist": {"id", "name"}, …}]}`."""
        if not SPOTIFY_ID.fullmatch(spotify_artist_id):
            return []
        resource = f"https://open.spotify.com/artist/{spotify_artist_id}"
        body = self._get("/url", {"resource": resource, "inc": "artist-rels"})
        found = [_match(relation["artist"]) for relation in _objects(body, "relations") if "artist" in relation]
        return list(dict.fromkeys(found))  # "streaming" and "free streaming" are two relations to one artist

    def artists_by_isrc(self, isrc: str) -> list[Match]:
        """Who is credited on the recordings, `{"recordings": [{"artist-credit": [{"name", "artist": {…}}]}]}`:
        under their own name, and once more where a recording credits them under another."""
        if not ISRC.fullmatch(isrc):
            return []
        body = self._get(f"/isrc/{quote(isrc, safe='')}", {"inc": "artist-credits"})
        matches: dict[Match, None] = {}
        for recording in _objects(body, "recordings"):
            for credit in _objects(recording, "artist-credit"):
                match = _match(credit.get("artist"))
                matches[match] = None
                if isinstance(name := credit.get("name"), str):
                    matches[Match(match.mbid, name)] = None
        return list(matches)

    def search_artist(self, name: str) -> list[Match]:
        """The five best by name, `{"artists": [{"id", "name", "score"}]}`; names alone are ambiguous."""
        words = " ".join(name.encode("utf-8", "replace").decode().split())
        if not words or len(words) > LONGEST_NAME:
            return []
        escaped = LUCENE_SPECIAL.sub(r"\\\1", words)
        body = self._get("/artist", {"query": f'artist:"{escaped}"', "limit": "5"})
        return [_match(artist, artist.get("score")) for artist in _objects(body, "artists")]

    def genres(self, mbid: str) -> list[tuple[str, int]]:
        """Name and votes, as they come: `{"genres": [{"name", "count"}]}`."""
        body = self._get(f"/artist/{quote(_mbid(mbid), safe='')}", {"inc": "genres"})
        found = []
        for genre in _objects(body, "genres"):
            name, count = genre.get("name"), genre.get("count")
            if not isinstance(name, str) or type(count) is not int:
                raise MusicBrainzUnexpected(f"a genre of {mbid} at MusicBrainz lacks its name or its count. {AGAIN}")
            found.append((name, count))
        return found

    def _get(self, path: str, params: dict[str, str]) -> dict[str, Any] | None:
        """The answer's object; None for 404, which is how MusicBrainz says that it does not know."""
        response = self._ask(path, {**params, "fmt": "json"})
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            body = None
        # MusicBrainz's own 404 is JSON too; a web server's, at a wrong address, must not pass for "unknown".
        if response.status_code not in (200, 404) or not isinstance(body, dict):
            raise MusicBrainzUnexpected(
                f"MusicBrainz answers {path} with status {response.status_code} and"
                f" {config.scrub(response.text)[:60]!r}, which is"
                f" not as documented. Check MUSICBRAINZ_URL, and whether a proxy answers in its place. {AGAIN}"
            )
        return body if response.status_code == 200 else None

    def _ask(self, path: str, params: dict[str, str]) -> requests.Response:
        for tries_left in (1, 0):
            wait = SHORT_WAIT
            try:
                response = self._send(path, params)
                if response.status_code != 429 and response.status_code < 500:
                    return response
                problem, wait = f"status {response.status_code}", _retry_after(response)
            except requests.exceptions.RequestException as error:
                problem = type(error).__name__
            if not tries_left or wait > LONGEST_WAIT:
                break
            time.sleep(wait)
        raise MusicBrainzUnavailable(
            f"MusicBrainz does not answer now ({problem}). {AGAIN}. Check the network and MUSICBRAINZ_URL"
        )

    def _send(self, path: str, params: dict[str, str]) -> requests.Response:
        time.sleep(max(0.0, self._last_start + self.seconds_between - time.monotonic()))
        self._last_start = time.monotonic()
        self.requests += 1
        # Not redirected: the second request of a redirection would not be spaced.
        return self.session.get(self.url + path, params=params, timeout=self.timeout, allow_redirects=False)


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,9}", value) else SHORT_WAIT


def _objects(body: dict[str, Any] | None, key: str) -> list[dict[str, Any]]:
    items = [] if body is None else body.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise MusicBrainzUnexpected(f"an answer of MusicBrainz has no list of {key}. {AGAIN}")
    return items


def _match(artist: Any, score: Any = 100) -> Match:
    if not isinstance(artist, dict) or not isinstance(artist.get("name"), str) or type(score) is not int:
        raise MusicBrainzUnexpected(f"an artist in an answer of MusicBrainz has no name, or no score. {AGAIN}")
    return Match(_mbid(artist.get("id")), artist["name"], score)


def _mbid(value: Any) -> str:
    if not isinstance(value, str) or not MBID.fullmatch(value.lower()):
        raise MusicBrainzUnexpected(f"{config.scrub(str(value))[:60]!r} is no identifier of MusicBrainz. {AGAIN}")
    return value.lower()

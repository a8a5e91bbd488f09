"""A sample Spotify on the loopback interface: what the Web API and the accounts host promise, errors included.

    GET  /authorize, POST /api/token     consent and tokens: pipeline/demo/accounts.py
    GET  /v1/me                          who it is
    GET  /v1/me/player/recently-played   the last 50 plays that Spotify knows of at its present moment
    GET  /v1/me/tracks                   saved tracks, by limit and offset
    GET  /v1/artists/{id}                one artist; genres null, as new applications get them, or a list

The server's moment (`now`) is set by whoever drives it, so that a day passes in seconds.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.person import WINDOW, Person, SamplePlay

Json = dict[str, Any]


def error(path: str, status: int, message: str, headers: dict[str, str] | None = None, **more: str) -> Answer:
    """An error in the Web API's form: `{"error": {"status": …, "message": …}}`."""
    body = json.dumps({"error": {"status": status, "message": message, **more}}).encode()
    return Answer(path, status, body, headers or {})


class SampleSpotify(LoopbackServer):
    """`with SampleSpotify(plays) as spotify:` serves one person, `spotify.me`; more are let in by `add_person`.

    `quota`: calls of the Web API within 24 hours, after which it answers QUOTA_EXCEEDED. `genres`: those of an artist,
    by id; an artist that is not in it has null. `browser`: whose consent /authorize brings.
    """

    def __init__(
        self,
        plays: Iterable[SamplePlay] = (),
        now: datetime.datetime | None = None,
        client_id: str = "sample-client",
        client_secret: str | None = "sample-secret",
        rotate: bool = False,
        token_seconds: int = 3600,
        quota: int | None = None,
    ) -> None:
        super().__init__()
        self.now = now or datetime.datetime.now(datetime.UTC)
        self.accounts = SampleAccounts(client_id, client_secret, rotate, token_seconds)
        self.me = self.browser = Person("sample", list(plays))
        self.first_token = self.accounts.consent(self.me, self.now, pkce=client_secret is None)
        self.page: bytes | None = None
        self.genres: dict[str, list[str]] = {}
        self.quota = quota
        self._called: list[datetime.datetime] = []

    @property
    def url(self) -> str:
        return self.origin

    @property
    def refresh_token(self) -> str:
        """The one that is good now."""
        return next(token for token, consent in self.accounts.refresh_tokens.items() if consent.person is self.me)

    def add_person(self, person: Person) -> str:
        """Let somebody in; returns their refresh token."""
        return self.accounts.consent(person, self.now, pkce=self.accounts.client_secret is None)

    def environment(self) -> dict[str, str]:
        """What points the pipeline at this server."""
        return {
            "SPOTIFY_API_URL": f"{self.url}/v1",
            "SPOTIFY_ACCOUNTS_URL": self.url,
            "SPOTIFY_CLIENT_ID": self.accounts.client_id,
            "SPOTIFY_CLIENT_SECRET": self.accounts.client_secret or "",
            "SPOTIFY_REFRESH_TOKEN": self.first_token,
        }

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        if (method, path) == ("GET", "/authorize"):
            return self.accounts.authorize(target, self.browser)
        if (method, path) == ("POST", "/api/token"):
            return self.accounts.token(headers, body, self.now)
        person = self.accounts.person_of(headers.get("Authorization", ""), self.now)
        if person is None:
            return error(path, 401, "The access token expired")
        return self._over_quota(path) or self._web_api(path, target, person)

    def _over_quota(self, path: str) -> Answer | None:
        if self.quota is None:
            return None
        day = datetime.timedelta(days=1)
        self._called = [moment for moment in self._called if moment > self.now - day]
        if len(self._called) >= self.quota:
            wait = int((self._called[0] + day - self.now).total_seconds()) + 1
            return error(path, 429, "API quota exceeded", {"Retry-After": str(wait)}, reason="QUOTA_EXCEEDED")
        self._called.append(self.now)
        return None

    def _web_api(self, path: str, target: str, person: Person) -> Answer:
        if path == "/v1/me":
            return _json(person.profile())
        if path == "/v1/me/player/recently-played":
            if "user-read-recently-played" not in person.scopes:
                return error(path, 403, "Insufficient client scope")
            return Answer(path, 200, person.page or self.page or json.dumps(self._recently_played(person)).encode())
        if path == "/v1/me/tracks":
            if "user-library-read" not in person.scopes:
                return error(path, 403, "Insufficient client scope")
            return _json(self._saved_tracks(person, parse_qs(urlsplit(target).query)))
        if path.startswith("/v1/artists/"):
            artist = person.artist(path.removeprefix("/v1/artists/"))
            if artist is None:
                return error(path, 404, "Resource not found")
            return _json({**artist, "type": "artist", "genres": self.genres.get(artist["id"])})
        return error(path, 404, "Service not found")

    def _recently_played(self, person: Person) -> Json:
        """The page as of `now`: newest first, at most 50, cursors as strings of Unix milliseconds."""
        items = person.recently_played(self.now)
        page: Json = {"items": items, "next": None, "cursors": None, "limit": WINDOW}
        if items:
            newest, oldest = (_milliseconds(items[i]["played_at"]) for i in (0, -1))
            page["cursors"] = {"after": newest, "before": oldest}
            page["next"] = f"{self.url}/v1/me/player/recently-played?before={oldest}&limit={WINDOW}"
        return page

    def _saved_tracks(self, person: Person, query: dict[str, list[str]]) -> Json:
        limit, offset = (int(query.get(name, [default])[0]) for name, default in (("limit", "20"), ("offset", "0")))
        items, total = person.saved_tracks(offset, min(limit, 50))
        more = f"{self.url}/v1/me/tracks?offset={offset + limit}&limit={limit}" if offset + limit < total else None
        return {"items": items, "total": total, "limit": limit, "offset": offset, "next": more, "previous": None}


def _json(body: Json) -> Answer:
    return Answer("", 200, json.dumps(body).encode())


def _milliseconds(played_at: str) -> str:
    return str(int(datetime.datetime.fromisoformat(played_at).timestamp() * 1000))

"""A sample Spotify on the loopback interface: what the Web API and the accounts host promise, errors included.

    GET  /authorize, POST /api/token     consent and tokens: pipeline/demo/accounts.py
    GET  /v1/me                          who it is
    GET  /v1/me/player/recently-played   by limit, after and before, within the last 50 plays of its present moment
    GET  /v1/me/tracks                   saved tracks, by limit and offset
    GET  /v1/artists/{id}                one artist; genres null, as new applications get them, or a list

A request that Spotify would refuse because of its form is refused and listed in `malformed`; see spotify_requests.py.
The server's moment (`now`) is set by whoever drives it, so that a day passes in seconds.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.person import Person, SamplePlay
from pipeline.demo.spotify_requests import BadRequest, Request, read_request

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

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        path = urlsplit(target).path
        if path in ("/authorize", "/api/token"):
            refused, faults = self.accounts.refuse(method, target, headers, body)
        else:
            refused, faults = self._refuse_api(method, target, headers)
        self.malformed += [f"{method} {path}: {fault}" for fault in faults]
        return refused

    def _refuse_api(self, method: str, target: str, headers: Any) -> tuple[Answer | None, list[str]]:
        """The response to a malformed request, and its faults. A parameter that Spotify ignores is only a fault."""
        path, authorization = urlsplit(target).path, headers.get("Authorization")
        if authorization is None:
            return error(path, 401, "No token provided"), ["no token"]
        if not authorization.startswith("Bearer "):
            return error(path, 400, "Only valid bearer authentication supported"), ["no bearer token"]
        try:
            ignored = read_request(method, target).ignored
        except BadRequest as bad:
            return error(path, bad.status, bad.message), [f"{bad.status} {bad.message}"]
        return None, [f"Spotify ignores the parameter {name}" for name in ignored]

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        if path == "/authorize":
            return self.accounts.authorize(target, self.browser)
        if path == "/api/token":
            return self.accounts.token(headers, body, self.now)
        is_valid, person = self.accounts.bearer(headers["Authorization"], self.now)
        if not is_valid:
            return error(path, 401, "The access token expired")
        return self._over_quota(path) or self._web_api(read_request(method, target), person)

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

    def _web_api(self, request: Request, person: Person | None) -> Answer:
        """`person`: None for a token of the application itself (client_credentials)."""
        path = request.path
        if path.startswith("/v1/artists/"):
            artist = (person or self.me).artist(path.removeprefix("/v1/artists/"))
            if artist is None:
                return error(path, 404, "Resource not found")
            return _json({**artist, "type": "artist", "images": [], "genres": self.genres.get(artist["id"])})
        if person is None:
            return error(path, 401, "Valid user authentication required")
        if path == "/v1/me":
            return _json(person.profile())
        if path == "/v1/me/player/recently-played":
            if "user-read-recently-played" not in person.scopes:
                return error(path, 403, "Insufficient client scope")
            page = person.page or self.page or json.dumps(self._recently_played(person, request)).encode()
            return Answer(path, 200, page)
        if "user-library-read" not in person.scopes:
            return error(path, 403, "Insufficient client scope")
        return _json(self._saved_tracks(person, request))

    def _recently_played(self, person: Person, request: Request) -> Json:
        """A page as of `now`, newest first. Both cursors are exclusive, and strings of Unix milliseconds. `before`
        takes the newest plays before it, `after` the oldest after it; `next` goes on in the same direction."""
        limit, after, before = request.limit, request.query.get("after"), request.query.get("before")
        items = person.recently_played(self.now)
        if after is not None:
            items = [item for item in items if _milliseconds(item["played_at"]) > int(after)][-limit:]
        else:
            end = math.inf if before is None else int(before)
            items = [item for item in items if _milliseconds(item["played_at"]) < end][:limit]
        page: Json = {"href": self._link(request, {}), "items": items, "limit": limit, "next": None, "cursors": None}
        if items:
            newest, oldest = (str(_milliseconds(items[i]["played_at"])) for i in (0, -1))
            page["cursors"] = {"after": newest, "before": oldest}
            page["next"] = self._link(request, {"before": oldest} if after is None else {"after": newest})
        return page

    def _saved_tracks(self, person: Person, request: Request) -> Json:
        limit, offset = request.limit, int(request.query.get("offset", "0"))
        items, total = person.saved_tracks(offset, limit)

        def link(start: int) -> str:
            return self._link(request, {"offset": str(start), "limit": str(limit)})

        return {
            "href": link(offset),
            "items": items,
            "total": total,
            "limit": limit,
            "offset": offset,
            "next": link(offset + limit) if offset + limit < total else None,
            "previous": link(max(0, offset - limit)) if offset else None,
        }

    def _link(self, request: Request, changes: dict[str, str]) -> str:
        """The address of the request, with `changes` to its query."""
        query = urlencode(request.query | changes)
        return f"{self.url}{request.path}{'?' if query else ''}{query}"


def _json(body: Json) -> Answer:
    return Answer("", 200, json.dumps(body).encode())


def _milliseconds(played_at: str) -> int:
    """Whole milliseconds, without the error of a float."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (datetime.datetime.fromisoformat(played_at) - epoch) // datetime.timedelta(milliseconds=1)

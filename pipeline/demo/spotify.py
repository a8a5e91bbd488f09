"""A sample Spotify on the loopback interface: what the Web API and the accounts host promise, errors included.

    POST /api/token                          refresh_token grant, client secret or PKCE, rotation, expiry
    GET  /v1/me                              who it is
    GET  /v1/me/player/recently-played       the last 50 plays that Spotify knows of at its present moment
    GET  /v1/artists/{id}                    one artist; genres null, as new applications get them

The server's moment (`now`) is set by whoever drives it, so that a day passes in seconds.
"""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

WINDOW = 50
Json = dict[str, Any]


@dataclass(frozen=True)
class SamplePlay:
    """An item of recently-played, and the moment (UTC) from which Spotify shows it."""

    item: Json
    visible_at: datetime.datetime


@dataclass(frozen=True)
class Answer:
    """An answer given instead of the usual one to the next call whose path begins with `path`."""

    path: str
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def error(path: str, status: int, message: str, headers: dict[str, str] | None = None, **more: str) -> Answer:
    """An error in the Web API's form: `{"error": {"status": …, "message": …}}`."""
    body = json.dumps({"error": {"status": status, "message": message, **more}}).encode()
    return Answer(path, status, body, headers or {})


class SampleSpotify:
    """`with SampleSpotify(plays) as spotify:` serves until the block ends."""

    def __init__(
        self,
        plays: Iterable[SamplePlay] = (),
        now: datetime.datetime | None = None,
        client_id: str = "sample-client",
        client_secret: str | None = "sample-secret",
        rotate: bool = False,
        token_seconds: int = 3600,
    ) -> None:
        self.plays = list(plays)
        self.now = now or datetime.datetime.now(datetime.UTC)
        self.client_id, self.client_secret = client_id, client_secret
        self.rotate = rotate
        self.token_seconds = token_seconds
        self.refresh_token = secrets.token_urlsafe(24)
        self.access_tokens: set[str] = set()
        self.answers: list[Answer] = []
        self.page: bytes | None = None
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> SampleSpotify:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What points the pipeline at this server."""
        return {
            "SPOTIFY_API_URL": f"{self.url}/v1",
            "SPOTIFY_ACCOUNTS_URL": self.url,
            "SPOTIFY_CLIENT_ID": self.client_id,
            "SPOTIFY_CLIENT_SECRET": self.client_secret or "",
            "SPOTIFY_REFRESH_TOKEN": self.refresh_token,
        }

    def recently_played(self) -> Json:
        """The page as of `now`: newest first, at most 50, cursors as strings of Unix milliseconds."""
        seen = [play.item for play in self.plays if play.visible_at <= self.now]
        items = sorted(seen, key=lambda item: str(item["played_at"]), reverse=True)[:WINDOW]
        page: Json = {"items": items, "next": None, "cursors": None, "limit": WINDOW}
        if items:
            newest, oldest = (_milliseconds(items[i]["played_at"]) for i in (0, -1))
            page["cursors"] = {"after": newest, "before": oldest}
            page["next"] = f"{self.url}/v1/me/player/recently-played?before={oldest}&limit={WINDOW}"
        return page

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        with self._lock:
            self.calls.append(f"{method} {target}")
            for prepared in self.answers:
                if path.startswith(prepared.path):
                    self.answers.remove(prepared)
                    return prepared
            if (method, path) == ("POST", "/api/token"):
                return self._token(headers, {name: values[0] for name, values in parse_qs(body.decode()).items()})
            if headers.get("Authorization", "").removeprefix("Bearer ") not in self.access_tokens:
                return error(path, 401, "The access token expired")
            if path == "/v1/me/player/recently-played":
                return Answer(path, 200, self.page or json.dumps(self.recently_played()).encode())
            if path == "/v1/me":
                return Answer(path, 200, json.dumps({"id": "sample", "display_name": "Sample listener"}).encode())
            if path.startswith("/v1/artists/"):
                return self._artist(path)
            return error(path, 404, "Service not found")

    def _artist(self, path: str) -> Answer:
        wanted = path.removeprefix("/v1/artists/")
        credits = (credit for play in self.plays for credit in play.item["track"]["artists"])
        artist = next((credit for credit in credits if credit["id"] == wanted), None)
        if artist is None:
            return error(path, 404, "Resource not found")
        return Answer(path, 200, json.dumps({**artist, "type": "artist", "genres": None}).encode())

    def _token(self, headers: Any, form: dict[str, str]) -> Answer:
        if self.client_secret is not None:
            basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            known = headers.get("Authorization") == f"Basic {basic}"
        else:
            known = form.get("client_id") == self.client_id and "Authorization" not in headers
        if not known:
            return Answer("", 400, json.dumps({"error": "invalid_client"}).encode())
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
            dead = {"error": "invalid_grant", "error_description": "Refresh token revoked"}
            return Answer("", 400, json.dumps(dead).encode())
        token: Json = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
        }
        self.access_tokens.add(token["access_token"])
        if self.rotate:
            token["refresh_token"] = self.refresh_token = secrets.token_urlsafe(24)
        return Answer("", 200, json.dumps(token).encode())


def _milliseconds(played_at: str) -> str:
    return str(int(datetime.datetime.fromisoformat(played_at).timestamp() * 1000))


def _handler(spotify: SampleSpotify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = spotify.answer(self.command, self.path, self.headers, body)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler

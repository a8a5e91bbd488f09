"""The form of requests to the Spotify Web API: which of them Spotify refuses, with which error.

Source: Spotify Web API reference. Spotify ignores query parameters that it does not document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from pipeline.demo.person import WINDOW

# Path → names of the documented query parameters.
ENDPOINTS = {
    r"/v1/me": (),
    r"/v1/me/player/recently-played": ("limit", "after", "before"),
    r"/v1/me/tracks": ("limit", "offset", "market"),
    r"/v1/artists/[^/]+": (),
}
# Gone for applications in development mode since February 2026.
BATCHES = re.compile(r"/v1/(artists|tracks|albums)")
VALID: dict[str, Callable[[str], bool]] = {
    "limit": lambda value: value.isdecimal() and value.isascii() and 1 <= int(value) <= WINDOW,
    "offset": lambda value: value.isdecimal() and value.isascii(),
    "after": lambda value: value.isdecimal() and value.isascii(),
    "before": lambda value: value.isdecimal() and value.isascii(),
    "market": lambda value: re.fullmatch("[A-Z]{2}|from_token", value) is not None,
}
DEFAULT_LIMIT = 20


class BadRequest(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Request:
    """`path`: without the trailing slash, which Spotify accepts. `query`: documented parameters. `ignored`: others."""

    path: str
    query: dict[str, str]
    ignored: tuple[str, ...]

    @property
    def limit(self) -> int:
        return int(self.query.get("limit", DEFAULT_LIMIT))


def read_request(method: str, target: str) -> Request:
    """Raises BadRequest."""
    url = urlsplit(target)
    path = url.path.rstrip("/")
    given = dict(parse_qsl(url.query, keep_blank_values=True))
    if BATCHES.fullmatch(path):
        raise BadRequest(403, "Forbidden")
    known = next((names for pattern, names in ENDPOINTS.items() if re.fullmatch(pattern, path)), None)
    if known is None or method != "GET":
        raise BadRequest(404, "Service not found")
    query = {name: value for name, value in given.items() if name in known}
    for name, value in query.items():
        if not VALID[name](value):
            raise BadRequest(400, f"Invalid {name}")
    if {"after", "before"} <= query.keys():
        raise BadRequest(400, "Only one of the parameters after and before may be specified")
    if path.startswith("/v1/artists/") and not re.fullmatch("[A-Za-z0-9]+", path.removeprefix("/v1/artists/")):
        raise BadRequest(400, "Invalid base62 id")
    return Request(path, query, tuple(name for name in given if name not in known))

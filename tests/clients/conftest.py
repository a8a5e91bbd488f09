"""A sample Spotify with generated plays for each test file, and a guard against connections to other machines."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.demo.listener import listen, make_catalogue
from pipeline.demo.loopback import LoopbackServer
from pipeline.demo.spotify import SampleSpotify

SEED = 15
NOW = datetime.datetime(2026, 11, 22, 14, 30, tzinfo=datetime.UTC)
CALLBACK = "http://127.0.0.1:8888/callback"
SCOPE = "user-library-read user-read-recently-played"
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to another machine fails the test, and so does the resolution of a name."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a client connects to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="module")
def spotify() -> Iterator[SampleSpotify]:
    """120 or more plays, 45 saved tracks. The tracks have the fields that only older applications receive, too:
    clients of before 2026 require them."""
    catalogue = [{**track, "popularity": 40, "available_markets": ["DE"]} for track in make_catalogue(SEED)]
    plays = list(listen(SEED, NOW - datetime.timedelta(days=6), NOW, catalogue))
    assert len(plays) > 120
    with SampleSpotify(plays, now=NOW) as server:
        server.me.saved = [
            {"added_at": f"2026-10-{30 - n // 2:02}T{23 - n % 2:02}:00:00Z", "track": track}
            for n, track in enumerate(catalogue[:45])
        ]
        server.genres[catalogue[0]["artists"][0]["id"]] = ["dream pop", "shoegaze"]
        yield server


def window(spotify: SampleSpotify) -> list[Json]:
    """The items that Spotify may return: the last 50 plays that it shows by now, newest first."""
    shown = [play.item for play in spotify.me.plays if play.visible_at <= NOW]
    return sorted(shown, key=lambda item: str(item["played_at"]), reverse=True)[:50]


def milliseconds(item: Json) -> int:
    return round(datetime.datetime.fromisoformat(item["played_at"]).timestamp() * 1000)


def malformed(server: LoopbackServer) -> list[str]:
    """The malformed requests since the last call, without which the server ends in an error."""
    found = list(server.malformed)
    server.malformed.clear()
    return found

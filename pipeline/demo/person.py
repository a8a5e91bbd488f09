"""Somebody who has given consent to the sample Spotify, and what Spotify knows of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

WINDOW = 50
SCOPES = ("user-read-recently-played", "user-library-read")
Json = dict[str, Any]


@dataclass(frozen=True)
class SamplePlay:
    """An item of recently-played, and the moment (UTC) from which Spotify shows it.

    `kind`: "track"; "episode", which takes a place in the window but is never returned; or "private", of which the Web
    API never hears.
    """

    item: Json
    visible_at: datetime.datetime
    kind: str = "track"

    @property
    def played_at(self) -> str:
        return str(self.item["played_at"])


@dataclass
class Person:
    """`saved`: the items of /me/tracks, newest first. `page`: given instead of the plays, whatever they are.
    `stalls`: times (begin, end) in which nothing new was shown, until they ended. `user_id`: the `id` of GET /me, if it
    is another than `account_id`. `shown_ids`: which of both GET /me returns."""

    account_id: str
    plays: list[SamplePlay] = field(default_factory=list)
    saved: list[Json] = field(default_factory=list)
    page: bytes | None = None
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    stalls: list[tuple[datetime.datetime, datetime.datetime]] = field(default_factory=list)

    user_id: str = ""
    shown_ids: tuple[str, ...] = ("account_id", "id")

    def profile(self) -> Json:
        ids = {"account_id": self.account_id, "id": self.user_id or self.account_id}
        shown = {name: ids[name] for name in self.shown_ids}
        user_id = ids["id"]
        return {
            **shown,
            "display_name": f"The listener {self.account_id}",
            "external_urls": {"spotify": f"https://open.spotify.com/user/{user_id}"},
            "href": f"https://api.spotify.com/v1/users/{user_id}",
            "images": [],
            "type": "user",
            "uri": f"spotify:user:{user_id}",
        }

    def recently_played(self, now: datetime.datetime) -> list[Json]:
        """What of the last 50 is returned at `now`: newest first."""
        seen = (play for play in self.plays if play.kind != "private" and self.shown_at(play) <= now)
        window = sorted(seen, key=lambda play: play.played_at, reverse=True)[:WINDOW]
        return [play.item for play in window if play.kind == "track"]

    def shown_at(self, play: SamplePlay) -> datetime.datetime:
        """When Spotify began to show the play."""
        ends = (end for begin, end in self.stalls if begin <= play.visible_at < end)
        return max(ends, default=play.visible_at)

    def saved_tracks(self, offset: int, limit: int) -> tuple[list[Json], int]:
        return self.saved[offset : offset + limit], len(self.saved)

    def artist(self, wanted: str) -> Json | None:
        items: Iterable[Json] = (*(play.item for play in self.plays), *self.saved)
        credits = (credit for item in items for credit in item["track"]["artists"])
        return next((credit for credit in credits if credit["id"] == wanted), None)

"""What the Web API returns of the same plays: no podcasts, no private sessions, other moments, and some plays twice.

Tracks that have left the catalogue are not returned either: they had left before anybody polled.
"""

from __future__ import annotations

import bisect
import datetime
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.demo.person import WINDOW, SamplePlay
from tests.listener.moments import to_datetime, to_milliseconds, to_seconds, to_unix_ms
from tests.listener.truth import Play
from tests.listener.web_api import Json, Relinked, describe

# How far `played_at` is from the whole second of the export's `ts` (of an offline play: of its true end), in ms.
MOSTLY_MS, SELDOM_MS, NEVER_MS = 1_500, 20_000, 25_000
STEP_MS = 32_000
AGAIN_MS = 1_700
# Shares of the plays. The rule of 30 seconds holds in neither direction.
FAR, WHOLE_SECOND, RELINKED, SPLIT, TWICE = 0.03, 0.02, 0.03, 0.02, 0.02
SHOWN, SHOWN_UNDER_30_S = 0.995, 0.4


@dataclass(frozen=True, slots=True)
class Polled:
    """An item of recently-played, and of which play. `role`: "end" for the play's end; "step" for the 32 s at its
    beginning that Spotify sometimes counts apart; "again" for the same end 1.7 s later. `visible_ms`: from when
    on (Unix ms) it is returned. Podcasts, audiobooks and private sessions have no item; the former have a place in
    the window nevertheless ("unseen")."""

    item: Json
    play: Play
    role: Literal["end", "step", "again", "unseen"]
    played_at_ms: int
    visible_ms: int
    relinked: Relinked = ""


def polled(plays: Iterable[Play], seed: int = 0) -> list[Polled]:
    """What is returned, sooner or later, in the order of the plays."""
    return [entry for entry in _all(plays, seed) if entry.role != "unseen"]


def sample_plays(plays: Iterable[Play], seed: int = 0) -> list[SamplePlay]:
    """The same for the sample Spotify of pipeline.demo."""
    return [
        SamplePlay(entry.item, to_datetime(entry.visible_ms), "episode" if entry.role == "unseen" else "track")
        for entry in _all(plays, seed)
    ]


def pages(plays: Iterable[Play], slots: Sequence[datetime.datetime], seed: int = 0) -> list[list[Polled]]:
    """What a poll at each slot (UTC, in order) returns, newest first: what of the last 50 is a track."""
    coming = sorted(_all(plays, seed), key=lambda entry: entry.visible_ms)
    window: list[Polled] = []
    found = []
    arrived = 0
    for slot in slots:
        until = bisect.bisect_right(coming, to_unix_ms(slot), key=lambda entry: entry.visible_ms)
        window += coming[arrived:until]
        arrived = max(arrived, until)
        window = sorted(window, key=lambda entry: -entry.played_at_ms)[:WINDOW]
        found.append([entry for entry in window if entry.role != "unseen"])
    return found


def body(page: Sequence[Polled]) -> bytes:
    """The answer of recently-played."""
    cursors = {"after": str(page[0].played_at_ms), "before": str(page[-1].played_at_ms)} if page else None
    items = [entry.item for entry in page]
    return json.dumps({"items": items, "next": None, "cursors": cursors, "limit": WINDOW}).encode()


def _all(plays: Iterable[Play], seed: int) -> Iterator[Polled]:
    chance = random.Random(f"polled {seed}")
    taken: set[tuple[str, int]] = set()
    for play in plays:
        if not play.private and play.title.kind != "removed":
            for entry in _told(chance, play):
                key = entry.item["track"]["uri"], entry.played_at_ms
                if key not in taken:  # else Spotify tells one of the two
                    taken.add(key)
                    yield entry


def _told(chance: random.Random, play: Play) -> Iterator[Polled]:
    shown = chance.random() < (SHOWN if play.ms_played >= 30_000 else SHOWN_UNDER_30_S)
    second = play.end_ms // 1000 * 1000
    visible_ms = play.known_ms + chance.randint(5_000, 240_000)
    if play.title.kind in ("episode", "chapter"):
        track = {"uri": play.title.uri, "type": "episode", "name": play.title.name}
        yield Polled(_item(track, second), play, "unseen", second, visible_ms)
        return
    if not shown:
        return
    relinked = _relink(chance, play)
    track = describe(play.title, relinked)
    most = SELDOM_MS if chance.random() < FAR else MOSTLY_MS
    whole = chance.random() < WHOLE_SECOND
    played_at_ms = second if whole else second + chance.randint(-most, most)
    what = chance.random()
    if what < SPLIT and play.ms_played > 2 * STEP_MS and play.ms_played == play.end_ms - play.start_ms:
        step_ms = played_at_ms - play.ms_played + STEP_MS
        yield Polled(_item(track, step_ms), play, "step", step_ms, visible_ms, relinked)
    yield Polled(_item(track, played_at_ms, whole), play, "end", played_at_ms, visible_ms, relinked)
    if SPLIT <= what < SPLIT + TWICE:
        again_ms = played_at_ms + AGAIN_MS
        yield Polled(_item(track, again_ms), play, "again", again_ms, visible_ms, relinked)


def _relink(chance: random.Random, play: Play) -> Relinked:
    if play.title.kind == "local" or chance.random() >= RELINKED:
        return ""
    return "isrc" if chance.random() < 0.5 else "names"


def _item(track: Json, played_at_ms: int, whole: bool = False) -> Json:
    """Without a fraction when it is a whole second by Spotify's own account, as happens."""
    played_at = to_seconds(played_at_ms) if whole else to_milliseconds(played_at_ms)
    return {"track": track, "played_at": played_at, "context": None}

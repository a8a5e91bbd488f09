"""Which polled plays are the same as one of the export: one play of two sources counts once, as the export tells it."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable

from tests.oracle.plays import LONGEST_MS, MS, Told, bare, begun_by_device, is_reported_late
from tests.oracle.raw import Row

WINDOW = datetime.timedelta(seconds=60)
LONGEST = LONGEST_MS * MS
SAME_URI, SAME_ISRC, SAME_NAMES = range(3)


def pairs(polled: list[Told], exported: list[Told], polled_rows: Iterable[Row]) -> list[tuple[Told, Told]]:
    """The polled plays that the export has too, each with its export row. Pairs of one URI are found first, then those
    of one ISRC, then those of one title and artist; the nearest first."""
    isrcs: dict[str, set[str]] = defaultdict(set)
    for row in polled_rows:
        if row["isrc"]:
            isrcs[row["track_uri"]].add(row["isrc"])
    music = [told for told in exported if told.play.content_type == "track"]
    candidates = []
    by_slice: dict[float, list[tuple[int, Told]]] = defaultdict(list)
    for number, told in enumerate(music):
        by_slice[told.play.ended_at.timestamp() // 60].append((number, told))
    for number, told in enumerate(polled):
        slot = told.play.ended_at.timestamp() // 60
        for other, near in (*by_slice[slot - 1], *by_slice[slot], *by_slice[slot + 1]):
            difference, how = abs(told.play.ended_at - near.play.ended_at), likeness(told, near, isrcs)
            if difference <= WINDOW and how is not None:
                order = (how, difference, told.play.ended_at, near.play.ended_at, told.play.uri)
                candidates.append((order, near.row["played_at_utc"], near.row["row_id"], number, other))
    found: list[tuple[Told, Told]] = []
    taken_polled: set[int] = set()
    taken_exported: set[int] = set()
    for *_, number, other in sorted(candidates):
        if number not in taken_polled and other not in taken_exported:
            taken_polled.add(number)
            taken_exported.add(other)
            found.append((polled[number], music[other]))
    left = [told for number, told in enumerate(polled) if number not in taken_polled]
    undated = [told for number, told in enumerate(music) if number not in taken_exported and is_undated(told.row)]
    return found + undated_pairs(left, undated, isrcs)


def undated_pairs(polled: list[Told], undated: list[Told], isrcs: dict[str, set[str]]) -> list[tuple[Told, Told]]:
    """A row that was reported late, without a sound time of its own, carries the time of the sync or of the next start
    of the app. It is one of the polled plays of its track in the 31 days before: the last ones of both are paired
    first, a polled play with the next such time that has one."""
    found = []
    rows = sorted(undated, key=lambda told: (told.row["played_at_utc"], told.row["row_id"]))
    for told in reversed(polled):
        end = told.play.ended_at
        fitting = [
            row
            for row in rows
            if end - WINDOW <= row.row["played_at_utc"] <= end + LONGEST and likeness(told, row, isrcs) is not None
        ]
        if fitting:
            next_sync = min(row.row["played_at_utc"] for row in fitting)
            last = [row for row in fitting if row.row["played_at_utc"] == next_sync][-1]
            rows.remove(last)
            found.append((told, last))
    return found


def is_undated(row: Row) -> bool:
    return is_reported_late(row) and begun_by_device(row) is None


def likeness(polled: Told, exported: Told, isrcs: dict[str, set[str]]) -> int | None:
    """By what two plays are of one track; None where they are not."""
    if polled.play.uri == exported.play.uri:
        return SAME_URI
    if polled.isrc and polled.isrc in isrcs.get(exported.play.uri, ()):
        return SAME_ISRC
    title, artist = exported.row["track_name"], exported.row["album_artist_name"]
    if title is None or artist is None or polled.row["song_name"] is None:
        return None
    credits = [credit.get("name") for credit in (*polled.row["artists"], *polled.row["album_artists"])]
    artists = {bare(name) for name in credits if name is not None}
    return SAME_NAMES if bare(title) == bare(polled.row["song_name"]) and bare(artist) in artists else None

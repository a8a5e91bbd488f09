"""The rows that are no plays of their own, by rule, and the play that counts instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.oracle.numbers import Rows
from tests.oracle.plays import MS, Play, Told, identify
from tests.oracle.raw import Row

LONGEST_COMPARED_MS = 12 * 3_600_000


@dataclass(frozen=True)
class Removed:
    """`kept`: the play that counts instead; None if there is none. `dated`: the row as a play, of an export row."""

    rule: str
    row: Row
    kept: Play | None = None
    dated: Play | None = None


def near_duplicates(exported: list[Told], is_undated: Iterable[bool]) -> dict[int, int]:
    """From the number of an export row to that of the row which counts instead. Of rows of one track that overlap by
    more than 2 s and half of the shorter one, the longest counts; undated rows are not compared."""
    by_track: dict[str, list[int]] = defaultdict(list)
    for number, (told, undated) in enumerate(zip(exported, is_undated, strict=True)):
        if told.play.content_type == "track" and not undated and 2000 < told.play.ms <= LONGEST_COMPARED_MS:
            by_track[told.play.uri].append(number)
    found: dict[int, int] = {}
    for numbers in by_track.values():
        overlapping: dict[int, set[int]] = defaultdict(set)
        numbers.sort(key=lambda number: exported[number].play.started_at)
        for place, first in enumerate(numbers):
            for second in numbers[place + 1 :]:
                one, other = exported[first].play, exported[second].play
                if other.started_at >= one.ended_at:
                    break
                common = min(one.ended_at, other.ended_at) - max(one.started_at, other.started_at)
                if 2 * common > max(4000, min(one.ms, other.ms)) * MS:
                    overlapping[first].add(second)
                    overlapping[second].add(first)
        numbers.sort(key=lambda number: _from_longest(exported[number]))
        kept: list[int] = []
        for number in numbers:
            longer = [each for each in kept if each in overlapping[number]]
            if longer:
                found[number] = longer[0]
            else:
                kept.append(number)
    return found


def _from_longest(told: Told) -> tuple[object, ...]:
    return -told.play.ms, told.play.ended_at, told.row["played_at_utc"], told.row["row_id"]


def of_polled(polled: list[Told], kept: dict[int, Play]) -> list[Removed]:
    """The rows of polled plays that do not name their play, and all rows of those that the export has too. `kept`: from
    the number of a polled play to the export play."""
    found = []
    for number, told in enumerate(polled):
        for row in told.rows:
            if row is not told.row:
                found.append(Removed("joined_step", row, kept.get(number, told.play)))
            elif number in kept:
                found.append(Removed("in_both_sources", row, kept[number]))
    return found


def rows_of_report(account: str, removed: list[Removed]) -> Rows:
    return {
        (account, each.rule, each.row["played_at_utc"], _uri(each), _ms(each.row)): {
            "source": "export" if "ms_played" in each.row else "web_api",
            "played_at": each.dated.ended_at if each.dated else each.row["played_at_utc"],
            "kept_play_id": each.kept.play_id if each.kept else None,
            "kept_played_at": each.kept.ended_at if each.kept else None,
            "kept_track_uri": each.kept.uri if each.kept else None,
        }
        for each in removed
    }


def _uri(removed: Removed) -> str | None:
    """By its names if the row has no URI, except where the row says nothing but its time."""
    row = removed.row
    return identify(row)[1] if removed.rule == "near_duplicate" else row["track_uri"]


def _ms(row: Row) -> int:
    milliseconds: int = row["ms_played"] if "ms_played" in row else row["song_duration_ms"]
    return milliseconds

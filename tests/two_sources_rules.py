"""The rules by which two sources become one history, walked through play by play."""

from __future__ import annotations

import datetime
import unicodedata
from typing import Any

from tests.conftest import Database
from tests.two_sources import SECOND, WINDOW, Exported, Load, Moment, Polled

MONTH = datetime.timedelta(days=31)


def name_key(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).lower() if letter.isalnum())


class Sources:
    """Polled plays as dbt has joined them, and the export rows that it lets count, by account."""

    def __init__(self, database: Database, history: Load) -> None:
        rows = {(row.account, row.at, row.row_id): row for row in history if isinstance(row, Exported)}
        polled = (play for play in history if isinstance(play, Polled) and play.is_possible)
        steps = {(play.account, play.at, play.track.uri): play for play in polled}
        self.rows: dict[str, list[tuple[Exported, str]]] = {}
        for account, reported_at, row_id, uri in database.rows(
            "select account, reported_at, row_id, track_uri from intermediate.int_history_plays"
            " where content_type = 'track' and not is_near_duplicate"
        ):
            self.rows.setdefault(account, []).append((rows[account, reported_at, row_id], uri))
        self.plays: dict[str, list[tuple[Polled, str | None]]] = {}
        for account, at, uri, isrc in database.rows(
            "select account, played_at, track_uri, isrc from intermediate.int_polled_plays"
        ):
            self.plays.setdefault(account, []).append((steps[account, at, uri], isrc))
        self.isrcs: dict[tuple[str, str], set[str]] = {}
        for step in steps.values():
            if step.isrc:
                self.isrcs.setdefault((step.account, step.track.uri), set()).add(step.isrc)

    def matched_by(self, play: Polled, isrc: str | None, row: Exported, uri: str) -> int | None:
        """0: one URI; 1: one ISRC; 2: one title and artist; None: not of one track."""
        if uri == play.track.uri:
            return 0
        if isrc and isrc in self.isrcs.get((row.account, uri), ()):
            return 1
        artists = {name_key(play.track.artist), name_key(play.track.album_artist)}
        is_same_name = row.title and name_key(row.title) == name_key(play.track.title)
        return 2 if is_same_name and name_key(row.artist or "") in artists else None


def pairs_by_the_rule(sources: Sources) -> set[tuple[Any, ...]]:
    """Pairs within the window, the nearest first, one by one."""
    candidates = []
    for account, plays in sources.plays.items():
        rows = sources.rows.get(account, [])
        for play, isrc in plays:
            for row, uri in rows:
                end = row.ended_at or row.at
                if abs(play.at - end) > WINDOW:
                    continue
                matched_by = sources.matched_by(play, isrc, row, uri)
                if matched_by is not None:
                    order = (matched_by, abs(play.at - end), play.at, end, play.track.uri, row.at, row.row_id)
                    candidates.append((order, play, row, play.at - end))
    taken: set[Any] = set()
    pairs = set()
    for order, play, row, difference in sorted(candidates, key=lambda candidate: candidate[0]):
        if play in taken or row in taken:
            continue
        taken |= {play, row}
        name = ("track_id", "isrc", "names")[order[0]]
        milliseconds = round(difference / datetime.timedelta(milliseconds=1))
        pairs.add((play.account, play.at, play.track.uri, row.at, row.row_id, name, milliseconds))
    return pairs


def offline_pairs_by_the_rule(sources: Sources, pairs: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """What `pairs` leaves, with offline rows that stand at the second of a sync: each polled play in its next sync; of
    one sync the last play with the last row, and so on back."""
    polled = {pair[:3] for pair in pairs}
    exported = {(pair[0], *pair[3:5]) for pair in pairs}
    found = set()
    for account, plays in sources.plays.items():
        syncs: dict[tuple[Moment, str], list[Exported]] = {}
        for row, uri in sources.rows.get(account, []):
            if row.ended_at is None and (account, row.at, row.row_id) not in exported:
                syncs.setdefault((row.at, uri), []).append(row)
        chosen: dict[tuple[Moment, str], list[Polled]] = {}
        for play, isrc in plays:
            if (account, play.at, play.track.uri) in polled:
                continue
            choices = []
            for (at, uri), rows in syncs.items():
                if at - MONTH <= play.at <= at + WINDOW:
                    by = [sources.matched_by(play, isrc, row, uri) for row in rows]
                    surest = min((each for each in by if each is not None), default=None)
                    if surest is not None:
                        choices.append((surest, at, uri))
            if choices:
                _, at, uri = min(choices)
                chosen.setdefault((at, uri), []).append(play)
        for sync, those in chosen.items():
            in_order = sorted(those, key=lambda play: (-play.at.timestamp(), play.track.uri))
            for play, row in zip(in_order, sorted(syncs[sync], key=lambda row: row.row_id), strict=False):
                found.add((account, play.at, play.track.uri, row.at, row.row_id))
    return found


def near_duplicates_by_the_rule(history: Load) -> set[tuple[Any, ...]]:
    """From the longest to the shortest, against those that count so far."""
    known = [
        (row.account, row.uri or row.title, row.ended_at, row)
        for row in history
        if isinstance(row, Exported)
        and row.title
        and row.is_possible
        and row.ended_at
        and row.ms_played <= 12 * 3_600_000
    ]
    counted: list[tuple[Any, Any, Moment, Exported]] = []
    found = set()
    for account, track, end, row in sorted(
        known, key=lambda each: (-each[3].ms_played, each[2], each[3].at, each[3].row_id)
    ):
        length = datetime.timedelta(milliseconds=row.ms_played)
        for other_account, other_track, other_end, other in counted:
            if (account, track) == (other_account, other_track):
                begun = max(end - length, other_end - datetime.timedelta(milliseconds=other.ms_played))
                if min(end, other_end) - begun > max(2 * SECOND, length / 2):
                    found.add((account, row.at, row.row_id))
                    break
        else:
            counted.append((account, track, end, row))
    return found

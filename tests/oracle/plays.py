"""From rows to plays: every row of the export is one; what was polled is put together of steps."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.raw import Row

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MS = datetime.timedelta(milliseconds=1)
# Spotify lets a device play offline for 30 days. A minute is left for clocks that differ.
LONGEST_MS = 31 * 24 * 3_600_000
MINUTE_MS = 60_000
BUTTONS = ("fwdbtn", "backbtn")


@dataclass(frozen=True, slots=True)
class Play:
    """`ms`: how long it was heard. `date` and `hour`: of its end on the listener's wall clock."""

    account: str
    play_id: str
    uri: str
    content_type: str
    source: str
    started_at: datetime.datetime
    ended_at: datetime.datetime
    ms: int
    is_estimated: bool
    is_skipped: bool | None
    is_completed: bool | None
    platform: str | None
    date: datetime.date
    hour: int


@dataclass(frozen=True, slots=True)
class Told:
    """A play and its row; of a polled play of several rows, the one that names it. `rows`: all of them."""

    play: Play
    row: Row
    rows: tuple[Row, ...]

    @property
    def isrc(self) -> str | None:
        return max((row["isrc"] for row in self.rows if row["isrc"]), default=None)


def exported_play(row: Row, zone: ZoneInfo) -> Play:
    """Dated by the device's clock if the row was reported late and the clock is sound; skipped when the export says so
    or a button ended it, but never when it ended by itself."""
    ms, reason = row["ms_played"], row["reason_end"]
    device_ms, ended_at = begun_by_device(row), exported_end(row)
    started_at = ended_at - min(max(ms, 0), LONGEST_MS) * MS if device_ms is None else EPOCH + device_ms * MS
    skipped: bool | None = None
    if reason == "trackdone":
        skipped = False
    elif row["skipped"] or reason in BUTTONS:
        skipped = True
    elif reason is not None or row["skipped"] is False:
        skipped = False
    kind, uri = identify(row)
    told = [row["account"], uri, seconds(unix_ms(ended_at)), row["row_id"]]
    told += [seconds(unix_ms(row["played_at_utc"]))] if device_ms is not None else []
    return Play(
        account=row["account"],
        play_id=md5("|".join(told)),
        uri=uri,
        content_type=kind,
        source="export",
        started_at=started_at,
        ended_at=ended_at,
        ms=ms,
        is_estimated=False,
        is_skipped=skipped,
        is_completed=None if reason is None else reason == "trackdone",
        platform=row["platform"],
        **local(ended_at, zone),
    )


def exported_end(row: Row) -> datetime.datetime:
    device_ms = begun_by_device(row)
    end: datetime.datetime = row["played_at_utc"]
    return end if device_ms is None else EPOCH + (device_ms + row["ms_played"]) * MS


def begun_by_device(row: Row) -> int | None:
    """Start of a play that was reported late (Unix ms), by the clock of the device: in milliseconds or, in newer rows,
    in seconds. None if the row was not reported late, or the value is not sound."""
    stamp, ms, reported_ms = row["offline_timestamp"], row["ms_played"], unix_ms(row["played_at_utc"])
    if not is_reported_late(row) or stamp is None or stamp < 10**9 or not 0 <= ms <= LONGEST_MS + MINUTE_MS:
        return None
    begun_ms: int = stamp if stamp > 10**11 else stamp * 1000
    is_sound = reported_ms - LONGEST_MS <= begun_ms <= reported_ms + MINUTE_MS - ms
    return begun_ms if is_sound else None


def is_reported_late(row: Row) -> bool:
    """`ts` is the time of a sync, or of the next start of the app."""
    reason = row["reason_end"] or ""
    return bool(row["offline"]) or reason == "logout" or reason.startswith("unexpected-exit")


def identify(row: Row) -> tuple[str, str]:
    """What kind of content an export row tells of, and which; by its names where it has no URI."""

    def named(*names: str) -> str:
        return "name:" + md5(fold("|".join(row[name] or "" for name in names)))

    if row["track_uri"] or row["track_name"]:
        return "track", row["track_uri"] or named("track_name", "album_artist_name", "album_name")
    if any(value for name, value in row.items() if name.startswith("audiobook_")):
        uri = row["audiobook_chapter_uri"] or row["audiobook_uri"]
        return "audiobook", uri or named("audiobook_chapter_title", "audiobook_title")
    if row["episode_uri"] or row["episode_name"] or row["episode_show_name"]:
        return "episode", row["episode_uri"] or named("episode_name", "episode_show_name")
    return "unknown", "unknown"


def polled_plays(rows: Iterable[Row], zone: ZoneInfo) -> list[Told]:
    """By walking over the moments: an item was heard since the moment before, at most for the track's length, and
    tracks of one moment share that time by their lengths; an item goes on with the play before it where both are one
    track and together not longer than that and a tolerance."""
    found: list[dict[str, Any]] = []
    moments: dict[datetime.datetime, list[Row]] = defaultdict(list)
    for row in rows:
        moments[row["played_at_utc"]].append(row)
    before: datetime.datetime | None = None
    for end in sorted(moments):
        items = one_recording_each(moments[end])
        lengths = [max(row["song_duration_ms"] for row in item) for item in items]
        total = sum(lengths)
        shared = total if before is None else min(total, (end - before) // MS)
        for item, length in zip(items, lengths, strict=True):
            row, uri = item[0], item[0]["track_uri"]
            heard = length * shared // max(total, 1)
            most = length + min(5000, length // 10)
            last = found[-1] if found and found[-1]["uri"] == uri else None
            if last and before and (end - before) // MS <= most and last["ms"] + heard <= most:
                last.update(end=end, ms=last["ms"] + heard, length=max(last["length"], length), row=row)
                last["rows"] += item
            else:
                begin = end - heard * MS
                play = {"uri": uri, "start": begin, "end": end, "ms": heard, "length": length, "row": row, "rows": item}
                found.append(play)
        before = end
    return [Told(_polled_play(play["row"]["account"], play, zone), play["row"], tuple(play["rows"])) for play in found]


def one_recording_each(rows: list[Row]) -> list[list[Row]]:
    """The rows of one moment by recording: one ISRC, or one title and first artist. In each group the row that was
    captured first stands first, and names the play; the groups are in the order of these URIs."""
    groups: list[list[Row]] = []
    for row in rows:
        same = [group for group in groups if any(is_one_recording(row, other) for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([row, *(other for group in same for other in group)])
    ordered = [sorted(group, key=lambda row: (row["last_updated_datetime_utc"], row["track_uri"])) for group in groups]
    return sorted(ordered, key=lambda group: str(group[0]["track_uri"]))


def is_one_recording(row: Row, other: Row) -> bool:
    if row["isrc"] and row["isrc"] == other["isrc"]:
        return True
    names = [title_and_artist(each) for each in (row, other)]
    return names[0] == names[1] and None not in names[0]


def title_and_artist(row: Row) -> tuple[str | None, ...]:
    names = (row["song_name"], row["artists"][0].get("name") if row["artists"] else None)
    return tuple(None if name is None else bare(name) for name in names)


def _polled_play(account: str, play: dict[str, Any], zone: ZoneInfo) -> Play:
    """How long it was heard is an estimate; skipped is what was heard for less than nine tenths."""
    end_ms = unix_ms(play["end"])
    is_skipped = 10 * play["ms"] < 9 * play["length"]
    return Play(
        account=account,
        play_id=md5(f"{account}|{play['uri']}|{end_ms // 1000}.{end_ms % 1000:03}000"),
        uri=play["uri"],
        content_type="track",
        source="web_api",
        started_at=play["start"],
        ended_at=play["end"],
        ms=play["ms"],
        is_estimated=True,
        is_skipped=is_skipped,
        is_completed=not is_skipped,
        platform=None,
        **local(play["end"], zone),
    )


def local(moment: datetime.datetime, zone: ZoneInfo) -> dict[str, Any]:
    here = moment.astimezone(zone)
    return {"date": here.date(), "hour": here.hour}


def unix_ms(moment: datetime.datetime) -> int:
    return (moment - EPOCH) // MS


def seconds(ms: int) -> str:
    """Milliseconds in seconds, without zeros at the end."""
    return re.sub(r"\.?0+$", "", f"{ms // 1000}.{ms % 1000:03}")


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def bare(name: str) -> str:
    """Letters and digits alone, without case."""
    kept = "".join(letter for letter in unicodedata.normalize("NFKC", name).lower() if letter.isalnum())
    return kept or name


def fold(text: str) -> str:
    """A name as it is compared: NFC, then lower case, letter by letter as in PostgreSQL (Python's `lower` depends on
    the neighbours of a letter)."""
    return "".join(letter.lower()[0] for letter in unicodedata.normalize("NFC", text))

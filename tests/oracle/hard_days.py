"""Small histories of days that are hard to count, with moments and sums that lie exactly on the limits of the rules."""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.samples import export_row, item

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
MINUTE = datetime.timedelta(minutes=1)
Json = dict[str, Any]


def write_export(path: Path, rows: list[Json]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Spotify Extended Streaming History/Streaming_History_Audio_2026_0.json", json.dumps(rows))
    return path


def at(local: str, zone: str = NEW_YORK) -> datetime.datetime:
    return datetime.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(datetime.UTC)


def plays(begin: datetime.datetime, count: int, minutes: float = 4, **fields: Any) -> Iterator[Json]:
    """The ends are so many minutes apart; the songs take turns."""
    for number in range(count):
        end = begin + number * minutes * MINUTE
        name = fields.get("name", f"Song {number % 5}")
        more = {key: value for key, value in fields.items() if key != "name"}
        yield export_row(f"{end:%Y-%m-%dT%H:%M:%SZ}", **{"name": name, "ms_played": 200_000 + number, **more})


def by(artist: str | None, album: str | None = "Album") -> Json:
    return {"master_metadata_album_artist_name": artist, "master_metadata_album_album_name": album}


EPISODE = {
    "spotify_track_uri": None,
    "master_metadata_track_name": None,
    **by(None, None),
    "episode_name": "One",
    "episode_show_name": "Show",
}


def over_new_year() -> Iterator[Json]:
    """From ISO week 2020-W52 over 2020-W53 into 2021-W01, New Year in the middle of a session; one song ten times in
    each of three weeks on end, and nine times in the fourth."""
    for date, count in (("2020-12-23", 10), ("2020-12-29", 10), ("2021-01-03", 1), ("2021-01-04", 10)):
        yield from plays(at(f"{date}T18:00"), count, name="On Repeat", reason_end="fwdbtn")
    yield from plays(at("2020-12-31T23:30"), 20, skipped=None, reason_end=None)
    yield from plays(at("2021-01-01T00:00"), 1, name="Midnight", platform="a speaker")
    yield from plays(at("2021-01-05T18:00"), 9, name="On Repeat", **by("Various Artists", "Sampler"))


def over_changes_of_the_clocks() -> Iterator[Json]:
    """A day of 23 hours and one of 25, in each the hour that is not there or there twice; sittings 30 minutes apart to
    the millisecond, and more; episodes; a year without a play before, and a favourite that is forgotten."""
    yield from plays(at("2024-06-01T12:00"), 24, minutes=60, name="Old Favourite", **by("Old Hand"))
    yield from plays(at("2024-06-02T12:00"), 19, name="Nearly", **by("Old Hand", "Album"))
    yield from plays(at("2026-03-08T01:30"), 30, **by("Ann"))
    yield from plays(at("2026-11-01T00:30"), 60, minutes=3, **by("ANN", "ALBUM"))
    yield from plays(at("2026-11-02T09:00"), 1, name="First", ms_played=60_000)
    yield from plays(at("2026-11-02T09:31"), 1, name="Second", ms_played=60_000)
    yield from plays(at("2026-11-02T10:02") + MINUTE / 60, 1, name="Third", ms_played=60_000)
    yield from plays(at("2026-11-05T12:00"), 3, name="Nothing", ms_played=0, **by(None, None))
    yield from plays(at("2026-11-05T22:00"), 40, name="Waves", ms_played=230_000, **by("Sleepy Noise", "Waves"))
    yield from plays(at("2026-11-06T08:00"), 2, **EPISODE)
    yield from plays(at("2020-12-31T20:00"), 6, platform="Kitchen speaker")
    yield from over_new_year()


def reported_late() -> Iterator[Json]:
    """Rows that carry the next start of the app: dated by the device, over midnight too; a repeat of such a play hours
    later; not sound, and so undated; a near-duplicate by these times. Names in two forms of Unicode."""
    late: Json = {"reason_end": "unexpected-exit-while-paused", "name": "Late"}
    for begin, exit_at, ms in (
        ("2026-10-02T09:00", "2026-10-02T17:00:30", 165_000),
        ("2026-10-02T23:58", "2026-10-05T08:00:00", 200_000),
    ):
        yield export_row(utc(exit_at), ms_played=ms, offline_timestamp=int(at(begin).timestamp()), **late)
    yield from plays(at("2026-10-02T17:00"), 2, minutes=9, name="Late", ms_played=300_000)
    # The export has it once more, with the time of its end.
    yield export_row(utc("2026-10-03T00:01:19"), name="Late", ms_played=199_000)
    for stamp in (None, 0, 1_000_000_000, int(at("2026-08-01T10:00").timestamp())):
        yield export_row(utc("2026-10-08T10:00:00"), name=f"Exit {stamp}", reason_end="logout", offline_timestamp=stamp)
    yield from plays(at("2026-10-09T10:00"), 2, name="Composed", **by("Beyonc\u00e9", "Caf\u00e9"))
    yield from plays(at("2026-10-09T11:00"), 2, name="Decomposed", **by("BEYONCE\u0301", "Cafe\u0301"))
    yield from plays(at("2026-10-09T12:00"), 2, name="Une\u0301", spotify_track_uri=None)
    yield from plays(at("2026-10-09T13:00"), 2, name="UN\u00c9", spotify_track_uri=None)
    yield from plays(at("2026-10-10T10:00"), 3, minutes=0.25, name="Short", ms_played=14_999)
    yield from plays(at("2026-10-10T11:00"), 2, minutes=0.25, name="Long enough", ms_played=15_000)


def utc(local: str) -> str:
    return f"{at(local):%Y-%m-%dT%H:%M:%SZ}"


def leap_day() -> Iterator[Json]:
    """Today is the 29th of February, as it was four years before, and as no day was in between."""
    for date in ("2020-02-29", "2021-02-28", "2023-03-01", "2024-02-28", "2024-02-29"):
        yield from plays(at(f"{date}T22:50", TOKYO), 6)


def spoken() -> Iterator[Json]:
    """No report has a row of it."""
    yield from plays(at("2026-11-06T08:00"), 2, **EPISODE)


def limits() -> Iterator[Json]:
    """On the last day of a month nothing but an episode; a thousand minutes to the millisecond; half a year ago, and a
    day less, tracks heard twenty times, and nineteen; two weeks, hours and releases, of two artists, of which none was
    heard more."""
    yield from plays(at("2026-01-05T02:00"), 10, minutes=101, ms_played=6_000_000)
    yield from plays(at("2026-02-10T10:30"), 1, name="Even Hour", ms_played=100_000)
    yield from plays(at("2026-02-11T08:30"), 1, name="Odd Hour", ms_played=100_000)
    yield from plays(at("2026-06-03T10:00"), 20, name="Favourite")
    yield from plays(at("2026-06-03T15:00"), 19, name="Nearly")
    yield from plays(at("2026-06-04T10:00"), 20, name="Remembered")
    for date in ("2026-08-05", "2026-08-12"):
        yield from plays(at(f"{date}T10:00"), 10, name="On Repeat")
    yield from plays(at("2026-09-01T10:00"), 1, name="Release A")
    yield from plays(at("2026-09-02T10:00"), 1, name="Release B", **by("Guest"))
    for date in ("2026-09-03", "2026-09-04"):
        yield from plays(at(f"{date}T10:00"), 1, name="Release C")
    yield from plays(at("2026-09-05T10:00"), 1, name="Release D")
    yield from plays(at("2026-11-29T10:00"), 1, name="Last")
    yield from plays(at("2026-11-30T10:00"), 1, **EPISODE)


def before_the_polls() -> Iterator[Json]:
    """By artists whom the Web API names later: one of the name, two, and none."""
    yield from plays(at("2025-10-20T20:00"), 2, name="By Ann", **by("Ann"))
    for artist in ("Ann", "C", "Nobody Else"):
        yield from plays(at("2026-10-20T20:00"), 3, name=f"By {artist}", **by(artist))


HISTORIES = {
    "me": [*before_the_polls()],
    "clocks": [*over_changes_of_the_clocks()],
    "tokyo": [*leap_day()],
    "spoken": [*spoken()],
    "limits": [*limits()],
    "late": [*reported_late()],
    "single": [*plays(at("2024-02-29T12:00"), 1)],
}
ARTISTS = [{"id": f"artist000000000000000{number}", "name": name} for number, name in enumerate("CABD")]
ISRC = {"isrc": "QZAAA2400001"}
# By slot. Two releases of one recording, credits of three, an artist whom the export knows by name, and one name of two
# artists. Between the pages is a gap that ends with the midnight of a Monday. At one moment: one play under two URIs,
# of one ISRC or of one name; and two tracks.
POLLED = {
    "2026-11-14T0300": [
        item("2026-11-14T01:00:00.100Z", name="Single", external_ids=ISRC),
        item("2026-11-14T01:04:00.200Z", name="Album Version", minutes=4, external_ids=ISRC, artists=ARTISTS[1:]),
        item("2026-11-14T01:06:00.300Z", name="Single", external_ids=ISRC),
        item("2026-11-14T02:00:00.000Z", name="Relinked", external_ids=ISRC),
        item("2026-11-14T02:00:00.000Z", name="Old Link", external_ids=ISRC),
        item("2026-11-14T02:01:00.001Z", name="Side A", minutes=4, external_ids={}),
        item("2026-11-14T02:01:00.001Z", name="Side B", minutes=2, external_ids={}),
        item("2026-11-14T02:30:00.000Z", name="Three", external_ids={}, uri="spotify:track:three1"),
        item("2026-11-14T02:30:00.000Z", name="THREE!", external_ids={}, uri="spotify:track:three2"),
        item("2026-11-14T02:30:00.000Z", name="Side C", external_ids={}),
    ],
    "2026-11-16T1400": [
        item("2026-11-16T05:00:00.000Z", name="Another", external_ids={}, artists=[{"id": "ann", "name": "Ann"}]),
        item("2026-11-16T05:40:00.000Z", name="Two", external_ids={}, artists=[ARTISTS[0], {"id": "c", "name": "c"}]),
        item("2026-11-16T05:43:20.000Z", name="Album Version", minutes=4, external_ids=ISRC, artists=ARTISTS[1:]),
    ],
}

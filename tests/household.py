"""A small household for the dashboards: Ann with all there is, One with one play, None without any, Lossy
with gaps alone.

Ann's titles are those that break pages: markup, right-to-left, emoji, placeholders.
"""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any

from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Database, Pipeline, succeeded
from tests.oracle.hard_days import write_export
from tests.samples import evening, export_row, item, page, track

ACCOUNTS = ("ann", "one", "none", "lossy")
TITLES = (
    "<script>document.title = 'owned'</script>",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "أغنية طويلة",
    "🎧 Night 💜",
    "{{account}} [[and {{artist}}]] %s %(account)s {% raw %}",
    "' or 1=1; drop schema reporting cascade; --",
    "\u202etxet desrever",
    "A title that is much longer than any column of any page will ever be, and then some more of it " * 2,
    "東京の夜",
    "Plain Song",
)
ARTISTS = ("Velvet Harbour", "<b>Bold</b> & Brave", "فيروز", 'Ann\'s "Quotes"', "C\\D/E", "Sigur Rós")
FIRST, LAST = "2026-11-20T1400", "2026-11-22T1400"
JUNK: dict[str, Any] = {"track": None, "played_at": "2026-11-22T13:30:00Z", "context": None}


def history() -> list[dict[str, Any]]:
    """Fourteen months: up to six plays on most days, at all hours, some skipped."""
    begin = datetime.datetime(2025, 9, 20, 5, 17, tzinfo=datetime.UTC)
    rows = []
    for day, number in itertools.product(range(420), range(6)):
        if day % 11 == 3 or (day + number) % 4 == 0:
            continue
        moment = begin + datetime.timedelta(days=day, hours=3 * number + day % 7, minutes=4 * number)
        which = (day * number + day // 60) % len(TITLES)
        rows.append(
            export_row(
                f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                TITLES[which],
                ms_played=90_000 + 7_001 * (which + number),
                spotify_track_uri=f"spotify:track:{which:022}",
                master_metadata_album_artist_name=ARTISTS[which % len(ARTISTS)],
                master_metadata_album_album_name=f"Album <{which % 3}>",
                skipped=number == 5,
                reason_end="fwdbtn" if number == 5 else "trackdone",
            )
        )
    return rows


def build(pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path) -> None:
    """Two slots and an import, to proven marts and pages."""
    ann = Person("ann's id", page=page(*evening(3, date="2026-11-20", start="09:00")))
    saved = track("Never played", id=f"{77:022}", uri=f"spotify:track:{77:022}")
    ann.saved = [{"added_at": "2026-11-01T10:00:00Z", "track": saved}]
    people = {
        "ann": ann,
        "one": Person("one's id", page=page(item("2026-11-20T10:00:00.000Z"))),
        "none": Person("none's id", page=page()),
        "lossy": Person("lossy's id", page=page(JUNK)),
    }
    tokens = {f"SPOTIFY_REFRESH_TOKEN_{name.upper()}": spotify.add_person(person) for name, person in people.items()}
    pipeline.environment |= {
        "SPOTIFY_ACCOUNTS": " ".join(ACCOUNTS),
        "SPOTIFY_REFRESH_TOKEN": "",
        "LISTENER_TIMEZONE": "Europe/Berlin",
        "LISTENER_TIMEZONES": "one=America/New_York",
        **tokens,
    }
    export = write_export(tmp_path / "ann.zip", history())
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export), "--account", "ann"))
    succeeded(pipeline.slot(FIRST, task="PollAccounts"))
    # More than Spotify keeps: a gap. The artist's genres are known.
    ann.page = page(*evening(50, date="2026-11-22", first=60, start="09:00"))
    database.rows(
        "insert into staging.spotify_genres (account, artist_id, artist_genre, genre_source, genre_votes,"
        " asked_date_utc, last_updated_datetime_utc, load_id)"
        " select 'ann', 'artist0000000000000001', genre, 'musicbrainz', votes, '2026-11-20', '2026-11-20', 1"
        " from (values ('dream pop', 3), ('<i>indie</i>', 2)) as given (genre, votes)"
    )
    succeeded(pipeline.slot(LAST))

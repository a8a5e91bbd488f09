"""SyncSavedTracks: the library once a day, as events of saving and removing."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
from typing import Any

from psycopg2.extras import RealDictCursor

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.datasets import SAVED_TRACKS
from pipeline.extract.errors import ConsentEnded, Forbidden, RateLimited, SpotifyError
from pipeline.extract.files import named_lock
from pipeline.extract.partitions import merge_rows
from pipeline.extract.saved_tracks import Library, SavedTrack, read_library
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.values import format_moment
from pipeline.load.budget import BudgetSpent, spend_call
from pipeline.load.marker import Marker
from pipeline.load.postgres import connect, transaction
from pipeline.load.staging import begin_load, load_new_partitions
from pipeline.load.tasks import CopyToStaging
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")
# Outcomes of a read after which the library is left in peace until the next day.
DONE = ("unchanged", "added", "complete", "shifting", "empty", "forbidden", "budget spent")


class SyncSavedTracks(SlotTask):
    """Reads the saved tracks in the first slot of a day (UTC) that can. Whatever goes wrong here fails no slot and
    removes no track: the attempt is noted, and made again in the next slot or on the next day."""

    priority = 5

    def requires(self) -> CopyToStaging:
        return CopyToStaging(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_saved_tracks", self.update_id)

    def run(self) -> None:
        data = config.storage().root
        with named_lock(data, f"saved_tracks-account={self.account}"):
            with transaction() as connection:
                begin_load(connection)
                # What a run that died has left in files is known before the library is compared with it.
                load_new_partitions(connection, data, self.account, SAVED_TRACKS)
                last = last_read(connection, self.account)
                if last and last[0] >= self.run_at.date() and last[1] in DONE:
                    self.output().touch(connection)
                    self.set_status_message(f"read on {last[0]} already ({last[1]})")  # type: ignore[misc]
                    return
            with contextlib.closing(connect()) as counter:
                counter.autocommit = True
                self._read(counter, last[1] == "empty" if last else False)

    def _read(self, counter: Any, was_empty: bool) -> None:
        data, now = config.storage().root, utc_now()
        outcome, reason, library = "failed", "", None
        try:
            library = self._library(counter, now, was_empty)
            outcome = library.outcome
        except BudgetSpent as error:
            outcome, reason = "budget spent", str(error)
        except (RateLimited, ConsentEnded) as error:
            reason = str(error)  # the poll has told
        except SpotifyError as error:
            outcome, reason = "forbidden" if isinstance(error, Forbidden) else "failed", str(error)
            self.remark(f"saved tracks are left as they were: {error}")
        if library and library.events:
            merge_rows(SAVED_TRACKS, data, self.account, library.events)
        with transaction() as connection:
            begin_load(connection)
            load_new_partitions(connection, data, self.account, SAVED_TRACKS)
            with connection.cursor() as cursor:
                cursor.execute(
                    "insert into pipeline.library_reads values (%s, %s, %s, %s, %s, %s)",
                    (
                        self.account,
                        now,
                        self.run_at.replace(tzinfo=datetime.UTC),
                        outcome,
                        library.total if library else None,
                        config.scrub(reason) or None,
                    ),
                )
            self.output().touch(connection)
        if library:
            logger.info("%s: saved tracks %s, %d changes", self.account, outcome, len(library.events))
        done = f"{outcome}: {len(library.events)} saved or removed" if library else f"{outcome}: {reason}"
        self.set_status_message(done)  # type: ignore[misc]

    def _library(self, counter: Any, now: datetime.datetime, was_empty: bool) -> Library:
        settings = config.spotify()
        client = SpotifyClient(settings, config.storage().root, self.account)

        def fetch(offset: int, limit: int) -> bytes:
            client.raise_if_paused()
            self.set_status_message(f"reading saved tracks from number {offset + 1} on")  # type: ignore[misc]
            spend_call(counter, self.account, now.date(), "saved tracks", settings.daily_calls)
            return client.fetch_saved_tracks(offset, limit)

        return read_library(fetch, self.account, saved_tracks(counter, self.account), now, accept_empty=was_empty)


def last_read(connection: Any, account: str) -> tuple[datetime.date, str] | None:
    """The UTC date of the slot that last read the library, and what came of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select (slot at time zone 'UTC')::date, outcome from pipeline.library_reads"
            " where account = %s order by read_at desc limit 1",
            (account,),
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def saved_tracks(connection: Any, account: str) -> dict[str, SavedTrack]:
    """The library as of the last read: track_uri → its last event, for tracks that were not removed."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            "select * from (select distinct on (track_uri) * from staging.spotify_saved_tracks where account = %s"
            " order by track_uri, observed_at_utc desc, event desc) as latest where event = 'saved'",
            (account,),
        )
        return {row["track_uri"]: _as_written(row) for row in cursor.fetchall()}


def _as_written(row: dict[str, Any]) -> SavedTrack:
    """A row of staging as it stands in its partition."""
    written = {}
    for column in SAVED_TRACKS.columns:
        value = row[column]
        if isinstance(value, datetime.datetime):
            written[column] = format_moment(value)
        elif isinstance(value, bool):
            written[column] = str(value).lower()
        elif isinstance(value, list):
            written[column] = json.dumps(value, ensure_ascii=False)
        else:
            written[column] = "" if value is None else str(value)
    return written

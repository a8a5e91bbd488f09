"""EnrichGenres: genres of the artists that have none yet, a few in each slot."""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable
from typing import Any

from filelock import Timeout

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.datasets import GENRES
from pipeline.extract.errors import Forbidden, SpotifyError
from pipeline.extract.files import named_lock
from pipeline.extract.genres import Artist, find_genres, spotify_genres
from pipeline.extract.musicbrainz import MusicBrainz, MusicBrainzUnavailable, MusicBrainzUnexpected
from pipeline.extract.partitions import merge_rows
from pipeline.extract.spotify import SpotifyClient
from pipeline.load.budget import BudgetSpent, spend_call
from pipeline.load.marker import Marker
from pipeline.load.postgres import connect, transaction
from pipeline.load.staging import begin_load, load_new_partitions
from pipeline.load.tasks import CopyToStaging
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")
ASKED_AGAIN_AFTER = datetime.timedelta(days=180)
# An application that is given no genres is tried again now and then: Spotify changes its mind.
SPOTIFY_TRIED_AGAIN_AFTER = datetime.timedelta(days=30)
AskSpotify = Callable[[str], list[str] | None]


class EnrichGenres(SlotTask):
    """Looks up the most played artists without genres: at Spotify, while it gives any, else at MusicBrainz.

    Runs when all else of the slot is done. Whatever goes wrong here fails no slot: what was found is kept, the rest is
    asked in the next slot.
    """

    priority = 1

    def requires(self) -> CopyToStaging:
        return CopyToStaging(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_genres", self.update_id)

    def run(self) -> None:
        data = config.storage().root
        with transaction() as connection:
            begin_load(connection)
            load_new_partitions(connection, data, self.account, GENRES)
            limit = config.musicbrainz().artists_per_slot
            queue = artists_without_genres(connection, self.account, utc_now(), limit)
            if not queue:
                self.output().touch(connection)
                self.set_status_message("nothing to look up" if limit else "look-ups are switched off")  # type: ignore[misc]
                return
        self.set_status_message("another run looks genres up, or has just done so")  # type: ignore[misc]
        with contextlib.closing(connect()) as counter:
            counter.autocommit = True
            # Who else is at it, of this account or another, goes on; one request a second is for all of them.
            with contextlib.suppress(Timeout), named_lock(data, "musicbrainz").acquire(timeout=0):
                self._enrich(counter, queue)
        with transaction() as connection:
            begin_load(connection)
            load_new_partitions(connection, data, self.account, GENRES)
            self.output().touch(connection)

    def _enrich(self, counter: Any, queue: list[Artist]) -> None:
        settings = config.musicbrainz()
        musicbrainz = MusicBrainz(settings.url, settings.contact, settings.seconds_between, settings.timeout)
        ask_spotify = self._ask_spotify(counter)
        asked = found = 0
        for number, artist in enumerate(queue, start=1):
            self.set_status_message(f"artist {number} of {len(queue)}")  # type: ignore[misc]
            self.set_progress_percentage(100 * (number - 1) // len(queue))  # type: ignore[misc]
            try:
                try:
                    rows = find_genres(artist, self.account, ask_spotify, musicbrainz, utc_now())
                except (SpotifyError, BudgetSpent) as error:
                    self.remark(f"genres are asked of MusicBrainz alone: {error}")
                    ask_spotify = None
                    rows = find_genres(artist, self.account, None, musicbrainz, utc_now())
            except MusicBrainzUnexpected as error:
                self.remark(f"genres of artist {artist.artist_id} were not found out: {error}")
                continue
            except MusicBrainzUnavailable as error:
                self.remark(str(error))
                break
            # One artist at a time, so that a run that ends early has not asked in vain.
            merge_rows(GENRES, config.storage().root, self.account, rows)
            asked += 1
            found += any(row["artist_genre"] for row in rows)
            if rows[0]["spotify_genres"] == "absent":
                ask_spotify = None
        done = f"genres of {asked} artists looked up, {found} found"
        logger.info("%s: %s", self.account, done)
        self.set_status_message(done)  # type: ignore[misc]
        self.set_progress_percentage(100)  # type: ignore[misc]

    def _ask_spotify(self, counter: Any) -> AskSpotify | None:
        """None while the application is known to be given no genres, or Spotify must not be asked."""
        if spotify_gave_none_since(counter, self.account, utc_now() - SPOTIFY_TRIED_AGAIN_AFTER):
            return None
        settings = config.spotify()
        client = SpotifyClient(settings, config.storage().root, self.account)

        def ask(artist_id: str) -> list[str] | None:
            client.raise_if_paused()
            spend_call(counter, self.account, utc_now().date(), "genres", settings.daily_calls)
            try:
                return spotify_genres(client.fetch_artist(artist_id))
            except Forbidden:
                return None  # an endpoint this application has no access to gives no genres

        return ask


def artists_without_genres(connection: Any, account: str, now: datetime.datetime, limit: int) -> list[Artist]:
    """The most played artists that were never asked for, or not for half a year; with up to 3 ISRCs of theirs."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('reporting.rpt_top_artists') is not null")
        if not cursor.fetchone()[0]:
            return []  # before the first dbt run
        cursor.execute(
            """
            with waiting as (
                select artists.artist_key, artists.artist_id, artists.artist_name
                from marts.dim_artists as artists
                where artists.account = %(account)s and artists.artist_id is not null
                and not exists (
                    select from staging.spotify_genres as asked
                    where asked.account = artists.account and asked.artist_id = artists.artist_id
                    and asked.last_updated_datetime_utc > %(asked_after)s
                )
            ),

            most_played as (
                select waiting.*, coalesce(sum(totals.plays), 0) as plays
                from waiting
                left join marts.bridge_track_artists as credits
                    on credits.account = %(account)s and credits.artist_key = waiting.artist_key
                left join intermediate.int_track_totals as totals
                    on totals.account = %(account)s and totals.track_uri = credits.track_uri
                group by waiting.artist_key, waiting.artist_id, waiting.artist_name
                order by plays desc, waiting.artist_id
                limit %(limit)s
            )

            select
                artist_id,
                artist_name,
                array(
                    select distinct tracks.isrc
                    from marts.bridge_track_artists as credits
                    inner join marts.dim_tracks as tracks
                        on credits.account = tracks.account and credits.track_uri = tracks.track_uri
                    where credits.account = %(account)s and credits.artist_key = most_played.artist_key
                    and tracks.isrc is not null
                    order by tracks.isrc
                    limit 3
                )
            from most_played
            order by plays desc, artist_id
            """,
            {"account": account, "asked_after": now - ASKED_AGAIN_AFTER, "limit": limit},
        )
        return [Artist(artist_id, name, tuple(isrcs)) for artist_id, name, isrcs in cursor.fetchall()]


def spotify_gave_none_since(connection: Any, account: str, since: datetime.datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from staging.spotify_genres where account = %s and spotify_genres = 'absent'"
            " and last_updated_datetime_utc > %s)",
            (account, since),
        )
        return bool(cursor.fetchone()[0])

"""What an export says of a play. One definition for all formats, with one row per row of marts.fct_plays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.load.postgres import held_warehouse, transaction

# Rows in memory at a time.
BATCH = 20_000
Kind = Literal["text", "texts", "moment", "wall clock", "integer", "boolean"]


@dataclass(frozen=True)
class Column:
    """`kind`: `moment` is UTC, `wall clock` has no zone, `texts` is a list. `sql`: of the query below."""

    name: str
    kind: Kind
    sql: str
    description: str


def _of_play(name: str, kind: Kind, description: str) -> Column:
    return Column(name, kind, f"plays.{name}", description)


def _of_track(name: str, kind: Kind, description: str, column: str = "") -> Column:
    return Column(name, kind, f"tracks.{column or name}", description)


def _credits(field: str) -> str:
    """What the credits of a track say, in their order; null where the play is of no track."""
    return (
        f"(select coalesce(array_agg(credit ->> '{field}' order by position), array[]::text[])"
        " from jsonb_array_elements(tracks.artist_credits) with ordinality as credits (credit, position)"
        " where tracks.track_uri is not null)"
    )


COLUMNS: Sequence[Column] = (
    _of_play("account", "text", "Whose history."),
    _of_play("play_id", "text", "Name of the play, the same in every export."),
    _of_play("started_at", "moment", "When it began, as far as that can be known; UTC."),
    _of_play("played_at", "moment", "When it ended; UTC. By it plays are sorted and dated."),
    _of_play("played_at_local", "wall clock", "The same, on the listener's wall clock."),
    _of_play("ms_played", "integer", "Milliseconds heard."),
    _of_play("is_estimated", "boolean", "Whether ms_played is an estimate: the Web API does not tell it."),
    Column(
        "is_counted",
        "boolean",
        "plays.content_type = 'track' and excluded.play_id is null",
        "Whether reports count it: it is a track, and no exclusion rule takes it off.",
    ),
    Column("excluded_by", "text", "excluded.rule_id", "The rule that takes it off."),
    _of_play("content_type", "text", "track, episode, audiobook, or unknown."),
    _of_play("track_uri", "text", "Spotify's URI of what was played."),
    Column("title", "text", "coalesce(tracks.track_name, spoken.title)", "Of the track, episode or chapter."),
    Column("artists", "texts", _credits("name"), "Everybody credited, in order; empty for what is no track."),
    Column("artist_ids", "texts", _credits("id"), "Their Spotify ids, in the same order; absent where not known."),
    _of_track("album", "text", "Its title.", "album_name"),
    _of_track("album_artist", "text", "First artist of the album."),
    _of_track("album_id", "text", "Spotify's id."),
    _of_track("album_release_date", "text", "As precise as Spotify tells it: 1999, 1999-04 or 1999-04-30."),
    _of_track("track_number", "integer", "On its disc."),
    _of_track("disc_number", "integer", "Of the album."),
    Column("show", "text", "spoken.show_title", "Podcast or audiobook."),
    _of_track("isrc", "text", "International Standard Recording Code."),
    _of_track(
        "recording", "text", "What releases of one recording have in common; reports count by it.", "recording_key"
    ),
    Column("url", "text", "coalesce(tracks.track_url, spoken.episode_url)", "Link at Spotify."),
    Column(
        "duration_ms",
        "integer",
        "coalesce(plays.duration_ms, tracks.duration_ms)",
        "Length of the track; absent where only an export of Spotify's knows it.",
    ),
    _of_track("is_local", "boolean", "A file of the listener's own."),
    _of_play("source", "text", "export, or web_api for what the polls alone know."),
    _of_play("is_skipped", "boolean", "Absent where nobody knows."),
    _of_play("is_completed", "boolean", "Absent where nobody knows."),
    _of_play("is_offline", "boolean", "Absent where nobody knows."),
    _of_play("is_private", "boolean", "In a private session; absent where nobody knows."),
    _of_play("shuffle", "boolean", "As Spotify's export says."),
    _of_play("reason_start", "text", "As Spotify's export says."),
    _of_play("reason_end", "text", "As Spotify's export says."),
    _of_play("platform", "text", "As Spotify's export says."),
    _of_play("conn_country", "text", "As Spotify's export says."),
    _of_play("captured_at", "moment", "When the pipeline came to know of it; UTC."),
)
QUERY = f"""
    select {", ".join(f"{column.sql} as {column.name}" for column in COLUMNS)}
    from marts.fct_plays as plays
    left join intermediate.int_excluded_plays as excluded
        on plays.account = excluded.account
        and plays.played_date = excluded.played_date
        and plays.play_id = excluded.play_id
    left join marts.dim_tracks as tracks
        on plays.content_type = 'track' and plays.account = tracks.account and plays.track_uri = tracks.track_uri
    left join marts.dim_episodes as spoken
        on plays.content_type != 'track' and plays.account = spoken.account and plays.track_uri = spoken.track_uri
    where plays.account = any(%s)
    order by plays.account, plays.played_at, plays.play_id
"""


class NoHistory(ValueError):
    """There are no marts, or not those of the account that was asked for."""


@dataclass(frozen=True)
class History:
    """`totals`: account → all its plays and milliseconds, then those that reports count. `batches`: rows of COLUMNS."""

    totals: dict[str, tuple[int, int, int, int]]
    batches: Iterator[list[tuple[Any, ...]]]

    @property
    def plays(self) -> int:
        return sum(total[0] for total in self.totals.values())


@contextlib.contextmanager
def open_history(account: str | None) -> Iterator[History]:
    """The plays of one account, or of all, as they are now. Raises NoHistory.

    The warehouse is held until the query stands, not until it is read: slots go on meanwhile.
    """
    with contextlib.ExitStack() as open_ones:
        with held_warehouse():
            connection = open_ones.enter_context(transaction())
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                totals = _totals(cursor, account)
                cursor.execute("set local cursor_tuple_fraction = 1")  # all rows are wanted, not the first ones soon
                cursor.execute("set local work_mem = '64MB'")
            rows = open_ones.enter_context(connection.cursor("plays"))
            rows.execute(QUERY, (list(totals),))
        yield History(totals, iter(lambda: rows.fetchmany(BATCH), []))


def _totals(cursor: Any, account: str | None) -> dict[str, tuple[int, int, int, int]]:
    cursor.execute("select to_regclass('marts.fct_listening_days') is not null")
    if not cursor.fetchone()[0]:
        raise NoHistory("There is no history yet to export: run a slot, or an import, first.")
    cursor.execute(
        "select account, sum(plays + excluded_plays + spoken_plays)::bigint,"
        " sum(ms_played + ms_excluded + ms_spoken)::bigint, sum(plays)::bigint, sum(ms_played)::bigint"
        " from marts.fct_listening_days where account = coalesce(%s, account) group by account order by account",
        (account,),
    )
    totals = {name: (plays, ms, counted, counted_ms) for name, plays, ms, counted, counted_ms in cursor.fetchall()}
    if not totals:
        raise NoHistory(f"No play is known of account {account!r}." if account else "No play is known yet.")
    return totals

"""Every report by its name, with the columns that tell its rows apart and the function that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.oracle.artists import artist_tracks, artist_years
from tests.oracle.discovery import cohorts, discovery, milestones, new_artists
from tests.oracle.history import History
from tests.oracle.numbers import Rows
from tests.oracle.periods import Date
from tests.oracle.plays import Play
from tests.oracle.removed import rows_of_report
from tests.oracle.returns import forgotten_favourites, obsessions, on_this_day, streaks
from tests.oracle.rhythm import hours_of_week, rhythm, season_clock, sessions
from tests.oracle.tops import genre_drift, top_albums, top_artists, top_genres, top_tracks
from tests.oracle.totals import all_periods, days, exclusion_rules, skips, totals
from tests.oracle.wrapped import wrapped


@dataclass(frozen=True)
class Report:
    """`key`: columns after the account. `of_music`: an account without a play that counts has no row."""

    name: str
    key: tuple[str, ...]
    rows: Callable[[History], Rows]
    of_music: bool = True


@dataclass(frozen=True)
class Ranged:
    """A function of the database: the plays of some local dates. `columns`: what it shows of the report."""

    name: str
    key: str
    columns: tuple[str, ...]
    rows: Callable[[History, list[Play]], Rows]

    def of_range(self, history: History, first: Date, last: Date) -> Rows:
        rows = self.rows(history, history.between(first, last))
        return {key: {name: cells[name] for name in self.columns} for key, cells in rows.items()}


REPORTS = (
    Report("rpt_totals", (), totals),
    Report("rpt_days", ("played_date",), days),
    Report("rpt_periods", ("grain", "period_start"), all_periods),
    Report("rpt_hours_of_week", ("iso_weekday", "played_hour"), hours_of_week),
    Report("rpt_rhythm", ("unit", "value"), rhythm),
    Report("rpt_season_clock", ("season", "played_hour"), season_clock),
    Report("rpt_top_tracks", ("recording_key",), lambda history: top_tracks(history, history.plays)),
    Report("rpt_top_artists", ("artist_key",), lambda history: top_artists(history, history.plays)),
    Report("rpt_top_albums", ("album_key",), lambda history: top_albums(history, history.plays)),
    Report("rpt_top_genres", ("genre",), lambda history: top_genres(history, history.plays)),
    Report("rpt_artist_tracks", ("artist_key", "recording_key"), artist_tracks),
    Report("rpt_artist_years", ("artist_key", "played_year"), artist_years),
    Report("rpt_new_artists", ("artist_key",), new_artists),
    Report("rpt_discovery", ("month_start",), discovery),
    Report("rpt_cohorts", ("cohort_year", "played_year"), cohorts),
    Report("rpt_streaks", ("streak_start",), streaks),
    Report("rpt_obsessions", ("track_uri", "first_week"), obsessions),
    Report("rpt_forgotten_favourites", ("recording_key",), forgotten_favourites),
    Report("rpt_on_this_day", ("played_date", "recording_key"), on_this_day),
    Report("rpt_milestones", ("kind", "number"), milestones),
    Report("rpt_skips", ("month_start",), skips),
    Report("rpt_sessions", ("started_at",), sessions),
    Report("rpt_genre_drift", ("played_year", "genre"), genre_drift),
    Report("rpt_exclusion_rules", ("rule_id",), exclusion_rules, of_music=False),
    Report(
        "rpt_removed_rows",
        ("removed_by", "reported_at", "track_uri", "ms_played"),
        lambda history: rows_of_report(history.account, history.removed),
        of_music=False,
    ),
    Report("rpt_wrapped", ("grain", "period_start"), wrapped),
)
COUNTS = ("rank", "plays", "minutes", "minutes_estimated")
RANGED = (
    Ranged("top_tracks", "recording_key", (*COUNTS, "track_name", "artists"), top_tracks),
    Ranged("top_artists", "artist_key", (*COUNTS, "artist_name"), top_artists),
    Ranged("top_albums", "album_key", (*COUNTS, "album_name", "artists"), top_albums),
    Ranged("top_genres", "genre", ("rank", "plays", "minutes"), top_genres),
)

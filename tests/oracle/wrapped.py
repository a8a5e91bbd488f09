"""A month, a quarter or a year in one row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from tests.oracle.history import History, grouped, grouped_by_each
from tests.oracle.numbers import Cells, Rows, Tally, minutes, rounded, share, tally
from tests.oracle.periods import DAY, Date, Period, period_of
from tests.oracle.plays import Play
from tests.oracle.returns import chains
from tests.oracle.rhythm import Session, find_sessions
from tests.oracle.tops import representative, shared_by_genre
from tests.oracle.totals import change_of_periods, distinct, of_periods

GRAINS = ("month", "quarter", "year")


def wrapped(history: History) -> Rows:
    rows: Rows = {}
    for grain in GRAINS:
        new_tracks = Counter(period_of(grain, play.date) for play in history.first_heard.values())
        new_artists = Counter(period_of(grain, play.date) for play in history.artists_first_heard.values())
        begun: dict[Period, list[Session]] = defaultdict(list)
        for session in find_sessions(history):
            begun[period_of(grain, session.started_at.astimezone(history.zone).date())].append(session)
        before: Period | None = None
        plays_before: list[Play] = []
        for period, plays in of_periods(history, grain).items():
            rows[history.account, grain, period.start] = {
                "label": period.label,
                "period_end": period.end,
                "is_complete": history.is_complete(period),
                "is_at_least": history.has_gap_in(period.start, period.end),
                **tally(plays).cells(),
                **distinct(history, plays),
                "new_tracks": new_tracks[period],
                "new_artists": new_artists[period],
                **times(plays),
                **sittings(begun[period]),
                **tops(history, plays),
                **compared(history, period, plays, before, plays_before),
            }
            before, plays_before = period, plays
    return rows


def times(plays: list[Play]) -> Cells:
    """Dates and hours. Of equal ones the earliest."""
    by_date: dict[Date, Tally] = defaultdict(Tally)
    by_hour: dict[int, Tally] = defaultdict(Tally)
    for play in plays:
        by_date[play.date].add(play)
        by_hour[play.hour].add(play)
    busiest = min(by_date, key=lambda date: (-by_date[date].ms, date), default=None)
    judged = [play.is_skipped for play in plays if play.is_skipped is not None]
    return {
        "days_listened": len(by_date),
        "longest_streak": max((len(streak) for streak in chains(by_date, DAY)), default=0),
        "busiest_date": busiest,
        "busiest_minutes": None if busiest is None else minutes(by_date[busiest].ms),
        "top_hour": min(by_hour, key=lambda hour: (-by_hour[hour].ms, hour), default=None),
        "skip_share": share(sum(judged), len(judged)),
    }


def sittings(begun: list[Session]) -> Cells:
    durations = [session.duration_minutes for session in begun]
    return {
        "sessions": len(begun),
        "longest_session_minutes": rounded(max(durations), 2) if durations else None,
    }


def best(scores: Mapping[str, Any]) -> str | None:
    """The key with the greatest score; of equal ones the smallest."""
    greatest = max(scores.values(), default=None)
    return min((key for key in scores if scores[key] == greatest), default=None)


def tops(history: History, plays: list[Play]) -> Cells:
    """What was played most, then longest."""
    tracks = grouped(plays, history.recording)
    artists = grouped_by_each(plays, history.artists)
    albums = grouped_by_each(plays, lambda play: [key] if (key := history.album(play)) else [])
    genres = shared_by_genre(history, plays)
    track = best({key: tally(group).score for key, group in tracks.items()})
    artist = best({key: tally(group).score for key, group in artists.items()})
    album = best({key: tally(group).score for key, group in albums.items()})
    genre = best({key: shared.score for key, shared in genres.items()})
    shown = representative(history, tracks[track]) if track else None
    return {
        "top_track": shown.name if shown else None,
        "top_track_artists": shown.artists if shown else None,
        "top_track_plays": len(tracks[track]) if track else None,
        "top_artist": history.library.names[artist] if artist else None,
        "top_artist_plays": len(artists[artist]) if artist else None,
        "top_album": representative(history, albums[album]).album_name if album else None,
        "top_album_plays": len(albums[album]) if album else None,
        "top_genre": genre,
        "top_genre_share": share(genres[genre].counted, len(plays)) if genre else None,
    }


def compared(history: History, period: Period, plays: list[Play], before: Period | None, earlier: list[Play]) -> Cells:
    """With the period before; null for the first one."""
    if before is None:
        return dict.fromkeys(("plays_before", "minutes_before", "tracks_before", "artists_before", "change"))
    counts, total = distinct(history, earlier), tally(earlier)
    return {
        "plays_before": total.plays,
        "minutes_before": minutes(total.ms),
        "tracks_before": counts["tracks"],
        "artists_before": counts["artists"],
        "change": change_of_periods(history, period, tally(plays).ms, before, total.ms),
    }

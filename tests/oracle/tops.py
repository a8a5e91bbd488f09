"""What was played most: recordings, artists, albums, genres; of the whole history, and of some of its dates."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.history import History, grouped, grouped_by_each
from tests.oracle.numbers import Cells, Rows, minutes, ranks, rounded, share, tally
from tests.oracle.periods import period_of
from tests.oracle.plays import EPOCH, Play
from tests.oracle.tracks import NOBODY, Track


def representative(history: History, plays: Iterable[Play]) -> Track:
    """The track that stands for plays of several: that with most plays, then the latest, then the smallest URI."""
    by_uri = grouped(plays, lambda play: play.uri)
    most = min(by_uri, key=lambda uri: (-len(by_uri[uri]), EPOCH - last(by_uri[uri]), uri))
    return history.library.tracks[most]


def last(plays: list[Play]) -> datetime.datetime:
    return max(play.ended_at for play in plays)


def top_tracks(history: History, plays: list[Play]) -> Rows:
    groups = grouped(plays, history.recording)
    totals = {key: tally(group) for key, group in groups.items()}
    rank = ranks({key: total.score for key, total in totals.items()})
    rows: Rows = {}
    for key, group in groups.items():
        track = representative(history, group)
        judged = [play.is_skipped for play in group if play.is_skipped is not None]
        rows[history.account, key] = {
            **totals[key].cells(),
            **span(group),
            "last_played_date": group[-1].date,
            "rank": rank[key],
            "track_name": track.name,
            "artists": track.artists,
            "skips": sum(judged),
            "skip_share": share(sum(judged), len(judged)),
            "versions": len({play.uri for play in group}),
            "is_at_least": history.has_gap,
            "track_uri": track.uri,
            "track_url": track.url,
        }
    return rows


def span(plays: list[Play]) -> Cells:
    ends = [play.ended_at for play in plays]
    return {"first_played_at": min(ends), "last_played_at": max(ends)}


def top_artists(history: History, plays: list[Play]) -> Rows:
    """A play counts for each of its artists."""
    groups = grouped_by_each(plays, history.artists)
    totals = {key: tally(group) for key, group in groups.items()}
    rank = ranks({key: total.score for key, total in totals.items()})
    return {
        (history.account, key): {
            **totals[key].cells(),
            **span(group),
            "rank": rank[key],
            "artist_name": history.library.names[key],
            "tracks": len({history.recording(play) for play in group}),
            "is_at_least": history.has_gap,
        }
        for key, group in groups.items()
    }


def top_albums(history: History, plays: list[Play]) -> Rows:
    """`total_tracks`: how many the album has, as the Web API told of any of its tracks."""
    told: dict[str, int] = {}
    for track in history.library.tracks.values():
        if track.album_key and track.total_tracks is not None:
            told[track.album_key] = max(track.total_tracks, told.get(track.album_key, 0))
    groups = grouped_by_each(plays, lambda play: [key] if (key := history.album(play)) else [])
    totals = {key: tally(group) for key, group in groups.items()}
    rank = ranks({key: total.score for key, total in totals.items()})
    rows: Rows = {}
    for key, group in groups.items():
        track, total_tracks = representative(history, group), told.get(key)
        heard = len({history.recording(play) for play in group})
        rows[history.account, key] = {
            **totals[key].cells(),
            **span(group),
            "rank": rank[key],
            "album_name": track.album_name,
            "artists": track.album_artist or NOBODY,
            "tracks_heard": heard,
            "total_tracks": total_tracks,
            "share_heard": None if total_tracks is None else share(min(heard, total_tracks), total_tracks),
            "is_completed": None if total_tracks is None else heard >= total_tracks,
            "is_at_least": history.has_gap,
        }
    return rows


@dataclass
class Shared:
    """What of some plays goes to a genre; a play of several genres is shared out between them."""

    plays: Fraction = Fraction(0)
    ms: Fraction = Fraction(0)
    artists: set[str] = field(default_factory=set)

    @property
    def counted(self) -> Fraction:
        """Plays as they are ranked and shown: of 6 digits, for the weights are not exact."""
        return Fraction(rounded(self.plays, 6))

    @property
    def score(self) -> tuple[Fraction, Fraction]:
        return self.counted, Fraction(rounded(self.ms, 6))


def shared_by_genre(history: History, plays: Iterable[Play]) -> dict[str, Shared]:
    counts: Counter[str] = Counter()
    ms: Counter[str] = Counter()
    for play in plays:
        counts[play.uri] += 1
        ms[play.uri] += play.ms
    genres: dict[str, Shared] = defaultdict(Shared)
    for uri, count in counts.items():
        for genre, part in history.genre_shares(uri).items():
            genres[genre].plays += count * part
            genres[genre].ms += ms[uri] * part
        for artist in history.library.tracks[uri].artist_keys:
            for genre in history.library.genres.get(artist, ()):
                genres[genre].artists.add(artist)
    return dict(genres)


def top_genres(history: History, plays: list[Play]) -> Rows:
    genres = shared_by_genre(history, plays)
    rank = ranks({genre: shared.score for genre, shared in genres.items()})
    return {
        (history.account, genre): {
            "rank": rank[genre],
            "plays": rounded(shared.counted, 2),
            "minutes": minutes(Fraction(rounded(shared.ms, 6))),
            "share_of_plays": share(shared.counted, len(plays)),
            "artists": len(shared.artists),
            "is_at_least": history.has_gap,
        }
        for genre, shared in genres.items()
    }


def genre_drift(history: History) -> Rows:
    """`share`: of the year's plays, by genre; `share_before`: of those of the year before, null where it has none."""
    by_year = grouped(history.plays, lambda play: play.date.year)
    shared = {year: shared_by_genre(history, plays) for year, plays in by_year.items()}

    def part(year: int, genre: str) -> Fraction | None:
        if year not in by_year:
            return None
        return (shared[year][genre].counted if genre in shared[year] else Fraction(0)) / len(by_year[year])

    rows: Rows = {}
    for year, genres in shared.items():
        for genre, heard in genres.items():
            now, before = part(year, genre), part(year - 1, genre)
            rows[history.account, year, genre] = {
                "plays": rounded(heard.counted, 2),
                "share": now if now is None else rounded(now, 4),
                "share_before": before if before is None else rounded(before, 4),
                "change": None if now is None or before is None else rounded(now - before, 4),
                "is_complete": history.is_complete(period_of("year", by_year[year][0].date)),
            }
    return rows

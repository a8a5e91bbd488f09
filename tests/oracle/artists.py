"""What was heard of each artist: their recordings, and their years."""

from __future__ import annotations

from collections import defaultdict

from tests.oracle.history import History, grouped, grouped_by_each
from tests.oracle.numbers import Rows, tally
from tests.oracle.returns import shown


def artist_tracks(history: History) -> Rows:
    """The recordings of which a release that was played credits the artist, with all that was played of them."""
    by_recording = grouped(history.plays, history.recording)
    of_artist: dict[str, set[str]] = defaultdict(set)
    for play in history.plays:
        for artist in history.artists(play):
            of_artist[artist].add(history.recording(play))
    return {
        (history.account, artist, key): {
            **tally(by_recording[key]).cells(),
            **shown(history, by_recording[key]),
            "artist_name": history.library.names[artist],
            "is_at_least": history.has_gap,
        }
        for artist, keys in of_artist.items()
        for key in keys
    }


def artist_years(history: History) -> Rows:
    """By the local year of the play, which counts for each of its artists."""
    groups = grouped_by_each(history.plays, lambda play: [(artist, play.date.year) for artist in history.artists(play)])
    return {
        (history.account, artist, year): {
            **tally(plays).cells(),
            "artist_name": history.library.names[artist],
        }
        for (artist, year), plays in groups.items()
    }

"""From an artist to rows of genres: Spotify's where the application is still given them, else those of MusicBrainz.

Nobody is guessed: where a way names more than one artist, the next way is tried, and in the end none is found. That,
too, is a row, so that it is not asked again at every slot.
"""

from __future__ import annotations

import datetime
import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.musicbrainz import MusicBrainz
from pipeline.extract.values import format_moment, identifier, text

COLUMNS = (
    "account",
    "artist_id",
    "artist_name",
    "artist_genre",
    "genre_source",
    "genre_votes",
    "matched_by",
    "musicbrainz_id",
    "spotify_genres",
    "asked_date_utc",
    "last_updated_datetime_utc",
)
MOST_ISRCS = 3  # one request each, at one request a second
SpotifyGenres = list[str] | None


@dataclass(frozen=True)
class Artist:
    """An artist of Spotify, and recordings on which they are credited."""

    artist_id: str
    name: str
    isrcs: tuple[str, ...]


def spotify_genres(body: bytes) -> SpotifyGenres:
    """Genres in the body of `GET /v1/artists/{id}`; None where the application is not given them (null or missing).

    Raises UnexpectedAnswer when the body is no object at all. Source of the format: Spotify Web API reference.
    """
    try:
        artist = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(f"the artist is not JSON ({type(error).__name__}); it begins {body[:60]!r}") from error
    if not isinstance(artist, dict):
        raise UnexpectedAnswer(f"the artist is no JSON object; it begins {body[:60]!r}")
    genres = artist.get("genres")
    return [genre for genre in genres if isinstance(genre, str)] if isinstance(genres, list) else None


def find_genres(
    artist: Artist,
    account: str,
    ask_spotify: Callable[[str], SpotifyGenres] | None,
    musicbrainz: MusicBrainz,
    asked_at: datetime.datetime,
) -> list[dict[str, str]]:
    """One row per genre, keyed like COLUMNS; one row without a genre where none is found.

    `ask_spotify`: from an artist's id to Spotify's genres; None where Spotify is not asked. `asked_at`: with its zone.
    Raises what `ask_spotify` raises, and MusicBrainzError.
    """
    listed = ask_spotify(artist.artist_id) if ask_spotify else None
    answered = "" if ask_spotify is None else "absent" if listed is None else "listed"
    # (genre, votes) pairs
    genres = [(genre, "") for genre, _ in _merged((genre, 0) for genre in listed or ())]
    source, matched_by, mbid = "spotify", "artist_id", ""
    if not genres:
        matched_by, mbid = match_artist(artist, musicbrainz)
        known = _merged(musicbrainz.genres(mbid)) if mbid else []
        # A genre without votes is better than none, and no better than that. One voted down is below 0.
        voted = [pair for pair in known if pair[1] > 0] or [pair for pair in known if pair[1] == 0]
        genres = [(genre, str(votes)) for genre, votes in sorted(voted, key=lambda pair: (-pair[1], pair[0]))]
        source = "musicbrainz" if genres else ""
    return [
        {
            "account": account,
            "artist_id": identifier(artist.artist_id),
            "artist_name": text(artist.name),
            "artist_genre": genre,
            "genre_source": source,
            "genre_votes": votes,
            "matched_by": matched_by,
            "musicbrainz_id": mbid,
            "spotify_genres": answered,
            "asked_date_utc": asked_at.astimezone(datetime.UTC).date().isoformat(),
            "last_updated_datetime_utc": format_moment(asked_at),
        }
        for genre, votes in genres or [("", "")]
    ]


def match_artist(artist: Artist, musicbrainz: MusicBrainz) -> tuple[str, str]:
    """How the artist was found (url, isrc, name) and the MusicBrainz id; both empty where nobody is certain."""
    for matched_by, candidates in (("url", _by_url), ("isrc", _by_isrc), ("name", _by_name)):
        mbids = candidates(artist, musicbrainz)
        if len(mbids) == 1:
            return matched_by, mbids.pop()
    return "", ""


def _by_url(artist: Artist, musicbrainz: MusicBrainz) -> set[str]:
    matches = musicbrainz.artist_by_url(artist.artist_id)
    mbids = {match.mbid for match in matches}
    if len(mbids) <= 1:
        return mbids  # whatever the name: somebody has said that this page is theirs
    return {match.mbid for match in matches if _normalised(match.name) == _normalised(artist.name)}


def _by_isrc(artist: Artist, musicbrainz: MusicBrainz) -> set[str]:
    """Whom the first recording that credits the name credits under it."""
    name = _normalised(artist.name)
    for isrc in artist.isrcs[:MOST_ISRCS] if name else ():
        mbids = {match.mbid for match in musicbrainz.artists_by_isrc(isrc) if _normalised(match.name) == name}
        if mbids:
            return mbids
    return set()


def _by_name(artist: Artist, musicbrainz: MusicBrainz) -> set[str]:
    best = [match for match in musicbrainz.search_artist(text(artist.name)) if match.score == 100]
    is_certain = len(best) == 1 and _normalised(best[0].name) == _normalised(artist.name)
    return {best[0].mbid} if is_certain else set()


def _normalised(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _merged(genres: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Clean lower-case names, each once, in their order; the votes of one written in two ways are added up."""
    merged: dict[str, tuple[str, int]] = {}
    for name, votes in genres:
        # An identifier, as it stands in an index.
        if clean := identifier(" ".join(unicodedata.normalize("NFC", name).lower().split())):
            first, before = merged.get(clean.casefold(), (clean, 0))
            merged[clean.casefold()] = (first, before + votes)
    return list(merged.values())

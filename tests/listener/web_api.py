"""A title as the Web API describes it, and as it does after a relinking."""

from __future__ import annotations

import functools
import random
from typing import Any, Literal

from tests.listener.catalogue import BASE62, VARIOUS, Artist, Title

Json = dict[str, Any]
# "isrc": another track of the same ISRC; "names": another track, of which no ISRC is given.
Relinked = Literal["", "isrc", "names"]


@functools.cache
def describe(title: Title, relinked: Relinked = "") -> Json:
    """Do not change what is returned: it is one object for all plays of the title."""
    if title.kind == "local":
        return _local(title)
    identifier = _other_id(title, relinked) if relinked else title.id
    chance = random.Random(title.album_uri)
    artists = [_credit(artist) for artist in title.artists]
    album_artist = [{"id": "various000000000000000", "name": VARIOUS}] if title.album_artist == VARIOUS else artists[:1]
    year = chance.randint(1975, 2015)
    return {
        "album": {
            "album_type": chance.choice(["album", "album", "single"]),
            "artists": album_artist,
            "id": title.album_uri.rsplit(":", 1)[1],
            "images": [{"height": 640, "url": f"https://i.scdn.co/image/{title.album_uri[-22:]}", "width": 640}],
            "name": title.album,
            "release_date": f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "release_date_precision": "day",
            "total_tracks": 7,
        },
        "artists": artists,
        "disc_number": 1,
        "duration_ms": title.duration_ms,
        "explicit": False,
        "external_ids": {} if relinked == "names" else {"isrc": title.isrc},
        "external_urls": {"spotify": f"https://open.spotify.com/track/{identifier}"},
        "id": identifier,
        "is_local": False,
        "name": title.name,
        "track_number": 1 + int(title.isrc[-1]) % 7,
        "type": "track",
        "uri": f"spotify:track:{identifier}",
    }


def _local(title: Title) -> Json:
    """Nothing of it is known to Spotify."""
    return {
        "album": {"album_type": None, "artists": [], "id": None, "images": [], "name": title.album},
        "artists": [_credit(artist) for artist in title.artists],
        "duration_ms": title.duration_ms,
        "explicit": False,
        "external_ids": {},
        "external_urls": {},
        "id": None,
        "is_local": True,
        "name": title.name,
        "type": "track",
        "uri": title.uri,
    }


def _credit(artist: Artist) -> Json:
    return {"id": artist.id or None, "name": artist.name}


def _other_id(title: Title, relinked: Relinked) -> str:
    return "".join(random.Random(f"{relinked} {title.uri}").choices(BASE62, k=22))

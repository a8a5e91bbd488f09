"""Which files hold plays: by their name, or by how they begin."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["history", "predecessor"]
# Every name under which Spotify has delivered an extended streaming history; endsong.json and endvideo.json have no
# number if the export has one file of the kind.
HISTORY = re.compile(r"(streaming_history_(audio|video)_.*|end(song|video)(_.*)?)\.json", re.IGNORECASE)
ACCOUNT_DATA = re.compile(r"streaminghistory(_music|_podcast|_audiobook)?_?\d*\.json", re.IGNORECASE)
REQUEST = (
    'Request "Extended streaming history" at spotify.com/account/privacy (not "Account data"); Spotify sends it by mail'
    " within 30 days"
)
# Bytes by which a file is recognised: one row has at most about 1,000.
HEAD = 2000
# Columns that every version of the older pipeline's table has.
PREDECESSOR = {"played_at_utc", "song_name", "song_duration_ms"}


def is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def is_table(name: str) -> bool:
    return name.lower().endswith(".csv")


def is_predecessor(head: bytes) -> bool:
    """True if `head` begins a table of plays of the older pipeline."""
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    return {name.strip().strip('"') for name in first.split(",")} >= PREDECESSOR


def is_account_data(head: bytes) -> bool:
    """True if `head` begins a list of plays of Spotify's other archive, the "Account data"."""
    return b'"endTime"' in head and b'"msPlayed"' in head


def looks_like_plays(head: bytes) -> bool:
    """True if `head` begins a JSON list of plays, of either archive of Spotify, whatever the file is called."""
    return (b'"ts"' in head and b'"ms_played"' in head) or is_account_data(head)

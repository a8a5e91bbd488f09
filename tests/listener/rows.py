"""From a play to a row of Spotify's "Extended streaming history", as it looked in two generations of the export.

"endsong"            files up to about 2022: `username`; offline_timestamp in ms, or 0; no audiobook fields
"streaming_history"  files since: audiobook fields, no user name; offline_timestamp in s, in ms in the oldest rows

Within one export, too, old rows have other fields than new ones.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from tests.listener.catalogue import Title
from tests.listener.moments import to_seconds
from tests.listener.truth import Play

Json = dict[str, Any]
Generation = Literal["endsong", "streaming_history"]

# Unix ms of a first of January: what changes from which year on.
Y2018, Y2019, Y2020, Y2022, Y2023 = (
    1_514_764_800_000,
    1_546_300_800_000,
    1_577_836_800_000,
    1_640_995_200_000,
    1_672_531_200_000,
)
# Personal data that nobody wants to find in a database afterwards. Addresses are of the ranges for documentation.
USERNAME = "made-up-user-name-4711"
USER_AGENT = "made-up-user-agent"
PRIVATE_MARKS = ("203.0.113.", "2001:db8:", USERNAME, USER_AGENT)
USERNAME_FIELD = f'"username":"{USERNAME}",'
JSON = {True: "true", False: "false", None: "null"}
# Neither a moment in ms (> 1e11) nor in s (1e9 to 1e11) at which the play can have begun: too small, before Spotify
# existed, after the row's own end, beyond every calendar.
GARBAGE = (1, -1, 4_294_967, 999_999_999, 1_000_000_000, 4_102_444_800, 4_102_444_800_000, 2**63 - 1)


def row_of(play: Play, generation: Generation) -> Json:
    row: Json = json.loads(row_text(play, generation, ts_of(play)))
    return row


def row_text(play: Play, generation: Generation, ts: str) -> str:
    """The row as JSON, its fields in the order of the export. Put together from parts, to be cheap by the million."""
    endsong = generation == "endsong"
    old = play.end_ms < Y2020
    number = play.number
    address = f"203.0.113.{number % 254 + 1}" if number % 9 else f"2001:db8::{number % 9973:x}"
    agent = USER_AGENT if number % 3 else f"{USER_AGENT}/{number % 17}.0"
    offline = None if play.end_ms < Y2018 and not play.offline and number % 4 == 0 else play.offline
    return (
        f'{{"ts":"{ts}",{USERNAME_FIELD if endsong else ""}"platform":"{play.platform}"'
        f',"ms_played":{play.ms_played},"conn_country":"{play.country}"'
        f',"{"ip_addr_decrypted" if endsong and old else "ip_addr"}":"{address}","user_agent_decrypted":"{agent}"'
        f"{_title_fields(play.title, endsong, not old)}"
        f',"reason_start":"{play.reason_start}","reason_end":"{play.reason_end}","shuffle":{JSON[play.shuffle]}'
        f',"skipped":{JSON[_skipped(play, generation)]},"offline":{JSON[offline]}'
        f',"offline_timestamp":{_or_null(offline_timestamp(play, generation))},"incognito_mode":{JSON[play.private]}}}'
    )


def _title_fields(title: Title, endsong: bool, audiobooks: bool) -> str:
    """Kept by URI: hashing a title takes longer than writing a row."""
    key = title.uri, endsong, audiobooks
    if key not in _kept:
        fields = _describe(title, endsong, audiobooks or title.kind == "chapter")
        _kept[key] = "," + json.dumps(fields, ensure_ascii=endsong, separators=(",", ":"))[1:-1]
    return _kept[key]


_kept: dict[tuple[str, bool, bool], str] = {}


def _describe(title: Title, endsong: bool, audiobooks: bool) -> dict[str, str | None]:
    """A removed track has no names. An audiobook's chapter was an episode before there were fields for it."""
    track = title.kind in ("track", "local")
    episode = title.kind == "episode" or (endsong and title.kind == "chapter")
    chapter = title.kind == "chapter"
    fields = {
        "master_metadata_track_name": title.name if track else None,
        "master_metadata_album_artist_name": title.album_artist if track else None,
        "master_metadata_album_album_name": title.album if track else None,
        "spotify_track_uri": title.uri if track else None,
        "episode_name": title.name if episode else None,
        "episode_show_name": title.album if episode else None,
        "spotify_episode_uri": title.uri if episode else None,
    }
    if endsong or not audiobooks:
        return fields
    return fields | {
        "audiobook_title": title.album if chapter else None,
        "audiobook_uri": title.album_uri if chapter else None,
        "audiobook_chapter_uri": title.uri if chapter else None,
        "audiobook_chapter_title": title.name if chapter else None,
    }


def _or_null(number: int | None) -> str:
    return "null" if number is None else str(number)


def ts_of(play: Play) -> str:
    return to_seconds(play.end_ms if play.synced_ms is None else play.synced_ms)


def _skipped(play: Play, generation: Generation) -> bool | None:
    """True only in the latest rows. Before, nothing or false; and nothing in a later export where it was false."""
    if play.end_ms >= Y2023:
        return play.skipped
    return False if generation == "endsong" and play.end_ms >= Y2018 else None


def offline_timestamp(play: Play, generation: Generation) -> int | None:
    """The start in ms or in s (cut off); of offline plays also 0 and garbage, of online plays also 0 and null."""
    if play.stamp == "garbage":
        return GARBAGE[play.number % len(GARBAGE)]
    if play.stamp == "zero":
        return 0 if generation == "endsong" or play.end_ms < Y2022 else None
    if generation == "endsong":
        return play.start_ms if play.offline or play.end_ms >= Y2020 else 0
    if play.end_ms < Y2019:
        return play.start_ms if play.offline else None
    return play.start_ms // 1000 if play.offline or play.end_ms >= Y2020 else None


def is_reported_late(play: Play) -> bool:
    """Heard offline, or ended by an exit of the app."""
    return play.offline or play.reason_end == "logout" or play.reason_end.startswith("unexpected-exit")


def played_at_of(play: Play, generation: Generation) -> int:
    """The end (Unix ms) as far as the row tells: `ts`; of a play reported late with a sound offline_timestamp, that
    plus the milliseconds heard. In other rows offline_timestamp changes nothing: ts is right."""
    stamp = offline_timestamp(play, generation)
    if is_reported_late(play) and play.stamp == "sound" and stamp:
        return (stamp if stamp > 10**11 else stamp * 1000) + play.ms_played
    known = play.end_ms if play.synced_ms is None else play.synced_ms
    return known // 1000 * 1000

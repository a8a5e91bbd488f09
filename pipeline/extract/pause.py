"""When Spotify must not be asked: after a 429 with a long wait, or a used-up quota.

data/pauses/account=<a>.json    since, until (UTC), reason
"""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.extract.files import named_lock, write_atomic
from pipeline.state_files import NotAsWritten, json_object, moment, read_state, typed

# Spotify's waits are said to reach 24 hours; a longer one is an error of somebody's, and is not believed.
LONGEST_PAUSE = datetime.timedelta(hours=25)


@dataclass(frozen=True)
class Pause:
    """`reason`: "quota" or "rate limit". `told`: whether somebody has been told of it."""

    since: str
    until: str
    reason: str
    told: bool = False

    @property
    def ends_at(self) -> datetime.datetime:
        """Never more than a day ahead of its begin."""
        since, until = (datetime.datetime.fromisoformat(moment) for moment in (self.since, self.until))
        return min(until, since + LONGEST_PAUSE)

    def holds_at(self, now: datetime.datetime) -> bool:
        """A pause that begins more than an hour from now was written by a clock that was wrong."""
        begins = datetime.datetime.fromisoformat(self.since) - datetime.timedelta(hours=1, minutes=1)
        return begins <= now < self.ends_at


def pause_path(data: Path, account: str) -> Path:
    return data / "pauses" / f"account={account}.json"


def current_pause(data: Path, account: str, now: datetime.datetime) -> Pause | None:
    """The pause that holds at `now`. A damaged file is none: Spotify is queried, and answers with 429 again."""
    pause = read_state(data, pause_path(data, account), parse_pause)
    return pause if pause and pause.holds_at(now) else None


def parse_pause(content: bytes) -> Pause:
    """Raises ValueError, TypeError."""
    pause = typed(Pause, json_object(content))
    if moment(pause.since) > moment(pause.until):
        raise NotAsWritten("the pause ends before it begins")
    return pause


def write_pause(data: Path, account: str, pause: Pause) -> None:
    """Keep a pause; one that lasts longer stays."""
    with named_lock(data, f"pauses-account={account}"):
        held = current_pause(data, account, datetime.datetime.fromisoformat(pause.since))
        if held and held.ends_at > pause.ends_at:
            return
        write_atomic(pause_path(data, account), json.dumps(asdict(pause), indent=1).encode())

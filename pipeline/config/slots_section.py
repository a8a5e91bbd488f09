"""The section [slots]: in which hours Spotify is polled. cron/run.sh reads the same settings, without Python."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import luigi

from pipeline.config.section import Section

HOUR = "([0-9]|[01][0-9]|2[0-3])"
RANGE = re.compile(f"{HOUR}(?:-{HOUR})?")


class HoursParameter(luigi.Parameter[frozenset[int]]):
    """Hours of the day as `0-6,14-23`. A range includes both its ends and may pass midnight: `22-3`."""

    def parse(self, x: str) -> frozenset[int]:
        hours: set[int] = set()
        for part in x.replace(" ", "").split(","):
            if not (found := RANGE.fullmatch(part)):
                raise ValueError(f"{part!r} is not an hour or a range of hours; write for instance 0-6,14-23")
            first, last = int(found[1]), int(found[2] or found[1])
            hours |= {*range(first, last + 1)} if first <= last else {*range(first, 24), *range(last + 1)}
        return frozenset(hours)

    def serialize(self, x: Any) -> str:
        return format_hours(x)


class ZoneParameter(luigi.Parameter):
    """An IANA time zone."""

    def parse(self, x: str) -> str:
        try:
            return ZoneInfo(x).key
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{x!r} is not an IANA time zone; write one such as Europe/Berlin") from error


class slots(Section):
    """The hours in which slots are due."""

    env: ClassVar[dict[str, str]] = {"awake_hours": "SLOTS_AWAKE_HOURS", "zone": "SLOTS_ZONE"}
    awake_hours: frozenset[int] = HoursParameter(
        default=frozenset({*range(7), *range(14, 24)}), description="Hours in which polls are due: 0-6,14-23."
    )
    zone: str = ZoneParameter(default="UTC", description="IANA zone of awake_hours.")

    @property
    def words(self) -> str:
        """For a message: `0-6,14-23 UTC`."""
        return f"{format_hours(self.awake_hours)} {self.zone}"


def format_hours(hours: Iterable[int]) -> str:
    """The shortest text that HoursParameter reads as these hours, in order: `0-6,14-23`."""
    parts: list[list[int]] = []
    for hour in sorted(hours):
        if parts and parts[-1][1] == hour - 1:
            parts[-1][1] = hour
        else:
            parts.append([hour, hour])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in parts)

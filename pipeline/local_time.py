"""Moments in sentences, which are kept in UTC and shown in the listener's zone."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo

MOMENT = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d"
SECONDS = r"(?::\d\d(?:\.\d+)?)?"
# `2026-11-22 14:30 UTC`, and both moments of `2026-11-22 14:30 to 2026-11-22 16:00 UTC`.
IN_UTC = re.compile(rf"(?:{MOMENT}{SECONDS} to )?{MOMENT}{SECONDS}(?: UTC\b|Z\b|\+00:00)")


def in_zone(text: str, zone: str) -> str:
    """The text with each of its UTC moments in `zone`, without the name of the zone: the caller shows it once."""
    return IN_UTC.sub(lambda found: _converted(found.group(), ZoneInfo(zone)), text)


def _converted(sentence: str, zone: ZoneInfo) -> str:
    moments = []
    for written in re.findall(MOMENT, sentence):
        try:
            moment = datetime.datetime.fromisoformat(written).replace(tzinfo=datetime.UTC)
            moments.append(f"{moment.astimezone(zone):%Y-%m-%d %H:%M}")
        except (ValueError, OverflowError):
            return sentence
    return " to ".join(moments)

"""The polling hours, compared with the hours in which the listeners play."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline import config
from pipeline.doctor.finding import OK, SKIPPED, WARNING, Finding

DAYS = 365
# Of all plays: a share below it in hours without polls is no reason to poll more.
LITTLE = 0.01
# A shorter pause saves too few requests to be worth a gap.
SHORTEST_PAUSE = 3
ZONE_FILES = Path("/usr/share/zoneinfo")
Hours = Mapping[int, float]


def polling_hours() -> Iterator[Finding]:
    """The share of each account's plays in hours without polls; and a value for [slots], if a share is large."""
    from pipeline.load.errors import DatabaseError

    settings = config.slots()
    if settings.zone != "UTC" and ZONE_FILES.is_dir() and not (ZONE_FILES / settings.zone).is_file():
        what = f"{ZONE_FILES} lacks {settings.zone}, so cron/run.sh cannot tell the hour there and polls all day"
        yield Finding(WARNING, what, "install the time zones (Debian: apt install tzdata)")
    try:
        polled = plays_by_hour(settings.zone)
        local = plays_by_hour(config.listener().zone)
    except DatabaseError:
        yield Finding(SKIPPED, "without a database nothing can be said of the listeners' hours")
        return
    if not polled:
        yield Finding(OK, f"{settings.words}; no play of the last {DAYS} days is counted yet")
        return
    missed = {account: 1 - sum(shares[hour] for hour in settings.awake_hours) for account, shares in polled.items()}
    for account, share in missed.items():
        sentence = f"{share:.0%} of {account}'s plays of the last {DAYS} days fall into hours without polls"
        if share < LITTLE:
            yield Finding(OK, f"{settings.words}; {sentence}")
            continue
        forgets = "of more than 50 plays between two polls, Spotify forgets the oldest"
        yield Finding(WARNING, f"{settings.words}; {sentence}: {forgets}", suggestion(local))


def suggestion(shares: Mapping[str, Hours]) -> str:
    """What to write into luigi.cfg, in the listeners' zone."""
    hours = config.format_hours(hours_to_poll(shares.values()))
    return f"in luigi.cfg, [slots]: awake_hours = {hours} and zone = {config.listener().zone}"


def hours_to_poll(shares: Iterable[Hours]) -> set[int]:
    """All hours but the longest pause in which no listener has more than LITTLE of their plays. The first hour of the
    pause is polled too: it brings the last plays before it."""
    every = list(shares)
    for length in range(23, SHORTEST_PAUSE, -1):
        pauses = [{(first + number) % 24 for number in range(length)} for first in range(24)]
        heard = [max(sum(each[hour] for hour in pause) for each in every) for pause in pauses]
        if min(heard) < LITTLE:
            first = heard.index(min(heard))
            return set(range(24)) - pauses[first] | {first}
    return set(range(24))


def plays_by_hour(zone: str) -> dict[str, Hours]:
    """Account → hour in `zone` → share of its plays. Raises DatabaseError."""
    from pipeline.load.postgres import connect

    found: dict[str, Counter[int]] = {}
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('marts.fct_plays')")
        if cursor.fetchone() == (None,):
            return {}
        cursor.execute(
            "select account, extract(hour from played_at at time zone %s)::int, count(*) from marts.fct_plays"
            " where account = any(%s) and played_at > now() - %s * interval '1 day' group by 1, 2 order by 1, 2",
            (zone, config.spotify().account_names, DAYS),
        )
        for account, hour, plays in cursor.fetchall():
            found.setdefault(account, Counter())[hour] = plays
    return {account: {hour: plays[hour] / plays.total() for hour in range(24)} for account, plays in found.items()}

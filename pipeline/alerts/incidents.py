"""Incidents: what is wrong now, since when, and whether it has been told.

    data/alerts/incidents.json    {"incidents": [...]}, each with the fields of Incident

A file, so that it survives restarts and a PostgreSQL that is down.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.files import named_lock, write_atomic
from pipeline.state_files import NotAsWritten, json_object, moment, read_state, typed

logger = logging.getLogger("luigi-interface")
LOCK_SECONDS = 20
SAME_OUTAGE = datetime.timedelta(minutes=15)  # less than the time between two slots


@dataclass
class Incident:
    """Moments are ISO 8601, UTC; empty: not yet.

    `key`: what makes two reports one incident. `name`: what it is about, `title`: the first line of the message that
    begins it, `cause`: one line. `told`: when something was said of it last. `caught_up`: what the run that ended it
    has brought. `lasts`: whether something will end it; what does not last is told once, and forgotten. `reminds`:
    whether it is told again after a day.
    """

    key: str
    account: str
    name: str
    title: str
    cause: str
    to_do: str
    since: str
    last_seen: str
    link: str = ""
    log: str = ""
    times: int = 1
    told: str = ""
    ended: str = ""
    caught_up: str = ""
    lasts: bool = True
    reminds: bool = True

    def __post_init__(self) -> None:
        """Scrub before a message escapes the text: `p&ss` is not found in `p&amp;ss`."""
        self.name, self.title, self.cause = (config.scrub(text) for text in (self.name, self.title, self.cause))

    @property
    def is_open(self) -> bool:
        return self.lasts and not self.ended


def incidents_path(data: Path) -> Path:
    return data / "alerts" / "incidents.json"


def read_incidents(data: Path) -> list[Incident]:
    """All that are open, or over and not told yet; [] if the file is damaged and set aside."""
    now = utc_now()
    return read_state(data, incidents_path(data), lambda content: parse_incidents(content, now)) or []


def parse_incidents(content: bytes, now: datetime.datetime) -> list[Incident]:
    """Raises ValueError, TypeError, KeyError."""
    incidents = [typed(Incident, each) for each in json_object(content)["incidents"]]
    for incident in incidents:
        # A moment in the future would suppress the reminder, or give a negative duration.
        for value in (incident.since, incident.last_seen, *filter(None, (incident.told, incident.ended))):
            moment(value, now)
        if not incident.key or not incident.title:
            raise NotAsWritten("an incident has no key or no title")
    return incidents


@contextlib.contextmanager
def changing(data: Path) -> Iterator[list[Incident]]:
    """The incidents, to be changed in the block; written at its end, if anything has changed."""
    with named_lock(data, "alerts").acquire(timeout=LOCK_SECONDS):
        incidents = read_incidents(data)
        before = [asdict(incident) for incident in incidents]
        yield incidents
        after = [asdict(incident) for incident in incidents]
        if after != before:
            write_atomic(incidents_path(data), (json.dumps({"incidents": after}, indent=1) + "\n").encode())


def report(data: Path, incident: Incident, again: bool = False) -> None:
    """An incident begins, or goes on. `again`: it has become worse, and is told once more."""
    with changing(data) as incidents:
        for known in incidents:
            if known.key == incident.key and incident.is_open and _goes_on(known, incident):
                known.ended = known.caught_up = ""
                known.last_seen, known.cause, known.log = incident.last_seen, incident.cause, incident.log
                known.times += 1
                if again:
                    known.title, known.told = incident.title, ""
                return
        logger.warning("incident begins: %s: %s", incident.key, incident.cause)
        incidents.append(replace(incident))


def _goes_on(known: Incident, incident: Incident) -> bool:
    """Whether `incident` is the same outage as `known`: `known` is open, or ended in the same run.

    The message about an end can be held for days (messages.py). A failure after that is another outage: it has its own
    beginning, and Slack gets a message about it.
    """
    if known.is_open or not known.lasts:
        return known.is_open
    since, ended = (datetime.datetime.fromisoformat(each) for each in (incident.since, known.ended))
    return since - ended <= SAME_OUTAGE


def recover(data: Path, over: Callable[[Incident], bool], now: datetime.datetime, caught_up: str = "") -> None:
    """Every open incident that is `over` ends. Costs next to nothing where there is none."""
    if not any(known.is_open and over(known) for known in read_incidents(data)):
        return
    with changing(data) as incidents:
        for known in incidents:
            if known.is_open and over(known):
                known.ended, known.caught_up = now.isoformat(), caught_up
                logger.info("incident is over: %s", known.key)


def keep_open_ones(data: Path) -> None:
    """Drop what would only be told, where nobody is."""
    if not all(incident.is_open for incident in read_incidents(data)):
        with changing(data) as incidents:
            incidents[:] = [incident for incident in incidents if incident.is_open]


def forget_incidents(data: Path, account: str) -> int:
    """Drop the account's; returns how many."""
    if not incidents_path(data).exists():
        return 0
    with changing(data) as incidents:
        before = len(incidents)
        incidents[:] = [incident for incident in incidents if incident.account != account]
        return before - len(incidents)

"""From incidents to messages: what is due is put into the outbox, and sent."""

from __future__ import annotations

import datetime
import logging
import socket
from pathlib import Path

from filelock import Timeout

from pipeline import config, state_files
from pipeline.alerts.advice import Kind, advice
from pipeline.alerts.damaged import damage_found, end_what_is_removed
from pipeline.alerts.incidents import Incident, changing, keep_open_ones, read_incidents, recover, report
from pipeline.alerts.messages import due_message
from pipeline.alerts.outbox import put_message, send_messages
from pipeline.alerts.services import tell, wants_to_be_told
from pipeline.extract.answers import utc_now

logger = logging.getLogger("luigi-interface")
# Exit codes of [retcode] of which Luigi's own events tell.
# 25: Spotify was not to be asked (an incident of its own).
TOLD_BY_EVENTS = {0, 25, 30}
NOT_SCHEDULED = 35
CAUSES = {kind.word for kind in (Kind.DATABASE, Kind.SETTINGS, Kind.DISK_FULL, Kind.NOT_WRITABLE)}
# Incidents that could not be written down, on a full disk; they are told all the same.
unwritten: list[Incident] = []


def report_safely(data: Path, incident: Incident, again: bool = False) -> None:
    """`report`, or at least something to tell when this run ends."""
    try:
        report(data, incident, again)
    except (OSError, Timeout) as error:
        logger.error("%s cannot be written down: %s", incident.key, error)
        unwritten.append(incident)


def report_damage(data: Path, now: datetime.datetime) -> None:
    """An incident for each state file that was set aside since; the incident of a file that the user removed ends."""
    for note, incident in damage_found(data, now):
        report_safely(data, incident)
        if note and incident not in unwritten:
            note.unlink(missing_ok=True)
    state_files.unwritten.clear()
    end_what_is_removed(data, now)


def tell_what_is_due(now: datetime.datetime | None = None) -> bool:
    """Tell of incidents that have begun, last, or are over, and send what could not be sent before. Never raises.

    A message is in the outbox before its incidents count as told: killed in between, it is told twice, not never.
    """
    now = now or utc_now()
    try:
        data = config.storage().root
        report_damage(data, now)
        if not wants_to_be_told():
            keep_open_ones(data)
            return True
        told = tell(due_message(unwritten, now) or "") if unwritten else True
        if read_incidents(data):
            with changing(data) as incidents:
                if text := due_message(incidents, now):
                    put_message(data, text, now)
        send_messages(data, now)
        return told
    except Timeout:
        return True  # another run is telling
    except (OSError, ValueError, KeyError) as error:
        logger.error("Slack could not be told: %s", error)
        return False


def tell_exit_code(slot: str, exit_code: int, log: str) -> bool:
    """For the wrapper, after a run: what no event can have told. True unless it could not be told or kept."""
    now, data = utc_now(), config.storage().root
    key = f"run {exit_code}"
    try:
        recover(data, lambda incident: incident.key.startswith("run ") and incident.key != key, now)
    except (OSError, Timeout) as error:
        logger.error("what is over cannot be written down: %s", error)
    _end_what_curl_has_told(config.storage().logs / "not-started", now)
    if exit_code not in TOLD_BY_EVENTS and not (exit_code == NOT_SCHEDULED and _has_cause(data)):
        report_safely(data, not_run(key, slot, exit_code, log, now))
    return tell_what_is_due(now)


def _has_cause(data: Path) -> bool:
    """Whether an incident that an event reported explains why tasks could not be scheduled."""
    return any(incident.is_open and incident.key in CAUSES for incident in read_incidents(data))


def _end_what_curl_has_told(path: Path, now: datetime.datetime) -> None:
    """cron/run.sh has told that nothing could be started: slot, exit code, and when it told (seconds; 0: it could not).
    This can, so that is over; the wrapper removes the file."""
    data = config.storage().root
    found = state_files.read_state(data, path, lambda content: parse_not_started(content, now))
    if found is None:
        return
    slot, exit_code, told, began = found
    # The slot is a name: by hand, any slot can run at any time. Files of older versions lack the moment of the failure.
    begun = datetime.datetime.fromtimestamp(min(began or told or now.timestamp(), now.timestamp()), datetime.UTC)
    incident = not_run("not-started", slot, exit_code, "", begun)
    incident.name = f"the pipeline could not be started on {socket.gethostname()}"
    incident.told = begun.isoformat() if told else ""
    incident.ended = now.isoformat()
    report_safely(data, incident)


def parse_not_started(content: bytes, now: datetime.datetime) -> tuple[str, int, int, int]:
    """Slot, exit code, seconds since 1970 of the last message and of the first failure (0: none). Raises ValueError."""
    slot, exit_code, told, *more = content.decode("ascii").split()
    (began,) = more or ["0"]
    begun = datetime.datetime.strptime(slot, "%Y-%m-%dT%H%M")
    state_files.moment(f"{begun.isoformat()}Z", now)
    if not (exit_code.isdecimal() and told.isdecimal() and began.isdecimal() and int(exit_code) <= 255):
        raise state_files.NotAsWritten("it does not hold a slot, an exit code and a moment in seconds")
    return slot, int(exit_code), int(told), min(int(began), 2**33)


def not_run(key: str, slot: str, exit_code: int, log: str, now: datetime.datetime) -> Incident:
    host = socket.gethostname()
    return Incident(
        key=key,
        account="",
        name=f"slots that ended with exit code {exit_code} on {host}",
        title=f"*Slot {slot} did not run* (exit code {exit_code}) on {host}. The log is {log}",
        cause=f"exit code {exit_code}",
        to_do=advice(key),
        since=now.isoformat(),
        last_seen=now.isoformat(),
    )

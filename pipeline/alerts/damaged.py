"""Damaged state files as incidents: each begins when the file is set aside, and ends when the user removes it."""

from __future__ import annotations

import datetime
import re
import socket
from pathlib import Path

from pipeline.alerts.advice import advice
from pipeline.alerts.incidents import Incident, recover
from pipeline.state_files import Damage, read_notes, unwritten

KIND = "damaged"


def damage_found(data: Path, now: datetime.datetime) -> list[tuple[Path | None, Incident]]:
    """An incident for each damaged file that no incident is kept of yet, with its note, if it has one."""
    found = [(note, _incident(damage, now)) for note, damage in read_notes(data)]
    return [*found, *((None, _incident(damage, now)) for damage in unwritten)]


def end_what_is_removed(data: Path, now: datetime.datetime) -> None:
    recover(data, lambda incident: incident.key.startswith(f"{KIND} ") and not _is_there(data, incident.key), now)


def _incident(damage: Damage, now: datetime.datetime) -> Incident:
    host = socket.gethostname()
    where = f"it is now {damage.place}" if damage.is_moved else "it could not be moved"
    found = re.search(r"account=([a-z0-9_-]+)", damage.path)
    return Incident(
        key=f"{KIND} {damage.version} {damage.place}",
        account=found.group(1) if found else "",
        name=f"damaged file {damage.path} on {host}",
        title=f"*A state file is damaged* on {host}: {damage.path}",
        cause=f"{damage.reason}; {where}",
        to_do=advice(KIND),
        since=now.isoformat(),
        last_seen=now.isoformat(),
        reminds=False,
    )


def _is_there(data: Path, key: str) -> bool:
    """Whether the damaged file is still in its place, as it was."""
    _, version, place = key.split(" ", 2)
    try:
        return (data / place).lstat().st_mtime_ns == int(version)
    except (OSError, ValueError):
        return False

"""An incident in words, as Slack shows them: when it begins, after a day, and when it is over."""

from __future__ import annotations

import datetime
import html

from pipeline import config
from pipeline.alerts.incidents import Incident
from pipeline.local_time import in_zone

LONGEST_CAUSE = 600
NO_RUN = {"run", "not-started"}
# Kinds that stop the whole pipeline, and kinds that are no failure of a run.
OF_THE_MACHINE = {*NO_RUN, "database", "settings", "disk-full", "not-writable"}
NO_FAILURES = {"pause", "consent", "consent-ends", "stale", "damaged"}
REMINDER_AFTER = datetime.timedelta(days=1)


def due_message(incidents: list[Incident], now: datetime.datetime) -> str | None:
    """One text of all there is to say now. The incidents are marked as told; what is over and told is dropped."""
    parts = []
    for incident in list(incidents):
        if incident.ended and any(_follows(incident, other) for other in incidents):
            continue  # the message about its end is sent when the next failure is over too
        part = _due_part(incident, now)
        if part:
            parts.append(part)
            incident.told = now.isoformat()
        if incident.told and (incident.ended or not incident.lasts):
            incidents.remove(incident)
    return _in_local_time("\n\n".join(parts)) or None


def _in_local_time(text: str) -> str:
    """The zone is named once, at the end of a text that has moments."""
    try:
        zone = config.listener().zone
    except config.SettingError:
        zone = "UTC"  # the message may be about this very setting
    local = in_zone(text, zone)
    return local if local == text else f"{local}\nTimes: {zone}"


def _follows(ended: Incident, other: Incident) -> bool:
    """Whether `other` is a failure that is active now and stops the same work as `ended` did."""
    first, kind = ended.key.partition(" ")[0], other.key.partition(" ")[0]
    if not other.is_open or first not in OF_THE_MACHINE:
        return False
    return kind in OF_THE_MACHINE or (first in NO_RUN and kind not in NO_FAILURES)


def _due_part(incident: Incident, now: datetime.datetime) -> str | None:
    if incident.ended:
        return _over(incident)
    if not incident.told:
        return _begins(incident)
    if incident.reminds and now - _moment(incident.told) >= REMINDER_AFTER:
        return _goes_on(incident)
    return None


def _begins(incident: Incident) -> str:
    lines = [incident.title, _quoted(incident)]
    if incident.lasts:
        lines += [_sentences(f"Since {at(incident.since)}", incident.to_do)]
    return "\n".join([*lines, *_where(incident)])


def _goes_on(incident: Incident) -> str:
    seen = f"Since {at(incident.since)}, {incident.times} times; last {at(incident.last_seen)}"
    lines = [f"Still: {incident.name}", _quoted(incident), _sentences(seen, incident.to_do)]
    return "\n".join([*lines, *_where(incident)])


def _over(incident: Incident) -> str:
    lasted = _moment(incident.ended) - _moment(incident.since)
    text = f"Recovered: {incident.name}, after {duration(lasted)}"
    if not incident.told:
        text += f" (it began {at(incident.since)}: {_escaped(incident.cause)})"
    return _sentences(text, incident.caught_up)


def _sentences(*parts: str) -> str:
    return " ".join(f"{part}." for part in parts if part)


def _where(incident: Incident) -> list[str]:
    parts = [f"Log: {incident.log}" if incident.log else "", f"<{incident.link}|luigid>" if incident.link else ""]
    return [" · ".join(part for part in parts if part)] if any(parts) else []


def _quoted(incident: Incident) -> str:
    return f"> {_escaped(incident.cause)}"


def _escaped(cause: str) -> str:
    # Slack reads &, < and > as markup.
    return html.escape(cause[:LONGEST_CAUSE], quote=False)


def _moment(written: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(written)


def at(moment: str) -> str:
    """In UTC: the whole message is converted at once."""
    return f"{_moment(moment).astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def duration(lasted: datetime.timedelta) -> str:
    """As a person says it: 5 minutes, 3.5 hours, 2 days."""
    minutes = lasted.total_seconds() / 60
    if minutes < 1:
        count, unit = max(0.0, lasted.total_seconds()), "second"
    elif minutes < 90:
        count, unit = minutes, "minute"
    elif minutes < 48 * 60:
        count, unit = minutes / 60, "hour"
    else:
        count, unit = minutes / 1440, "day"
    number = f"{count:.0f}" if unit in ("second", "minute") or count >= 10 else f"{count:.1f}".removesuffix(".0")
    return f"{number} {unit}{'' if number == '1' else 's'}"

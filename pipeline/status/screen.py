"""The screen of `python -m pipeline status`: 80 columns, the listener's time."""

from __future__ import annotations

import datetime
import re
import textwrap
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.alerts.messages import NO_FAILURES
from pipeline.local_time import in_zone

Json = dict[str, Any]
WIDTH = 80
GAPS_SHOWN = 3
# Of status/problems.py. The line "last slot" has the exit code too.
SLOT_ENDED = re.compile("slot .* ended with exit code")
SEVERITIES = {1: "warning", 2: "CRITICAL"}


def render(status: Json, zone: str, daily_calls: int) -> str:
    now = datetime.datetime.fromisoformat(status["now"])
    local = now.astimezone(ZoneInfo(zone))
    lines = [f"{'Listening history':<40}{f'{local:%d %b %Y %H:%M} {zone}':>40}"]
    for account, known in status["accounts"].items():
        lines += ["", f"Account {account}", *_account(known, now, zone, daily_calls)]
    lines += ["", "Database", *_database(status["database"], now)]
    lines += ["", "Machine", *_machine(status, now, zone)]
    problems = [each for each in status["problems"] if not _is_incident(each["problem"], status["incidents"])]
    if status["incidents"]:
        lines += ["", "Incidents", *(line for each in status["incidents"] for line in _incident(each, zone))]
    if not problems:
        lines += ["", "Nothing else needs attention." if status["incidents"] else "Nothing needs attention."]
    else:
        lines += ["", "Needs attention"]
    for problem in problems:
        who = f"{problem['account']}: " if problem["account"] else ""
        text = f"{SEVERITIES[problem['severity']]:<8}  {who}{in_zone(problem['problem'], zone)}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 12)
    return "\n".join(lines)


def _is_incident(problem: str, incidents: list[Json]) -> bool:
    """Whether an open incident states the same fact: its cause is in the sentence, or it ended the last slot."""
    if SLOT_ENDED.match(problem):
        return any(each.get("key", "").partition(" ")[0] not in NO_FAILURES for each in incidents)
    text = " ".join(problem.split())
    causes = (" ".join(each["cause"].partition(": ")[2].split()) or each["cause"] for each in incidents)
    return any(cause and (cause in text or text in cause) for cause in causes)


def _incident(incident: Json, zone: str) -> list[str]:
    told = "told" if incident["told"] else "not told"
    name = incident["name"].replace("*", "").partition(" on ")[0]
    times = f", {incident['times']} times" if incident["times"] > 1 else ""
    return [
        _line(_at(incident["since"], zone), f"{name}{times}, {told}"),
        *textwrap.wrap(in_zone(incident["cause"], zone), WIDTH, initial_indent=" " * 16, subsequent_indent=" " * 16),
    ]


def _account(known: Json, now: datetime.datetime, zone: str, daily_calls: int) -> list[str]:
    def at(moment: str | None) -> str:
        return _at(moment, zone)

    poll = at(known["last_poll_at"]) + _ago(known["last_poll_at"], now)
    if known["last_poll_at"]:
        poll += f": {known['last_poll_items']} plays returned, {known['last_poll_new_plays']} new"
    lines = [_line("last poll", poll)]
    if known["last_attempt"] not in (None, "polled"):
        lines.append(_line("since then", f"{known['last_attempt'].replace('_', ' ')}, {at(known['last_attempt_at'])}"))
    last_play = at(known["last_play_at"]) + _ago(known["last_play_at"], now)
    lines.append(_line("last play", "unknown, see below" if known["damage"] else last_play))
    if known.get("plays") is not None:
        lines.append(_line("plays", f"{known['plays']:,}, {known['plays_today']:,} of them today"))
    if known["pending_answers"] or known["rejected_answers"]:
        answers = f"{known['pending_answers']} wait to be merged, {known['rejected_answers']} set aside"
        lines.append(_line("answers", answers))
    gaps = known.get("open_gaps", [])
    lines.append(_line("gaps", f"{len(gaps)} open" if gaps else "none open"))
    lines += [_line("", f"{at(gap['begins_at'])} to {at(gap['ends_at'])}") for gap in gaps[-GAPS_SHOWN:]]
    if known["consent"] == "given":
        consent = f"until {known['consent_ends_at'][:10]}, {known['token_days_left']} days left"
    else:
        consent = known["consent"] if known["consent"] in ("none", "ended") else "unusable, see below"
    lines.append(_line("consent", consent))
    if known["paused_until"]:
        lines.append(_line("paused", f"until {at(known['paused_until'])} ({known['pause_reason']})"))
    if known.get("calls_today") is not None:
        left = max(0, daily_calls - known["calls_today"])
        lines.append(_line("calls today", f"{known['calls_today']} of {daily_calls}, {left} left"))
    if known.get("genre_coverage") is not None:
        lines.append(_line("genres", f"{known['genre_coverage']:.0%} of plays have one"))
    if known.get("saved_tracks_read_at"):
        lines.append(_line("saved tracks", f"read {at(known['saved_tracks_read_at'])}"))
    if known["page_made_at"]:
        lines.append(_line("page", f"made {at(known['page_made_at'])}"))
    return lines


def _database(database: Json, now: datetime.datetime) -> list[str]:
    if not database["reachable"]:
        return [_line("", "cannot be reached")]
    runs = (("last dbt run", database["last_run_at"]), ("last dbt test", database["last_test_at"]))
    return [_line(name, _ago(moment, now).strip(", ") or "never") for name, moment in runs]


def _machine(status: Json, now: datetime.datetime, zone: str) -> list[str]:
    run, disk, luigid = status["last_run"], status["disk"], status["luigid"]
    ended = "none under cron yet"
    if run:
        ended = f"{run['slot']}, exit code {run['exit_code']}{_ago(run['ended_at'], now)}"
    lines = [_line("last slot", ended), _line("next slot", _at(status["next_slot_at"], zone))]
    lines.append(_line("disk", f"{_bytes(disk['data_bytes'])} in the data folder, {_bytes(disk['free_bytes'])} free"))
    lines.append(_line("last backup", _ago(status["last_backup_at"], now).strip(", ") or "none"))
    slack = {"webhook": "told by webhook", "bot": "told by bot token"}.get(status["slack"] or "", "not set up")
    lines.append(_line("slack", slack))
    if count := status["notify_urls"]:
        lines.append(_line("other services", f"{count} in NOTIFY_URLS"))
    lines.append(_line("metabase", "set up" if status["metabase"] else "not set up"))
    if luigid:
        lines.append(
            _line(
                "luigid", "answers" if luigid["reachable"] else "see below" if luigid["refuses"] else "does not answer"
            )
        )
    return lines


def _at(moment: str | None, zone: str) -> str:
    return f"{datetime.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)):%d %b %H:%M}" if moment else "never"


def _bytes(number: int) -> str:
    size, units = float(number), iter(("kB", "MB", "GB", "TB"))
    unit = next(units)
    size /= 1000
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{size:.1f} {unit}" if size < 10 else f"{size:,.0f} {unit}"


def _line(name: str, text: str) -> str:
    return f"  {name:<14}{text}".rstrip()


def _ago(moment: str | None, now: datetime.datetime) -> str:
    if moment is None:
        return ""
    minutes = int((now - datetime.datetime.fromisoformat(moment)).total_seconds() // 60)
    if minutes < 1:
        return ", just now"
    if minutes < 120:
        return f", {minutes} min ago"
    return f", {minutes // 60} h ago" if minutes < 48 * 60 else f", {minutes // 1440} days ago"

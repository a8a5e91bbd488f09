"""What of a status needs attention, and how much."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from pipeline.slot import slots_due

# What a monitor reads from the exit code.
FINE, WARNING, CRITICAL = 0, 1, 2
WARN_DAYS_LEFT = 7
RECENT_GAP = datetime.timedelta(days=1)
LONG_SILENCE = datetime.timedelta(days=1)
# A slot merges what waits; two that could not are not by chance.
LONG_WAIT = datetime.timedelta(hours=1)
# Of the disk under data/, in bytes.
LITTLE_SPACE, NO_SPACE = 500_000_000, 50_000_000
# Exit codes of a run that need nobody: all done, and Spotify was not to be asked (said of the account).
QUIET_CODES = (0, 25)
Json = dict[str, Any]


def find_problems(status: Json, now: datetime.datetime) -> Iterator[tuple[int, str | None, str]]:
    for account, known in status["accounts"].items():
        again = f"run python -m pipeline authorize --account {account}"
        if known["consent"] == "none":
            yield CRITICAL, account, f"no consent yet: {again}"
        elif known["consent"] == "ended":
            yield CRITICAL, account, f"the consent has ended, nothing is polled: {again}"
        elif known["consent"] != "given":
            yield CRITICAL, account, known["consent"]
        elif known["token_days_left"] <= WARN_DAYS_LEFT:
            yield WARNING, account, f"the consent ends in {known['token_days_left']} days: {again}"
        if known["paused_until"]:
            yield WARNING, account, f"paused until {_utc(known['paused_until'])} ({known['pause_reason']})"
        elif known["last_attempt"] == "failed":
            yield WARNING, account, f"the last poll failed: {known['last_attempt_reason']}"
        if known["damage"]:
            yield CRITICAL, account, known["damage"]
        yield from _silence(account, known["last_poll_at"], now)
        yield from _answers(account, known, now)
        for gap in known.get("open_gaps", []):
            if now - datetime.datetime.fromisoformat(gap["found_at"]) < RECENT_GAP:
                yield WARNING, account, f"plays may be lost from {_utc(gap['begins_at'])} to {_utc(gap['ends_at'])}"
    database = status["database"]
    if not database["reachable"]:
        yield CRITICAL, None, database["error"]
    elif database["loads_not_built"]:
        yield WARNING, None, "staging holds plays that the marts lack: see the log of the last slot"
    elif database["loads_not_tested"]:
        yield WARNING, None, "the marts were built and did not pass their tests: see the log of the last slot"
    yield from _machine(status)


def _silence(account: str, last_poll_at: str | None, now: datetime.datetime) -> Iterator[tuple[int, str, str]]:
    if last_poll_at is None:
        yield CRITICAL, account, "never polled: run a slot, then let cron do it"
        return
    last = datetime.datetime.fromisoformat(last_poll_at)
    *_, before_last = slots_due(now, 2)
    if last < before_last:
        severity = CRITICAL if now - last > LONG_SILENCE else WARNING
        yield severity, account, f"no poll since {_utc(last_poll_at)}: see whether cron runs, and the log"


def _answers(account: str, known: Json, now: datetime.datetime) -> Iterator[tuple[int, str, str]]:
    def age(moment: str) -> datetime.timedelta:
        return now - datetime.datetime.fromisoformat(moment)

    if known["pending_answers"] and age(known["pending_since"]) > LONG_WAIT:
        yield WARNING, account, f"{known['pending_answers']} answers of Spotify's wait to be merged: see the log"
    if known["rejected_answers"] and age(known["rejected_at"]) < RECENT_GAP:
        yield WARNING, account, "an answer of Spotify's was no page of plays, and is kept in data/raw: see the log"


def _machine(status: Json) -> Iterator[tuple[int, None, str]]:
    run, free = status["last_run"], status["disk"]["free_bytes"]
    if run and run["exit_code"] not in QUIET_CODES:
        yield WARNING, None, f"slot {run['slot']} ended with exit code {run['exit_code']}: see {run['log']}"
    for folder in status["disk"]["unreadable"]:
        yield WARNING, None, f"{folder} cannot be read: make it yours (chown), or run the command as its owner"
    if free < LITTLE_SPACE:
        severity = CRITICAL if free < NO_SPACE else WARNING
        yield severity, None, f"only {free // 1_000_000} MB are free on the disk of the data folder: make room"
    luigid = status["luigid"]
    if luigid and luigid["refuses"]:
        yield WARNING, None, f"luigid at {luigid['url']} is not used: {luigid['refuses']}"
    elif luigid and not luigid["reachable"]:
        yield WARNING, None, f"luigid does not answer at {luigid['url']}: slots run without the visualiser"


def _utc(moment: str) -> str:
    return f"{datetime.datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"

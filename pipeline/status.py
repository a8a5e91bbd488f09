"""`python -m pipeline status`: what is known of capture, consent and marts, and what a person should look at.

Gathered from the files, so that it can be told with PostgreSQL down too, and from the database for the rest.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from pipeline.extract.datasets import PLAYS
from pipeline.extract.errors import PartitionDamaged, TokenStoreError
from pipeline.extract.partitions import list_partitions, read_partition
from pipeline.extract.pause import current_pause
from pipeline.extract.records import latest_records, outcome
from pipeline.extract.tokens import load_tokens
from pipeline.load.budget import calls_used
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import connect
from pipeline.slot import slots_due

# What a monitor reads from the exit code.
FINE, WARNING, CRITICAL = 0, 1, 2
WARN_DAYS_LEFT = 7
RECENT_GAP = datetime.timedelta(days=1)
LONG_SILENCE = datetime.timedelta(days=1)
Json = dict[str, Any]


def gather(data: Path, accounts: list[str], now: datetime.datetime) -> Json:
    """Everything `status` says; moments as ISO 8601, UTC. `problems`: severity (1 or 2), account or null, sentence."""
    status: Json = {"now": now.isoformat(), "accounts": {}, "database": {"reachable": False}}
    for account in accounts:
        status["accounts"][account] = {**_polls(data, account), **_consent(data, account, now)}
    try:
        with contextlib.closing(connect()) as connection:
            connection.autocommit = True
            status["database"] = {"reachable": True, **_dbt(connection)}
            for account, known in status["accounts"].items():
                known.update(_from_database(connection, account, now))
    except (DatabaseError, psycopg2.Error) as error:
        status["database"]["error"] = str(error).strip()
    status["problems"] = [
        {"severity": severity, "account": account, "problem": problem}
        for severity, account, problem in _problems(status, now)
    ]
    status["exit_code"] = max((problem["severity"] for problem in status["problems"]), default=FINE)
    return status


def _polls(data: Path, account: str) -> Json:
    attempt, polled = latest_records(data, account)
    return {
        "last_attempt_at": attempt and attempt["fetched_at"],
        "last_attempt": outcome(attempt),
        "last_attempt_reason": (attempt or {}).get("reason") or None,
        "last_poll_at": polled and polled["fetched_at"],
        "last_poll_items": polled and polled["items"],
        "last_poll_new_plays": polled and polled["new_plays"],
        **_last_play(data, account),
    }


def _last_play(data: Path, account: str) -> Json:
    for path in reversed(list_partitions(PLAYS, data, account)):
        try:
            rows = read_partition(PLAYS, path)
        except PartitionDamaged as error:
            return {"last_play_at": None, "damage": str(error)}
        if rows:
            return {"last_play_at": rows[-1]["played_at_utc"], "damage": None}
    return {"last_play_at": None, "damage": None}


def _consent(data: Path, account: str, now: datetime.datetime) -> Json:
    consent: Json = {"consent": "none", "consent_ends_at": None, "token_days_left": None}
    try:
        tokens = load_tokens(data, account)
        if tokens:
            consent["consent"] = "ended" if tokens.ended else "given"
            consent["consent_ends_at"] = tokens.consent_ends_at.isoformat()
            consent["token_days_left"] = tokens.days_left(now)
    except TokenStoreError as error:
        consent["consent"] = str(error)
    pause = current_pause(data, account, now)
    return {**consent, "paused_until": pause and pause.ends_at.isoformat(), "pause_reason": pause and pause.reason}


def _dbt(connection: Any) -> Json:
    if not _exists(connection, "pipeline.dbt_runs"):
        return {"last_run_at": None, "last_test_at": None, "loads_not_built": None, "loads_not_tested": None}
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select max(finished_at) from pipeline.dbt_runs where step = 'run'),"
            " (select max(finished_at) from pipeline.dbt_runs where step = 'test'),"
            " count(distinct load_id) filter (where load_id > coalesce("
            "(select max(loaded_through) from pipeline.dbt_runs where step = 'run'), 0)),"
            " count(distinct load_id) filter (where load_id > coalesce("
            "(select max(loaded_through) from pipeline.dbt_runs where step = 'test'), 0))"
            " from staging.spotify_songs where load_id > coalesce("
            "(select max(loaded_through) from pipeline.dbt_runs where step = 'test'), 0)"
        )
        run, test, not_built, not_tested = cursor.fetchone()
    return {
        "last_run_at": run and run.isoformat(),
        "last_test_at": test and test.isoformat(),
        "loads_not_built": not_built,
        "loads_not_tested": not_tested,
    }


def _from_database(connection: Any, account: str, now: datetime.datetime) -> Json:
    found: Json = {"open_gaps": [], "calls_today": None, "genre_coverage": None, "saved_tracks_read_at": None}
    with connection.cursor() as cursor:
        if _exists(connection, "staging.polls"):
            found["calls_today"] = calls_used(connection, account, now.date())
        if _exists(connection, "pipeline.library_reads"):
            cursor.execute(
                "select max(read_at) from pipeline.library_reads where account = %s and tracks is not null", (account,)
            )
            (read_at,) = cursor.fetchone()
            found["saved_tracks_read_at"] = read_at and read_at.isoformat()
        if _exists(connection, "marts.fct_gaps"):
            cursor.execute(
                "select begins_at, ends_at, why, found_at from marts.fct_gaps where account = %s and is_open"
                " order by begins_at",
                (account,),
            )
            found["open_gaps"] = [
                {
                    "begins_at": begins_at.isoformat(),
                    "ends_at": ends_at.isoformat(),
                    "why": why,
                    "found_at": found_at.isoformat(),
                }
                for begins_at, ends_at, why, found_at in cursor.fetchall()
            ]
        if _exists(connection, "reporting.rpt_genre_coverage"):
            cursor.execute("select share_of_plays from reporting.rpt_genre_coverage where account = %s", (account,))
            row = cursor.fetchone()
            found["genre_coverage"] = float(row[0]) if row else None
    return found


def _exists(connection: Any, relation: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", (relation,))
        return bool(cursor.fetchone()[0])


def _problems(status: Json, now: datetime.datetime) -> Iterator[tuple[int, str | None, str]]:
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


def _silence(account: str, last_poll_at: str | None, now: datetime.datetime) -> Iterator[tuple[int, str, str]]:
    if last_poll_at is None:
        yield CRITICAL, account, "never polled: run a slot, then let cron do it"
        return
    last = datetime.datetime.fromisoformat(last_poll_at)
    *_, before_last = slots_due(now, 2)
    if last < before_last:
        severity = CRITICAL if now - last > LONG_SILENCE else WARNING
        yield severity, account, f"no poll since {_utc(last_poll_at)}: see whether cron runs, and the log"


def _utc(moment: str) -> str:
    return f"{datetime.datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"

"""What PostgreSQL tells: how far dbt is, and of each account plays, gaps and limits."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import config
from pipeline.load.budget import calls_used

Json = dict[str, Any]


def dbt_facts(connection: Any) -> Json:
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


def account_facts(connection: Any, account: str, now: datetime.datetime) -> Json:
    found: Json = {
        "plays": None,
        "plays_today": None,
        "open_gaps": [],
        "calls_today": None,
        "genre_coverage": None,
        "saved_tracks_read_at": None,
    }
    with connection.cursor() as cursor:
        if _exists(connection, "staging.polls"):
            found["calls_today"] = calls_used(connection, account, now.date())
        if _exists(connection, "pipeline.library_reads"):
            cursor.execute(
                "select max(read_at) from pipeline.library_reads where account = %s and tracks is not null", (account,)
            )
            (read_at,) = cursor.fetchone()
            found["saved_tracks_read_at"] = read_at and read_at.isoformat()
        if _exists(connection, "marts.fct_listening_days"):
            today = now.astimezone(ZoneInfo(config.listener().zone_of(account))).date()
            cursor.execute(
                "select coalesce(sum(plays), 0)::bigint,"
                " coalesce(sum(plays) filter (where played_date = %s), 0)::bigint"
                " from marts.fct_listening_days where account = %s",
                (today, account),
            )
            found["plays"], found["plays_today"] = cursor.fetchone()
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

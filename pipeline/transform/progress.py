"""What dbt has seen so far: the table pipeline.dbt_runs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Literal

Step = Literal["run", "test"]
Scope = Literal["full", "news"]
# So many new plays, and this share of all, are built faster with the rest than into it.
MUCH = 20_000
SHARE = 0.1


@dataclass(frozen=True)
class Progress:
    """The last success of a step. `loaded_through`: the newest load it saw; `slot`: UTC."""

    loaded_through: int
    project_version: str
    slot: datetime.datetime


def newest_load(connection: Any) -> int:
    """The newest load that brought a play, polled or imported; 0 before the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select greatest((select max(load_id) from staging.spotify_songs),"
            " (select max(load_id) from staging.spotify_history), 0)"
        )
        return int(cursor.fetchone()[0])


def last_success(connection: Any, step: Step, scope: Scope | None = None) -> Progress | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select loaded_through, project_version, slot from pipeline.dbt_runs"
            " where step = %s and scope = coalesce(%s, scope) order by finished_at desc limit 1",
            (step, scope),
        )
        row = cursor.fetchone()
    return Progress(*row) if row else None


def record_success(connection: Any, step: Step, scope: Scope, progress: Progress) -> None:
    """The caller commits, together with the marker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into pipeline.dbt_runs (step, scope, slot, loaded_through, project_version)"
            " values (%s, %s, %s, %s, %s)",
            (step, scope, progress.slot, progress.loaded_through, progress.project_version),
        )


def run_scope(connection: Any, project_version: str, relations: list[str]) -> Scope | None:
    """What has to be run: nothing; the days that changed; or everything.

    Everything at first, if the models have changed, if one of the `relations` they build is missing, and if a load has
    changed rows in place (load/staging.py clears the version of the last run).
    """
    last = last_success(connection, "run")
    if last is None or last.project_version != project_version:
        return "full"
    with connection.cursor() as cursor:
        cursor.execute("select bool_or(to_regclass(name) is null) from unnest(%s) as name", (relations,))
        if cursor.fetchone()[0]:
            return "full"
    if newest_load(connection) == last.loaded_through:
        return None
    return "full" if _is_much_new(connection) else "news"


def _is_much_new(connection: Any) -> bool:
    """Whether building all anew is less work than to look for what has changed: after an import, that is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with tested as (select coalesce(max(loaded_through), 0) as through from pipeline.dbt_runs"
            " where step = 'test'), news as (select ("
            "  (select count(*) from staging.spotify_history, tested where load_id > through)"
            "  + (select count(*) from staging.spotify_songs, tested where load_id > through)) as rows)"
            " select rows > %s and rows > %s * (select sum(greatest(reltuples, 0)) from pg_class"
            "  where oid in ('staging.spotify_songs'::regclass, 'staging.spotify_history'::regclass)) from news",
            (MUCH, SHARE),
        )
        return bool(cursor.fetchone()[0])


def test_scope(connection: Any, slot: datetime.datetime) -> Scope | None:
    """What has to be tested of the last run: nothing; the days that changed; or, once a day, everything."""
    last_run = last_success(connection, "run")
    last = last_success(connection, "test")
    if last_run is None:
        return None
    if last and (last.loaded_through, last.project_version) == (last_run.loaded_through, last_run.project_version):
        return None
    last_full = last_success(connection, "test", "full")
    if last_full is None or last_full.project_version != last_run.project_version:
        return "full"
    last_built = last_success(connection, "run", "full")
    if last_built and last_built.loaded_through > last_full.loaded_through:
        return "full"
    return "news" if last_full.slot.date() >= slot.date() else "full"

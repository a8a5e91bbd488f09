"""When dbt is started, and on how much: nothing, what is new, or everything."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from typing import Any

from pipeline.load.marker import Marker
from pipeline.load.postgres import held_warehouse, transaction
from pipeline.transform import dbt, progress

logger = logging.getLogger("luigi-interface")


def run_models(
    slot: datetime.datetime, marker: Marker | None = None, notify: Callable[[str], None] = logger.warning
) -> str:
    """Build what staging has gained since the last proven state; returns what was done, in words.

    `slot`: UTC, naive or aware. `marker` is written in the transaction that records the success. `notify` is called
    with a sentence if a full build had to replace an incremental one. Raises DbtFailed.
    """
    version, relations = dbt.project_version(), dbt.relations()
    if _nothing_to_do(lambda connection: progress.run_scope(connection, version, relations), marker):
        return _log("dbt not started: staging holds nothing new")
    with held_warehouse():
        # Asked again: another run may have built it all while this one waited.
        with transaction() as connection:
            scope = progress.run_scope(connection, version, relations)
            loaded_through = progress.newest_load(connection)
        started = time.monotonic()
        if scope:
            scope = _build(scope, notify)
        with transaction() as connection:
            if scope:
                built = progress.Progress(loaded_through, version, _utc(slot))
                progress.record_success(connection, "run", scope, built)
            if marker:
                marker.touch(connection)
    return _log(f"models built ({scope}) in {time.monotonic() - started:.1f} s")


def _build(scope: progress.Scope, notify: Callable[[str], None]) -> progress.Scope:
    """Build; returns the scope that was built. If a constraint stops an incremental build, one full build replaces it.

    Rows that contradict each other would otherwise fail this slot and every later one, because an incremental run keeps
    what was built before. A full build that fails too raises DbtFailed.
    """
    try:
        dbt.run(scope)
    except dbt.DbtFailed as error:
        if scope == "full" or not error.violates_constraint:
            raise
        reason = " ".join(str(error).split())
        notify(
            "the incremental build of the models failed on a constraint of the database, so everything is built again"
            f" from scratch. The numbers are right afterwards; please report this as a defect: {reason}"
        )
        dbt.run("full")
        return "full"
    return scope


def run_tests(slot: datetime.datetime, marker: Marker | None = None) -> str:
    """Test what the last run built and no test has passed yet; returns what was done, in words. Raises DbtFailed."""
    if _nothing_to_do(lambda connection: progress.test_scope(connection, _utc(slot)), marker):
        return _log("dbt tests not started: nothing was built since they last passed")
    with held_warehouse():
        with transaction() as connection:
            scope = progress.test_scope(connection, _utc(slot))
            last_run = progress.last_success(connection, "run")
        started = time.monotonic()
        if scope:
            dbt.test(scope)
        with transaction() as connection:
            if scope and last_run:
                tested = progress.Progress(last_run.loaded_through, last_run.project_version, _utc(slot))
                progress.record_success(connection, "test", scope, tested)
            if marker:
                marker.touch(connection)
    return _log(f"tests passed ({scope}) in {time.monotonic() - started:.1f} s")


def _nothing_to_do(scope: Callable[[Any], progress.Scope | None], marker: Marker | None) -> bool:
    """Whether there is nothing to build or test; then the marker is written. A quiet slot ends here, without a lock."""
    with transaction() as connection:
        if scope(connection) is not None:
            return False
        if marker:
            marker.touch(connection)
        return True


def _utc(slot: datetime.datetime) -> datetime.datetime:
    return slot.replace(tzinfo=datetime.UTC)


def _log(message: str) -> str:
    logger.info(message)
    return message

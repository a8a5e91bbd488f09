"""When dbt is started, and on how much: nothing, what is new, or everything."""

from __future__ import annotations

import datetime
import logging
import time

from pipeline.load.postgres import Marker, held_warehouse, transaction
from pipeline.transform import dbt, progress

logger = logging.getLogger("luigi-interface")


def run_models(slot: datetime.datetime, marker: Marker | None = None) -> str:
    """Build what staging has gained since the last proven state; returns what was done, in words.

    `slot`: UTC, naive or aware. `marker` is written in the transaction that records the success. Raises DbtFailed.
    """
    with held_warehouse():
        with transaction() as connection:
            version = dbt.project_version()
            scope = progress.run_scope(connection, version)
            loaded_through = progress.newest_load(connection)
            if scope is None:
                if marker:
                    marker.touch(connection)
                return _log("dbt not started: staging holds nothing new")
        started = time.monotonic()
        dbt.run(scope)
        with transaction() as connection:
            progress.record_success(connection, "run", scope, progress.Progress(loaded_through, version, _utc(slot)))
            if marker:
                marker.touch(connection)
        return _log(f"models built ({scope}) in {time.monotonic() - started:.1f} s")


def run_tests(slot: datetime.datetime, marker: Marker | None = None) -> str:
    """Test what the last run built and no test has passed yet; returns what was done, in words. Raises DbtFailed."""
    with held_warehouse():
        with transaction() as connection:
            last_run = progress.last_success(connection, "run")
            scope = progress.test_scope(connection, last_run, _utc(slot)) if last_run else None
            if last_run is None or scope is None:
                if marker:
                    marker.touch(connection)
                return _log("dbt tests not started: nothing was built since they last passed")
        started = time.monotonic()
        dbt.test(scope)
        with transaction() as connection:
            tested = progress.Progress(last_run.loaded_through, last_run.project_version, _utc(slot))
            progress.record_success(connection, "test", scope, tested)
            if marker:
                marker.touch(connection)
        return _log(f"tests passed ({scope}) in {time.monotonic() - started:.1f} s")


def _utc(slot: datetime.datetime) -> datetime.datetime:
    return slot.replace(tzinfo=datetime.UTC)


def _log(message: str) -> str:
    logger.info(message)
    return message

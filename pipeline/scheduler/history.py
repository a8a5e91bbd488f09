"""Luigi's task history in the pipeline's PostgreSQL, schema `luigi`: which task ran when, and how it ended.

The tables and the pages that show them are Luigi's own. Here is what keeps a database that is slow, down or not there
yet from keeping luigid, and so a slot, waiting: a thread writes what happens, and what could not be written waits.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
import queue
import threading
from typing import Any

import luigi.scheduler
import psycopg2
import sqlalchemy
import sqlalchemy.orm
from luigi.db_task_history import Base, DbTaskHistory, TaskEvent
from luigi.task_status import DONE, FAILED, PENDING, RUNNING
from psycopg2.extensions import parse_dsn

from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import dsn

KEPT = datetime.timedelta(days=90)
A_DAY = datetime.timedelta(days=1)
MOST_WAITING = 20_000  # events: a week without a database
SECONDS_BETWEEN = 2.0  # from one attempt to reach the database to the next
logger = logging.getLogger("luigi.task_history")


@dataclasses.dataclass(frozen=True)
class Happened:
    """`moment`: naive UTC, as it is stored."""

    task: luigi.scheduler.Task
    status: str
    host: str | None
    moment: datetime.datetime


class TaskHistory(DbTaskHistory):
    """One row of luigi.tasks per run of a task; in luigi.task_events when it was scheduled, began and ended (UTC)."""

    def __init__(self) -> None:
        # Luigi's own reads an address from luigi.cfg, in which a password would stand.
        self.engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=_connect, pool_pre_ping=True)
        self.session_factory = sqlalchemy.orm.sessionmaker(bind=self.engine, expire_on_commit=False)
        self.tasks: dict[str, Any] = {}
        self.waiting: queue.Queue[Happened | None] = queue.Queue(MOST_WAITING)
        self.closing = threading.Event()
        self.pruned: datetime.datetime | None = None  # None: the tables have not been seen yet
        self.in_trouble = False
        self.writer = threading.Thread(target=self._write_all, name="task history", daemon=True)
        self.writer.start()

    def task_scheduled(self, task: luigi.scheduler.Task) -> None:
        self._happened(task, PENDING)

    def task_started(self, task: luigi.scheduler.Task, worker_host: str) -> None:
        self._happened(task, RUNNING, worker_host)

    def task_finished(self, task: luigi.scheduler.Task, successful: bool) -> None:
        self._happened(task, DONE if successful else FAILED)

    def close(self, seconds: float) -> None:
        """Write what waits, for so long at most."""
        try:
            self.waiting.put_nowait(None)
        except queue.Full:
            self.closing.set()
        self.writer.join(0 if self.in_trouble else seconds)
        self.closing.set()
        self.writer.join(seconds)

    def _happened(self, task: luigi.scheduler.Task, status: str, host: str | None = None) -> None:
        try:
            self.waiting.put_nowait(Happened(task, status, host, _now()))
        except queue.Full:
            self._trouble("too much waits to be written; what happens now is left out")

    def _write_all(self) -> None:
        self._write_surely(None)
        while (event := self.waiting.get()) and not self.closing.is_set():
            self._write_surely(event)
        if left := self.waiting.qsize():
            logger.warning("the task history lacks the last %d events: the database was not there", left)

    def _write_surely(self, event: Happened | None) -> None:
        """Try until the database is there; what it refuses twice is left out. Without an event: make the tables."""
        refused = False
        while True:
            try:
                self._write(event)
            except Exception as error:
                # After a restart, or a database that was dropped: tables and numbers of rows are looked up anew.
                self.pruned = None
                self.tasks.clear()
                self.engine.dispose()
                is_away = isinstance(
                    error, DatabaseError | sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError
                )
                self._trouble(str(getattr(error, "orig", error)).strip())
                if (refused and not is_away) or self.closing.wait(SECONDS_BETWEEN if is_away else 0):
                    return
                refused = not is_away
            else:
                if self.in_trouble:
                    logger.info("the task history is written again")
                self.in_trouble = False
                return

    def _write(self, event: Happened | None) -> None:
        if self.pruned is None:
            with self.engine.begin() as connection:
                connection.execute(sqlalchemy.text("create schema if not exists luigi"))
                Base.metadata.create_all(connection)
        if self.pruned is None or _now() - self.pruned > A_DAY:
            prune(self.engine, _now() - KEPT)
            self.tasks.clear()  # tasks that were scheduled and never ran
            self.pruned = _now()
        if not event:
            return
        stored = self._get_task(event.task, event.status, event.host)  # type: ignore[no-untyped-call]
        happened = TaskEvent(event_name=event.status, ts=event.moment)
        self._add_task_event(stored, happened)  # type: ignore[no-untyped-call]
        if event.status in (DONE, FAILED):
            del self.tasks[event.task.id]  # when it runs again, that is another run

    def _trouble(self, reason: str) -> None:
        """Said once, until it is over."""
        if not self.in_trouble:
            logger.warning("the task history is not written for now: %s", reason)
        self.in_trouble = True


def prune(engine: sqlalchemy.Engine, before: datetime.datetime) -> int:
    """Delete the runs of which nothing was heard since `before` (naive UTC). Returns how many."""
    with engine.begin() as connection:
        parameters = {"before": before}
        old = (
            "select tasks.id from tasks"
            " where not exists (select from task_events where task_id = tasks.id and ts >= :before)"
        )
        for table in ("task_parameters", "task_events"):
            connection.execute(sqlalchemy.text(f"delete from {table} where task_id in ({old})"), parameters)
        return connection.execute(sqlalchemy.text(f"delete from tasks where id in ({old})"), parameters).rowcount


def _connect() -> Any:
    """Raises DatabaseError, and what psycopg2 raises, without the password."""
    target = dsn()
    options = f"{parse_dsn(target)['options']} -c search_path=luigi"
    # A page of the history is made while slots wait: better without it than long.
    return psycopg2.connect(target, options=options, connect_timeout=3, application_name="luigid")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)

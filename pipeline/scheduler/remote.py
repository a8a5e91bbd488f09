"""The way to luigid. A luigid that goes away, hangs, was restarted or is told lies must not cost a slot."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import luigi.rpc
import luigi.scheduler
from luigi.scheduler import WORKER_STATE_DISABLED
from luigi.task_status import DONE, FAILED, PENDING, RUNNING

from pipeline import config
from pipeline.exchange import bound_session

SLOW = 0.5  # seconds; luigid answers in a few thousandths of one
PATIENCE = 10.0  # seconds that a run spends on slow answers
logger = logging.getLogger("luigi-interface")
Told = dict[str, Any]


class _Fetcher(luigi.rpc.RequestsFetcher):
    """Luigi's own, each of whose exchanges ends within rpc-connect-timeout."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        bound_session(self.session)

    def check_pid(self) -> None:
        before = self.session
        super().check_pid()  # type: ignore[no-untyped-call]
        if self.session is not before:  # after a fork
            bound_session(self.session)


class RemoteScheduler(luigi.rpc.RemoteScheduler):
    """Luigi's own, until luigid does not do its part: from then on the run schedules itself, and goes on where it was.

    For that, what luigid was told is kept, to be told to a scheduler in this process: a few dozen sentences a slot.
    """

    def __init__(self, url: str, connect_timeout: float | None = None) -> None:
        super().__init__(url, connect_timeout)  # type: ignore[no-untyped-call]
        self._fetcher.close()
        self._fetcher = _Fetcher()
        self._past: list[tuple[str, Told]] = []
        self._waited = 0.0
        self._local: Any = None
        self._switch = threading.Lock()  # the thread that keeps the connection alive asks too

    def forget_account(self, account: str) -> int:
        """How many tasks luigid has removed from its list. Raises RPCError."""
        return int(self._ask("/api/forget_account", {"account": account}, 1))

    def _request(self, url: str, data: Told, attempts: int = 3, allow_null: bool = True) -> Any:
        method = url.rpartition("/")[2]
        if data.get("expl"):
            data["expl"] = _scrubbed(data["expl"])
        if self._local is None:
            began = time.monotonic()
            try:
                answer = self._ask(url, data, attempts, allow_null)
                if method == "get_work" and (fault := self._fault_of(answer)):
                    raise luigi.rpc.RPCError(fault)
            except (luigi.rpc.RPCError, ValueError, KeyError, TypeError) as error:
                self._go_on_alone(str(getattr(error, "sub_exception", None) or error))
            else:
                self._remember(method, data, answer)
                took = time.monotonic() - began
                self._waited += took if took > SLOW else 0
                if self._waited > PATIENCE:
                    self._go_on_alone(f"it is slow: {self._waited:.0f} s were spent on it")
                return answer
        return getattr(self._local, method)(**data)

    def _ask(self, *question: Any) -> Any:
        return super()._request(*question)  # type: ignore[no-untyped-call]

    def _remember(self, method: str, data: Told, answer: Any) -> None:
        if method in ("add_worker", "add_task"):
            self._past.append((method, data))
        elif method == "get_work" and answer["task_id"]:
            begun = {"worker": data["worker"], "task_id": answer["task_id"], "status": RUNNING}
            self._past.append(("add_task", begun))

    def _fault_of(self, work: Told) -> str | None:
        """Why this run does not follow luigid, which decides the order of the run's own tasks and nothing else.

        A worker imports and runs any task that luigid names. Whoever reaches luigid can name tasks there, and can tell
        it that a poll is done or is running elsewhere. If another run really has the task, its locks keep this run's
        task waiting until its target is there.
        """
        tasks = self._own_tasks()
        ready = {
            task_id: task["status"]
            for task_id, task in tasks.items()
            if task["runnable"] and all(tasks[each]["status"] == DONE for each in task["deps"] if each in tasks)
        }
        named = work["task_id"]
        if named is not None or "batch_id" in work:
            # FAILED: a button of the visualiser forgives failures.
            is_own = ready.get(named) in (PENDING, FAILED)
            return None if is_own else f"it names the task {named!r}, which this run has not scheduled for now"
        waiting = next((task_id for task_id, status in ready.items() if status == PENDING), None)
        if waiting is None or work.get("worker_state") == WORKER_STATE_DISABLED:  # by a button of the visualiser
            return None
        return f"it does not give out the task {waiting}, which can run now"

    def _own_tasks(self) -> dict[str, Told]:
        """What this run has told luigid: status, runnable and deps of each task."""
        tasks: dict[str, Told] = {}
        for method, data in self._past:
            if method == "add_task":
                task = tasks.setdefault(data["task_id"], {"runnable": False, "deps": set()})
                task["status"] = data["status"]
                task["runnable"] = task["runnable"] or bool(data.get("runnable"))
                if data.get("deps") is not None:
                    task["deps"] = set(data["deps"])
                task["deps"] |= set(data.get("new_deps") or ())
        return tasks

    def _go_on_alone(self, reason: str) -> None:
        with self._switch:
            if self._local is not None:
                return
            logger.warning("luigid is done without from here on, and this run schedules itself: %s", reason)
            local: Any = luigi.scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)
            for method, data in self._past:
                getattr(local, method)(**data)
            self._local = local


def _scrubbed(error: str) -> str:
    """The traceback of a task, as JSON, without secrets: luigid shows it to whoever opens it."""
    try:
        found = json.loads(error)
    except ValueError:
        found = None
    return json.dumps(config.scrub(found)) if isinstance(found, str) else config.scrub(error)

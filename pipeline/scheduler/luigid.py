"""luigid: Luigi's scheduler with the visualiser, its state under data/luigid, its history in PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import luigi.scheduler
import luigi.server
import tornado.web

from pipeline import config
from pipeline.config import naming
from pipeline.extract.files import make_folder, write_atomic
from pipeline.scheduler.history import TaskHistory
from pipeline.scheduler.origins import host_names, origins_of, refusal
from pipeline.scheduler.state import format_state, parse_state, state_path
from pipeline.state_files import read_state

SECONDS_TO_CLOSE = 5.0
logger = logging.getLogger("luigi.server")


class Scheduler(luigi.scheduler.Scheduler):
    """Luigi's own. Its state is written whole or not at all, and not in the end alone but every minute: after a kill -9
    or a power cut the visualiser still shows the day. A damaged state is set aside, and luigid begins with none."""

    written = b""

    def load(self) -> None:
        """Luigi 3.8 loads whatever unpickles, and then fails in each request."""
        path = Path(self._config.state_path)
        data = path.parent.parent
        state = read_state(data, path, lambda content: parse_state(data, content))
        if state is not None:
            self._state.set_state(state)
            for task in self._state.get_active_tasks():
                self._state._status_tasks[task.status][task.id] = task
        elif path.exists():
            logger.warning(
                "%s is not loaded, and is replaced: an older version or another installation wrote it. luigid shows the"
                " tasks from now on",
                path,
            )

    @luigi.scheduler.rpc_method()  # type: ignore[untyped-decorator]
    def forget_account(self, account: str) -> int:
        """Remove the tasks and workers that name the account, also in an error. Returns the number of tasks."""
        named = naming(account)
        tasks = {task for task in self._state.get_active_tasks() if named.search(repr(task).encode())}
        self._state.inactivate_tasks([task.id for task in tasks])
        workers = list(self._state.get_active_workers())
        for worker in workers:
            worker.tasks -= tasks
        self._state.inactivate_workers([each.id for each in workers if named.search(repr(vars(each)).encode())])
        self.dump()
        return len(tasks)

    def prune(self) -> None:
        super().prune()
        self.dump()

    def dump(self) -> None:
        path = Path(self._config.state_path)
        try:
            state = format_state(path.parent.parent, self._state.get_state())
            if state == self.written:
                return
            write_atomic(path, state, mode=0o600)
        except OSError as error:
            logger.warning("the state of luigid was not saved: %s", error)
        else:
            self.written = state


def serve(address: str, port: int, hosts: list[str]) -> int:
    """Until SIGTERM or Ctrl-C; returns an exit code if it cannot listen. `hosts`: further names of this luigid."""
    os.environ["TZ"] = "UTC"  # Luigi takes the moments of its history from the clock on the wall
    time.tzset()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("luigi").setLevel(logging.INFO)
    _guard(address, hosts)
    state = state_path(config.storage().root)
    make_folder(state.parent)
    history = TaskHistory()
    scheduler = Scheduler(task_history_impl=history, record_task_history=True, state_path=str(state))  # type: ignore[no-untyped-call]
    try:
        logger.info("the visualiser is on http://%s:%d/", address, port)
        luigi.server.run(api_port=port, address=address, scheduler=scheduler)
    except OSError as error:
        print(f"luigid cannot listen on {address}:{port}: {error.strerror}. Give another --port", file=sys.stderr)
        return 1
    finally:
        history.close(SECONDS_TO_CLOSE)
    return 0


def _guard(address: str, hosts: list[str]) -> None:
    """Every page, file and call of luigid gets the content policy, and is refused to other web pages."""
    urls = [config.environment().get("LUIGI_SCHEDULER_URL", ""), config.slack().visualiser]
    names, origins = host_names(address, [*urls, *(f"//{host}" for host in hosts)]), origins_of(urls)
    policy = _content_policy()

    def prepare(handler: Any) -> None:
        if reason := refusal(handler, names, origins):
            logger.warning("refused a request from %s: %s", handler.request.remote_ip, reason)
            handler.set_status(403, reason)
            handler.set_header("Content-Type", "text/plain")
            handler.finish(f"luigid refuses this request: {reason}\n")

    handlers: Any = tornado.web.RequestHandler  # the base class of all handlers of Luigi
    handlers.set_default_headers = lambda handler: handler.set_header("Content-Security-Policy", policy)
    handlers.prepare = prepare


def _content_policy() -> str:
    """What Luigi's pages may load and run, for browsers.

    They name a font and, in the history, libraries on other hosts: they do without, so that nobody is told that they
    were opened, and where there is no network they wait for nothing. And the visualiser takes status messages for HTML:
    no script may run but those that the page itself begins with.
    """
    page = Path(luigi.server.__file__).with_name("static") / "visualiser" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    loads = f"default-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' {allowed}"
    return f"{loads}; frame-ancestors 'self'"  # a page of another origin cannot lead clicks to the buttons

"""A real luigid, started by the pipeline's own command, for the tests of what it shows and keeps."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from pipeline import config
from tests.conftest import Pipeline

PATIENCE = 60  # seconds


class Luigid:
    """`pipeline`: whose settings it has. `said`: the file that its stderr is written to. `options`: of the command."""

    def __init__(self, pipeline: Pipeline, said: Path, *options: str, **environment: str) -> None:
        self.options = options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.said = said
        self.environment = {**os.environ, **pipeline.environment, "LUIGI_SCHEDULER_URL": self.url, **environment}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "pipeline", "luigid", "--port", str(self.port), *self.options]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                command, cwd=config.PROJECT, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )
        wait_until(lambda: self.process.poll() is not None or self.answers())
        assert self.process.poll() is None, self.said.read_text()

    def answers(self) -> bool:
        try:
            urlopen(self.url).close()
        except URLError:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def tasks(self) -> list[dict[str, Any]]:
        question = quote(json.dumps({"status": "", "upstream_status": ""}))
        with urlopen(f"{self.url}api/task_list?data={question}") as answer:
            return list(json.load(answer)["response"].values())

    def families(self, status: str) -> set[str]:
        return {task["name"] for task in self.tasks() if task["status"] == status}


@contextmanager
def luigid_of(pipeline: Pipeline, said: Path, *options: str, **environment: str) -> Iterator[Luigid]:
    luigid = Luigid(pipeline, said, *options, **environment)
    try:
        yield luigid
    finally:
        if luigid.process.poll() is None:
            luigid.stop(signal.SIGKILL)


def wait_until(condition: Any) -> Any:
    """What `condition` returns, once that is something."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "waited a minute in vain"
        time.sleep(0.05)
    return found

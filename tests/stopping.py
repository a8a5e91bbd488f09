"""`luigi`, with something done when a task begins: `python -m tests.stopping WHAT FAMILY[+WHEN] luigi-arguments`.

WHAT: `sigterm` sends this process SIGTERM; any other word is a command of the shell, run to its end.
WHEN: seconds after its begin; `start`: within Luigi's event; else with the first thing the task does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import luigi
from luigi.cmdline import luigi_run

import pipeline  # noqa: F401  its handlers come first


def main(what: str, where: str, *arguments: str) -> None:
    family, _, seconds = where.partition("+")

    def act(*_: Any) -> None:
        if what == "sigterm":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            subprocess.run(what, shell=True, check=True, stdout=subprocess.DEVNULL)  # noqa: S602  the tests' own words

    def on_start(task: Any) -> None:
        if task.task_family != family:
            return
        if seconds == "start":
            act()
        elif seconds:
            signal.signal(signal.SIGALRM, act)
            signal.setitimer(signal.ITIMER_REAL, float(seconds))
        else:
            run = task.run

            def act_and_run() -> Any:
                act()
                return run()

            task.run = act_and_run

    luigi.Task.event_handler(luigi.Event.START)(on_start)
    luigi_run(["--module", "pipeline", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Wall time and peak memory of whole processes, and subjects in turns."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

RU_MAXRSS_BYTES = 1024
LOOK_EVERY = 0.2  # seconds: looking costs a few milliseconds itself


class ProcessFailed(Exception):
    """A measured process did not end well; the message holds the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One process from start to end.

    `peak_bytes`: the most that it and the processes it started have held at once, looked at now and then; what they
    share counts for each. At least its own largest resident set as Linux counts it, from the benchmark's own on.
    """

    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Ratio:
    """Two subjects that ran in turns. `seconds`, `floor_seconds`, `times`: medians; `low`, `high`: the pairs' range."""

    seconds: float
    floor_seconds: float
    times: float
    low: float
    high: float


def run_process(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Run:
    """Run `command` in `folder` to its end, its output in `log`. Raises ProcessFailed."""
    with log.open("wb") as output:
        begin = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        watch = Watch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        peak = watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProcessFailed(f"{' '.join(command)} ended with {process.returncode}:\n  {end_of(log)}")
    return Run(seconds, max(peak, usage.ru_maxrss * RU_MAXRSS_BYTES))


class Watch(threading.Thread):
    """Adds up what a process and its children hold, until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(LOOK_EVERY):
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(self.pid)
                held = [process.memory_info().rss for process in (root, *root.children(recursive=True))]
                self.peak = max(self.peak, sum(held))

    def stop(self) -> int:
        """Bytes."""
        self.ended.set()
        self.join()
        return self.peak


def end_of(log: Path) -> str:
    """The last lines of a process's output, for an error message."""
    return "\n  ".join(log.read_text(errors="replace").splitlines()[-30:])


def run_in_turns(
    subjects: Mapping[str, Callable[[], Run]], rounds: int, say: Callable[[str], None], warm_up: bool = True
) -> dict[str, list[Run]]:
    """Every subject once to warm up, then `rounds` times one after the other: A B C A B C."""
    runs: dict[str, list[Run]] = {name: [] for name in subjects}
    for number in range(not warm_up, rounds + 1):
        for name, subject in subjects.items():
            run = subject()
            if number:
                runs[name].append(run)
        if number:
            say(f"  {number} of {rounds}: " + ", ".join(f"{name} {runs[name][-1].seconds:.2f} s" for name in subjects))
    return runs


def compare(subject: Sequence[Run], floor: Sequence[Run]) -> Ratio:
    pairs = [mine.seconds / theirs.seconds for mine, theirs in zip(subject, floor, strict=True)]
    return Ratio(median_seconds(subject), median_seconds(floor), statistics.median(pairs), min(pairs), max(pairs))


def median_seconds(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)

"""Wall time and peak memory of whole processes, and subjects in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RU_MAXRSS_BYTES = 1024


class ProcessFailed(Exception):
    """A measured process did not end well; the message holds the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One process from start to end.

    `peak_bytes`: its largest resident set, at least the benchmark's own: Linux counts from the fork.
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
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProcessFailed(f"{' '.join(command)} ended with {process.returncode}:\n  {end_of(log)}")
    return Run(seconds, usage.ru_maxrss * RU_MAXRSS_BYTES)


def end_of(log: Path) -> str:
    """The last lines of a process's output, for an error message."""
    return "\n  ".join(log.read_text(errors="replace").splitlines()[-30:])


def run_in_turns(
    subjects: Mapping[str, Callable[[], Run]], rounds: int, say: Callable[[str], None]
) -> dict[str, list[Run]]:
    """Every subject once to warm up, then `rounds` times one after the other: A B C A B C."""
    runs: dict[str, list[Run]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
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

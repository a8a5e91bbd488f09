"""How far an import is: a line on the terminal every few seconds, percentage and message in the visualiser."""

from __future__ import annotations

import logging
import time

import luigi

logger = logging.getLogger("luigi-interface")
SECONDS_BETWEEN = 2.0
LONG_ENOUGH = 3.0  # to tell from the past how long the rest will take


class Progress:
    """One stage of `task`, which takes the percentages `begin` to `end` of it. `total`: in the unit of `done`."""

    def __init__(self, task: luigi.Task, total: int, begin: int, end: int) -> None:
        self.task = task
        self.total = max(total, 1)
        self.begin = begin
        self.end = end
        self.started = self.told = time.monotonic()

    def tell(self, done: int, sentence: str, rows: int = 0) -> None:
        """`sentence`: what is done so far; `rows`: for the rate."""
        now = time.monotonic()
        share = min(done / self.total, 1.0)
        is_last = done >= self.total
        if now - self.told < SECONDS_BETWEEN and not is_last:
            return
        self.told, took = now, now - self.started
        words = [sentence]
        if rows and took > 0.5:
            words.append(f"{rows / took:,.0f} rows/s")
        if took > LONG_ENOUGH and 0 < share < 1:
            words.append(f"about {_duration(took / share - took)} left")
        message = ", ".join(words)
        logger.info(message)
        self.task.set_status_message(message)  # type: ignore[misc]
        self.task.set_progress_percentage(int(self.begin + share * (self.end - self.begin)))  # type: ignore[misc]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

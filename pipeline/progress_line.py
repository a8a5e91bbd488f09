"""How far long work of a command is: a line on stderr every few seconds, none for short work."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN = 5.0


class ProgressLine:
    """`tell` may be called as often as there is something to tell; a `total` of 0 is one that nobody knows."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.told = time.monotonic()

    def tell(self, done: int, total: int, noun: str) -> None:
        now = time.monotonic()
        if now - self.told < SECONDS_BETWEEN:
            return
        self.told = now
        share = f" of {total:,} {noun} ({done * 100 // total} %)" if total else f" {noun}"
        print(f"{self.doing}: {done:,}{share}", file=sys.stderr, flush=True)

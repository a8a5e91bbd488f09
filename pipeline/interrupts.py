"""Ctrl-C and SIGTERM end a run in one line, with everything tidied that was opened."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType


def install() -> None:
    """Treat SIGTERM like Ctrl-C (Luigi passes KeyboardInterrupt on, and takes SystemExit for a failed task)."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)
    sys.excepthook = _report


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let the block end before an interrupt is felt: for what must not be left half-done because it is not yet on any
    list of things to tidy."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    felt: list[int] = []
    handlers = {
        each: signal.signal(each, lambda number, _: felt.append(number)) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    if felt:
        signal.raise_signal(felt[0])


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(signum).name)


def _report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("Interrupted. Nothing is half-written; the same command goes on where this run stopped.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)

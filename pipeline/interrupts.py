"""Ctrl-C and SIGTERM end a run in one line, with everything tidied that was opened."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType


def install() -> None:
    """Treat SIGTERM like Ctrl-C (Luigi passes KeyboardInterrupt on, and takes SystemExit for a failed task)."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)
    sys.excepthook = _report


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(signum).name)


def _report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("Interrupted. Nothing is half-written; the same command goes on where this run stopped.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)

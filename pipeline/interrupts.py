"""Ctrl-C and SIGTERM end a run in one line, with everything tidied that was opened.

The package installs this before it imports anything else, so that an interrupt during the imports ends in one line
too. That is why nothing but the standard library is imported here.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from traceback import format_exception
from types import FrameType, TracebackType

logger = logging.getLogger("luigi-interface")
INTERRUPTED = "Interrupted. Nothing is half-written; the same command goes on where this run stopped."
_felt: list[int] = []


def install() -> None:
    """Treat SIGTERM like Ctrl-C (Luigi passes KeyboardInterrupt on, and takes SystemExit for a failed task)."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number, default in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is default:
            signal.signal(number, _interrupt)
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


def heed() -> None:
    """Raise an interrupt again that was swallowed by whoever it met with: dbt makes failures of some, and nothing of
    others."""
    if _felt:
        raise KeyboardInterrupt(signal.Signals(_felt[-1]).name)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    luigi = sys.modules.get("luigi.task")
    while frame:
        if luigi and frame.f_code is luigi.Task.trigger_event.__code__:
            # Luigi would swallow it, and go on: the handler of its event, which may note an incident, ends first.
            signal.signal(signal.SIGALRM, lambda _, here: _interrupt(signum, here))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return
        frame = frame.f_back
    _felt.append(signum)
    raise KeyboardInterrupt(signal.Signals(signum).name)


def _report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logs = sys.modules.get("pipeline.logs")
    if not logs or logs.written_format() == "text":
        if issubclass(kind, KeyboardInterrupt):
            print(INTERRUPTED, file=sys.stderr)
        else:
            text = "".join(format_exception(kind, error, traceback))
            # Absent while the package is imported: no secret has been read then.
            scrub = getattr(sys.modules.get("pipeline.config"), "scrub", str)
            print(scrub(text), end="", file=sys.stderr)
    elif issubclass(kind, KeyboardInterrupt):
        logger.warning(INTERRUPTED)
    else:
        logger.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))

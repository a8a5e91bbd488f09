"""Logs: one event, one record, on stderr, in the form that LOG_FORMAT names.

    text   LEVEL: message, with a traceback on lines of its own: as Luigi's users know it, for a terminal
    line   time, LEVEL: message, one line an event: a newline within is written as \\n
    json   one object a line: time (UTC), level, message, pid, and where they are known task, account, slot, exception

Luigi's `--log-level`, or `[core] log_level`, says from which level on; of other libraries warnings are kept. Every
secret is removed from every event.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from typing import Any

import luigi
import luigi.configuration

from pipeline import config

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# A tab stays. Whatever else moves the cursor of a terminal, or ends a line for some reader, is written out.
CONTROL = {number: f"\\x{number:02x}" for number in (*range(9), *range(11, 32), *range(127, 160))}
CONTROL |= {0x2028: "\\u2028", 0x2029: "\\u2029", 0x0D: "\\r"}
LAYOUTS = {"text": "%(levelname)s: %(message)s", "line": "%(asctime)s %(levelname)s: %(message)s"}
FORMATS = ("text", "line", "json")
_running: luigi.Task | None = None


def install() -> None:
    """Take the place of Luigi's own set-up of logs in this process. Raises SettingError for a wrong LOG_FORMAT, when
    events are written as text already."""
    luigi_cfg = luigi.configuration.get_config()
    typed = _typed(sys.argv[1:])
    if typed.logging_conf_file or luigi_cfg.has_option("core", "logging_conf_file"):
        return  # somebody has a set-up of their own
    luigi_cfg.set("core", "no_configure_logging", "true")
    level = str(typed.log_level or luigi_cfg.get("core", "log_level", "INFO")).upper()
    logging.getLogger("luigi-interface").setLevel(level if level in LEVELS else "INFO")
    handler = _Stderr()
    handler.addFilter(_complete)
    handler.write_as("text")
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    luigi.Task.event_handler(luigi.Event.START)(_remember)
    luigi.Task.event_handler(luigi.Event.SUCCESS)(_forget)
    luigi.Task.event_handler(luigi.Event.FAILURE)(_forget)
    handler.write_as(typed.log_format if typed.log_format in FORMATS else config.log().format)


def written_format() -> str:
    """In which form this process writes events: text, line or json."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Stderr):
            return handler.form
    return "text"


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what stderr is at that moment. `form`: one of FORMATS."""

    form = "text"

    def write_as(self, form: str) -> None:
        self.form = form
        self.setFormatter(_formatter(form))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Line(logging.Formatter):
    """`2026-11-22T14:30:01.482Z LEVEL: message`."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).strip().replace("\n", "\\n").translate(CONTROL)


def _formatter(name: str) -> logging.Formatter:
    if name == "json":
        from pythonjsonlogger.json import JsonFormatter

        names = {"asctime": "time", "levelname": "level", "process": "pid", "exc_info": "exception"}
        formatter = JsonFormatter("%(asctime)s %(levelname)s %(message)s %(process)d", rename_fields=names)
        for attribute in ("converter", "default_time_format", "default_msec_format"):
            setattr(formatter, attribute, getattr(_Line, attribute))
        return formatter
    return (_Line if name == "line" else logging.Formatter)(LAYOUTS[name])


def _complete(record: logging.LogRecord) -> bool:
    """Say of whom an event is, and take out of it what nobody may read."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    task = next((each for each in arguments if isinstance(each, luigi.Task)), _running)
    if task is not None:
        record.task = task.task_family
        if account := getattr(task, "account", ""):
            record.account = account
        if run_at := getattr(task, "run_at", None):
            record.slot = f"{run_at:%Y-%m-%dT%H%M}"
    _scrub(record)
    return True


def _scrub(record: logging.LogRecord) -> None:
    message = record.getMessage()
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    scrubbed, trace = config.scrub(message), config.scrub(record.exc_text or "")
    if (scrubbed, trace) != (message, record.exc_text or ""):
        record.msg, record.args = scrubbed, ()
        record.exc_text, record.exc_info = trace or None, None


def _typed(arguments: list[str]) -> argparse.Namespace:
    """What is said of logs on the command line, which is read by others when it is too late for this."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    for flag in ("--log-level", "--log-format", "--logging-conf-file"):
        parser.add_argument(flag)
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError:
        return argparse.Namespace(log_level=None, log_format=None, logging_conf_file=None)


def _remember(task: luigi.Task) -> None:
    global _running
    _running = task


def _forget(task: luigi.Task, *_: object) -> None:
    global _running
    _running = None

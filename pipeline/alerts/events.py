"""What Luigi and the tasks say, as incidents: when they begin, and when they are over."""

from __future__ import annotations

import atexit
import logging
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi
from filelock import Timeout

from pipeline import config
from pipeline.alerts.advice import Kind, advice, kind_of_cause
from pipeline.alerts.incidents import Incident, recover
from pipeline.alerts.telling import report_safely, tell_what_is_due
from pipeline.extract.answers import utc_now
from pipeline.extract.errors import CommandRefused
from pipeline.load.errors import DatabaseError
from pipeline.load.marker import unreachable
from pipeline.slot import INCIDENT, NOTICE
from pipeline.startup import is_luigi

logger = logging.getLogger("luigi-interface")
DATABASE, SETTINGS = Kind.DATABASE.word, Kind.SETTINGS.word
# Causes of the whole machine, which a whole slot that succeeds ends.
OF_ALL_TASKS = {SETTINGS, Kind.DISK_FULL.word, Kind.NOT_WRITABLE.word}
# A PostgreSQL that goes away in the middle, in its words and psycopg2's, whoever passes them on; and what follows.
LOST_DATABASE = re.compile(
    "server closed the connection|terminating connection|connection to server|connection (already )?closed"
    "|the database system is|could not connect to server|cannot connect to PostgreSQL"
)
UNFULFILLED = re.compile("Unfulfilled dependenc")
# A completeness that cannot be asked, a task that cannot be made: Luigi ends with this code, and the wrapper reports it
# as well. It is one incident.
NOT_SCHEDULED = "run 35"
NEED_THE_DATABASE = ("pipeline.load", "pipeline.transform", "pipeline.visualize")
# One build is for every account.
OF_ALL_ACCOUNTS = {"DbtRun", "DbtTest"}


def install() -> None:
    """Listen to the events of this process; when it ends, what is new is told."""
    for event, handler in HANDLERS.items():
        luigi.Task.event_handler(event)(_safe(handler))
    if is_luigi():
        atexit.register(tell_what_is_due)


def _safe(handler: Callable[..., None]) -> Callable[..., None]:
    """An event is told of, or the log says why not; the task goes on."""

    def handle(*arguments: Any) -> None:
        try:
            handler(*arguments)
        except (OSError, Timeout, config.SettingError) as error:
            logger.error("an event cannot be told: %s", error)

    return handle


def _on_failure(task: luigi.Task, error: BaseException) -> None:
    if isinstance(error, CommandRefused):
        return  # an error of a command that was typed: the terminal shows the message
    cause = f"{type(error).__name__}: {error}"
    if UNFULFILLED.match(str(error)) and unreachable:
        cause = unreachable[-1]  # what is done was taken as not done
    report_safely(_data(), _incident(task, _kind(task, error, cause), "failed", cause, error))


def _on_death(task: luigi.Task, error: str) -> None:
    report_safely(_data(), _incident(task, _key(task), "died", error))


def _on_broken(task: luigi.Task, error: BaseException) -> None:
    if isinstance(error, CommandRefused):
        return
    cause = f"{type(error).__name__}: {error}"
    key = _kind(task, error, cause)
    report_safely(_data(), _incident(task, NOT_SCHEDULED if key == _key(task) else key, "failed", cause, error))


def _on_missing(task: luigi.Task) -> None:
    # An external task that is missing is SpotifyPolled: a pause or an ended consent, incidents of their own.
    if not isinstance(task, luigi.ExternalTask):
        cause = "whether it is done cannot be asked: the log has the error"
        report_safely(_data(), _incident(task, NOT_SCHEDULED, "was not run", cause))


def _on_notice(task: luigi.Task, sentence: str) -> None:
    incident = _incident(task, f"notice {_key(task)}", "says", sentence)
    incident.lasts = False
    report_safely(_data(), incident)


def _on_incident(task: luigi.Task, kind: str, sentence: str, again: bool) -> None:
    """`sentence`: what it is; empty when it is over."""
    key = f"{kind} account={_account(task)}"
    if not sentence:
        recover(_data(), lambda incident: incident.key == key, utc_now(), _brought(task))
        return
    incident = _incident(task, key, "says", sentence)
    # What ends by itself on a day that is known needs no reminder.
    incident.name, incident.reminds = f"{kind} of {_account(task)} on {socket.gethostname()}", kind == "consent"
    report_safely(_data(), incident, again)


def _kind(task: luigi.Task, error: BaseException, cause: str) -> str:
    """One cause is one incident, whatever number of tasks and accounts it stops."""
    kind = kind_of_cause(error) or (None if str(error) in cause else kind_of_cause(cause))
    if kind is Kind.NOT_WRITABLE and LOST_DATABASE.search(cause):
        return DATABASE  # the socket of a PostgreSQL server: chown is not the fix
    if kind:
        return kind.word
    if isinstance(error, DatabaseError) or LOST_DATABASE.search(cause):
        return DATABASE
    return SETTINGS if isinstance(error, config.SettingError) else _key(task)


def _on_success(task: luigi.Task) -> None:
    if task.task_family == "ExtractRecent" and not _brought(task):
        return  # done, as Spotify was not to be asked
    over = {_key(task)}
    if type(task).__module__.startswith(NEED_THE_DATABASE):
        over.add(DATABASE)
    whole = task.task_family == "RunPipeline"
    if whole:
        over |= OF_ALL_TASKS
    recover(
        _data(),
        lambda incident: incident.key in over or (whole and incident.key.startswith("run ")),
        utc_now(),
        _brought(task),
    )


def _incident(task: luigi.Task, key: str, what: str, cause: str, error: BaseException | None = None) -> Incident:
    now = utc_now()
    return Incident(
        key=key,
        account=_account(task) if key not in {DATABASE, *OF_ALL_TASKS} else "",
        name=f"*{task.task_family}*{_of(task)} on {socket.gethostname()}",
        title=f"*{task.task_family}* {what} on {socket.gethostname()}: {_parameters(task)}",
        cause=cause.strip().partition("\n")[0],
        to_do=advice(key, error),
        since=now.isoformat(),
        last_seen=now.isoformat(),
        link=_link(task),
        log=config.storage().slot_log,
    )


def _key(task: luigi.Task) -> str:
    family = task.task_family
    return f"{family} account={_account(task)}" if _account(task) and family not in OF_ALL_ACCOUNTS else family


def _account(task: luigi.Task) -> str:
    return str(getattr(task, "account", ""))


def _of(task: luigi.Task) -> str:
    return f" of {_account(task)}" if _account(task) else ""


def _brought(task: luigi.Task) -> str:
    return str(getattr(task, "brought", ""))


def _parameters(task: luigi.Task) -> str:
    values: dict[str, Any] = task.to_str_params(only_public=True)
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _link(task: luigi.Task) -> str:
    url = config.slack().visualiser_url
    return f"{url.rstrip('/')}/static/visualiser/index.html#tab=graph&taskId={task.task_id}" if url else ""


def _data() -> Path:
    return config.storage().root


HANDLERS: dict[str, Callable[..., None]] = {
    luigi.Event.FAILURE: _on_failure,
    luigi.Event.PROCESS_FAILURE: _on_death,
    luigi.Event.TIMEOUT: _on_death,
    luigi.Event.BROKEN_TASK: _on_broken,
    luigi.Event.DEPENDENCY_MISSING: _on_missing,
    luigi.Event.SUCCESS: _on_success,
    NOTICE: _on_notice,
    INCIDENT: _on_incident,
}

"""What `status` knows as metrics for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/.

A moment is a timestamp in seconds, as is the custom there: `time() - …` in a rule is its age. What is not known is left
out. prometheus_client is imported here alone, and this module only by its command.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.slot import next_slot
from pipeline.status import gather
from pipeline.status.capture import moment_of

PREFIX = "listening_history_"
Json = dict[str, Any]
# Name, key of the account's part of the status, what it is. A key with _at is a moment.
OF_ACCOUNTS = (
    ("last_poll_timestamp_seconds", "last_poll_at", "When Spotify last answered a poll with a page."),
    ("last_attempt_timestamp_seconds", "last_attempt_at", "When a poll was last tried, whatever came of it."),
    ("last_play_timestamp_seconds", "last_play_at", "When the newest play known was played."),
    ("consent_ends_timestamp_seconds", "consent_ends_at", "When the consent ends."),
    ("page_made_timestamp_seconds", "page_made_at", "When the dashboard page was made."),
    ("consent_days_left", "token_days_left", "Whole days until the consent ends; 0 when it has."),
    ("plays", "plays", "Plays counted, of all time."),
    ("plays_today", "plays_today", "Plays counted on the listener's present day."),
    ("api_calls_today", "calls_today", "Calls of Spotify's Web API on the present UTC day."),
    ("pending_answers", "pending_answers", "Answers of Spotify's that wait to be merged."),
    ("rejected_answers", "rejected_answers", "Answers of Spotify's that were set aside."),
)


class Facts(Collector):
    """The status at the moment of each scrape."""

    def __init__(self, accounts: list[str], clock: Callable[[], datetime.datetime] = utc_now) -> None:
        self.accounts, self.clock = accounts, clock

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: to register is no reason to gather."""
        return []

    def collect(self) -> Iterator[Any]:
        data, now = config.storage().root, self.clock()
        status = gather(data, self.accounts, now)
        yield InfoMetricFamily(f"{PREFIX}build", "Which version.", {"version": version("listening-history-pipeline")})
        yield from _of_accounts(status, now)
        yield from _of_all(status)


def registry(accounts: list[str]) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(Facts(accounts))
    return found


def exposition(accounts: list[str]) -> bytes:
    return generate_latest(registry(accounts))


def serve(accounts: list[str], address: str, port: int, ready: Callable[[int], None]) -> None:
    """Answer scrapes until SIGTERM or Ctrl-C; `ready` is called with the port, once it listens. Raises OSError."""
    server, thread = start_http_server(port, address, registry(accounts))
    try:
        ready(server.server_port)
        thread.join()
    except KeyboardInterrupt:
        server.shutdown()
        server.server_close()


def _of_accounts(status: Json, now: datetime.datetime) -> Iterator[GaugeMetricFamily]:
    for name, key, what in OF_ACCOUNTS:
        yield _by_account(status, name, what, functools.partial(_number, key))
    yield _by_account(
        status,
        "poll_lag_seconds",
        "Since Spotify last answered a poll with a page.",
        lambda known: now.timestamp() - last if (last := _number("last_poll_at", known)) else None,
    )
    yield _by_account(
        status,
        "poll_due_timestamp_seconds",
        "When the first slot after the last success was or is due.",
        lambda known: next_slot(moment_of(last)).timestamp() if (last := _number("last_poll_at", known)) else None,
    )
    # Not known is not none: with the database down there is no number of gaps.
    yield _by_account(
        status,
        "open_gaps",
        "Gaps in which plays may be lost.",
        lambda known: len(known["open_gaps"]) if "open_gaps" in known else None,
    )
    yield _by_account(status, "paused", "1 while Spotify must not be asked.", lambda known: bool(known["paused_until"]))
    yield _by_account(status, "consent_given", "1 while a consent is good.", lambda known: known["consent"] == "given")
    limit = config.spotify().daily_calls
    yield _by_account(status, "api_calls_limit", "Calls a UTC day, by [spotify] daily_calls.", lambda known: limit)


def _of_all(status: Json) -> Iterator[GaugeMetricFamily]:
    database, run = status["database"], status["last_run"] or {}
    severities = [problem["severity"] for problem in status["problems"]]
    luigid = status["luigid"]
    for name, value, what in (
        ("database_up", database["reachable"], "1 when PostgreSQL answers."),
        ("last_dbt_run_timestamp_seconds", _moment(database.get("last_run_at")), "When the models were last built."),
        (
            "last_dbt_test_timestamp_seconds",
            _moment(database.get("last_test_at")),
            "When they last passed their tests.",
        ),
        ("loads_not_built", database.get("loads_not_built"), "Loads that the marts lack."),
        ("loads_not_tested", database.get("loads_not_tested"), "Loads that no test has proven yet."),
        ("last_slot_timestamp_seconds", _moment(run.get("ended_at")), "When the last slot ended under cron."),
        ("last_slot_exit_code", run.get("exit_code"), "With which exit code."),
        ("last_success_timestamp_seconds", _moment(run.get("succeeded_at")), "When one last ended with exit code 0."),
        ("last_backup_timestamp_seconds", _moment(status["last_backup_at"]), "When a backup was last made."),
        ("data_bytes", status["disk"]["data_bytes"], "Size of all files of the data folder."),
        ("disk_free_bytes", status["disk"]["free_bytes"], "Free on its disk."),
        ("luigid_up", luigid and luigid["reachable"], "1 when the luigid that is set answers."),
        ("open_incidents", len(status["incidents"]), "Incidents that are not over."),
        ("warnings", severities.count(1), "Problems of status that need attention."),
        ("criticals", severities.count(2), "Problems of status by which plays are or will be lost."),
    ):
        family = GaugeMetricFamily(f"{PREFIX}{name}", what)
        if value is not None:
            family.add_metric([], float(value))
        yield family


def _by_account(status: Json, name: str, what: str, value: Callable[[Json], float | None]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", what, labels=["account"])
    for account, known in status["accounts"].items():
        if (found := value(known)) is not None:
            family.add_metric([account], float(found))
    return family


def _number(key: str, known: Json) -> float | None:
    value = known.get(key)
    return _moment(value) if key.endswith("_at") else value


def _moment(value: str | None) -> float | None:
    return datetime.datetime.fromisoformat(value).timestamp() if value else None

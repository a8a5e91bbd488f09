"""`python -m pipeline status`: what is known of capture, consent and marts, and what a person should look at.

capture.py    polls, plays, consent: from the files, so that it can be told with PostgreSQL down too
database.py   counts, gaps, limits, dbt: from PostgreSQL
machine.py    the last run under cron, the disk, and who else is set up
problems.py   what of it needs attention
screen.py     all of it in 80 columns
metrics.py    all of it for Prometheus
"""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg2

from pipeline import config
from pipeline.alerts.damaged import damage_found
from pipeline.alerts.incidents import read_incidents
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import connect
from pipeline.status.capture import capture_facts
from pipeline.status.database import account_facts, dbt_facts
from pipeline.status.machine import machine_facts
from pipeline.status.problems import FINE, WARNING, find_problems

Json = dict[str, Any]


def gather(data: Path, accounts: list[str], now: datetime.datetime) -> Json:
    """Everything `status` says; moments as ISO 8601, UTC. `problems`: severity (1 or 2), account or null, sentence."""
    status: Json = {"now": now.isoformat(), "accounts": {}, "database": {"reachable": False}}
    for account in accounts:
        status["accounts"][account] = capture_facts(data, account, now)
    try:
        with contextlib.closing(connect()) as connection:
            connection.autocommit = True
            status["database"] = {"reachable": True, **dbt_facts(connection)}
            for account, known in status["accounts"].items():
                known.update(account_facts(connection, account, now))
    except (DatabaseError, psycopg2.Error) as error:
        status["database"]["error"] = config.scrub(str(error)).strip()
    status.update(machine_facts(data, now))
    known = {incident.key: incident for incident in read_incidents(data) if incident.is_open}
    # Those that the run which ends next reports.
    found = {incident.key: incident for _, incident in damage_found(data, now)}
    status["incidents"] = [asdict(incident) for incident in {**found, **known}.values()]
    status["problems"] = [
        {"severity": severity, "account": account, "problem": problem}
        for severity, account, problem in find_problems(status, now)
    ]
    severities = [problem["severity"] for problem in status["problems"]]
    status["exit_code"] = max([FINE, *severities, *(WARNING for _ in status["incidents"])])
    return status

"""`python -m pipeline doctor`: a set-up, checked step by step; each step says what is amiss and what to do.

settings.py   Python and packages, luigi.cfg, .env, settings
files.py      the data folder, disk, logs
permissions.py  who can read the files
spotify.py    application, consent, clock
services.py   PostgreSQL, dbt, luigid, Slack, Metabase
polling.py    the polling hours and the hours of the plays
schedule.py   cron, the programs its wrapper needs, fonts
finding.py    what a step finds
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator

from pipeline import config
from pipeline.doctor import files, permissions, polling, schedule, services, settings, spotify
from pipeline.doctor.finding import FAILED, SKIPPED, Finding

Step = Callable[[], Iterable[Finding]]


def examine(offline: bool, tell: bool) -> Iterator[tuple[str, Finding]]:
    """The name of a step and a finding of it, as they come. A step that breaks is a finding, and the next one goes on.

    `offline`: nobody on the network is asked. `tell`: Slack is sent a message.
    """
    steps: list[tuple[str, Step]] = [
        ("Python", settings.python),
        ("packages", settings.packages),
        ("luigi.cfg", settings.luigi_cfg),
        (".env", settings.env_file),
        ("settings", settings.values),
        ("data folder", files.data_folder),
        ("logs", files.logs),
        ("permissions", permissions.permissions),
        ("Spotify", lambda: spotify.application()),
        *((f"account {name}", lambda name=name: spotify.account(name, offline)) for name in _accounts()),
        ("PostgreSQL", services.postgresql),
        ("dbt", services.dbt),
        ("polling hours", polling.polling_hours),
        ("luigid", services.luigid),
        ("Slack", lambda: services.slack(offline, tell)),
        ("Metabase", lambda: services.metabase(offline)),
        ("cron", schedule.cron),
        ("programs", schedule.programs),
        ("fonts", schedule.fonts),
    ]
    told: set[str] = set()
    for name, step in steps:
        for finding in _findings(step):
            # What keeps one step from reading its settings keeps others too.
            again = finding.level == FAILED and finding.what in told
            told.add(finding.what)
            yield name, Finding(SKIPPED, "for the same reason") if again else _scrubbed(finding)


def _findings(step: Step) -> Iterator[Finding]:
    try:
        yield from step()
    except config.SettingError as error:
        yield Finding(FAILED, str(error))
    except Exception as error:
        logging.getLogger("luigi-interface").debug("the step broke", exc_info=True)
        yield Finding(FAILED, f"{type(error).__name__}: {error}", "say it again with --log-level DEBUG for more")


def _accounts() -> list[str]:
    with contextlib.suppress(config.SettingError):
        return config.spotify().account_names
    return []


def _scrubbed(finding: Finding) -> Finding:
    return Finding(finding.level, config.scrub(finding.what), config.scrub(finding.to_do))

"""SlotTask: what the tasks of a slot have in common."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

import luigi

from pipeline import config
from pipeline.config import AccountParameter

# Luigi events of what a person should hear of though no task failed.
# NOTICE: told once; called with the task and a sentence.
# INCIDENT: told once while it lasts; called with the task, a kind, a sentence (empty: it is over), and whether it is
# worse than it was.
NOTICE = "event.pipeline.notice"
INCIDENT = "event.pipeline.incident"
HALF_HOUR = datetime.timedelta(minutes=30)
logger = logging.getLogger("luigi-interface")


def awake() -> Callable[[datetime.datetime], bool]:
    """A function that returns whether a slot (UTC) is due: whether it begins in [slots] awake_hours of [slots] zone.

    cron/run.sh decides the same. On the day on which clocks go forward an hour is missing, and its slots are not due;
    on the day on which they go back an hour comes twice, and so do its slots.
    """
    settings = config.slots()
    hours, zone = settings.awake_hours, ZoneInfo(settings.zone)
    return lambda slot: slot.astimezone(zone).hour in hours


def slots_due(now: datetime.datetime, count: int, since: datetime.datetime | None = None) -> list[datetime.datetime]:
    """The slots that were due after `since` and until `now` (UTC), the latest first, `count` of them at most."""
    slot, is_awake = _half_hour(now), awake()
    due: list[datetime.datetime] = []
    while len(due) < count and (since is None or slot > since):
        if is_awake(slot):
            due.append(slot)
        slot -= HALF_HOUR
    return due


def next_slot(now: datetime.datetime) -> datetime.datetime:
    """The first slot that is due after `now` (UTC)."""
    slot, is_awake = _half_hour(now) + HALF_HOUR, awake()
    while not is_awake(slot):
        slot += HALF_HOUR
    return slot


def current_slot(now: datetime.datetime) -> datetime.datetime:
    """The half hour that has begun at `now` (UTC), without a zone, as Luigi's parameters have it."""
    return _half_hour(now).replace(tzinfo=None)


def _half_hour(moment: datetime.datetime) -> datetime.datetime:
    """The one in which it lies."""
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)


class SlotTask(luigi.Task):
    """A task that is named by a slot, the half hour (UTC) in which a run was or is due, and by an account."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = AccountParameter(default="me", description="Whose history.")

    # What a run has brought, in words: for whoever is told that something is over.
    brought = ""

    @property
    def slot(self) -> str:
        """As it is written on the command line: 2026-11-22T1430."""
        return f"{self.run_at:%Y-%m-%dT%H%M}"

    @property
    def update_id(self) -> str:
        """The name of this task's marker."""
        return f"{self.task_family} account={self.account} {self.slot}"

    def notice(self, sentence: str) -> None:
        """Tell the log and whoever listens to NOTICE."""
        logger.warning("%s: %s", self.account, sentence)
        self.trigger_event(NOTICE, self, sentence)  # type: ignore[no-untyped-call]

    def incident(self, kind: str, sentence: str, again: bool = False) -> None:
        """Something lasts, and has become worse with `again`. Tell the log, and whoever listens to INCIDENT."""
        logger.warning("%s: %s", self.account, sentence)
        self.trigger_event(INCIDENT, self, kind, sentence, again)  # type: ignore[no-untyped-call]

    def over(self, *kinds: str) -> None:
        """What `incident` told of is over, if it was on."""
        for kind in kinds:
            self.trigger_event(INCIDENT, self, kind, "", False)  # type: ignore[no-untyped-call]

    def remark(self, sentence: str) -> None:
        """Tell the log alone."""
        logger.warning("%s: %s", self.account, sentence)

"""SlotTask: what the tasks of a slot have in common."""

from __future__ import annotations

import datetime

import luigi

from pipeline.config import AccountParameter


class SlotTask(luigi.Task):
    """A task that is named by a slot, the half hour (UTC) in which a run was or is due, and by an account."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = AccountParameter(default="me", description="Whose history.")

    @property
    def slot(self) -> str:
        """As it is written on the command line: 2026-11-22T1430."""
        return f"{self.run_at:%Y-%m-%dT%H%M}"

    @property
    def update_id(self) -> str:
        """The name of this task's marker."""
        return f"{self.task_family} account={self.account} {self.slot}"

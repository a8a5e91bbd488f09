"""DbtRun and DbtTest: staging into marts, and the proof."""

from __future__ import annotations

import datetime

import luigi

from pipeline import config
from pipeline.load.postgres import Marker
from pipeline.load.tasks import CopyToStaging
from pipeline.transform.build import run_models, run_tests


class DbtRun(luigi.Task):
    """Builds marts and reports from what staging has gained; starts no dbt when that is nothing."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = config.AccountParameter(default="me", description="Whose history.")

    def requires(self) -> CopyToStaging:
        return CopyToStaging(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("marts", f"DbtRun account={self.account} {self.run_at:%Y-%m-%dT%H%M}")

    def run(self) -> None:
        self.set_status_message(run_models(self.run_at, self.output()))  # type: ignore[misc]


class DbtTest(luigi.Task):
    """Proves what DbtRun built: the days that changed, and once a day the whole history."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = config.AccountParameter(default="me", description="Whose history.")

    def requires(self) -> DbtRun:
        return DbtRun(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("marts", f"DbtTest account={self.account} {self.run_at:%Y-%m-%dT%H%M}")

    def run(self) -> None:
        self.set_status_message(run_tests(self.run_at, self.output()))  # type: ignore[misc]

"""DbtRun and DbtTest: staging into marts, and the proof."""

from __future__ import annotations

from pipeline.load.marker import Marker
from pipeline.load.tasks import CopyToStaging
from pipeline.slot import SlotTask
from pipeline.transform.build import run_models, run_tests


class DbtRun(SlotTask):
    """Builds marts and reports from what staging has gained; starts no dbt when that is nothing."""

    priority = 10

    def requires(self) -> CopyToStaging:
        return CopyToStaging(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("marts", self.update_id)

    def run(self) -> None:
        self.set_status_message(run_models(self.run_at, self.output(), self.notice))  # type: ignore[misc]


class DbtTest(SlotTask):
    """Proves what DbtRun built: the days that changed, and once a day the whole history."""

    priority = 10

    def requires(self) -> DbtRun:
        return DbtRun(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("marts", self.update_id)

    def run(self) -> None:
        self.set_status_message(run_tests(self.run_at, self.output()))  # type: ignore[misc]

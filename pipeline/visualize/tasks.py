"""RenderDashboard: proven numbers into a page that opens from disk."""

from __future__ import annotations

from pipeline.load.marker import Marker
from pipeline.slot import SlotTask
from pipeline.transform.tasks import DbtTest
from pipeline.visualize.render import render_dashboard


class RenderDashboard(SlotTask):
    """Makes the account's page anew when DbtTest has proven something new, and when a day has begun."""

    priority = 0  # last: what the library and the genres have brought is on the page too

    def requires(self) -> DbtTest:
        return DbtTest(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("dashboard", self.update_id)

    def run(self) -> None:
        self.set_status_message(render_dashboard(self.account, self.output()))  # type: ignore[misc]

"""The contents page: what cron and people start.

RunPipeline        one slot: ExtractRecent → CopyToStaging → DbtRun → DbtTest
RebuildStaging     PostgreSQL again, from the files under data/
"""

from __future__ import annotations

import logging

import luigi

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.load.postgres import transaction
from pipeline.load.staging import begin_load, reload_all_partitions
from pipeline.slot import SlotTask
from pipeline.transform.build import run_models, run_tests
from pipeline.transform.tasks import DbtTest

logger = logging.getLogger("luigi-interface")


class RunPipeline(SlotTask, luigi.WrapperTask):
    """One slot, from Spotify's answer to tested marts."""

    def requires(self) -> DbtTest:
        return DbtTest(run_at=self.run_at, account=self.account)


class RebuildStaging(luigi.Task):
    """Staging from the partitions alone, then marts and reports from it. PostgreSQL may have been dropped before."""

    rebuilt = False

    def complete(self) -> bool:
        # Asked for by a person, so never done already; done once it has run in this process.
        return self.rebuilt

    def run(self) -> None:
        with transaction() as connection:
            begin_load(connection)
            loaded = reload_all_partitions(connection, config.storage().root)
        logger.info("staging rebuilt: %d plays from %d partitions", loaded.plays, loaded.partitions)
        run_models(utc_now())
        run_tests(utc_now())
        self.rebuilt = True

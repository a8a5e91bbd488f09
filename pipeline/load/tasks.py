"""CopyToStaging: the partitions in PostgreSQL."""

from __future__ import annotations

import logging

from pipeline import config
from pipeline.extract.datasets import DATASETS, PLAYS
from pipeline.extract.recent import ExtractRecent
from pipeline.load.ledger import load_new_polls
from pipeline.load.marker import Marker
from pipeline.load.postgres import transaction
from pipeline.load.staging import begin_load, load_new_partitions
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")


class CopyToStaging(SlotTask):
    """Loads the partitions and poll records that staging does not hold in their present version: data and marker in
    one transaction."""

    priority = 20

    def requires(self) -> ExtractRecent:
        return ExtractRecent(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_songs", self.update_id)

    def run(self) -> None:
        data = config.storage().root
        with transaction() as connection:
            begin_load(connection)
            loaded = {each: load_new_partitions(connection, data, self.account, each) for each in DATASETS}
            load_new_polls(connection, data, self.account)
            self.output().touch(connection)
        plays = loaded[PLAYS]
        logger.info(
            "%s: %d new or corrected plays loaded from %d partitions", self.account, plays.rows, plays.partitions
        )
        self.set_status_message(f"{plays.rows} new plays")  # type: ignore[misc]

"""CopyToStaging: the partitions in PostgreSQL."""

from __future__ import annotations

import logging

from pipeline import config
from pipeline.extract.recent import ExtractRecent
from pipeline.load.marker import Marker
from pipeline.load.postgres import transaction
from pipeline.load.staging import begin_load, load_new_partitions
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")


class CopyToStaging(SlotTask):
    """Loads the partitions that staging does not hold in their present version: data and marker in one transaction."""

    def requires(self) -> ExtractRecent:
        return ExtractRecent(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_songs", self.update_id)

    def run(self) -> None:
        with transaction() as connection:
            begin_load(connection)
            loaded = load_new_partitions(connection, config.storage().root, self.account)
            self.output().touch(connection)
        logger.info(
            "%s: %d new or corrected plays loaded from %d partitions", self.account, loaded.plays, loaded.partitions
        )
        self.set_status_message(f"{loaded.plays} new plays")  # type: ignore[misc]

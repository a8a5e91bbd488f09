"""CopyToStaging: the partitions in PostgreSQL."""

from __future__ import annotations

import logging

from pipeline import config
from pipeline.extract.datasets import PLAYS
from pipeline.extract.recent import ExtractRecent
from pipeline.load.history import load_new_history, load_new_imports
from pipeline.load.ledger import load_new_polls
from pipeline.load.marker import Marker
from pipeline.load.postgres import transaction
from pipeline.load.staging import begin_load, load_new_partitions
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")


class CopyToStaging(SlotTask):
    """Loads the partitions of plays, of imported history, and the poll records that staging does not hold in their
    present version: data and marker in one transaction."""

    priority = 20

    def requires(self) -> ExtractRecent:
        return ExtractRecent(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_songs", self.update_id)

    def run(self) -> None:
        data = config.storage().root
        with transaction() as connection:
            begin_load(connection)
            plays = load_new_partitions(connection, data, self.account, PLAYS)
            load_new_polls(connection, data, self.account)
            load_new_history(connection, data, self.account)
            load_new_imports(connection, data, self.account)
            self.output().touch(connection)
        logger.info(
            "%s: %d new or corrected plays loaded from %d partitions", self.account, plays.rows, plays.partitions
        )
        for path in plays.shrunk:
            self.notice(
                f"{data / path} holds fewer plays than were captured. If it was restored from an older backup, run"
                f" luigi --module pipeline ReplayResponses --account {self.account}, which merges the kept answers"
            )
        self.brought = f"{plays.rows} plays loaded"
        self.set_status_message(f"{plays.rows} new plays")  # type: ignore[misc]

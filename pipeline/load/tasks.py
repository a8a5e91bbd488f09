"""CopyToStaging: the partitions in PostgreSQL."""

from __future__ import annotations

import datetime
import logging

import luigi

from pipeline import config
from pipeline.extract.recent import ExtractRecent
from pipeline.load.postgres import Marker, transaction
from pipeline.load.staging import begin_load, load_new_partitions

logger = logging.getLogger("luigi-interface")


class CopyToStaging(luigi.Task):
    """Loads the partitions that staging does not hold in their present version: data and marker in one transaction."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = config.AccountParameter(default="me", description="Whose history.")

    def requires(self) -> ExtractRecent:
        return ExtractRecent(run_at=self.run_at, account=self.account)

    def output(self) -> Marker:
        return Marker("staging.spotify_songs", f"CopyToStaging account={self.account} {self.run_at:%Y-%m-%dT%H%M}")

    def run(self) -> None:
        with transaction() as connection:
            begin_load(connection)
            loaded = load_new_partitions(connection, config.storage().root, self.account)
            self.output().touch(connection)
        logger.info(
            "%s: %d new or corrected plays loaded from %d partitions", self.account, loaded.plays, loaded.partitions
        )
        self.set_status_message(f"{loaded.plays} new plays")  # type: ignore[misc]

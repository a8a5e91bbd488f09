"""The contents page: what cron and people start.

RunPipeline        one slot of every account: ExtractRecent → CopyToStaging → DbtRun → DbtTest; when all plays
                   are safe, SyncSavedTracks and EnrichGenres; last, RenderDashboard
PollAccounts       ExtractRecent of every account, and nothing else
ImportHistory      a data export, or plays of an older pipeline: ExtractHistory → CopyHistory → models and tests
ReplayResponses    partitions again, from the answers that were kept
RebuildStaging     PostgreSQL again, from the files under data/
PublishDashboard   the dashboard in Metabase, from the cards
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from pathlib import Path

import luigi

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.history.tasks import ImportTask
from pipeline.extract.recent import RUN_BEGAN_AT, ExtractRecent
from pipeline.extract.records import outcome, read_record, record_path
from pipeline.extract.replay import replay_responses
from pipeline.load.genres import EnrichGenres
from pipeline.load.history import CopyHistory, loaded_at, reload_all_imports, repeat_import
from pipeline.load.ledger import reload_all_polls
from pipeline.load.postgres import transaction
from pipeline.load.saved_tracks import SyncSavedTracks
from pipeline.load.staging import begin_load, reload_all_partitions
from pipeline.slot import SlotTask
from pipeline.transform.build import run_models, run_tests
from pipeline.visualize.render import captured_accounts, render_dashboard
from pipeline.visualize.tasks import RenderDashboard

logger = logging.getLogger("luigi-interface")


class SlotOfAccounts(luigi.WrapperTask):
    """A slot of one account, or of all in [spotify] accounts. One's failure does not stop another's."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = config.OptionalAccountParameter(default="", description="Whose history; all if not given.")

    def slots(self, task: type[SlotTask]) -> Iterator[SlotTask]:
        for account in [self.account] if self.account else config.spotify().account_names:
            yield task(run_at=self.run_at, account=account)


class SpotifyPolled(SlotTask, luigi.ExternalTask):
    """That Spotify was asked in this slot. No task can make it so while it must not be asked: then Luigi ends with the
    exit code for missing data, and nothing has failed."""

    def complete(self) -> bool:
        path: Path = record_path(config.storage().root, self.account, self.run_at)
        return outcome(read_record(path)) == "polled"


class RunPipeline(SlotOfAccounts):
    """One slot, from Spotify's answer to the dashboard."""

    def requires(self) -> list[SlotTask]:
        # ExtractRecent by name as well: a slot that was paused is polled when it is run again, though all behind it is
        # done; the next slot loads what comes of it.
        return [
            each
            for task in (ExtractRecent, RenderDashboard, SyncSavedTracks, EnrichGenres)
            for each in self.slots(task)
        ]

    def complete(self) -> bool:
        every = (*self.requires(), *self.slots(SpotifyPolled))
        return all(each.complete() for each in every)  # type: ignore[no-untyped-call]

    def run(self) -> Iterator[list[SlotTask]]:
        yield list(self.slots(SpotifyPolled))


class PollAccounts(SlotOfAccounts):
    """The polls alone: what must not wait while a slot before hangs in the database."""

    def requires(self) -> list[SlotTask]:
        return list(self.slots(ExtractRecent))


class ImportHistory(ImportTask):
    """A data export, from the zip as it came to tested marts, with a receipt. The same export again adds nothing, and
    says so."""

    imported = False

    def requires(self) -> CopyHistory:
        return CopyHistory(export=self.export, account=self.account)

    def complete(self) -> bool:
        # Asked for by a person, who wants the receipt; done once it has run in this process.
        return self.imported

    def run(self) -> None:
        record = self.find_record()
        if record and (loaded_at(record) or RUN_BEGAN_AT) < RUN_BEGAN_AT:
            repeat_import(record)
        run_models(utc_now())
        run_tests(utc_now())
        render_dashboard(self.account)
        self.imported = True


class ReplayResponses(luigi.Task):
    """The kept answers merged once more: partitions that were restored from an older backup get back what they lack."""

    account: str = config.OptionalAccountParameter(default="", description="Whose history; all if not given.")
    replayed = False

    def complete(self) -> bool:
        return self.replayed

    def run(self) -> None:
        for account in [self.account] if self.account else config.spotify().account_names:
            gained = replay_responses(config.storage().root, account)
            logger.info("%s: %d plays came back; the next slot loads them", account, gained)
        self.replayed = True


class RebuildStaging(luigi.Task):
    """Staging from the files alone, then marts and reports from it. PostgreSQL may have been dropped before."""

    rebuilt = False

    def complete(self) -> bool:
        # Asked for by a person, so never done already; done once it has run in this process.
        return self.rebuilt

    def run(self) -> None:
        data = config.storage().root
        with transaction() as connection:
            begin_load(connection)
            loaded = reload_all_partitions(connection, data)
            polls = reload_all_polls(connection, data)
            imports = reload_all_imports(connection, data)
        for name, dataset in loaded.items():
            logger.info("staging.%s rebuilt: %d rows from %d partitions", name, dataset.rows, dataset.partitions)
        logger.info("staging.polls rebuilt: %d polls; receipts of %d imports", polls, imports)
        run_models(utc_now())
        run_tests(utc_now())
        for account in captured_accounts():
            render_dashboard(account)
        self.rebuilt = True

"""The contents page: what cron and people start.

RunPipeline        one slot of every account: ExtractRecent → CopyToStaging → DbtRun → DbtTest; when all plays
                   are safe, SyncSavedTracks and EnrichGenres; last, RenderDashboard, and SendSummary of a week that
                   is over
PollAccounts       ExtractRecent of every account, and nothing else
ImportHistory      a data export, or plays of an older pipeline: ExtractHistory → CopyHistory → models and tests
ReplayResponses    partitions again, from the answers that were kept
RebuildStaging     PostgreSQL again, from the files under data/
PublishDashboard   the dashboard in Metabase, from the cards
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi

from pipeline import config
from pipeline.alerts.periods import due_periods
from pipeline.alerts.services import wants_to_be_told
from pipeline.alerts.tasks import SendSummary
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
from pipeline.slot import SlotTask, current_slot
from pipeline.transform.build import run_models, run_tests
from pipeline.visualize.render import captured_accounts, render_dashboard
from pipeline.visualize.tasks import RenderDashboard

logger = logging.getLogger("luigi-interface")


class SlotOfAccounts(luigi.WrapperTask):
    """A slot of one account, or of all in [spotify] accounts. One's failure does not stop another's."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(
        interval=30, description="Slot, UTC: 2026-11-22T1430; the current one if not given."
    )
    account: str = config.OptionalAccountParameter(default="", description="Whose history; all if not given.")

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> Any:
        """A default in the class body would be the slot in which the module was imported."""
        if not args and "run_at" not in kwargs and not dict(params)["run_at"].has_task_value(cls.task_family, "run_at"):
            kwargs = {**kwargs, "run_at": current_slot(utc_now())}
        return super().get_param_values(params, args, kwargs)  # type: ignore[no-untyped-call]

    def accounts(self) -> list[str]:
        return [self.account] if self.account else config.spotify().account_names

    def slots(self, task: type[SlotTask]) -> Iterator[SlotTask]:
        for account in self.accounts():
            yield task(run_at=self.run_at, account=account)


class SpotifyPolled(SlotTask, luigi.ExternalTask):
    """That Spotify was asked in this slot. No task can make it so while it must not be asked: then Luigi ends with the
    exit code for missing data, and nothing has failed."""

    def complete(self) -> bool:
        data = config.storage().root
        path: Path = record_path(data, self.account, self.run_at)
        return outcome(read_record(data, path, utc_now())) == "polled"


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

    def run(self) -> Iterator[list[luigi.Task]]:
        if summaries := self.summaries():
            yield summaries
        yield list(self.slots(SpotifyPolled))
        data = config.storage().root
        polls = {
            account: read_record(data, record_path(data, account, self.run_at), utc_now()) or {}
            for account in self.accounts()
        }
        brought = (f"{account}: {poll.get('new_plays', 0)} new plays" for account, poll in polls.items())
        self.set_status_message("; ".join(brought))  # type: ignore[misc]

    def summaries(self) -> list[luigi.Task]:
        """What is to be told in this slot; numbers are proven by now."""
        if not wants_to_be_told():
            return []
        slot, grains, listener = (
            self.run_at.replace(tzinfo=datetime.UTC),
            config.slack().summary_grains,
            config.listener(),
        )
        return [
            SendSummary(account=account, period=period)
            for account in self.accounts()
            # Whether a week is over, the history knows from the first poll after it.
            if SpotifyPolled(run_at=self.run_at, account=account).complete()
            for period in due_periods(slot, listener.zone_of(account), grains)
        ]


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
        record, rows = self.find_record(), ""
        if record and (loaded_at(record) or RUN_BEGAN_AT) < RUN_BEGAN_AT:
            repeat_import(record, self.opened.not_read)
            rows = "imported before, no row is new; "
        elif record:
            rows = f"{sum(file.inserted for file in record.files):,} rows are new; "
        publish(self, 10, lambda: [self.account], rows)
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
            self.set_status_message(f"{account}: {gained} plays came back")  # type: ignore[misc]
        self.replayed = True


class RebuildStaging(luigi.Task):
    """Staging from the files alone, then marts and reports from it. PostgreSQL may have been dropped before."""

    rebuilt = False

    def complete(self) -> bool:
        # Asked for by a person, so never done already; done once it has run in this process.
        return self.rebuilt

    def run(self) -> None:
        data = config.storage().root
        tell(self, 0, "loading every partition")
        with transaction() as connection:
            begin_load(connection)
            loaded = reload_all_partitions(connection, data)
            polls = reload_all_polls(connection, data)
            imports = reload_all_imports(connection, data)
        for name, dataset in loaded.items():
            logger.info("staging.%s rebuilt: %d rows from %d partitions", name, dataset.rows, dataset.partitions)
        logger.info("staging.polls rebuilt: %d polls; receipts of %d imports", polls, imports)
        publish(self, 30, captured_accounts, f"{sum(dataset.rows for dataset in loaded.values()):,} rows loaded; ")
        self.rebuilt = True


def publish(task: luigi.Task, begun: int, accounts: Callable[[], list[str]], done: str) -> None:
    """Models, tests and pages; the visualiser sees what was `done`, `begun` percent of `task`, and what is going on."""
    tell(task, begun, f"{done}dbt builds the models")
    done += run_models(utc_now())
    tell(task, begun + (100 - begun) // 2, f"{done}; dbt tests them")
    done += f"; {run_tests(utc_now())}"
    tell(task, begun + (100 - begun) * 4 // 5, f"{done}; pages are rendered")
    for account in accounts():
        render_dashboard(account)
    tell(task, 100, done)


def tell(task: luigi.Task, percentage: int, sentence: str) -> None:
    """For the visualiser."""
    task.set_status_message(sentence)  # type: ignore[misc]
    task.set_progress_percentage(percentage)  # type: ignore[misc]

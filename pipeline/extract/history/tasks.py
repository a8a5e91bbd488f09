"""ExtractHistory: a data export into day partitions."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.recent import RUN_BEGAN_AT

if TYPE_CHECKING:
    from pipeline.extract.history.export import Export
    from pipeline.extract.history.records import ImportRecord

# What reads an export is imported where it works: a slot, which knows these tasks too, does without it.


class ImportTask(luigi.Task):
    """A task that is named by an export and an account."""

    export: str = luigi.Parameter(description="The zip that Spotify sent, the folder it was unpacked into, or a file.")
    account: str = config.AccountParameter(default="me", description="Whose history.")

    @functools.cached_property
    def opened(self) -> Export:
        """Raises ExportRefused."""
        from pipeline.extract.history.errors import ExportRefused
        from pipeline.extract.history.export import open_export

        if not self.export:
            raise ExportRefused("--export names nothing. Give the zip that Spotify sent")
        try:
            return open_export(Path(self.export).expanduser().absolute())
        except RuntimeError as error:
            raise ExportRefused(f"--export {self.export}: {error}") from None

    def find_record(self) -> ImportRecord | None:
        """That of an import of this export; None unless this run has made it or all its rows are still there."""
        from pipeline.extract.history.errors import ExportRefused
        from pipeline.extract.history.records import find_record

        try:
            return find_record(config.storage().root, self.account, self.opened.digest, RUN_BEGAN_AT, utc_now())
        except ExportRefused:
            return None  # whoever runs this task says why


class ExtractHistory(ImportTask):
    """Puts the plays of an export into their day partitions; those of an older pipeline among the polled ones. Needs no
    network. Killed anywhere, it goes on where it was."""

    def complete(self) -> bool:
        return self.find_record() is not None

    def run(self) -> None:
        from pipeline.extract.files import named_lock
        from pipeline.extract.history.extract import extract_export
        from pipeline.extract.history.records import remove_finished

        data = config.storage().root
        with named_lock(data, f"history-account={self.account}"):
            remove_finished(data, self.account, utc_now())
            if not self.complete():  # another run may have done it while this one waited for the lock
                extract_export(self, data, self.opened, self.account)

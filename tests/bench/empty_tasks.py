"""Luigi alone: a slot of as many tasks as RunPipeline has, none of which does anything."""

from __future__ import annotations

import datetime

import luigi


class _EmptyTask(luigi.Task):
    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    done = False

    def complete(self) -> bool:
        return self.done

    def run(self) -> None:
        self.done = True


class EmptyExtract(_EmptyTask):
    """Stands for ExtractRecent."""


class EmptyLoad(_EmptyTask):
    """Stands for CopyToStaging."""

    def requires(self) -> EmptyExtract:
        return EmptyExtract(run_at=self.run_at)


class EmptyBuild(_EmptyTask):
    """Stands for DbtRun."""

    def requires(self) -> EmptyLoad:
        return EmptyLoad(run_at=self.run_at)


class EmptyTest(_EmptyTask):
    """Stands for DbtTest."""

    def requires(self) -> EmptyBuild:
        return EmptyBuild(run_at=self.run_at)


class EmptyRender(_EmptyTask):
    """Stands for RenderDashboard."""

    def requires(self) -> EmptyTest:
        return EmptyTest(run_at=self.run_at)


class EmptySync(_EmptyTask):
    """Stands for SyncSavedTracks."""

    def requires(self) -> EmptyLoad:
        return EmptyLoad(run_at=self.run_at)


class EmptyEnrich(_EmptyTask):
    """Stands for EnrichGenres."""

    def requires(self) -> EmptyLoad:
        return EmptyLoad(run_at=self.run_at)


class EmptyPipeline(luigi.WrapperTask):
    """Stands for RunPipeline."""

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")

    def requires(self) -> list[_EmptyTask]:
        return [task(run_at=self.run_at) for task in (EmptyRender, EmptySync, EmptyEnrich)]

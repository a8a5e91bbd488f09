"""What an import of a data export costs, against the floor of import_floor.py and against itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import PROJECT
from tests.bench.installation import Installation
from tests.bench.measure import Run, run_in_turns
from tests.bench.report import Row, memory_row, ratio_row

Say = Callable[[str], None]


@dataclass(frozen=True)
class ImportExtent:
    """Rows of the export that is held against the floor, and of the largest that users of others have reported."""

    rows: int = 1_000_000
    largest_reported: int = 430_000
    rounds: int = 3


def measure_imports(installation: Installation, extent: ImportExtent, say: Say) -> list[Row]:
    """`installation`: empty; it is emptied before each import."""
    say(f"writing an export of {extent.rows:,} rows")
    export = write_export(installation.folder / "export", extent.rows)
    say("imports, and the floor")

    def fresh(task: str) -> Run:
        installation.empty()
        return installation.run_import(task, export)

    runs = run_in_turns(
        {
            "floor": lambda: installation.run_import_floor(export),
            "zip to staging": lambda: fresh("CopyHistory"),
            "to tested marts": lambda: fresh("ImportHistory"),
            "the same again": lambda: installation.run_import("ImportHistory", export),
        },
        extent.rounds,
        say,
        warm_up=False,
    )
    floor, staging, marts, again = runs.values()
    # A short export of as many days is mostly its partitions being synced, and dbt parsing its project.
    is_long = extent.rows >= ImportExtent.rows
    say(f"an export of {extent.largest_reported:,} rows, from zip to finished reports")
    shutil.rmtree(export.parent)
    reported = write_export(installation.folder / "reported", extent.largest_reported)
    installation.empty()
    largest = installation.run_import("ImportHistory", reported)
    return [
        ratio_row(
            f"import of {extent.rows:,} rows, zip to staging / json, csv, COPY",
            staging,
            floor,
            reach=1.0 if is_long else None,
            failure=1.5 if is_long else None,
        ),
        ratio_row(
            "  to tested marts / the same floor",
            marts,
            floor,
            reach=3.0 if is_long else None,
            failure=3.0 if is_long else None,
        ),
        memory_row("  its peak memory, all processes", [*staging, *marts], reach=600, failure=600),
        ratio_row("  the same export again / the first time", again, marts, reach=0.2, failure=0.2),
        Row(
            f"import of {extent.largest_reported:,} rows, zip to reports",
            f"{largest.seconds:.1f} s, {largest.peak_bytes / 1e6:.0f} MB",
        ),
    ]


def write_export(folder: Path, rows: int) -> Path:
    """A ten-year export without defects; returns the zip."""
    # In a process of its own, for its memory would count into that of every process that is started from here.
    writer = [sys.executable, "-m", "tests.listener", str(folder), "--plays", str(rows), "--clean"]
    subprocess.run(writer, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return folder / "my_spotify_data.zip"

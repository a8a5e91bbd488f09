"""Measure what a slot costs, against floors and against itself on a longer history.

Exit code 0: no bound of failure is exceeded; 1: one is; 2: a measured process failed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.history import known_page, news_page
from tests.bench.imports import ImportExtent, measure_imports
from tests.bench.installation import Installation, installations
from tests.bench.measure import ProcessFailed, Run, run_in_turns
from tests.bench.report import Row, format_table, imports_row, memory_row, ratio_row
from tests.bench.reports import ReportExtent, measure_reports

# A day has 48 slots; the warm-up and the look at the imports take two.
MOST_ROUNDS = 40
HEAVY = ("dbt", "pandas")
NEWS = ("run news", "test news")
STARTED = time.monotonic()


TEN_YEARS = ImportExtent()
TWENTY_YEARS = ReportExtent()


@dataclass(frozen=True)
class Extent:
    """How much is measured: plays of the two histories, rounds of quiet slots and of slots with news."""

    short: int = 10_000
    long: int = 1_000_000
    quiet_rounds: int = 15
    news_rounds: int = 7
    imports: ImportExtent = TEN_YEARS
    reports: ReportExtent = TWENTY_YEARS


QUICK = Extent(
    short=200,
    long=20_000,
    quiet_rounds=3,
    news_rounds=2,
    imports=ImportExtent(50_000, 20_000, 1),
    reports=ReportExtent((1_000, 20_000, 100_000), 2),
)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    extent = QUICK if options.quick else Extent()
    if options.rounds:
        reports = replace(extent.reports, rounds=options.rounds)
        extent = replace(extent, quiet_rounds=options.rounds, news_rounds=options.rounds, reports=reports)
    try:
        with contextlib.nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory("-bench") as folder:
            rows = measure(Path(folder), extent, options.only)
    except ProcessFailed as error:
        say(str(error))
        return 2
    print(f"\n{format_table(rows)}\n")
    return 1 if any(row.failed for row in rows) else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "Figures are medians over rounds in which the subjects take turns; `pairs` is the range of the ratios.\n"
            "Of a report: its time on the largest household against the raw plays; `pairs`: on all three.\n"
            "`reach` is what is aimed at; above `fails` the exit code is 1. Rows without bounds inform.\n"
            "Leave the machine alone meanwhile if you can: ten minutes, or two with --quick."
        ),
    )
    parser.add_argument("--quick", action="store_true", help="short histories, two or three rounds")
    parser.add_argument(
        "--rounds",
        type=int,
        choices=range(1, MOST_ROUNDS + 1),
        metavar="N",
        help=f"measure N rounds, 1 to {MOST_ROUNDS}",
    )
    parser.add_argument(
        "--only",
        choices=["slots", "imports", "reports"],
        help="measure these alone; the reports of ten million plays take half an hour and are measured only so",
    )
    parser.add_argument(
        "--keep",
        type=new_folder,
        metavar="FOLDER",
        help="work in FOLDER, a new one, and leave histories and databases there",
    )
    return parser.parse_args(arguments)


def new_folder(path: str) -> Path:
    """The type of --keep: what an earlier run left would be in the way."""
    folder = Path(path).resolve()
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{folder} cannot be made ({error.strerror}); name a new folder") from error
    return folder


def measure(folder: Path, extent: Extent, only: str | None) -> list[Row]:
    """Set everything up and measure every row; the reports only where they are asked for."""
    rows: list[Row] = []
    if only in (None, "slots"):
        rows += measure_slots(folder, extent)
    if only in (None, "imports"):
        with installations(folder, [0]) as [installation]:
            rows += measure_imports(installation, extent.imports, say)
    if only == "reports":
        rows += measure_reports(folder, extent.reports, say)
    return rows


def measure_slots(folder: Path, extent: Extent) -> list[Row]:
    """Slots on two histories, one of them long."""
    with installations(folder, [extent.short, extent.long]) as (short, long):
        rebuilds = {installation: installation.set_up(say) for installation in (short, long)}
        return [
            *measure_quiet_slots(short, long, extent.quiet_rounds),
            *measure_news_slots(short, long, extent.news_rounds),
            *measure_daily_tests(short, long),
            *(Row(f"RebuildStaging, {one.plays:,} plays", f"{run.seconds:.2f} s") for one, run in rebuilds.items()),
        ]


def measure_quiet_slots(short: Installation, long: Installation, rounds: int) -> list[Row]:
    """Slots that get 50 plays of which none is new."""
    say("slots without news")
    page = known_page()
    slots = {one: slots_of(datetime.date(2024, 1, 1)) for one in (short, long)}
    runs = run_in_turns(
        {
            "floor": short.run_floor,
            "empty tasks": short.run_empty_tasks,
            "quiet slot": lambda: short.run_slot(next(slots[short]), page),
            f"on {long.plays:,}": lambda: long.run_slot(next(slots[long]), page),
        },
        rounds,
        say,
    )
    floor, empty, quiet, quiet_long = runs.values()
    return [
        ratio_row(
            f"quiet slot on {short.plays:,} plays / one call and one query", quiet, floor, reach=2.0, failure=3.0
        ),
        imports_row("  imports of dbt or pandas in it", heavy_imports(short, next(slots[short]), page)),
        ratio_row(f"  on {long.plays:,} plays / on {short.plays:,}", quiet_long, quiet),
        ratio_row("Luigi alone with as many empty tasks / the same floor", empty, floor),
    ]


def heavy_imports(installation: Installation, slot: datetime.datetime, page: bytes) -> list[str]:
    """Which of the heavy packages Python names among the imports of a quiet slot."""
    installation.run_slot(slot, page, python=["-X", "importtime"])
    names = re.findall(r"^import time:.*\| +(\w+)\b", installation.log.read_text(), flags=re.MULTILINE)
    if "psycopg2" not in names:
        raise ProcessFailed("python -X importtime told no imports, so nothing is known about them")
    return sorted(set(HEAVY) & set(names))


def measure_news_slots(short: Installation, long: Installation, rounds: int) -> list[Row]:
    """Slots that get 50 plays which are all new, the same on both histories."""
    say("slots with 50 new plays")
    slots = {one: slots_of(datetime.date(2024, 1, 2)) for one in (short, long)}
    pages = {one: map(news_page, itertools.count()) for one in (short, long)}

    def news_slot(one: Installation) -> Run:
        return one.run_slot(next(slots[one]), next(pages[one]), dbt=NEWS)

    runs = run_in_turns(
        {
            "dbt build": short.run_dbt_build,
            "news slot": lambda: news_slot(short),
            f"on {long.plays:,}": lambda: news_slot(long),
        },
        rounds,
        say,
    )
    build, news, news_long = runs.values()
    return [
        ratio_row(
            f"news slot on {short.plays:,} plays / dbt build alone, nothing to do", news, build, reach=1.0, failure=1.0
        ),
        memory_row("  its peak memory", [*news, *news_long], reach=250, failure=250),
        ratio_row(f"  on {long.plays:,} plays / on {short.plays:,}", news_long, news, reach=1.3, failure=1.3),
    ]


def measure_daily_tests(short: Installation, long: Installation) -> list[Row]:
    """A day's first slot with news, which tests the whole history: once each, for information."""
    say("the day's first slot with news")
    rows = []
    for installation in (short, long):
        installation.forget_full_test()
        slot = datetime.datetime(2024, 1, 3, tzinfo=datetime.UTC)
        run = installation.run_slot(slot, news_page(MOST_ROUNDS + 1), dbt=["run news", "test full"])
        rows.append(Row(f"the day's first news slot, {installation.plays:,} plays", f"{run.seconds:.2f} s"))
    return rows


def slots_of(date: datetime.date) -> Iterator[datetime.datetime]:
    """The slots of a date, all of which are in the past; UTC."""
    begin = datetime.datetime.combine(date, datetime.time(), datetime.UTC)
    return (begin + number * datetime.timedelta(minutes=30) for number in range(48))


def say(line: str) -> None:
    """Progress, beside the result."""
    print(f"{time.monotonic() - STARTED:6.1f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

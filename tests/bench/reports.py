"""What each report takes to answer at three sizes of a household, beside the same question asked of the raw plays."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tests.bench.cards import measure_cards
from tests.bench.history import END
from tests.bench.household import ACCOUNT, ZONE, Household
from tests.bench.installation import installations_of
from tests.bench.measure import Run, run_in_turns
from tests.bench.raw_questions import raw_question
from tests.bench.report import Row, ratio_row, report_row

Say = Callable[[str], None]
NEWS = ("run news", "test news")
RUNS = 5
# What takes longer once is not asked again; what takes as long as the timeout is given up.
LONG_SECONDS = 1.0
TIMEOUT_SECONDS = 60
# So many times as fast as the raw plays a report of the whole history is to be.
FACTOR = 50
TODAY = END.date()
RANGES = {
    "28 days": (TODAY - datetime.timedelta(days=27), TODAY),
    "last year": (datetime.date(TODAY.year - 1, 1, 1), datetime.date(TODAY.year - 1, 12, 31)),
    "17 months from a Wednesday": (datetime.date(2022, 3, 16), datetime.date(2023, 8, 15)),
    "all": (datetime.date(1990, 1, 1), TODAY),
}
PERIODS = {
    "year": RANGES["last year"],
    "quarter": (datetime.date(2023, 7, 1), datetime.date(2023, 9, 30)),
    "month": (datetime.date(2023, 11, 1), datetime.date(2023, 11, 30)),
}
# What a card shows: the rows that it has room for.
CARDS = {
    "rpt_totals": "",
    "rpt_days": "order by played_date desc limit 90",
    "rpt_periods": "and grain = 'month' order by period_start",
    "rpt_hours_of_week": "order by iso_weekday, played_hour",
    "rpt_rhythm": "order by unit, value",
    "rpt_season_clock": "order by season, played_hour",
    "rpt_top_tracks": "and rank <= 20 order by rank",
    "rpt_top_artists": "and rank <= 20 order by rank",
    "rpt_top_albums": "and rank <= 20 order by rank",
    "rpt_top_genres": "and rank <= 20 order by rank",
    "rpt_new_artists": "order by first_played_at desc limit 20",
    "rpt_discovery": "order by month_start",
    "rpt_cohorts": "order by cohort_year, played_year",
    "rpt_streaks": "order by days desc limit 20",
    "rpt_obsessions": "order by weeks desc, plays desc limit 20",
    "rpt_forgotten_favourites": "and rank <= 20 order by rank",
    "rpt_on_this_day": "order by played_date desc, plays desc limit 20",
    "rpt_milestones": "order by kind, number",
    "rpt_skips": "order by month_start",
    "rpt_sessions": "and rank <= 20 order by rank",
    "rpt_genre_drift": "order by played_year desc, plays desc limit 20",
    "rpt_exclusion_rules": "order by rule_id",
    "rpt_recently_played": "order by played_at desc limit 50",
    "rpt_saved_tracks": "order by plays desc limit 20",
    "rpt_saved_never_played": "order by added_at limit 20",
    "rpt_genre_coverage": "",
    "rpt_autoplay_nights": "order by night_date desc limit 20",
    "rpt_gaps": "order by begins_at desc limit 20",
    "rpt_reconciliation": "order by played_month",
    "rpt_reconciliation_differences": "order by step",
}
SETTINGS = {"account": ACCOUNT, "zone": ZONE, "today": TODAY.isoformat()}


@dataclass(frozen=True)
class ReportExtent:
    """Plays of the households, the largest last; rounds of slots with news."""

    sizes: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    rounds: int = 5


@dataclass(frozen=True)
class Question:
    """A report's card, and the raw question that it stands for; empty where the raw plays cannot tell.

    `is_of_all`: of the whole history; a question that dates bound is quick to answer from the raw plays too.
    """

    name: str
    report: str
    raw: str
    is_of_all: bool = True


def questions() -> Iterator[Question]:
    """Every report; the functions for each of the ranges; the one-row year, quarter and month."""
    for name, which in CARDS.items():
        report = f"select * from reporting.{name} where account = '{ACCOUNT}' {which}"
        yield Question(name, report, raw_question(name.removeprefix("rpt_"), SETTINGS))
    for name in ("top_tracks", "top_artists", "top_albums", "top_genres"):
        for label, (begin, end) in RANGES.items():
            call = f"select * from reporting.{name}('{ACCOUNT}', '{begin}', '{end}') where rank <= 20 order by rank"
            dates = None if label == "all" else (begin, end)
            yield Question(f"{name}, {label}", call, raw_question(name, SETTINGS, dates), dates is None)
    for grain, (begin, end) in PERIODS.items():
        card = (
            f"select * from reporting.rpt_wrapped where account = '{ACCOUNT}' and grain = '{grain}'"
            f" and period_start = '{begin}'"
        )
        yield Question(f"rpt_wrapped, {grain}", card, raw_question("wrapped", SETTINGS, (begin, end)))


def measure_reports(folder: Path, extent: ReportExtent, say: Say) -> list[Row]:
    """Households of every size; their reports, then slots with news on the smallest and the largest."""
    with installations_of(Household, folder, extent.sizes) as households:
        builds = {household: household.set_up(say) for household in households}
        # What a tenth of the plays show proves nothing.
        is_large = extent.sizes[-1] >= ReportExtent.sizes[-1]
        return [
            *measure_questions(households, is_large, say),
            *measure_cards(households, is_large),
            *measure_news(households[0], households[-1], extent.rounds, is_large, say),
            *(Row(f"models and tests, {one.plays:,} plays", f"{run.seconds:.1f} s") for one, run in builds.items()),
        ]


def measure_questions(households: Sequence[Household], is_large: bool, say: Say) -> list[Row]:
    """Every report on all households; the raw questions on the largest, which is the last."""
    taken: dict[str, list[float]] = {}
    raw: dict[str, float] = {}
    not_fast = []
    for household in households:
        say(f"reports of {household.plays:,} plays")
        with _connected(household) as cursor:
            for question in questions():
                seconds = median_seconds(cursor, question.report)
                taken.setdefault(question.name, []).append(seconds)
                if household is not households[-1] or not question.raw:
                    continue
                raw[question.name] = median_seconds(cursor, question.raw)
                say(f"  {question.name}: {1000 * seconds:.0f} ms, of the raw plays {raw[question.name]:.2f} s")
                if question.is_of_all and raw[question.name] < FACTOR * seconds:
                    not_fast.append(question.name)
    bounds = (100, 200) if is_large else (None, None)
    fast = f"reports of a whole history less than {FACTOR} x as fast as the raw plays"
    return [
        *(report_row(name, times, raw.get(name), TIMEOUT_SECONDS, *bounds) for name, times in taken.items()),
        Row(fast, f"{len(not_fast)}", value=len(not_fast), reach=0 if is_large else None),
    ]


def measure_news(short: Household, long: Household, rounds: int, is_large: bool, say: Say) -> list[Row]:
    """Slots in which one account of the household has heard 50 more plays."""
    say("slots with 50 new plays")
    slots = {one: itertools.count() for one in (short, long)}

    def news_slot(one: Household) -> Run:
        number = next(slots[one])
        slot = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC) + number * datetime.timedelta(minutes=30)
        return one.run_slot(slot, one.news_page(number), dbt=NEWS)

    runs = run_in_turns(
        {"news slot": lambda: news_slot(short), f"on {long.plays:,}": lambda: news_slot(long)}, rounds, say
    )
    on_short, on_long = runs.values()
    reach, failure = (1.2, 1.3) if is_large else (None, None)
    subject = f"news slot of a household of {long.plays:,} plays / of {short.plays:,}"
    return [ratio_row(subject, on_long, on_short, reach, failure)]


def median_seconds(cursor: psycopg2.extensions.cursor, statement: str) -> float:
    """From the question to the last row, on a connection of its own to the same machine; once to warm up."""
    first = _seconds(cursor, statement)
    if first > LONG_SECONDS:
        return first
    return statistics.median(_seconds(cursor, statement) for _ in range(RUNS))


def _seconds(cursor: psycopg2.extensions.cursor, statement: str) -> float:
    begin = time.monotonic()
    try:
        cursor.execute(statement)
        cursor.fetchall()
    except psycopg2.errors.QueryCanceled:
        return float(TIMEOUT_SECONDS)
    return time.monotonic() - begin


@contextlib.contextmanager
def _connected(household: Household) -> Iterator[psycopg2.extensions.cursor]:
    # As the pipeline and Metabase's role ask.
    options = f"-c TimeZone=UTC -c jit=off -c statement_timeout={1000 * TIMEOUT_SECONDS}"
    with contextlib.closing(psycopg2.connect(household.database_url, options=options)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor

"""What the dashboard's cards take, and the page that is made of them."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Sequence

import psycopg2

from pipeline.visualize.answers import Asker
from pipeline.visualize.cards import read_tabs
from pipeline.visualize.page import render_page
from pipeline.visualize.query import Filters
from tests.bench.household import ACCOUNT, Household
from tests.bench.report import Row, report_row

RUNS = 3
SLOWEST = 5
# What is aimed at: milliseconds of a card, seconds of a page.
CARD_MS, PAGE_SECONDS = 100, 2
MONTH = datetime.timedelta(days=30)


def measure_cards(households: Sequence[Household], is_large: bool) -> list[Row]:
    """The slowest cards on the largest household, which is the last, and the page on all."""
    cards: dict[str, list[float]] = {}
    pages = []
    for household in households:
        with contextlib.closing(
            psycopg2.connect(household.database_url, options="-c TimeZone=UTC -c jit=off")
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select today from reporting.rpt_totals where account = %s", (ACCOUNT,))
                today = cursor.fetchall()[0][0]
            filters = Filters(ACCOUNT, dates=(today - MONTH, today))
            for card in (card for tab in read_tabs() for card in tab.cards):
                taken = []
                for _ in range(RUNS):
                    begin = time.monotonic()
                    Asker(connection).ask(card, filters)
                    taken.append(time.monotonic() - begin)
                cards.setdefault(card.id, []).append(min(taken))
            begin = time.monotonic()
            render_page(connection, ACCOUNT, datetime.datetime.now(datetime.UTC), "", "")
            pages.append(time.monotonic() - begin)
    slowest = sorted(cards, key=lambda name: -cards[name][-1])[:SLOWEST]
    bounds = (CARD_MS, 2 * CARD_MS) if is_large else (None, None)
    return [
        *(report_row(f"card {name}", cards[name], None, 0, *bounds) for name in slowest),
        Row(
            "page of all cards",
            f"{pages[-1]:.1f} s",
            value=pages[-1],
            pairs=" ".join(f"{seconds:.1f}" for seconds in pages),
            reach=PAGE_SECONDS if is_large else None,
            failure=2 * PAGE_SECONDS if is_large else None,
            unit=" s",
        ),
    ]

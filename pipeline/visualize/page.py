"""The offline page: every card of one account in one HTML file, which needs no network."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.visualize.answers import Asker
from pipeline.visualize.cards import GRID_WIDTH, WRAPPED_CARD, Tab, find_card, read_tabs
from pipeline.visualize.drawing import draw
from pipeline.visualize.query import FILTERS, Filters
from pipeline.visualize.template import part, template
from pipeline.visualize.units import text
from pipeline.visualize.variants import Variant, of_dates, of_periods

Json = dict[str, Any]


def render_page(connection: Any, account: str, made_at: datetime.datetime, rendered_from: str, charts: str) -> str:
    """The page as HTML. `made_at`: UTC; `rendered_from`: what the task compares, kept in the page's head; `charts`: the
    JavaScript of the chart library."""
    asker = Asker(connection)
    everything = Filters(account)
    about = _about(connection, account)
    choices = {
        "dates": of_dates(everything, about.get("today")),
        "period": of_periods(connection, everything),
    }
    tabs = [_tab(asker, tab, choices, everything) for tab in read_tabs()]
    first_period = choices["period"][0]
    return str(
        template("page.html.j2").render(
            account=account,
            about=about,
            headline=_headline(asker, first_period),
            filter_names=FILTERS,
            made_at=made_at,
            made_local=made_at.astimezone(ZoneInfo(about.get("time_zone") or "UTC")),
            rendered_from=rendered_from,
            tabs=tabs,
            style=_style_sheet(),
            script=part("page.js"),
            charts=charts,
        )
    )


def _style_sheet() -> str:
    """page.css, and a class for each value that differs between elements."""
    places = [f".column-{n} {{ --column: {n}; }} .span-{n} {{ --span: {n}; }}" for n in range(1, GRID_WIDTH + 1)]
    percents = [f".bar-{n} {{ --bar: {n}; }} .heat-{n} {{ --heat: {n}; }}" for n in range(101)]
    return "\n".join([part("page.css"), *places, *percents])


def _about(connection: Any, account: str) -> Json:
    """The account's line of rpt_capture, and its today: what the head of the page says of the data."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select capture.*, totals.today from reporting.rpt_capture as capture"
            " left join reporting.rpt_totals as totals on capture.account = totals.account"
            " where capture.account = %s",
            (account,),
        )
        row = cursor.fetchone()
        return dict(zip((column.name for column in cursor.description), row, strict=True)) if row else {}


def _headline(asker: Asker, period: Variant) -> Json | None:
    """What the page begins with: the first choice of Wrapped in four facts. The tab has asked for it already."""
    rows = asker.ask(find_card(WRAPPED_CARD), period.filters).dicts()
    if not rows:
        return None
    wrapped = rows[0]
    facts = [
        ("Top song", wrapped["top_track"], f"{wrapped['top_track_artists']}, {wrapped['top_track_plays']} plays"),
        ("Top artist", wrapped["top_artist"], f"{wrapped['top_artist_plays']} plays"),
        ("Top genre", wrapped["top_genre"], f"{text(wrapped['top_genre_share'], 'share')} of the plays"),
        ("Days with music", text(wrapped["days_listened"], "count"), f"longest streak {wrapped['longest_streak']}"),
    ]
    return {
        "period": period.name,
        "minutes": text(wrapped["minutes"], "minutes"),
        "facts": [fact for fact in facts if fact[1]],
    }


def _tab(asker: Asker, tab: Tab, choices: dict[str, list[Variant]], everything: Filters) -> Json:
    """A tab as the template wants it. Cards that ask for dates or a period have one answer per choice."""
    filters = {name for card in tab.cards for name in card.filters} & set(choices)
    cards = []
    for card in sorted(tab.cards, key=lambda card: (card.place.row, card.place.column)):
        own = next((name for name in choices if name in card.filters), None)
        variants = choices[own] if own else [Variant("", everything)]
        answers = [asker.ask(card, variant.filters) for variant in variants]
        cards.append({"card": card, "filter": own, "answers": [draw(card, answer) for answer in answers]})
    names = [(name, [variant.name for variant in choices[name]]) for name in choices if name in filters]
    return {"name": tab.name, "id": tab.name.lower().replace(" ", "-"), "filters": names, "cards": cards}

"""The cards: what their files may say, how a query is filled, how a value is written."""

from __future__ import annotations

import datetime
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.visualize.cards import CARDS, Card, CardError, read_tabs
from pipeline.visualize.query import Filters, fill, tags
from pipeline.visualize.template import inline_code, inline_json
from pipeline.visualize.units import machine, period_name, text

TODAY = datetime.date(2026, 11, 22)
TAB = """
tab: Mine
cards:
  - id: mine
    title: Minutes of mine
    question: How many?
    display: number
    place: {row: 0, column: 0, width: 12, height: 3}
    columns:
      minutes: {unit: minutes}
    sql: select minutes from reporting.rpt_totals where account = {{account}}
"""
# Of the dashboard that this one replaces: what each of its cards was about, and the card here that answers it.
PREDECESSOR = {
    "total songs": "songs",
    "total artists": "artists",
    "total minutes": "minutes",
    "new artists this week": "new-artists-this-week",
    "top songs": "top-songs",
    "top artists": "top-artists",
    "top genres": "top-genres",
    "top new artists": "new-artists",
    "minutes by weekday": "minutes-by-weekday",
    "minutes by hour": "minutes-by-hour",
    "minutes by day of the month": "minutes-by-day-of-month",
    "minutes by week": "minutes-by-week",
    "minutes by month": "minutes-by-month",
    "minutes by year": "minutes-by-year",
    "hours of the week": "hours-of-the-week",
    "recently played": "recently-played",
    "all-time top songs with the last time": "all-time-songs",
}


def cards() -> list[Card]:
    return [card for tab in read_tabs() for card in tab.cards]


def test_the_tabs_stand_in_the_order_of_their_files() -> None:
    assert [tab.name for tab in read_tabs()] == ["Now", "Tops", "Rhythm", "Discovery", "Wrapped", "Data health"]


def test_every_card_of_the_predecessor_is_there() -> None:
    assert len(PREDECESSOR) == 17
    assert set(PREDECESSOR.values()) <= {card.id for card in cards()}


def test_every_card_asks_about_one_account() -> None:
    assert all("account" in card.filters for card in cards())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tab: Mine", "tab: [Mine"), "not YAML"),
        (("display: number", "display: pie"), "card 'mine', display: 'pie' is not one of"),
        (("unit: minutes", "unit: miles"), "card 'mine', columns.minutes.unit: 'miles' is not one of"),
        (("    title: Minutes of mine\n", ""), "card 'mine': 'title' is a required property"),
        (("  - id: mine\n    title", "  - title"), "card 1: 'id' is a required property"),
        (("question:", "qestion:"), "card 'mine': 'question' is a required property"),
        (("width: 12", "width: 25"), "card 'mine', place.width: 25 is greater"),
        (("column: 0", "column: 13"), "card 'mine': column + width is more than 24"),
        (("{{account}}", "'me'"), "card 'mine', sql"),
        (("{{account}}", "{{account}} and {{artits}}"), "{{artits}} is no filter; there are account, dates"),
        (("display: number", "display: bar"), "card 'mine': 'x' is a required property"),
        (("display: number", "display: bar\n    x: day\n    y: [minutes]"), "'day' is drawn but does not stand"),
        (
            ("display: number", "display: number\n    x: day"),
            "card 'mine': x and y are for bar, line, row; a number has none",
        ),
    ],
)
def test_a_wrong_card_is_named_with_its_file_and_what_is_wrong(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    assert change[0] in TAB
    path = tmp_path / "1-mine.yml"
    path.write_text(TAB.replace(*change))
    with pytest.raises(CardError) as error:
        read_tabs(tmp_path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_two_cards_in_one_place_and_two_of_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1-mine.yml").write_text(TAB + TAB.split("cards:\n")[1].replace("id: mine", "id: other"))
    with pytest.raises(CardError, match="'mine' and 'other' stand in the same place"):
        read_tabs(tmp_path)
    (tmp_path / "1-mine.yml").write_text(TAB)
    shutil.copy(tmp_path / "1-mine.yml", tmp_path / "2-mine.yml")
    read_tabs.cache_clear()
    with pytest.raises(CardError, match="two cards have the id 'mine'"):
        read_tabs(tmp_path)


def test_values_never_become_text_of_the_query() -> None:
    hostile = "'; drop schema reporting cascade; --"
    sql, values = fill(
        "select '%' where account = {{account}} [[and artist = {{ artist }}]]", Filters("me", artist=hostile)
    )
    assert sql == "select '%%' where account = %(account)s and artist = %(artist)s"
    assert (values["account"], values["artist"]) == ("me", hostile)


def test_a_part_without_its_value_is_left_out() -> None:
    sql = "select 1 where account = {{account}} [[and {{dates}}]] [[and artist = {{artist}} and label = {{period}}]]"
    assert fill(sql, Filters("me", artist="Ann"))[0] == "select 1 where account = %(account)s  "
    dates = (TODAY, TODAY)
    assert (
        '"reporting"."rpt_days"."played_date" between %(first_date)s and %(last_date)s'
        in fill(sql, Filters("me", dates=dates))[0]
    )
    assert tags(sql) == {"account", "dates", "artist", "period"}
    with pytest.raises(ValueError, match=r"needs a value for {{period}}"):
        fill("select {{period}}", Filters("me"))


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (Decimal("2493.50"), "minutes", "2,494"),
        (Decimal("2494.50"), "minutes", "2,495"),
        (Decimal("0.05"), "exact_minutes", "0.1"),
        (12345, "count", "12,345"),
        (Decimal("0.1234"), "share", "12.3 %"),
        (Decimal("-0.125"), "change", "-12 %"),
        (Decimal("0.125"), "change", "+12 %"),
        (Decimal("0.0213"), "points", "+2.1"),
        (TODAY, "date", "22 Nov 2026"),
        (TODAY, "month", "Nov 2026"),
        (datetime.datetime(2026, 11, 2, 4, 5), "moment", "2 Nov 2026, 04:05"),
        (True, "flag", "yes"),
        (2026, "label", "2026"),
        (None, "minutes", "–"),
        ("<b>", "text", "<b>"),
    ],
)
def test_a_value_is_written_in_its_unit(value: object, unit: str, said: str) -> None:
    assert text(value, unit) == said


def test_a_value_is_also_written_for_programs() -> None:
    assert [machine(each) for each in (None, Decimal("1.50"), TODAY)] == ["", "1.50", "2026-11-22"]
    assert [period_name(grain, datetime.date(2026, 10, 1)) for grain in ("year", "quarter", "month")] == [
        "2026",
        "Q4 2026",
        "October 2026",
    ]


def test_no_title_can_end_the_script_it_stands_in() -> None:
    assert "</script" not in str(inline_json({"title": "</script><script>alert(1)</script>"}))
    with pytest.raises(ValueError, match="would end the element"):
        inline_code("if (a) '</SCRIPT>'")


def test_the_folder_of_cards_holds_the_schema_that_an_editor_can_use() -> None:
    assert (CARDS / "cards.schema.json").is_file()

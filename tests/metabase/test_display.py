"""Every way to draw a card, in Metabase's settings. Whole settings, by cards of the definition."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pipeline.visualize.cards import Column, read_tabs
from pipeline.visualize.metabase.display import column_key, display, visualization_settings
from tests.metabase.conftest import HOSTILE, Published

CARDS = {card.id: card for tab in read_tabs() for card in tab.cards}


def test_a_number_shows_its_first_column() -> None:
    card = CARDS["minutes"]
    assert display(card) == "scalar"
    assert visualization_settings(card, ["minutes", "minutes_estimated", "first_played_date", "is_at_least"]) == {
        "scalar.field": "minutes",
        "column_settings": {'["name","minutes"]': {"number_style": "decimal", "decimals": 0, "suffix": " min"}},
    }


def test_a_table_names_every_column_and_shows_what_is_estimated() -> None:
    card = CARDS["top-songs"]
    output = [
        *("rank", "track_name", "artists", "plays", "minutes"),
        *("minutes_estimated", "is_at_least", "track_url"),
    ]
    assert display(card) == "table"
    settings = visualization_settings(card, output)
    assert [(each["name"], each["enabled"]) for each in settings["table.columns"]] == [
        *((name, True) for name in output[:-1]),
        ("track_url", False),
    ]
    columns = settings["column_settings"]
    assert columns['["name","track_name"]'] == {"column_title": "Song", "view_as": "link", "link_url": "{{track_url}}"}
    assert columns['["name","plays"]'] == {
        **{"number_style": "decimal", "decimals": 0},
        **{"column_title": "Plays", "show_mini_bar": True},
    }
    assert columns['["name","minutes_estimated"]']["column_title"] == "of these estimated"
    assert columns['["name","is_at_least"]'] == {"column_title": "at least"}


def test_a_heat_map_shades_all_its_cells_alike() -> None:
    card = CARDS["retention"]
    cells = ["1 year", "2 years"]
    settings = visualization_settings(card, ["cohort_year", "artists", *cells])
    assert display(card) == "table"
    assert settings["table.column_formatting"] == [
        {
            **{"columns": cells, "type": "range", "colors": ["#FFFFFF", "#509EE3"]},
            **{"min_type": "custom", "min_value": 0, "max_type": "all"},
        }
    ]
    assert settings["column_settings"]['["name","2 years"]'] == {
        **{"number_style": "percent", "decimals": 1, "column_title": "2 years"}
    }
    assert settings["column_settings"]['["name","cohort_year"]'] == {
        "number_separators": ".",
        "column_title": "First heard",
    }


def test_marks_have_a_colour_each() -> None:
    settings = visualization_settings(CARDS["completeness"], ["month", "1", "2"])
    rules = settings["table.column_formatting"]
    assert [(rule["type"], rule["operator"], rule["value"], rule["columns"]) for rule in rules] == [
        ("single", "=", mark, ["1", "2"]) for mark in "·?–"
    ]
    assert all(mark in CARDS["completeness"].sql for mark in "·?–")


def test_a_chart_has_its_axes_and_tells_the_rest_in_its_tooltip() -> None:
    card = CARDS["minutes-by-month"]
    settings = visualization_settings(card, ["period_start", "minutes", "minutes_estimated", "change", "is_at_least"])
    assert display(card) == "bar"
    columns = settings.pop("column_settings")
    assert settings == {
        "graph.dimensions": ["period_start"],
        "graph.metrics": ["minutes"],
        "graph.x_axis.scale": "timeseries",
        "graph.x_axis.title_text": "Month",
        "graph.y_axis.title_text": "Minutes",
        "series_settings": {"minutes": {"title": "Minutes"}},
        "graph.tooltip_columns": [column_key(name) for name in ("change", "minutes_estimated", "is_at_least")],
    }
    assert columns['["name","change"]'] == {
        **{"number_style": "percent", "decimals": 0, "column_title": "Against the month before"}
    }


def test_labels_are_no_time_series() -> None:
    assert visualization_settings(CARDS["minutes-by-hour"], [])["graph.x_axis.scale"] == "ordinal"
    rows = visualization_settings(CARDS["top-genres"], ["genre", "plays", "share_of_plays", "is_at_least"])
    assert (rows["graph.x_axis.scale"], rows["graph.x_axis.title_text"]) == ("ordinal", "Genre")
    assert "graph.tooltip_columns" not in rows, "rows have none"


def test_lines_are_two_series() -> None:
    settings = visualization_settings(CARDS["skips"], ["month_start", "skip_share", "completion_share"])
    assert settings["graph.metrics"] == ["skip_share", "completion_share"]
    assert settings["graph.y_axis.title_text"] == "Skipped, Heard to the end"


@pytest.mark.parametrize("name", [*HOSTILE, 'say "no"', "back\\slash", "two\nlines"])
def test_a_column_of_any_name_is_one_key(name: str) -> None:
    assert json.loads(column_key(name)) == ["name", name]
    card = dataclasses.replace(CARDS["minutes"], columns=(Column(name, name, "text"),))
    assert visualization_settings(card, [name])["scalar.field"] == name


def test_settings_name_columns_that_the_queries_return(published: Published) -> None:
    for card in published.metabase.content.cards.values():
        settings = card["visualization_settings"]
        keys = {json.loads(key)[1] for key in settings["column_settings"]}
        if "table.columns" in settings:
            assert keys <= {each["name"] for each in settings["table.columns"]}
        if "graph.metrics" in settings:
            assert {*settings["graph.metrics"], *settings["graph.dimensions"]} <= keys

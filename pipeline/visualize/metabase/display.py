"""How a card is drawn: `display` and `visualization_settings`, in Metabase's form.

Settings name output columns. Metabase does not check them; what it does not know it draws by its own defaults.
Source: the settings reference of Metabase's own command line (npm @metabase/cli, `mb skills get visualization --full`).
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.visualize.cards import Card, Column

Settings = dict[str, Any]
DISPLAYS = {"number": "scalar", "heatmap": "table"}
LOWEST, HIGHEST = "#FFFFFF", "#509EE3"
# Marks of the card `completeness`.
MARK_COLOURS = {"·": "#C9E7B5", "?": "#F9D45C", "–": "#F2A86F"}
# Beside what a card lists, where its query has them: what part is an estimate, and what is a lower bound.
CAVEATS = {
    "minutes_estimated": Column("minutes_estimated", "of these estimated", "minutes"),
    "is_estimated": Column("is_estimated", "estimated", "flag"),
    "is_at_least": Column("is_at_least", "at least", "flag"),
}
DAY = {"date_style": "D MMMM, YYYY", "date_abbreviate": True}
NUMBER = {"number_style": "decimal"}
UNITS: dict[str, Settings] = {
    "count": {**NUMBER, "decimals": 0},
    "minutes": {**NUMBER, "decimals": 0},
    "exact_minutes": {**NUMBER, "decimals": 1},
    "tenths": {**NUMBER, "decimals": 1},
    "days": {**NUMBER, "decimals": 0},
    # A share, a change and a difference of shares are fractions: 0.25 is 25 %.
    "share": {"number_style": "percent", "decimals": 1},
    "change": {"number_style": "percent", "decimals": 0},
    "points": {"number_style": "percent", "decimals": 1},
    "date": {**DAY, "time_enabled": None},
    "month": {"date_style": "MMMM, YYYY", "date_abbreviate": True, "time_enabled": None},
    "moment": {**DAY, "time_enabled": "minutes", "time_style": "HH:mm"},
    # A label may be a year, which has no thousands.
    "label": {"number_separators": "."},
}
SUFFIXES = {"minutes": " min", "exact_minutes": " min", "days": " days"}


def display(card: Card) -> str:
    return DISPLAYS.get(card.display, card.display)


def visualization_settings(card: Card, output: list[str]) -> Settings:
    """`output`: the columns that the query returns, in their order."""
    draw = {"number": _number, "table": _table, "heatmap": _heatmap}.get(card.display, _chart)
    return draw(card, output)


def _number(card: Card, output: list[str]) -> Settings:
    shown = card.columns[0]
    settings = {**UNITS.get(shown.unit, {})}
    if suffix := SUFFIXES.get(shown.unit):
        settings["suffix"] = suffix
    return {"scalar.field": shown.name, "column_settings": {column_key(shown.name): settings}}


def _table(card: Card, output: list[str]) -> Settings:
    caveats = [CAVEATS[name] for name in CAVEATS if name in output and name not in {each.name for each in card.columns}]
    shown = [*card.columns, *caveats]
    return {"table.columns": _order([each.name for each in shown], output), **_columns(shown)}


def _heatmap(card: Card, output: list[str]) -> Settings:
    labels = [each.name for each in card.columns]
    unit = card.cells or "count"
    cells = [Column(name, name, unit) for name in output if name not in labels]
    names = [each.name for each in cells]
    marks = [
        {"columns": names, "type": "single", "operator": "=", "value": mark, "color": colour, "highlight_row": False}
        for mark, colour in MARK_COLOURS.items()
    ]
    shades = [
        {
            "columns": names,
            "type": "range",
            "colors": [LOWEST, HIGHEST],
            "min_type": "custom",
            "min_value": 0,
            "max_type": "all",  # the highest of all cells, not of each column
        }
    ]
    return {
        "table.columns": _order([*labels, *names], output),
        "table.column_formatting": marks if unit == "mark" else shades,
        **_columns([*card.columns, *cells]),
    }


def _chart(card: Card, output: list[str]) -> Settings:
    x = card.column(card.x or "")
    series = [card.column(name) for name in card.y]
    measures = ", ".join(each.title for each in series)
    settings: Settings = {
        "graph.dimensions": [x.name],
        "graph.metrics": [each.name for each in series],
        "graph.x_axis.scale": "timeseries" if x.unit in ("date", "month") else "ordinal",
        "graph.x_axis.title_text": x.title,
        "graph.y_axis.title_text": measures,
        "series_settings": {each.name: {"title": each.title} for each in series},
        **_columns(list(card.columns)),
    }
    others = [each.name for each in card.columns if each.name not in (x.name, *card.y)]
    others += [name for name in CAVEATS if name in output and name not in others]
    if card.display == "row":
        settings["graph.x_axis.scale"] = "ordinal"
    elif others:
        settings["graph.tooltip_columns"] = [column_key(name) for name in others]
        for name in others:
            if name in CAVEATS:
                settings["column_settings"].update(_columns([CAVEATS[name]])["column_settings"])
    return settings


def _order(shown: list[str], output: list[str]) -> list[Settings]:
    """Every column by name: Metabase shows one that the list leaves out."""
    hidden = [name for name in output if name not in shown]
    return [{"name": name, "enabled": name in shown} for name in [*shown, *hidden]]


def _columns(columns: list[Column]) -> Settings:
    return {"column_settings": {column_key(column.name): _column(column) for column in columns}}


def _column(column: Column) -> Settings:
    settings = {**UNITS.get(column.unit, {})}
    if column.title:
        settings["column_title"] = column.title
    if column.bar:
        settings["show_mini_bar"] = True
    if column.link:
        # The cell's own text is what is shown; Metabase follows http and https alone.
        settings |= {"view_as": "link", "link_url": f"{{{{{column.link}}}}}"}
    return settings


def column_key(name: str) -> str:
    """Metabase names a column by JSON in a string, without blanks."""
    return json.dumps(["name", name], ensure_ascii=False, separators=(",", ":"))

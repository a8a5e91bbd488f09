"""Charts of the page, as Vega-Lite specifications. Colours are the page's: they follow dark and light.

https://vega.github.io/vega-lite/docs/
"""

from __future__ import annotations

from typing import Any

from pipeline.visualize.answers import Answer
from pipeline.visualize.cards import Card, Column
from pipeline.visualize.units import machine, text

Json = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
# Pixels: a bar of a row chart; any other chart.
ROW_HEIGHT = 26
HEIGHT = 230


def specification(card: Card, answer: Answer) -> Json:
    """The chart of a card whose display is bar, line or row. Tooltips show what the table under the chart shows."""
    x = card.column(card.x or "")
    series = [card.column(name) for name in card.y]
    values = [
        {"x": machine(row[x.name]), "tip": _tip(card, row), "y": _number(row[column.name]), "series": column.title}
        for column in series
        for row in answer.dicts()
    ]
    return {
        "$schema": SCHEMA,
        "description": f"{card.title}. {card.question}",
        "data": {"values": values},
        "width": "container",
        "height": ROW_HEIGHT * len(answer.rows) if card.display == "row" else HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "mark": _mark(card),
        "encoding": _encoding(card, x, series),
    }


def _mark(card: Card) -> Json:
    if card.display == "line":
        return {"type": "line", "point": False, "tooltip": True, "strokeWidth": 2.5}
    return {"type": "bar", "tooltip": True, "cornerRadiusEnd": 3}


def _encoding(card: Card, x: Column, series: list[Column]) -> Json:
    unit = series[0].unit
    along: Json = {
        "field": "x",
        "title": None,
        "sort": None,
        "type": "ordinal",
        "axis": {"labelOverlap": "greedy", "labelAngle": 0},
    }
    if x.unit in ("date", "month"):
        # Without the zone of the browser: a local date is the same date everywhere.
        along |= {
            "type": "temporal",
            "timeUnit": {"unit": "yearmonthdate" if x.unit == "date" else "yearmonth", "utc": True},
        }
        along["axis"] = {"format": "%e %b" if x.unit == "date" else "%b %Y", "labelOverlap": "greedy", "grid": False}
    share = unit in ("share", "change")
    measure: Json = {
        "field": "y",
        "type": "quantitative",
        "title": None,
        "axis": {"format": "~%" if share else ",~f", "tickCount": 4},
    }
    tooltip: Json = {"tooltip": {"field": "tip", "type": "nominal"}}
    if card.display == "row":
        encoding: Json = {
            "y": {**along, "axis": {"labelLimit": 180}},
            "x": {**measure, "axis": {**measure["axis"], "orient": "top"}},
        }
    else:
        encoding = {"x": along, "y": measure}
    if len(series) > 1:
        legend = {"orient": "top", "title": None}
        encoding["color"] = {"field": "series", "type": "nominal", "sort": None, "legend": legend}
    return encoding | tooltip


def _tip(card: Card, row: Json) -> str:
    """Every column that the card shows, as text: "22 Nov 2026 · Minutes 104 · 7-day average 98"."""
    shown = (
        f"{column.title} {text(row[column.name], column.unit)}" for column in card.columns if column.name != card.x
    )
    x = card.column(card.x or "")
    return " · ".join([text(row[x.name], x.unit), *shown])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)

"""Answers as the page's template wants them: every value as text and as a program reads it."""

from __future__ import annotations

from typing import Any

from pipeline.visualize.answers import Answer
from pipeline.visualize.cards import CHARTS, Card, Column
from pipeline.visualize.caveats import TIME_UNITS, is_at_least, is_estimated, notes
from pipeline.visualize.charts import specification
from pipeline.visualize.units import NUMBERS, SUFFIXES, TIMES, machine, text

Json = dict[str, Any]


def draw(card: Card, answer: Answer) -> Json:
    """What the template writes for one answer of a card."""
    drawn: Json = {"rows": len(answer.rows), "notes": notes(answer) if answer.rows else []}
    if card.display == "number":
        return drawn | {"number": _number(card, answer)}
    if card.display == "heatmap":
        return drawn | {"table": _heatmap(card, answer)}
    chart = specification(card, answer) if card.display in CHARTS and answer.rows else None
    return drawn | {"table": _table(card, answer), "chart": chart}


def _number(card: Card, answer: Answer) -> Json | None:
    """The first column stands alone; the others beside it, with their titles."""
    if not answer.rows:
        return None
    row = answer.dicts()[0]
    main, *others = ({**_cell(column, row), "unit": SUFFIXES.get(column.unit, "")} for column in card.columns)
    titled = zip(others, card.columns[1:], strict=True)
    return {
        "main": main,
        "is_at_least": is_at_least(answer),
        "others": [{**cell, "title": column.title} for cell, column in titled if cell["value"]],
    }


def _table(card: Card, answer: Answer) -> Json:
    rows = answer.dicts()
    longest = {
        column.name: max((float(row[column.name] or 0) for row in rows), default=0.0)
        for column in card.columns
        if column.bar
    }
    return {
        "head": [{"title": column.title, "kind": _kind(column)} for column in card.columns],
        "rows": [[_cell(column, row, longest.get(column.name)) for column in card.columns] for row in rows],
    }


def _kind(column: Column) -> str:
    """How the page sets a column: numbers to the right, times on one line."""
    return "n" if column.unit in NUMBERS else "t" if column.unit in (*TIMES, "flag") else ""


def _cell(column: Column, row: Json, longest: float | None = None) -> Json:
    value = row[column.name]
    about = "≈ " if column.unit in TIME_UNITS and value is not None and is_estimated(row) else ""
    return {
        "text": about + text(value, column.unit),
        "value": machine(value),
        "kind": _kind(column),
        "link": safe_link(row[column.link]) if column.link else None,
        "bar": _percent(value or 0, longest) if longest else None,
    }


def _heatmap(card: Card, answer: Answer) -> Json:
    """Labels, then cells: each with its heat, in percent of the largest number; marks have none."""
    labels = {column.name: column for column in card.columns}
    cells = [name for name in answer.names if name not in labels]
    unit = card.cells or "count"
    numbers = [float(value) for name in cells for value in answer.column(name) if value is not None and unit in NUMBERS]
    hottest = max(numbers, default=0.0)
    rows = []
    for row in answer.dicts():
        named = [_cell(column, row) for column in card.columns]
        shaded = [
            {
                "text": text(row[name], unit) if row[name] is not None else "",
                "value": machine(row[name]),
                "heat": _percent(row[name], hottest) if hottest and row[name] is not None else 0,
            }
            for name in cells
        ]
        rows.append({"labels": named, "cells": shaded})
    return {"head": [column.title for column in card.columns], "cells": cells, "rows": rows, "is_marks": unit == "mark"}


def _percent(value: Any, of: float) -> int:
    """0 to 100, because the page has a CSS class for each: its policy refuses style attributes."""
    return min(100, max(0, round(100 * float(value) / of)))


def safe_link(address: Any) -> str | None:
    """An address of a track at Spotify; nothing else that a title's link may hold becomes one."""
    return address if isinstance(address, str) and address.startswith("https://open.spotify.com/") else None

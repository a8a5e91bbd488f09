"""Reads the cards: cards/*.yml, one file per tab, checked against cards/cards.schema.json."""

from __future__ import annotations

import functools
import importlib.resources
import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pipeline.visualize.query import FILTERS, tags

CARDS = Path(str(importlib.resources.files("pipeline.visualize") / "cards"))
GRID_WIDTH = 24
CHARTS = ("bar", "line", "row")
# All of a period, in one row: the head of the page and the picture begin with it.
WRAPPED_CARD = "wrapped-minutes"


class CardError(ValueError):
    """A card that cannot be drawn; the message names the file, the card and what to change."""


@dataclass(frozen=True)
class Column:
    """A column that is shown. Other columns of the query are what `link`, "at least" and "estimated" are read from."""

    name: str
    title: str
    unit: str
    link: str | None = None
    bar: bool = False


@dataclass(frozen=True)
class Place:
    """Where a card stands on its tab: a grid of 24 columns; rows are as many as are needed."""

    row: int
    column: int
    width: int
    height: int

    def overlaps(self, other: Place) -> bool:
        return (
            self.row < other.row + other.height
            and other.row < self.row + self.height
            and self.column < other.column + other.width
            and other.column < self.column + self.width
        )


@dataclass(frozen=True)
class Card:
    """One question and its answer. `x` and `y` name the columns of a chart; `cells` is the unit of a heat map's cells,
    which are all the columns that `columns` does not name."""

    id: str
    title: str
    question: str
    display: str
    place: Place
    columns: tuple[Column, ...]
    sql: str
    x: str | None = None
    y: tuple[str, ...] = ()
    cells: str | None = None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters that the query asks for, in the order of FILTERS."""
        used = tags(self.sql)
        return tuple(name for name in FILTERS if name in used)


@dataclass(frozen=True)
class Tab:
    """A page of the dashboard."""

    name: str
    cards: tuple[Card, ...]


@functools.cache
def read_tabs(folder: Path = CARDS) -> tuple[Tab, ...]:
    """Every tab, in the order of the file names. Raises CardError."""
    tabs = tuple(_read_tab(path) for path in sorted(folder.glob("*.yml")))
    seen: set[str] = set()
    for card in (card for tab in tabs for card in tab.cards):
        if card.id in seen:
            raise CardError(f"{folder}: two cards have the id {card.id!r}; rename one")
        seen.add(card.id)
    return tabs


def find_card(card_id: str) -> Card:
    """The card of that id. Raises CardError."""
    found = [card for tab in read_tabs() for card in tab.cards if card.id == card_id]
    if not found:
        raise CardError(f"{CARDS}: there is no card {card_id!r}, on which page and picture rely; put it back")
    return found[0]


def _read_tab(path: Path) -> Tab:
    import jsonschema
    import yaml

    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CardError(f"{path} is not YAML: {error}") from error
    schema = json.loads((CARDS / "cards.schema.json").read_text(encoding="utf-8"))
    wrong = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(text))
    if wrong:
        raise CardError(f"{path}, {_where(text, list(wrong.absolute_path))}: {wrong.message}")
    tab = Tab(text["tab"], tuple(_card(each) for each in text["cards"]))
    for card in tab.cards:
        _check(path, card)
    for one, other in combinations(tab.cards, 2):
        if one.place.overlaps(other.place):
            raise CardError(f"{path}: cards {one.id!r} and {other.id!r} stand in the same place; move one")
    return tab


def _where(text: Any, path: list[Any]) -> str:
    """A place in the file, in the words of the file: card 'minutes', place.row."""
    if len(path) < 2 or path[0] != "cards":
        return ".".join(map(str, path)) or "top level"
    card = text["cards"][path[1]]
    name = card.get("id") if isinstance(card, dict) else None
    rest = ".".join(map(str, path[2:]))
    return f"card {name or path[1] + 1!r}" + (f", {rest}" if rest else "")


def _card(text: dict[str, Any]) -> Card:
    columns = tuple(
        Column(name, each.get("title", ""), each["unit"], each.get("link"), each.get("bar", False))
        for name, each in text["columns"].items()
    )
    return Card(
        id=text["id"],
        title=text["title"],
        question=text["question"],
        display=text["display"],
        place=Place(**text["place"]),
        columns=columns,
        sql=text["sql"].strip(),
        x=text.get("x"),
        y=tuple(text.get("y", ())),
        cells=text.get("cells", {}).get("unit"),
    )


def _check(path: Path, card: Card) -> None:
    where = f"{path}, card {card.id!r}"
    if unknown := tags(card.sql) - set(FILTERS):
        raise CardError(f"{where}: {{{{{min(unknown)}}}}} is no filter; there are {', '.join(FILTERS)}")
    if card.place.column + card.place.width > GRID_WIDTH:
        raise CardError(f"{where}: column + width is more than {GRID_WIDTH}")
    shown = {column.name for column in card.columns}
    if card.x and card.display not in CHARTS:
        raise CardError(f"{where}: x and y are for {', '.join(CHARTS)}; a {card.display} has none")
    if missing := {*card.y, *([card.x] if card.x else [])} - shown:
        raise CardError(f"{where}: {min(missing)!r} is drawn but does not stand under columns")

"""A card and the dashboard, as bodies of Metabase's API.

Queries are native, in MBQL 5 (from v0.57): https://www.metabase.com/docs/latest/questions/native-editor/sql-parameters
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

from pipeline import config
from pipeline.visualize.cards import Card, Tab
from pipeline.visualize.query import FILTERS

Json = dict[str, Any]
# How a card that was made here is known again, in 21 letters, as Metabase wants them: by an id that Metabase never
# changes and that no copy takes along. A name, a description or a place can be changed by whoever looks at it.
OURS = "listening-"
MARKER = "Made by the listening history pipeline: changes by hand are undone by the next PublishDashboard."
COLLECTION = "Listening history"
DASHBOARD = "Listening history"
_TAGS = uuid.uuid5(uuid.NAMESPACE_URL, "https://www.metabase.com/docs/latest/questions/native-editor/sql-parameters")
# The dashboard's filters. `~`: with today.
DATES_DEFAULT = "past30days~"


def entity_id(card: Card) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(card.id.encode()).digest()).decode()
    return OURS + digest[: 21 - len(OURS)]


def card_body(card: Card, display: str, settings: Json, database: int, dates: int, collection: int) -> Json:
    """`dates`: Metabase's id of the column that the filter of that name is about."""
    tags = {name: _tag(card, name, dates) for name in card.filters}
    return {
        "name": card.title,
        "type": "question",
        "description": card.question,
        "display": display,
        "collection_id": collection,
        "dataset_query": {
            "lib/type": "mbql/query",
            "database": database,
            "stages": [{"lib/type": "mbql.stage/native", "native": card.sql, "template-tags": tags}],
        },
        "visualization_settings": settings,
        "parameters": [{**_filter(name), "id": tags[name]["id"], "target": target(name)} for name in card.filters],
    }


def _tag(card: Card, name: str, dates: int) -> Json:
    tag: Json = {"id": str(uuid.uuid5(_TAGS, f"{card.id} {name}")), "name": name, "display-name": FILTERS[name]}
    if name == "dates":
        return {**tag, "type": "dimension", "dimension": ["field", {}, dates], "widget-type": "date/all-options"}
    if name == "account":
        return {**tag, "type": "text", "required": True, "default": _accounts()[0]}
    return {**tag, "type": "text"}


def target(name: str) -> list[Any]:
    return ["dimension" if name == "dates" else "variable", ["template-tag", name]]


def filters() -> list[Json]:
    """The filters of the dashboard."""
    return [
        {**_filter(name), "id": name, **({"default": DATES_DEFAULT} if name == "dates" else {})} for name in FILTERS
    ]


def _filter(name: str) -> Json:
    """A filter, but for its id. One value each: a second one has no place in the SQL."""
    known: Json = {"name": FILTERS[name], "slug": name}
    if name == "dates":
        return {**known, "type": "date/all-options", "sectionId": "date"}
    text = {**known, "type": "string/=", "sectionId": "string", "isMultiSelect": False}
    if name != "account":
        return {**text, "values_query_type": "none"}
    return {
        **text,
        "required": True,
        "default": [_accounts()[0]],
        "values_query_type": "list",
        "values_source_type": "static-list",
        "values_source_config": {"values": _accounts()},
    }


def _accounts() -> list[str]:
    return config.spotify().account_names


def dashcards(tabs: tuple[Tab, ...], cards: dict[str, int]) -> list[Json]:
    """Where each card stands: `tab` by its name, the card by Metabase's id, and which filters it hears."""
    return [
        {
            "tab": tab.name,
            "card_id": cards[card.id],
            "row": card.place.row,
            "col": card.place.column,
            "size_x": card.place.width,
            "size_y": card.place.height,
            "parameter_mappings": [
                {"parameter_id": name, "card_id": cards[card.id], "target": target(name)} for name in card.filters
            ],
            "visualization_settings": {},
        }
        for tab in tabs
        for card in tab.cards
    ]

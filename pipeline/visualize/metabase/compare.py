"""Whether what Metabase has is what it was given. Its answers are never byte-equal to what was sent: it adds ids and
types, leaves nulls out or puts them in, and gives template tags back as a list from v0.63 on.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
TAG = ("name", "display-name", "type", "required", "default", "widget-type")
PARAMETER = (
    *("id", "name", "slug", "type", "sectionId", "default", "required", "isMultiSelect", "target"),
    *("values_query_type", "values_source_type", "values_source_config"),
)
DASHCARD = ("tab", "card_id", "row", "col", "size_x", "size_y", "parameter_mappings", "visualization_settings")


def card_facts(card: Json) -> dict[str, Any]:
    """What a card says, by name, in a form in which two can be compared."""
    stage = _stage(card)
    tags = stage.get("template-tags") or []
    tags = tags.values() if isinstance(tags, dict) else tags
    return {
        "name": card.get("name"),
        "description": card.get("description") or None,
        "type": card.get("type") or "question",
        "display": card.get("display"),
        "collection": card.get("collection_id"),
        "archived": bool(card.get("archived")),
        "database": (card.get("dataset_query") or {}).get("database"),
        "SQL": stage.get("native"),
        "filters of the SQL": sorted((_tag(tag) for tag in tags), key=lambda tag: str(tag["name"])),
        "drawing": _plain(card.get("visualization_settings") or {}),
        "filters": _parameters(card.get("parameters")),
    }


def dashboard_facts(dashboard: Json) -> dict[str, Any]:
    """What a dashboard says. Its cards carry `tab`, the name of theirs, or `dashboard_tab_id`."""
    names = {tab["id"]: tab["name"] for tab in dashboard.get("tabs") or []}
    cards = [{"tab": names.get(each.get("dashboard_tab_id")), **each} for each in dashboard.get("dashcards") or []]
    return {
        "name": dashboard.get("name"),
        "description": dashboard.get("description") or None,
        "collection": dashboard.get("collection_id"),
        "archived": bool(dashboard.get("archived")),
        "width": dashboard.get("width"),
        "filters": _parameters(dashboard.get("parameters")),
        "tabs": [tab["name"] for tab in sorted(dashboard.get("tabs") or [], key=lambda tab: int(tab["position"]))],
        "cards": sorted((_dashcard(each) for each in cards), key=lambda each: json.dumps(each, sort_keys=True)),
    }


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Names of the facts that differ."""
    return [name for name in wanted if wanted[name] != found.get(name)]


def _stage(card: Json) -> Json:
    stages = (card.get("dataset_query") or {}).get("stages") or [{}]
    return stages[0] if len(stages) == 1 else {}


def _tag(tag: Json) -> Json:
    facts = {name: tag[name] for name in TAG if tag.get(name) not in (None, False)}
    dimension = tag.get("dimension")
    # ["field", {"lib/uuid": …}, 141]: the id is what it is about.
    return {**facts, **({"field": dimension[-1]} if dimension else {})}


def _parameters(parameters: list[Json] | None) -> list[Json]:
    return [_plain({name: each.get(name) for name in PARAMETER}) for each in parameters or []]


def _dashcard(dashcard: Json) -> Json:
    facts = {name: dashcard.get(name) for name in DASHCARD}
    mappings = sorted(dashcard.get("parameter_mappings") or [], key=lambda each: str(each["parameter_id"]))
    kept = [{name: each.get(name) for name in ("parameter_id", "card_id", "target")} for each in mappings]
    return {
        **facts,
        "parameter_mappings": kept,
        "visualization_settings": _plain(dashcard.get("visualization_settings") or {}),
    }


def _plain(value: Any) -> Any:
    """Without nulls, which Metabase may leave out, and without False, which is what it takes a missing one for."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None and each is not False}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value

"""Dashboards of the sample Metabase: PUT replaces tabs and cards as a whole, known ids are kept, new ones are negative.

https://www.metabase.com/docs/latest/api#tag/apidashboard
"""

from __future__ import annotations

import copy
from typing import Any

from tests.metabase.bodies import Json, refused
from tests.metabase.content import MOMENT, Content, nano_id

# Null is no change for these, and clears the others.
NULL_IS_NOTHING = {"name", "parameters", "archived", "enable_embedding", "auto_apply_filters"}


def add_dashboard(content: Content, body: Json) -> Json:
    number = next(content.ids)
    made = {
        "id": number,
        "description": None,
        "parameters": [],
        "collection_id": None,
        "collection_position": None,
        "cache_ttl": None,
        **body,
        "archived": False,
        "creator_id": 1,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "entity_id": nano_id(),
        "width": "fixed",
        "auto_apply_filters": True,
        "enable_embedding": False,
        "public_uuid": None,
        "dashcards": [],
        "tabs": [],
    }
    content.dashboards[number] = made
    return dashboard(content, number)


def dashboard(content: Content, number: Any) -> Json:
    """As it is told: each of its cards with the whole card."""
    found = copy.deepcopy(content._found(content.dashboards, number))
    for each in found["dashcards"]:
        each["card"] = content.card(str(each["card_id"])) if each["card_id"] else {"query_average_duration": None}
    return {**found, "param_fields": {}, "can_write": True, "last-edit-info": {"id": 1}}


def change_dashboard(content: Content, number: int, body: Json) -> Json:
    found = content._found(content.dashboards, number)
    body = copy.deepcopy(body)
    dashcards, tabs = body.pop("dashcards", None), body.pop("tabs", None)
    if dashcards is not None or tabs is not None:
        tabs, dashcards = _placed(content, found, tabs or [], dashcards or [])
        found.update(tabs=tabs, dashcards=dashcards)
        # A subscription loses the cards that have gone.
        kept = {each["id"] for each in dashcards}
        for pulse in content.pulses.values():
            if pulse["dashboard_id"] == found["id"]:
                pulse["cards"] = [each for each in pulse["cards"] if each["dashboard_card_id"] in kept]
    found.update({name: value for name, value in body.items() if value is not None or name not in NULL_IS_NOTHING})
    return dashboard(content, number)


def _placed(content: Content, found: Json, tabs: list[Json], dashcards: list[Json]) -> tuple[list[Json], list[Json]]:
    """Tabs and cards that a PUT leaves behind: a call without `tabs` leaves none. Raises Refusal."""
    for name, rows in (("tabs", tabs), ("dashcards", dashcards)):
        if len({row["id"] for row in rows}) < len(rows):
            raise refused(name, "value must be seq of maps in which ids are unique")
    old_tabs = {tab["id"]: tab for tab in found["tabs"]}
    ids: dict[Any, int] = {}
    new_tabs = []
    for position, tab in enumerate(tabs):
        ids[tab["id"]] = tab["id"] if tab["id"] in old_tabs else next(content.ids)
        was = old_tabs.get(tab["id"], {"dashboard_id": found["id"], "entity_id": nano_id()})
        new_tabs.append({**was, "id": ids[tab["id"]], "name": tab["name"], "position": position})
    old_cards = {each["id"]: each for each in found["dashcards"]}
    new_cards = []
    for each in dashcards:
        stands_on = each.get("dashboard_tab_id")
        if len(new_tabs) == 1 and stands_on is None:
            stands_on = tabs[0]["id"]
        if new_tabs and stands_on not in ids:
            raise refused("dashcards", "This dashboard has tab, makes sure every card has a tab")
        card = each.get("card_id")
        if card is not None and content._found(content.cards, card)["archived"]:
            raise refused("dashcards", f"card {card} is archived")
        blank = {
            "dashboard_id": found["id"],
            "entity_id": nano_id(),
            "action_id": None,
            "parameter_mappings": [],
            "visualization_settings": {},
            "inline_parameters": [],
            "series": [],
        }
        before: Json = old_cards.get(each["id"], blank)
        number = each["id"] if each["id"] in old_cards else next(content.ids)
        new_cards.append(
            {**before, "card_id": None, **each, "id": number, "dashboard_tab_id": ids[stands_on] if new_tabs else None}
        )
    return new_tabs, new_cards

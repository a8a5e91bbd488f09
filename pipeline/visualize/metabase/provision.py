"""Collection, cards and dashboard: found or made, compared with the definition, mended, and read back.

What others have made is not touched: a card is ours by its entity id, collection and dashboard by the sentence MARKER
in their description.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from pipeline.visualize.cards import Tab
from pipeline.visualize.metabase import bodies
from pipeline.visualize.metabase.client import Json, Metabase
from pipeline.visualize.metabase.compare import card_facts, dashboard_facts, differences
from pipeline.visualize.metabase.errors import NameTaken, NotFound, NotKept

logger = logging.getLogger("luigi-interface")
Facts = dict[str, Any]
# What a person reads off a card. Where Metabase keeps anything else in another form, that is only said.
ESSENTIAL = {
    "name",
    "display",
    "collection",
    "archived",
    "database",
    "SQL",
    "filters of the SQL",
    "tabs",
    "cards",
    "filters",
}


def ensure_collection(metabase: Metabase) -> int:
    """Ours by MARKER; it may have been renamed or moved. Raises NameTaken."""
    found = [each for each in metabase.get("/api/collection") if not each.get("personal_owner_id")]
    ours = [each for each in found if bodies.MARKER in (each.get("description") or "") and not each.get("archived")]
    if ours:
        return int(min(each["id"] for each in ours))
    if any(each["name"] == bodies.COLLECTION and not each.get("archived") for each in found):
        raise NameTaken(
            f"Metabase has a collection named {bodies.COLLECTION!r} already, which was not made here. Rename it in"
            " Metabase, then run this again"
        )
    body = {"name": bodies.COLLECTION, "description": bodies.MARKER}
    return int(metabase.post("/api/collection", body)["id"])


def ensure_card(metabase: Metabase, entity_id: str, body: Json, done: Counter[str]) -> int:
    """A card as `body` says, made, mended or left as it is; its id."""
    wanted = card_facts(body)
    try:
        found = metabase.get(f"/api/card/{entity_id}")
    except NotFound:
        made = metabase.post("/api/card", {**body, "entity_id": entity_id})
        done["made"] += 1
        read_back = metabase.get(f"/api/card/{made['id']}")
        if read_back.get("entity_id") != entity_id:
            raise NotKept(
                f"Metabase has made the card {body['name']!r} but not kept its entity id: it could not be found again."
                f" Use another version of Metabase, and delete card {made['id']}"
            ) from None
        _confirm(f"card {body['name']!r}", wanted, card_facts(read_back))
        return int(made["id"])
    path = f"/api/card/{found['id']}"
    if differences(wanted, card_facts(found)):
        metabase.put(path, {**body, "archived": False})
        done["changed"] += 1
        _confirm(f"card {body['name']!r}", wanted, card_facts(metabase.get(path)))
    else:
        done["as they were"] += 1
    return int(found["id"])


def trash_cards(metabase: Metabase, collection: int, keep: set[str], done: Counter[str]) -> None:
    """Put those of our cards into the trash that the definition does not have any more."""
    items = metabase.get(f"/api/collection/{collection}/items", models="card", limit=1000, offset=0)["data"]
    for item in items:
        ours = (item.get("entity_id") or "").startswith(bodies.OURS)
        if ours and item["entity_id"] not in keep:
            metabase.put(f"/api/card/{item['id']}", {"archived": True})
            done["into the trash"] += 1


def ensure_dashboard(metabase: Metabase, tabs: tuple[Tab, ...], cards: dict[str, int], collection: int) -> Json:
    """The dashboard as the definition says, as Metabase has it then. `cards`: Metabase's ids by ours."""
    items = metabase.get(f"/api/collection/{collection}/items", models="dashboard", limit=1000, offset=0)["data"]
    # A copy takes the description along; the first is ours.
    ours = [item["id"] for item in items if bodies.MARKER in (item.get("description") or "")]
    head: Json = {"name": bodies.DASHBOARD, "description": bodies.MARKER, "collection_id": collection}
    if ours:
        found = metabase.get(f"/api/dashboard/{min(ours)}")
    else:
        # What else a dashboard has is dropped by this call, so that it follows below.
        found = metabase.post("/api/dashboard", {**head, "parameters": bodies.filters()})
    body = {**head, "archived": False, "width": "full", "parameters": bodies.filters()}
    placed = bodies.dashcards(tabs, cards)
    named = [{"id": tab.name, "name": tab.name, "position": n} for n, tab in enumerate(tabs)]
    wanted = dashboard_facts({**body, "tabs": named, "dashcards": placed})
    if not differences(wanted, dashboard_facts(found)):
        return dict(found)
    path = f"/api/dashboard/{found['id']}"
    metabase.put(path, {**body, **_places(found, tabs, placed)})
    found = metabase.get(path)
    _confirm("the dashboard", wanted, dashboard_facts(found))
    return dict(found)


def _places(found: Json, tabs: tuple[Tab, ...], placed: list[Json]) -> Json:
    """Tabs and cards with the ids they have, or negative ones where they are new: a subscription names these ids."""
    known = {tab["name"]: int(tab["id"]) for tab in found.get("tabs") or []}
    ids = {tab.name: known.get(tab.name, -n) for n, tab in enumerate(tabs, start=1)}
    places: dict[int, int] = {}
    for each in found.get("dashcards") or []:
        if each.get("card_id"):
            places.setdefault(int(each["card_id"]), int(each["id"]))
    return {
        "tabs": [{"id": ids[tab.name], "name": tab.name} for tab in tabs],
        "dashcards": [
            {
                **{name: value for name, value in each.items() if name != "tab"},
                "id": places.get(each["card_id"], -n),
                "dashboard_tab_id": ids[each["tab"]],
                "series": [],
            }
            for n, each in enumerate(placed, start=1)
        ],
    }


def _confirm(what: str, wanted: Facts, found: Facts) -> None:
    lost = differences(wanted, found)
    if essential := [name for name in lost if name in ESSENTIAL]:
        raise NotKept(
            f"Metabase has taken {what}, but does not show it as it was written ({', '.join(essential)}). It may be of"
            " a version that this pipeline does not know: see docs/metabase.md for those it was written for"
        )
    if lost:
        logger.warning("Metabase keeps %s of %s in a form of its own", ", ".join(lost), what)

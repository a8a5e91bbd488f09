"""Collections, cards and subscriptions of the sample Metabase."""

from __future__ import annotations

import copy
import re
import uuid
from itertools import count
from typing import Any

from tests.metabase.bodies import Json, Refusal, refused
from tests.metabase.warehouse import Warehouses

ROOT = {"id": "root", "name": "Our analytics", "can_write": True, "effective_location": None, "parent_id": None}
# Those after the fourth need a model_id. All queries here are native: none uses a table, a model or a segment.
CARD_FILTERS = ("all", "mine", "bookmarked", "archived", "database", "table", "using_model", "using_segment")
# When everything was made and changed.
MOMENT = "2026-11-22T14:30:00Z"
ENTITY_ID = re.compile(r"[A-Za-z0-9_-]{21}")
COLUMNS_OF_ITEMS = ("id", "name", "description", "entity_id", "collection_id", "archived", "collection_position")


def nano_id() -> str:
    return uuid.uuid4().hex[:21]


class Content:
    """`tags_as_list`: how template tags are told, from v0.63 on."""

    def __init__(self, warehouses: Warehouses) -> None:
        self.warehouses = warehouses
        self.collections: dict[int, Json] = {}
        self.cards: dict[int, Json] = {}
        self.dashboards: dict[int, Json] = {}
        self.pulses: dict[int, Json] = {}
        self.tags_as_list = True
        self.keeps_entity_ids = True
        self.slack_configured = False
        self.ids = count(1)

    # Collections

    def add_collection(self, body: Json) -> Json:
        number = next(self.ids)
        defaults = {"description": None, "parent_id": None, "authority_level": None, "namespace": None}
        made = {
            "id": number,
            "archived": False,
            "slug": re.sub(r"\W", "_", body["name"].lower()),
            "entity_id": nano_id(),
            "location": "/",
            "personal_owner_id": None,
            **defaults,
            **body,
        }
        self.collections[number] = made
        return made

    def list_collections(self, archived: bool, only_personal: bool) -> list[Json]:
        """With the root, but for archived and for personal ones; nobody has a personal collection here."""
        found = [each for each in self.collections.values() if each["archived"] == archived and not only_personal]
        return found if archived or only_personal else [ROOT, *found]

    def collection(self, ref: str) -> Json:
        """By number, entity id, or `root`."""
        number = next((each["id"] for each in self.collections.values() if each["entity_id"] == ref), ref)
        return ROOT if ref == "root" else {**self._found(self.collections, number), "can_write": True}

    def change_collection(self, number: int, body: Json) -> Json:
        found = self._found(self.collections, number)
        found.update({"archived": False, **body})
        return found

    def list_cards(self, wanted: str, model: str) -> list[Json]:
        if wanted not in CARD_FILTERS:
            raise refused("f", f"nullable enum of {', '.join(CARD_FILTERS)}")
        if wanted in CARD_FILTERS[4:] and not model:
            raise refused("model_id", f"model_id is a required parameter when filter mode is {wanted}")
        return [
            self.card(str(card["id"]))
            for card in self.cards.values()
            if card["archived"] == (wanted == "archived")
            and (
                wanted in ("all", "mine", "archived")
                or (wanted == "database" and str(card["dataset_query"]["database"]) == model)
            )
        ]

    def items(self, place: str, models: list[str], archived: bool, limit: int | None, offset: int | None) -> Json:
        number = None if place == "root" else self.collection(place)["id"]
        found = [
            {**{name: row.get(name) for name in COLUMNS_OF_ITEMS}, "model": model}
            for model, rows in (("card", self.cards), ("dashboard", self.dashboards))
            for row in rows.values()
            if model in models and row["collection_id"] == number and row["archived"] == archived
        ]
        start = offset or 0
        shown = found[start : start + limit] if limit is not None else found
        if limit is not None and offset is None:
            offset = 0
        return {"data": shown, "total": len(found), "limit": limit, "offset": offset, "models": models}

    # Cards

    def add_card(self, body: Json) -> Json:
        self._confirm_card(body)
        entity_id = body.get("entity_id") if self.keeps_entity_ids else None
        if entity_id and not ENTITY_ID.fullmatch(entity_id):
            raise refused("entity_id", "String must be a valid 21-character NanoID string.")
        if entity_id in {each["entity_id"] for each in self.cards.values()}:
            raise Refusal(
                500, {"message": 'duplicate key value violates unique constraint "report_card_entity_id_key"'}
            )
        number = next(self.ids)
        nothing = dict.fromkeys(("description", "collection_id", "collection_position", "cache_ttl", "dashboard_id"))
        made = {
            **nothing,
            "parameters": [],
            "parameter_mappings": [],
            "type": "question",
            **body,
            "id": number,
            "archived": False,
            "entity_id": entity_id or nano_id(),
            "creator_id": 1,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "query_type": "native",
            "table_id": None,
            "enable_embedding": False,
            "public_uuid": None,
        }
        self.cards[number] = made
        return self.card(str(number))

    def change_card(self, number: int, body: Json) -> Json:
        found = self._found(self.cards, number)
        self._confirm_card(body)
        found.update(body)
        return self.card(str(number))

    def _confirm_card(self, body: Json) -> None:
        if body.get("collection_id") is not None and body["collection_id"] not in self.collections:
            raise refused("collection_id", "Collection does not exist.")
        query = body.get("dataset_query")
        if query:
            self.warehouses.found(query["database"])
            for tag in (query["stages"][0].get("template-tags") or {}).values() if "stages" in query else ():
                if tag["type"] == "dimension":
                    self.warehouses.column_of(tag["dimension"][-1])

    def card(self, ref: str) -> Json:
        """By number or entity id, as it is told: the query has gained ids, and nulls stand where nothing was said."""
        number = next((each["id"] for each in self.cards.values() if each["entity_id"] == ref), None)
        found = copy.deepcopy(self._found(self.cards, number if number is not None else ref))
        query = found["dataset_query"]
        if "stages" in query:
            (stage,) = query["stages"]
            query["lib.convert/converted?"] = True
            stage["lib/uuid"] = str(uuid.uuid4())
            tags = stage.get("template-tags") or {}
            for tag in tags.values():
                if "dimension" in tag:
                    tag["dimension"][1] = {"lib/uuid": str(uuid.uuid4())}
                    tag.setdefault("alias", None)
            stage["template-tags"] = list(tags.values()) if self.tags_as_list else tags
        return {**found, "database_id": query.get("database"), "result_metadata": [], "can_write": True}

    # Subscriptions

    def add_pulse(self, body: Json) -> Json:
        dashboard = self._found(self.dashboards, body["dashboard_id"])
        number = next(self.ids)
        made = {"id": number, "archived": False, "creator_id": 1, "collection_id": dashboard["collection_id"]}
        self.pulses[number] = {**made, "skip_if_empty": False, "parameters": [], **self._pulse(body)}
        return self.pulses[number]

    def change_pulse(self, number: int, body: Json) -> Json:
        found = self._found(self.pulses, number)
        found.update({"archived": False, "skip_if_empty": False, **self._pulse(body)})
        return found

    def _pulse(self, body: Json) -> Json:
        changed = copy.deepcopy(body)
        places = {each["id"]: each for row in self.dashboards.values() for each in row["dashcards"]}
        for card in changed.get("cards", []):
            place = places.get(card["dashboard_card_id"])
            if place is None or place["card_id"] != card["id"]:
                raise refused(
                    "cards", "value must be a map with the keys `id` and `dashboard_card_id` of one dashcard."
                )
            card["name"] = self.cards[card["id"]]["name"]
        for channel in changed.get("channels", []):
            for name in ("schedule_day", "schedule_frame"):
                channel.setdefault(name, None)
            channel.update(id=next(self.ids), recipients=channel.get("recipients") or [])
        return changed

    def list_pulses(self, dashboard: int | None) -> list[Json]:
        return [
            each for each in self.pulses.values() if not each["archived"] and dashboard in (None, each["dashboard_id"])
        ]

    def form_input(self) -> Json:
        slack = {"type": "slack", "name": "Slack", "configured": self.slack_configured}
        return {"channels": {"slack": slack, "email": {"type": "email", "configured": False}}}

    def _found(self, rows: dict[int, Json], number: Any) -> Json:
        if not str(number).isdigit() or int(number) not in rows:
            raise Refusal(404, "Not found.")
        return rows[int(number)]

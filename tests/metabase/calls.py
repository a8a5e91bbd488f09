"""Calls of the sample Metabase about databases and what is made of them."""

from __future__ import annotations

from typing import Any

from tests.metabase import queries
from tests.metabase.bodies import Json, Refusal
from tests.metabase.dashboards import add_dashboard, change_dashboard, dashboard
from tests.metabase.server import Request, route


@route("GET /api/database")
def list_databases(request: Request) -> Json:
    rows = [request.metabase.warehouses.shown(number) for number in request.metabase.warehouses.databases]
    return {"data": rows, "total": len(rows)}


@route("POST /api/database")
def add_database(request: Request) -> Json:
    return request.metabase.warehouses.add(request.body("POST /api/database"))


@route("GET /api/database/:id")
def show_database(request: Request, number: str) -> Json:
    return request.metabase.warehouses.shown(int(number))


@route("PUT /api/database/:id")
def change_database(request: Request, number: str) -> Json:
    return request.metabase.warehouses.change(int(number), request.body("PUT /api/database"))


@route("POST /api/database/:id/sync_schema")
def sync(request: Request, number: str) -> Json:
    request.metabase.warehouses.sync(int(number))
    return {"status": "ok"}


@route("GET /api/database/:id/metadata")
def metadata(request: Request, number: str) -> Json:
    return request.metabase.warehouses.metadata(int(number))


@route("PUT /api/table/:id")
def change_table(request: Request, number: str) -> Json:
    found = request.metabase.warehouses.by_id("table", int(number))
    found.update(request.body("PUT /api/table"))
    return found


@route("PUT /api/field/:id")
def change_field(request: Request, number: str) -> Json:
    found = request.metabase.warehouses.by_id("field", int(number))
    found.update(request.body("PUT /api/field"))
    return found


@route("GET /api/collection")
def list_collections(request: Request) -> list[Json]:
    return request.content.list_collections()


@route("POST /api/collection")
def add_collection(request: Request) -> Json:
    return request.content.add_collection(request.body("POST /api/collection"))


@route("PUT /api/collection/:id")
def change_collection(request: Request, number: str) -> Json:
    return request.content.change_collection(int(number), request.body("PUT /api/collection"))


@route("GET /api/collection/:id/items")
def items(request: Request, place: str) -> Json:
    archived = request.query.get("archived", ["false"])[0] == "true"
    limit, offset = (int(given[0]) if (given := request.query.get(name)) else None for name in ("limit", "offset"))
    return request.content.items(place, request.query.get("models", ["card", "dashboard"]), archived, limit, offset)


@route("POST /api/card")
def add_card(request: Request) -> Json:
    return request.content.add_card(request.body("POST /api/card"))


@route("GET /api/card/:id")
def show_card(request: Request, ref: str) -> Json:
    return request.content.card(ref)


@route("PUT /api/card/:id")
def change_card(request: Request, number: str) -> Json:
    return request.content.change_card(int(number), request.body("PUT /api/card"))


@route("POST /api/card/:id/query")
def run_card(request: Request, ref: str) -> Json:
    parameters = request.body("POST query").get("parameters") or []
    return queries.run(request.metabase.warehouses, request.content.card(ref)["dataset_query"], parameters)


@route("POST /api/dashboard")
def make_dashboard(request: Request) -> Json:
    return add_dashboard(request.content, request.body("POST /api/dashboard"))


@route("GET /api/dashboard/:id")
def show_dashboard(request: Request, number: str) -> Json:
    return dashboard(request.content, number)


@route("PUT /api/dashboard/:id")
def put_dashboard(request: Request, number: str) -> Json:
    return change_dashboard(request.content, int(number), request.body("PUT /api/dashboard"))


@route("POST /api/dashboard/:id/dashcard/:dashcard/card/:card/query")
def run_on_dashboard(request: Request, number: str, place: str, ref: str) -> Json:
    """With the values that were given, by the filter's id, and the defaults of the other filters."""
    found = dashboard(request.content, number)
    dashcard = next((each for each in found["dashcards"] if str(each["id"]) == place), None)
    if dashcard is None or str(dashcard["card_id"]) != ref:
        raise Refusal(404, "Not found.")
    given = {each["id"]: each.get("value") for each in request.body("POST query").get("parameters") or []}
    values: dict[str, Any] = {each["id"]: each.get("default") for each in found["parameters"]} | given
    kinds = {each["id"]: each["type"] for each in found["parameters"]}
    parameters = [
        {"type": kinds[each["parameter_id"]], "target": each["target"], "value": values[each["parameter_id"]]}
        for each in dashcard["parameter_mappings"]
    ]
    return queries.run(request.metabase.warehouses, request.content.card(ref)["dataset_query"], parameters)


@route("GET /api/pulse/form_input")
def form_input(request: Request) -> Json:
    return request.content.form_input()


@route("GET /api/pulse")
def list_pulses(request: Request) -> list[Json]:
    asked = request.query.get("dashboard_id")
    return request.content.list_pulses(int(asked[0]) if asked else None)


@route("POST /api/pulse")
def add_pulse(request: Request) -> Json:
    return request.content.add_pulse(request.body("POST /api/pulse"))


@route("GET /api/pulse/:id")
def show_pulse(request: Request, number: str) -> Json:
    return request.content._found(request.content.pulses, number)


@route("PUT /api/pulse/:id")
def change_pulse(request: Request, number: str) -> Json:
    return request.content.change_pulse(int(number), request.body("PUT /api/pulse"))

"""Calls of the sample Metabase about databases and what is made of them."""

from __future__ import annotations

from typing import Any

from tests.metabase import queries
from tests.metabase.bodies import Json, Refusal, refused
from tests.metabase.dashboards import add_dashboard, change_dashboard, dashboard
from tests.metabase.server import Request, route


@route("GET /api/database", "include", "saved")
def list_databases(request: Request) -> Json:
    include = request.query.get("include", [""])[0]
    rows = [request.metabase.warehouses.shown(number, include) for number in request.metabase.warehouses.databases]
    return {"data": rows, "total": len(rows)}


@route("POST /api/database")
def add_database(request: Request) -> Json:
    return request.metabase.warehouses.add(request.body("POST /api/database"))


@route("GET /api/database/:id", "include")
def show_database(request: Request, number: str) -> Json:
    return request.metabase.warehouses.shown(int(number), request.query.get("include", [""])[0])


@route("PUT /api/database/:id")
def change_database(request: Request, number: str) -> Json:
    return request.metabase.warehouses.change(int(number), request.body("PUT /api/database"))


@route("POST /api/database/:id/sync_schema")
def sync(request: Request, number: str) -> Json:
    request.metabase.warehouses.sync(int(number))
    return {"status": "ok"}


@route("POST /api/database/:id/rescan_values")
def rescan(request: Request, number: str) -> Json:
    request.metabase.warehouses.found(int(number))
    return {"status": "ok"}


@route("GET /api/database/:id/metadata", "include_hidden", "include_editable_data_model", "remove_inactive")
def metadata(request: Request, number: str) -> Json:
    return request.metabase.warehouses.metadata(int(number))


@route("GET /api/table")
def list_tables(request: Request) -> list[Json]:
    warehouses = request.metabase.warehouses
    return [{**table, "db": warehouses.shown(table["db_id"])} for table in warehouses.tables.values()]


@route("GET /api/table/:id")
def show_table(request: Request, number: str) -> Json:
    found = request.metabase.warehouses.by_id("table", int(number))
    return {**found, "db": request.metabase.warehouses.shown(found["db_id"])}


@route("PUT /api/table/:id")
def change_table(request: Request, number: str) -> Json:
    found = request.metabase.warehouses.by_id("table", int(number))
    found.update(request.body("PUT /api/table"))
    return found


@route("GET /api/field/:id")
def show_field(request: Request, number: str) -> Json:
    return request.metabase.warehouses.by_id("field", int(number))


@route("PUT /api/field/:id")
def change_field(request: Request, number: str) -> Json:
    found = request.metabase.warehouses.by_id("field", int(number))
    found.update(request.body("PUT /api/field"))
    return found


@route("GET /api/collection", "archived", "exclude-other-user-collections", "personal-only", "namespace")
def list_collections(request: Request) -> list[Json]:
    wanted = {name: request.query.get(name, ["false"])[0] == "true" for name in ("archived", "personal-only")}
    return request.content.list_collections(wanted["archived"], wanted["personal-only"])


@route("GET /api/collection/:id")
def show_collection(request: Request, ref: str) -> Json:
    return request.content.collection(ref)


@route("POST /api/collection")
def add_collection(request: Request) -> Json:
    return request.content.add_collection(request.body("POST /api/collection"))


@route("PUT /api/collection/:id")
def change_collection(request: Request, number: str) -> Json:
    return request.content.change_collection(int(number), request.body("PUT /api/collection"))


@route(
    "GET /api/collection/:id/items",
    *("models", "archived", "limit", "offset", "pinned_state", "sort_column", "sort_direction"),
)
def items(request: Request, place: str) -> Json:
    archived = request.query.get("archived", ["false"])[0] == "true"
    limit, offset = (int(given[0]) if (given := request.query.get(name)) else None for name in ("limit", "offset"))
    return request.content.items(place, request.query.get("models", ["card", "dashboard"]), archived, limit, offset)


@route("GET /api/card", "f", "model_id")
def list_cards(request: Request) -> list[Json]:
    return request.content.list_cards(request.query.get("f", ["all"])[0], request.query.get("model_id", [""])[0])


@route("POST /api/card")
def add_card(request: Request) -> Json:
    return request.content.add_card(request.body("POST /api/card"))


@route("GET /api/card/:id", "legacy-mbql", "ignore_view", "context")
def show_card(request: Request, ref: str) -> Json:
    return request.content.card(ref)


@route("PUT /api/card/:id")
def change_card(request: Request, number: str) -> Json:
    return request.content.change_card(int(number), request.body("PUT /api/card"))


@route("POST /api/card/:id/query")
def run_card(request: Request, ref: str) -> Json:
    parameters = request.body("POST query").get("parameters") or []
    return queries.run(request.metabase.warehouses, request.content.card(ref)["dataset_query"], parameters)


@route("GET /api/dashboard", "f")
def list_dashboards(request: Request) -> list[Json]:
    wanted = request.query.get("f", ["all"])[0]
    if wanted not in ("all", "mine", "archived"):
        raise refused("f", "nullable enum of all, mine, archived")
    rows = request.content.dashboards.values()
    return [dashboard(request.content, each["id"]) for each in rows if each["archived"] == (wanted == "archived")]


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


@route("GET /api/pulse", "archived", "dashboard_id", "creator_or_recipient")
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

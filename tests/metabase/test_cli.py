"""Metabase's own command line as a second opinion: on the bodies that are sent, and on the sample Metabase's answers.

https://www.npmjs.com/package/@metabase/cli validates what it is given against the schemas that it brings along, and the
answers that it gets. Skipped where npm is not at hand. Its version stands in tests/npm/package.json.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.visualize.cards import Card, read_tabs
from pipeline.visualize.metabase import bodies, display
from pipeline.visualize.publish import output_columns, publish
from tests.clients.conftest import malformed
from tests.metabase.bodies import Json
from tests.metabase.conftest import Published
from tests.npm import install

TABS = read_tabs()
CARDS = [card for tab in TABS for card in tab.cards]
# One of each way to draw and to filter.
KINDS: list[Card] = list({(card.display, card.filters, card.cells): card for card in CARDS}.values())
Run = Callable[..., Any]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(install(tmp_path_factory.mktemp("cli")) / "node_modules" / ".bin" / "mb")


@pytest.fixture
def mb(program: str, published: Published, tmp_path: Path) -> Run:
    """Runs a command of it against the sample Metabase; what it says is JSON."""
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "MB_CLI_DISABLE_KEYRING": "1",
        "MB_URL": published.metabase.origin,
        "MB_API_KEY": published.metabase.add_key(name="command line"),
    }

    def run(*arguments: str, body: Json | None = None, fails: bool = False) -> Any:
        if body is not None:
            (tmp_path / "body.json").write_text(json.dumps(body))
            arguments = (*arguments, "--file", str(tmp_path / "body.json"))
        command = (program, *arguments, "--json", "--max-bytes", "10000000")
        process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert (process.returncode != 0) == fails, process.stdout + process.stderr
        return json.loads(process.stdout or process.stderr)  # an error is on stderr

    return run


def body(published: Published, card: Card) -> Json:
    (database,) = published.metabase.warehouses.databases
    dates = published.metabase.warehouses.fields[database, "reporting", "rpt_days", "played_date"]["id"]
    (collection,) = published.metabase.content.collections
    drawn = display.visualization_settings(card, output_columns([card])[card.id])
    return bodies.card_body(card, display.display(card), drawn, database, dates, collection)


def test_it_takes_the_cards(mb: Run, published: Published) -> None:
    before = len(published.metabase.content.cards)
    for card in KINDS:
        sent = body(published, card)
        made = mb("card", "create", body=sent)
        assert (made["name"], made["description"]) == (card.title, card.question)
    assert len(published.metabase.content.cards) == before + len(KINDS)
    assert published.metabase.dropped == []


def test_it_takes_the_dashboard(mb: Run, published: Published) -> None:
    made = published.dashboard
    names = ("size_x", "size_y", "row", "col", "card_id", "parameter_mappings", "visualization_settings", "series")
    tabs = {tab["id"]: -n for n, tab in enumerate(made["tabs"], start=1)}
    sent = {
        **{name: made[name] for name in ("name", "description", "parameters", "collection_id")},
        "tabs": [{"id": tabs[tab["id"]], "name": tab["name"]} for tab in made["tabs"]],
        "dashcards": [
            {**{name: each[name] for name in names}, "id": -n, "dashboard_tab_id": tabs[each["dashboard_tab_id"]]}
            for n, each in enumerate(made["dashcards"], start=1)
        ],
    }
    answer = mb("dashboard", "create", body=sent)
    assert answer["name"] == "Listening history"
    assert published.metabase.dropped == []


def test_it_refuses_what_metabase_would_refuse(mb: Run, published: Published) -> None:
    query = body(published, next(card for card in CARDS if "dates" in card.filters))["dataset_query"]
    query["stages"][0]["template-tags"]["dates"]["dimension"] = ["field", 1, None]
    answer = mb("query", "--dry-run", "--skip-preflight", body=query, fails=True)
    assert "must be the field options object" in answer["errors"][0]["message"]


def test_it_reads_what_was_published(mb: Run, published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    publish(TABS)
    number, card = str(published.dashboard["id"]), published.card("Top songs")
    found = mb("dashboard", "get", number, "--full")
    assert [tab["name"] for tab in found["tabs"]] == [tab.name for tab in TABS]
    assert len(found["dashcards"]) == len(CARDS)
    shown = mb("card", "get", str(card["id"]), "--full")
    assert shown["entity_id"] == card["entity_id"]
    values = [{"type": "string/=", "target": ["variable", ["template-tag", "account"]], "value": ["me"]}]
    result = mb("card", "query", str(card["id"]), "--parameters", json.dumps(values))
    assert (result["status"], result["row_count"] >= 20) == ("completed", True)
    (collection,) = published.metabase.content.collections
    items = mb("collection", "items", str(collection), "--limit", "200")
    assert {each["model"] for each in items["data"]} == {"card", "dashboard"}
    (pulse,) = mb("dashboard", "subscriptions", number)["data"]
    assert pulse["channels"][0]["details"] == {"channel": "#music"}
    (listed,) = mb("subscription", "list", "--dashboard-id", number)["data"]
    assert mb("subscription", "get", str(listed["id"]), "--full")["cards"] == pulse["cards"]
    (database,) = mb("database", "list")["data"]
    assert database["name"] == "Listening history"


def test_it_lists_and_gets_everything(mb: Run, published: Published) -> None:
    content, warehouses = published.metabase.content, published.metabase.warehouses
    titles = sorted(card.title for card in CARDS)
    (database,), (collection,) = warehouses.databases, content.collections
    for filters in ((), ("--filter", "mine"), ("--filter", "database", "--model-id", str(database))):
        assert sorted(each["name"] for each in mb("card", "list", *filters)["data"]) == titles
    for name in ("bookmarked", "archived"):
        assert mb("card", "list", "--filter", name)["data"] == []
    assert mb("card", "list", "--filter", "using_model", "--model-id", "1")["data"] == []
    assert [each["name"] for each in mb("dashboard", "list")["data"]] == ["Listening history"]
    assert mb("dashboard", "list", "--filter", "archived")["data"] == []
    assert len(mb("dashboard", "cards", str(published.dashboard["id"]))["data"]) == len(CARDS)
    made = content.collections[collection]
    assert {each["id"] for each in mb("collection", "list")["data"]} == {"root", collection}
    assert mb("collection", "list", "--filter", "archived")["data"] == []
    for ref in (str(collection), made["entity_id"]):
        assert mb("collection", "get", ref)["name"] == made["name"]
    assert mb("collection", "get", "root")["name"] == "Our analytics"
    shown = mb("db", "get", str(database), "--include", "tables.fields", "--full")
    names = {(table["name"], field["name"]) for table in shown["tables"] for field in table["fields"]}
    assert names == {(table, field) for _, _, table, field in warehouses.fields}
    assert mb("db", "sync-schema", str(database), "--wait")["status"] == "ok"
    assert mb("db", "rescan-values", str(database))["status"] == "ok"
    tables = mb("table", "list")["data"]
    assert {table["name"] for table in tables} == {name for _, _, name in warehouses.tables}
    assert mb("table", "get", str(tables[0]["id"]))["name"] == tables[0]["name"]
    field = next(iter(warehouses.fields.values()))
    assert mb("field", "get", str(field["id"]))["name"] == field["name"]


def test_it_changes_and_archives(mb: Run, published: Published) -> None:
    content, warehouses = published.metabase.content, published.metabase.warehouses
    card, number = published.card("Top songs"), str(published.dashboard["id"])
    mb("card", "update", str(card["id"]), body={"description": "Changed"})
    assert (card["description"], card["name"]) == ("Changed", "Top songs")
    place = next(each for each in published.dashboard["dashcards"] if each["size_x"] > 6)
    sent = {"size_x": place["size_x"] - 1}
    mb("dashboard", "update-dashcard", number, str(place["id"]), body=sent)
    (changed,) = [each for each in published.dashboard["dashcards"] if each["id"] == place["id"]]
    assert changed["size_x"] == sent["size_x"]
    # It sends back what it has read; Metabase drops the keys that are only in responses.
    dropped = {line.rpartition(".")[2] for line in malformed(published.metabase)}
    assert dropped <= {"card", "dashboard_id", "created_at", "updated_at", "entity_id"}
    mb("dashboard", "update", number, body={"description": "Mine"})
    assert published.dashboard["description"] == "Mine"
    table, field = next(iter(warehouses.tables.values())), next(iter(warehouses.fields.values()))
    mb("table", "update", str(table["id"]), body={"caveats": "None known"})
    mb("field", "update", str(field["id"]), body={"description": "A field"})
    assert (table["caveats"], field["description"]) == ("None known", "A field")
    first = published.dashboard["dashcards"][0]
    channel = {"channel_type": "slack", "enabled": True, "schedule_type": "daily", "schedule_hour": 8, "recipients": []}
    subscription = {
        "name": "Every morning",
        "dashboard_id": published.dashboard["id"],
        "cards": [
            {"id": first["card_id"], "dashboard_card_id": first["id"], "include_csv": False, "include_xls": False}
        ],
        "channels": [{**channel, "details": {"channel": "#music"}}],
    }
    pulse = mb("subscription", "create", body=subscription)
    mb("subscription", "update", str(pulse["id"]), body={**subscription, "name": "Renamed"})
    assert content.pulses[pulse["id"]]["name"] == "Renamed"
    mb("subscription", "archive", str(pulse["id"]))
    assert content.pulses[pulse["id"]]["archived"]
    made = mb("collection", "create", body={"name": "Another"})
    mb("collection", "archive", str(made["id"]))
    mb("card", "archive", str(card["id"]))
    mb("dashboard", "archive", number)
    assert content.collections[made["id"]]["archived"] and card["archived"] and published.dashboard["archived"]
    assert [each["name"] for each in mb("card", "list", "--filter", "archived")["data"]] == ["Top songs"]
    assert mb("dashboard", "list")["data"] == []


def test_it_is_refused_as_metabase_refuses(mb: Run, published: Published) -> None:
    for kind in ("card", "dashboard", "collection", "table", "field"):
        answer = mb(kind, "get", "999999", fails=True)
        assert answer["error"]["message"] == f"Not found: GET /api/{kind}/999999.", kind

"""Metabase's own command line as a second opinion: on the bodies that are sent, and on the sample Metabase's answers.

https://www.npmjs.com/package/@metabase/cli validates what it is given against the schemas that it brings along, and the
answers that it gets. Skipped where npm is not at hand.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.visualize.cards import Card, read_tabs
from pipeline.visualize.metabase import bodies, display
from pipeline.visualize.publish import output_columns, publish
from tests.metabase.bodies import Json
from tests.metabase.conftest import Published

PACKAGE = "@metabase/cli@0.3.1"
TABS = read_tabs()
CARDS = [card for tab in TABS for card in tab.cards]
# One of each way to draw and to filter.
KINDS: list[Card] = list({(card.display, card.filters, card.cells): card for card in CARDS}.values())
Run = Callable[..., Any]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cli")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed, and so is not {PACKAGE}: install Node.js 20 or newer")
    command = (npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE)
    process = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if process.returncode and not os.environ.get("CI"):
        pytest.skip(f"npm cannot install {PACKAGE}: {process.stderr.strip()[-500:]}")
    assert process.returncode == 0, process.stderr
    return str(folder / "node_modules" / ".bin" / "mb")


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
        return json.loads(process.stdout)

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
    (database,) = mb("database", "list")["data"]
    assert database["name"] == "Listening history"

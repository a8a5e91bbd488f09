"""dbt-metabase, https://github.com/gouline/dbt-metabase, its client of the REST API against the sample Metabase.

The descriptions that it writes are tested in test_publish.py; here: each of its calls, and the exposures that
it finds by reading our dashboard, whose SQL it parses by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dbtmetabase import DbtMetabase

from pipeline.visualize.cards import read_tabs
from pipeline.visualize.metabase.descriptions import write_manifest
from tests.metabase.conftest import Published

ALL = [card for tab in read_tabs() for card in tab.cards]
# Some titles stand on two tabs.
CARDS = {card.title: card for card in ALL if [each.title for each in ALL].count(card.title) == 1}


@pytest.fixture
def exporter(published: Published, tmp_path: Path) -> Iterator[DbtMetabase]:
    key = published.metabase.add_key(name="dbt-metabase")
    exporter = DbtMetabase(write_manifest(tmp_path), published.metabase.origin, metabase_api_key=key)
    yield exporter
    exporter.metabase.session.close()


def test_its_calls(exporter: DbtMetabase, published: Published) -> None:
    api, content, warehouses = exporter.metabase, published.metabase.content, published.metabase.warehouses
    (database,), (collection,) = warehouses.databases, content.collections
    found = api.find_database("listening HISTORY")
    assert found and found["id"] == database
    api.sync_database_schema(str(database))
    metadata = api.get_database_metadata(str(database))
    assert {table["name"] for table in metadata["tables"]} == {name for _, _, name in warehouses.tables}
    assert {table["db"]["name"] for table in api.get_tables()} == {"Listening history"}
    assert len(api.get_tables()) == len(warehouses.tables)
    assert [each["id"] for each in api.get_collections(exclude_personal=True)] == ["root", collection]
    cards = api.get_collection_items(str(collection), ["card"])
    assert sorted(each["name"] for each in cards) == sorted(card.title for card in ALL)
    (dashboard,) = api.get_collection_items(str(collection), ["dashboard"])
    shown = api.find_dashboard(str(dashboard["id"]))
    assert shown and len(shown["dashcards"]) == len(ALL)
    for item in cards:
        card = api.find_card(str(item["id"]))
        assert card and card["name"] == item["name"]
        assert item["name"] not in CARDS or card["description"] == CARDS[item["name"]].question
    user = api.find_user("1")
    assert user and (user["email"], user["common_name"]) == ("ann@example.org", "ann")
    assert api.find_user("2") is None, "the user of a key is internal"
    assert [find("999999") for find in (api.find_card, api.find_dashboard, api.find_user)] == [None] * 3
    table, field = next(iter(warehouses.tables.values())), next(iter(warehouses.fields.values()))
    assert api.update_table(str(table["id"]), {"description": "A table"})["description"] == "A table"
    assert api.update_field(str(field["id"]), {"description": "A field"})["description"] == "A field"


def test_exposures(exporter: DbtMetabase, tmp_path: Path, published: Published) -> None:
    exporter.extract_exposures(output_path=str(tmp_path), output_grouping=None)
    (path,) = tmp_path.glob("exposures.y*ml")
    exposures = {each["label"]: each for each in yaml.safe_load(path.read_text())["exposures"]}
    assert set(exposures) == {*(card.title for card in ALL), "Listening history"}
    for title, card in CARDS.items():
        named = {f"ref('{model}')" for model in re.findall(r"\breporting\.(rpt_\w+)", card.sql)}
        assert named <= set(exposures[title]["depends_on"]), title
        assert exposures[title]["owner"]["email"] == "ann@example.org"
    every = {f"ref('{model}')" for card in ALL for model in re.findall(r"\breporting\.(rpt_\w+)", card.sql)}
    assert every <= set(exposures["Listening history"]["depends_on"])
    assert len(every) > 10

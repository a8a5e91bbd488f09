"""PublishDashboard against a sample Metabase that reads the real PostgreSQL: made once, mended, and no more."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pipeline.visualize.cards import Card, Column, Place, Tab, read_tabs
from pipeline.visualize.metabase.bodies import entity_id
from pipeline.visualize.publish import publish
from tests.metabase import SampleMetabase
from tests.metabase.bodies import Json
from tests.metabase.conftest import HOSTILE, Published

TABS = read_tabs()
CARDS = {card.id: card for tab in TABS for card in tab.cards}


def changed(card_id: str, **changes: Any) -> tuple[Tab, ...]:
    """The definition with one card changed."""
    return tuple(
        Tab(tab.name, tuple(dataclasses.replace(c, **changes) if c.id == card_id else c for c in tab.cards))
        for tab in TABS
    )


def without(card_id: str) -> tuple[Tab, ...]:
    return tuple(Tab(tab.name, tuple(c for c in tab.cards if c.id != card_id)) for tab in TABS)


def stored(published: Published, card: Card) -> Json:
    return next(each for each in published.metabase.content.cards.values() if each["entity_id"] == entity_id(card))


def test_twice_is_once(published: Published) -> None:
    metabase = published.metabase
    before = published.everything()
    wrote = len(metabase.writes)
    message = publish(TABS)
    assert f"{len(CARDS)} cards ({len(CARDS)} as they were)" in message
    assert published.everything() == before
    assert metabase.writes[wrote:] == []
    assert metabase.dropped == [], "every key that is sent is known to Metabase"


def test_twice_is_once_with_template_tags_as_a_map(settings: dict[str, str], metabase: SampleMetabase) -> None:
    metabase.content.tags_as_list = False  # before v0.63
    publish(TABS)
    wrote = len(metabase.writes)
    publish(TABS)
    assert metabase.writes[wrote:] == []


def test_tabs_places_and_filters_are_those_of_the_definition(published: Published) -> None:
    dashboard = published.dashboard
    assert [tab["name"] for tab in dashboard["tabs"]] == [
        *("Now", "Tops", "Rhythm", "Discovery", "Wrapped", "Data health")
    ]
    ids = {tab["id"]: tab["name"] for tab in dashboard["tabs"]}
    cards = published.metabase.content.cards
    places = {
        (ids[each["dashboard_tab_id"]], cards[each["card_id"]]["entity_id"]): (
            *(each[name] for name in ("row", "col", "size_x", "size_y")),
            {mapping["parameter_id"]: mapping["target"] for mapping in each["parameter_mappings"]},
        )
        for each in dashboard["dashcards"]
    }
    targets = {
        name: ["dimension" if name == "dates" else "variable", ["template-tag", name]]
        for name in ("account", "dates", "artist", "period")
    }
    assert places == {
        (tab.name, entity_id(card)): (
            *(card.place.row, card.place.column, card.place.width, card.place.height),
            {name: targets[name] for name in card.filters},
        )
        for tab in TABS
        for card in tab.cards
    }
    filters = {each["name"]: each for each in dashboard["parameters"]}
    assert list(filters) == ["Account", "Dates", "Artist", "Wrapped of"]
    assert filters["Account"]["values_source_config"] == {"values": ["me"]}
    assert (filters["Account"]["default"], filters["Account"]["required"]) == (["me"], True)
    assert (filters["Dates"]["type"], filters["Dates"]["default"]) == ("date/all-options", "past30days~")
    assert dashboard["width"] == "full"


def test_the_first_of_several_accounts_is_shown_first(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_ACCOUNTS", "ann, me")
    publish(TABS)
    (dashboard,) = metabase.content.dashboards.values()
    account = dashboard["parameters"][0]
    assert (account["default"], account["values_source_config"]["values"]) == (["ann"], ["ann", "me"])


def test_a_card_is_its_question_and_its_query(published: Published) -> None:
    card = CARDS["top-songs"]
    found = stored(published, card)
    (stage,) = found["dataset_query"]["stages"]
    assert (found["name"], found["description"], found["display"]) == (card.title, card.question, "table")
    assert stage["native"] == card.sql
    tags = stage["template-tags"]
    assert (tags["account"]["type"], tags["account"]["default"], tags["account"]["required"]) == ("text", "me", True)
    field = tags["dates"]["dimension"][-1]
    assert published.metabase.warehouses.column_of(field) == '"reporting"."rpt_days"."played_date"'
    assert tags["dates"]["widget-type"] == "date/all-options"


def test_an_edit_of_the_definition_arrives_and_nothing_else_changes(published: Published) -> None:
    before = published.everything()["rows"][1]
    card = CARDS["all-time-songs"]
    columns = tuple(dataclasses.replace(column, bar=False) for column in card.columns)
    sql = card.sql.replace("rank <= 20", "rank <= 10")
    title = "All time <b>\u202e\U0001f600</b>"
    message = publish(
        changed(card.id, title=title, sql=sql, columns=columns, place=Place(60, 0, 24, 5), question="Ever?")
    )
    assert f"({len(CARDS) - 1} as they were, 1 changed)" in message or "1 changed" in message
    found = stored(published, card)
    assert (found["name"], found["description"]) == (title, "Ever?")
    assert "rank <= 10" in found["dataset_query"]["stages"][0]["native"]
    assert "show_mini_bar" not in str(found["visualization_settings"])
    (place,) = [each for each in published.dashboard["dashcards"] if each["card_id"] == found["id"]]
    assert (place["row"], place["size_y"]) == (60, 5)
    after = published.everything()["rows"][1]
    assert {number for number in before if before[number] != after[number]} == {found["id"]}
    publish(TABS)
    assert published.everything()["rows"][1] == before


def test_a_card_that_left_goes_to_the_trash_and_comes_back_as_the_same(published: Published) -> None:
    card = CARDS["milestones"]
    number = stored(published, card)["id"]
    assert "1 into the trash" in publish(without(card.id))
    assert stored(published, card)["archived"]
    assert number not in {each["card_id"] for each in published.dashboard["dashcards"]}
    wrote = len(published.metabase.writes)
    publish(without(card.id))
    assert published.metabase.writes[wrote:] == []
    publish(TABS)
    assert (stored(published, card)["id"], stored(published, card)["archived"]) == (number, False)
    assert number in {each["card_id"] for each in published.dashboard["dashcards"]}


def test_a_new_tab_and_a_new_card_arrive(published: Published) -> None:
    tabs = {each["name"]: each["id"] for each in published.dashboard["tabs"]}
    places = {each["card_id"]: each["id"] for each in published.dashboard["dashcards"]}
    card = dataclasses.replace(CARDS["minutes"], id="new", title="New", place=Place(0, 0, 6, 3))
    publish((*TABS[:2], Tab("More", (card,)), *TABS[2:]))
    assert [each["name"] for each in published.dashboard["tabs"]][2] == "More"
    assert tabs.items() <= {each["name"]: each["id"] for each in published.dashboard["tabs"]}.items()
    assert places.items() <= {each["card_id"]: each["id"] for each in published.dashboard["dashcards"]}.items()
    publish(TABS)
    assert {each["name"]: each["id"] for each in published.dashboard["tabs"]} == tabs


def test_titles_may_hold_anything(settings: dict[str, str], metabase: SampleMetabase) -> None:
    for name in (*HOSTILE, '"quoted" \\ back\u2028slash', "x" * 200):
        publish(changed("minutes", title=name, question=f"{name}?", columns=(Column("minutes", name, "minutes"),)))
        found = next(
            each for each in metabase.content.cards.values() if each["entity_id"] == entity_id(CARDS["minutes"])
        )
        assert (found["name"], found["description"]) == (name, f"{name}?")


def test_a_run_that_was_cut_off_is_gone_on_with(published: Published) -> None:
    content = published.metabase.content
    content.dashboards.clear()
    for number in list(content.cards)[10:]:
        del content.cards[number]
    kept = set(content.cards)
    publish(TABS)
    assert kept < set(content.cards)
    assert len(content.cards) == len(CARDS)
    assert len(published.dashboard["dashcards"]) == len(CARDS)

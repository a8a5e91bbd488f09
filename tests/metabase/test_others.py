"""What people have made or changed in Metabase by hand: theirs is theirs, and ours becomes the definition again."""

from __future__ import annotations

from pipeline.visualize.cards import read_tabs
from pipeline.visualize.metabase.bodies import COLLECTION, DASHBOARD, MARKER
from pipeline.visualize.publish import publish
from tests.metabase.conftest import Published
from tests.metabase.test_publish import CARDS, stored, without

TABS = read_tabs()


def test_what_others_have_made_is_not_touched(published: Published) -> None:
    content = published.metabase.content
    collection = next(iter(content.collections))
    ours = stored(published, CARDS["minutes"])
    body = {name: ours[name] for name in ("name", "description", "display", "dataset_query", "visualization_settings")}
    copied = content.add_card({**body, "collection_id": collection})
    elsewhere = content.add_collection({"name": "Mine"})
    mine = content.add_card({**body, "collection_id": elsewhere["id"], "name": "My own"})
    board = {"name": DASHBOARD, "description": "by hand", "collection_id": collection}
    theirs = published.metabase.content.dashboards
    number = next(content.ids)
    theirs[number] = {**published.dashboard, **board, "id": number, "tabs": [], "dashcards": []}
    before = published.everything()
    publish(without("minutes"))
    after = published.everything()
    cards, dashboards = 1, 2
    for made in (copied, mine):
        assert after["rows"][cards][made["id"]] == before["rows"][cards][made["id"]]
    assert after["rows"][dashboards][number] == before["rows"][dashboards][number]
    assert after["rows"][0][elsewhere["id"]] == before["rows"][0][elsewhere["id"]]
    assert after["rows"][cards][ours["id"]]["archived"]


def test_changes_by_hand_are_undone(published: Published) -> None:
    content = published.metabase.content
    before = published.everything()
    card = stored(published, CARDS["minutes"])
    card.update(name="Renamed", visualization_settings={}, archived=True)
    del published.dashboard["dashcards"][3]
    published.dashboard["tabs"].reverse()
    for position, tab in enumerate(published.dashboard["tabs"]):
        tab["position"] = position
    published.dashboard["parameters"].pop()
    message = publish(TABS)
    assert "1 changed" in message
    after = published.everything()
    assert after["rows"][1] == before["rows"][1]
    assert [tab["name"] for tab in content.dashboards[published.dashboard["id"]]["tabs"]] == [tab.name for tab in TABS]
    assert len(published.dashboard["dashcards"]) == len(CARDS)
    assert len(published.dashboard["parameters"]) == 4


def test_the_collection_may_be_renamed(published: Published) -> None:
    (collection,) = published.metabase.content.collections.values()
    assert (collection["name"], collection["description"]) == (COLLECTION, MARKER)
    collection["name"] = "Music"
    publish(TABS)
    assert [each["name"] for each in published.metabase.content.collections.values()] == ["Music"]

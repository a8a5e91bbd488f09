"""The dashboard to Slack on Mondays: as the setting says, and once."""

from __future__ import annotations

import pytest

from pipeline.visualize.cards import read_tabs
from pipeline.visualize.publish import publish
from tests.metabase.conftest import Published


def test_sent_on_mondays_where_a_channel_is_set(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    content = published.metabase.content
    content.slack_configured = True
    assert content.pulses == {}
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    assert publish(read_tabs()).endswith("sent to #music on Mondays at 8:00")
    (pulse,) = content.pulses.values()
    (channel,) = pulse["channels"]
    assert (channel["schedule_type"], channel["schedule_day"], channel["schedule_hour"]) == ("weekly", "mon", 8)
    assert (channel["channel_type"], channel["details"], channel["enabled"]) == ("slack", {"channel": "#music"}, True)
    assert {each["dashboard_card_id"] for each in pulse["cards"]} == {e["id"] for e in published.dashboard["dashcards"]}
    wrote = len(published.metabase.writes)
    publish(read_tabs())
    assert published.metabase.writes[wrote:] == []
    assert published.metabase.dropped == []


def test_another_channel_or_none(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    content = published.metabase.content
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    publish(read_tabs())
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#other")
    publish(read_tabs())
    (pulse,) = content.pulses.values()
    assert pulse["channels"][0]["details"] == {"channel": "#other"}
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "")
    assert publish(read_tabs()).endswith("no longer sent to Slack")
    assert pulse["archived"]
    wrote = len(published.metabase.writes)
    assert publish(read_tabs()).endswith("not sent to Slack (METABASE_SLACK_CHANNEL is not set)")
    assert published.metabase.writes[wrote:] == []


def test_somebody_elses_subscription_is_not_touched(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    content = published.metabase.content
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    publish(read_tabs())
    (pulse,) = content.pulses.values()
    theirs = {**pulse, "id": 99_999, "name": "Mine"}
    content.pulses[99_999] = dict(theirs)
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "")
    publish(read_tabs())
    assert content.pulses[99_999] == theirs


def test_a_card_that_comes_or_goes_does_so_in_the_subscription(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.metabase.test_publish import without

    content = published.metabase.content
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    publish(without("minutes"))
    (pulse,) = content.pulses.values()
    before = len(pulse["cards"])
    publish(read_tabs())
    assert len(pulse["cards"]) == before + 1


def test_a_metabase_without_slack_is_told(
    published: Published, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("METABASE_SLACK_CHANNEL", "#music")
    assert publish(read_tabs()).endswith("to be sent to #music on Mondays, once Metabase is connected to Slack")
    assert "Admin settings > Settings > Slack" in caplog.text

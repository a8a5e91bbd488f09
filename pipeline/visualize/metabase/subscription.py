"""The dashboard to Slack, every Monday: a subscription of Metabase's, which sends it with the filters' defaults.

It needs Metabase's own Slack app: https://www.metabase.com/docs/latest/configuring-metabase/slack
"""

from __future__ import annotations

import logging
from typing import Any

from pipeline import config
from pipeline.visualize.metabase.client import Json, Metabase
from pipeline.visualize.metabase.errors import NotKept

logger = logging.getLogger("luigi-interface")
NAME = "Listening history, on Mondays"
HOUR = 8  # in Metabase's report time zone
CHANNEL = ("channel_type", "enabled", "schedule_type", "schedule_hour", "schedule_day", "schedule_frame")


def ensure_subscription(metabase: Metabase, dashboard: Json) -> str:
    """As the setting says: made, mended, or archived; returns what is so now, in words."""
    channel = config.metabase().slack_channel
    found = metabase.get("/api/pulse", dashboard_id=dashboard["id"])
    ours = next((each for each in found if each["name"] == NAME and not each.get("archived")), None)
    if not channel:
        if ours:
            metabase.put(f"/api/pulse/{ours['id']}", {"archived": True})
            return "no longer sent to Slack"
        return "not sent to Slack (METABASE_SLACK_CHANNEL is not set)"
    body = _body(dashboard, channel)
    if ours is None:
        ours = metabase.post("/api/pulse", body)
    elif _facts(ours) != _facts(body):
        # Sent whole: what a change leaves out, Metabase sets back to its own defaults.
        metabase.put(f"/api/pulse/{ours['id']}", {**body, "archived": False})
    if _facts(metabase.get(f"/api/pulse/{ours['id']}")) != _facts(body):
        raise NotKept("Metabase has taken the subscription, but does not show it as it was written")
    if not _slack_is_connected(metabase):
        logger.warning(
            "Metabase is not connected to Slack: it will send nothing until it is (Admin settings > Settings > Slack)"
        )
        return f"to be sent to {channel} on Mondays, once Metabase is connected to Slack"
    return f"sent to {channel} on Mondays at {HOUR}:00"


def _body(dashboard: Json, channel: str) -> Json:
    cards = [
        {"id": each["card_id"], "dashboard_card_id": each["id"], "include_csv": False, "include_xls": False}
        for each in dashboard["dashcards"]
    ]
    return {
        "name": NAME,
        "dashboard_id": dashboard["id"],
        "cards": sorted(cards, key=lambda each: int(each["dashboard_card_id"])),
        "channels": [
            {
                "channel_type": "slack",
                "enabled": True,
                "schedule_type": "weekly",
                "schedule_hour": HOUR,
                "schedule_day": "mon",
                "schedule_frame": None,
                "details": {"channel": channel},
                "recipients": [],
            }
        ],
        "skip_if_empty": False,
    }


def _facts(pulse: Json) -> list[Any]:
    channels = [
        [*(each.get(name) for name in CHANNEL), (each.get("details") or {}).get("channel")]
        for each in pulse["channels"]
    ]
    return [pulse["name"], sorted((each["id"], each["dashboard_card_id"]) for each in pulse["cards"]), channels]


def _slack_is_connected(metabase: Metabase) -> bool:
    channels = metabase.get("/api/pulse/form_input").get("channels") or {}
    return bool((channels.get("slack") or {}).get("configured"))

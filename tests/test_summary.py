"""A week that is over is summed up in one message, once, also when its slot had no plays."""

from __future__ import annotations

import datetime
import json

import pytest

from pipeline.alerts.periods import due_periods
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import evening, item, page
from tests.slack import SampleSlack

# Mondays of these weeks, local and UTC, are one date. The history begins in week 46.
SUNDAY, MONDAY, LATER = "2026-11-22T2300", "2026-11-23T0600", "2026-11-23T0630"
WEEK = "2026-W47"


@pytest.mark.parametrize(
    ("slot", "zone", "due"),
    [
        ("2026-11-23T05:30", "UTC", []),
        ("2026-11-23T06:00", "UTC", [WEEK]),
        ("2026-11-28T06:00", "UTC", [WEEK]),
        ("2026-11-29T06:00", "UTC", []),
        ("2026-11-23T04:30", "Europe/Berlin", []),
        ("2026-11-23T05:00", "Europe/Berlin", [WEEK]),
        ("2026-11-22T21:00", "Asia/Tokyo", [WEEK]),
        ("2026-11-23T13:30", "America/Los_Angeles", []),
        ("2026-11-23T14:00", "America/Los_Angeles", [WEEK]),
        # The clocks have changed the day before.
        ("2026-10-26T05:00", "Europe/Berlin", ["2026-W43"]),
        ("2026-03-30T04:00", "Europe/Berlin", ["2026-W13"]),
        ("2026-03-30T03:30", "Europe/Berlin", []),
        ("2027-01-04T06:00", "UTC", ["2026-W53", "2026-12", "2026"]),
        ("2027-01-01T06:00", "UTC", ["2026-W52", "2026-12", "2026"]),
        ("2027-01-20T06:00", "UTC", ["2027-W02"]),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_a_period_is_due_in_the_morning_after_it_and_for_six_days(slot: str, zone: str, due: list[str]) -> None:
    moment = datetime.datetime.fromisoformat(slot).replace(tzinfo=datetime.UTC)
    assert due_periods(moment, zone, ["week", "month", "year"]) == due or due == due_periods(moment, zone, ["week"])


def test_a_week_is_summed_up_once_though_its_slot_brings_no_play(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, database: Database
) -> None:
    bot = {"SLACK_BOT_TOKEN": "xoxb-of-a-bot", "SLACK_API_URL": f"{slack.url}/api/", "SLACK_CHANNEL": "#music"}
    before = [item(f"2026-11-1{day}T18:00:00.000Z", name="Old & Gold") for day in range(0, 6)]
    spotify.page = page(*before, *evening(4, date="2026-11-18"), *evening(2, date="2026-11-21"))
    # The wrong order, by hand: a week that is not over.
    succeeded(pipeline.slot(SUNDAY))
    early = pipeline.luigi("SendSummary", "--period", "2099-W01", **bot)
    assert early.returncode == 30
    assert "2099-W01 is no period of the history of account 'me'" in early.stderr
    succeeded(pipeline.luigi("SendSummary", "--period", "2026-W44", **bot))  # before the history: nothing to tell
    assert "write a week, a month or a year" in pipeline.luigi("SendSummary", "--period", "../x", **bot).stderr
    assert slack.taken[-1][1]["text"].startswith("Recovered: *SendSummary* of me on ")
    slack.taken.clear()

    for slot in (MONDAY, LATER):
        succeeded(pipeline.slot(slot, **bot))
    assert [path for path, _ in slack.taken].count("/api/chat.postMessage") == 1
    summary = slack.taken[0][1]
    lines = summary["text"].splitlines()
    (minutes, plays, minutes_before), *_ = database.rows(
        "select round(minutes), plays, round(minutes_before) from reporting.rpt_periods where label = %s", WEEK
    )
    assert lines[0] == "*Week 47, 16 Nov to 22 Nov 2026* of me"
    assert lines[1].startswith(
        f"{minutes:,} minutes, after the week before ({minutes_before:,}); {plays} plays on 2 days"
    )
    assert lines[2:4] == ["*Songs*", "1. Song 1 – Velvet Harbour (2)"]
    assert "*Artists*" in lines
    assert "No artist was new." in lines
    assert any(line.endswith(" of the minutes are estimated.") for line in lines)
    assert [upload[:8] for upload in slack.uploads] == [b"\x89PNG\r\n\x1a\n"]
    kept = json.loads(pipeline.files("summaries/**/*")[f"summaries/account=me/{WEEK}.json"])
    assert kept["text"] == summary["text"]

"""[slots]: one value for cron, status, metrics and doctor; on both days on which clocks change; and wrong values."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from pipeline.doctor.polling import hours_to_poll
from pipeline.extract.answers import utc_now
from pipeline.slot import next_slot, slots_due
from tests.conftest import BIN, Pipeline, succeeded
from tests.samples import AWAKE_HOURS, item, page
from tests.test_doctor import findings

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = datetime.timedelta(hours=1)
PIPELINE = (str(BIN / "python"), "-m", "pipeline")
SLOT = "2026-11-22T1400"


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], config.slots]:
    def of(hours: str, zone: str = "") -> config.slots:
        monkeypatch.setenv("SLOTS_AWAKE_HOURS", hours)
        monkeypatch.setenv("SLOTS_ZONE", zone)
        return config.slots()

    return of


@pytest.mark.parametrize(
    ("written", "hours", "again"),
    [
        ("", AWAKE_HOURS, "0-6,14-23"),
        ("0-23", set(range(24)), "0-23"),
        ("7-0", {0, *range(7, 24)}, "0,7-23"),
        ("22-3, 05,5", {22, 23, 0, 1, 2, 3, 5}, "0-3,5,22-23"),
        ("9", {9}, "9"),
    ],
)
def test_hours_are_read_and_written(
    slots: Callable[..., config.slots], written: str, hours: set[int], again: str
) -> None:
    assert slots(written).awake_hours == hours
    assert config.format_hours(hours) == again
    assert slots(again).awake_hours == hours


@pytest.mark.parametrize("hours", ["24", "7-", "-7", "7-24", "7..9", "07:00", "7,,9", "*", "all", "7-9-11", "007"])
def test_hours_that_cannot_be_used_are_named(slots: Callable[..., config.slots], hours: str) -> None:
    with pytest.raises(config.SettingError, match=r"SLOTS_AWAKE_HOURS cannot be used: '.*write for instance 0-6,14-23"):
        slots(hours)


@pytest.mark.parametrize("zone", ["Mars", "../UTC", "/etc/localtime", "Europe", "CET+1"])
def test_a_zone_that_cannot_be_used_is_named(slots: Callable[..., config.slots], zone: str) -> None:
    with pytest.raises(config.SettingError, match=f"SLOTS_ZONE cannot be used: '{re.escape(zone)}' is not an IANA"):
        slots("", zone)


def at(moment: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"2026-{moment}Z")


def test_slots_of_the_days_on_which_clocks_change(slots: Callable[..., config.slots]) -> None:
    """Berlin: on 29 March there is no hour 02; on 25 October it begins at 00:00 UTC and again at 01:00 UTC."""
    slots("2,4", "Europe/Berlin")
    assert next_slot(at("03-28T03:30")) == at("03-29T02:00"), "04:00 local; hour 02 is missing"
    assert next_slot(at("03-28T01:30")) == at("03-28T03:00")
    due = slots_due(at("10-25T04:00"), 7)
    expected = ("10-25T03:30", "10-25T03:00", "10-25T01:30", "10-25T01:00", "10-25T00:30", "10-25T00:00", "10-24T02:30")
    assert due == [at(moment) for moment in expected]
    assert slots_due(at("10-25T04:00"), 99, since=at("10-25T01:00")) == due[:3]
    slots("", "")
    assert next_slot(at("11-22T06:30")) == at("11-22T14:00"), "the default is as it was"


def test_the_wrapper_reads_luigi_cfg_and_env_files_and_starts_what_it_cannot_judge(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLOTS_AWAKE_HOURS", "SLOTS_ZONE"):
        monkeypatch.delenv(name)
    project = tmp_path / "project"
    (project / "cron").mkdir(parents=True)
    shutil.copy("cron/run.sh", project / "cron")
    pipeline.environment = {"PIPELINE_BIN": "/nowhere", "DATA_DIR": str(tmp_path)}
    now = datetime.datetime.now(ZoneInfo("Asia/Tokyo"))
    asleep = f"{(now + 3 * HOUR).hour}-{(now - 3 * HOUR).hour}"
    awake = f"{(now - HOUR).hour} - {(now + HOUR).hour}"

    def starts(cfg: str, env: str = "", **environment: str) -> bool:
        (project / "luigi.cfg").write_text(cfg)
        (project / ".env").write_text(env)
        process = pipeline.run(str(project / "cron/run.sh"), **environment)
        assert process.returncode in (0, 127), process.stderr
        return process.returncode == 127

    def section(hours: str, zone: str = "Asia/Tokyo") -> str:
        return f"[core]\nzone = UTC\n[slots]\n# hours\nawake_hours = {hours}  \nzone={zone}\n\n[log]\nzone = UTC\n"

    assert not starts(section(asleep))
    assert starts(section(awake.replace(" ", "")))
    assert not starts(section(asleep).replace("awake_hours =", "awake-hours:"))
    assert starts(section(asleep), f"SLOTS_AWAKE_HOURS='{awake.replace(' ', '')}' # mine\n")
    assert not starts(section("0-23"), f"export SLOTS_AWAKE_HOURS={asleep}\n")
    assert not starts(section("0-23"), "SLOTS_AWAKE_HOURS=0-23\n", SLOTS_AWAKE_HOURS=asleep)
    assert starts(section(asleep), SLOTS_AWAKE_HOURS="", SLOTS_ZONE="Mars"), "the run names the setting"
    for wrong in ("24", f"{asleep},x", f"{asleep},24", f"{asleep} # a remark", "%(hours)s", "*"):
        assert starts(section(wrong)), wrong


def test_the_default_is_the_same_without_a_section(slots: Callable[..., config.slots], tmp_path: Path) -> None:
    (default,) = re.findall(r"hours:-([0-9,-]+)\}", Path("cron/run.sh").read_text())
    assert default == config.format_hours(slots("").awake_hours)
    assert f"awake_hours = {default}\n" in Path("luigi.cfg").read_text()


def test_a_run_with_hours_that_cannot_be_used_names_them_and_polls_nothing(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    process = pipeline.slot(SLOT, task="ExtractRecent", SLOTS_AWAKE_HOURS="0-6,25")
    assert process.returncode == 40
    assert "SLOTS_AWAKE_HOURS cannot be used: '25' is not an hour" in process.stderr
    assert "Traceback" not in process.stderr
    assert spotify.calls == []
    named = pipeline.run(*PIPELINE, "status", SLOTS_ZONE="Mars")
    assert (named.returncode, "SLOTS_ZONE cannot be used: 'Mars'" in named.stderr) == (2, True)


def test_status_and_doctor_use_the_hours_and_doctor_suggests_better_ones(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    """A listener in Berlin, from 08:00 to 22:59, three plays in each hour; the default polls outside 07 to 13 UTC."""
    today = utc_now().astimezone(BERLIN).date()
    plays = []
    for number in range(45):
        day, hour = today - datetime.timedelta(days=2 + number), 8 + number % 15
        local = datetime.datetime.combine(day, datetime.time(hour, 10 + number), BERLIN)
        plays.append(local.astimezone(datetime.UTC))
    spotify.page = page(*(item(f"{moment:%Y-%m-%dT%H:%M:%SZ}", name=f"Song {moment}") for moment in sorted(plays)))
    missed = sum(7 <= moment.hour <= 13 for moment in plays) / len(plays)
    assert 0.3 < missed < 0.5
    early = pipeline.run(*PIPELINE, "doctor", "--offline")
    assert findings(early.stdout)["polling hours"] == ["ok 0-6,14-23 UTC; no play of the last 365 days is counted yet"]
    succeeded(pipeline.slot(SLOT, task="DbtRun"))
    zone = {"LISTENER_TIMEZONE": "Europe/Berlin"}
    (found,) = findings(pipeline.run(*PIPELINE, "doctor", "--offline", **zone).stdout)["polling hours"]
    assert found == (
        f"warning 0-6,14-23 UTC; {missed:.0%} of me's plays of the last 365 days fall into hours without polls: of more"
        " than 50 plays between two polls, Spotify forgets the oldest → in luigi.cfg, [slots]: awake_hours = 8-23 and"
        " zone = Europe/Berlin"
    )
    better = {**zone, "SLOTS_AWAKE_HOURS": "8-23", "SLOTS_ZONE": "Europe/Berlin"}
    (found,) = findings(pipeline.run(*PIPELINE, "doctor", "--offline", **better).stdout)["polling hours"]
    assert found == ("ok 8-23 Europe/Berlin; 0% of me's plays of the last 365 days fall into hours without polls")
    status = json.loads(pipeline.run(*PIPELINE, "status", "--json", **better).stdout)
    upcoming = datetime.datetime.fromisoformat(status["next_slot_at"])
    expected = datetime.datetime.fromisoformat(status["now"]).replace(second=0, microsecond=0)
    expected += datetime.timedelta(minutes=30 - expected.minute % 30)
    while expected.astimezone(BERLIN).hour < 8:
        expected += HOUR / 2
    assert upcoming == expected


@pytest.mark.parametrize(
    ("listened", "hours"),
    [
        (dict.fromkeys(range(8, 23), 1 / 15), "8-23"),
        ({**dict.fromkeys((20, 21, 22, 23, 0), 0.1984), 12: 0.004, 6: 0.004}, "0-1,20-23"),
        (dict.fromkeys(range(0, 24, 2), 1 / 12), "0-23"),
        ({13: 1.0}, "13-14"),
    ],
    ids=["by day", "over midnight, and little else", "no pause", "one hour"],
)
def test_what_is_suggested_polls_when_there_are_plays_and_once_after(listened: dict[int, float], hours: str) -> None:
    every = {hour: listened.get(hour, 0.0) for hour in range(24)}
    assert config.format_hours(hours_to_poll([every])) == hours

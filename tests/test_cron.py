"""Cron: the wrapper, the line in the crontab, and both under a real daemon whose clock is the tests'."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.slot import HALF_HOUR
from tests import crond
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import AWAKE_HOURS, evening, item, page
from tests.slack import SampleSlack

SLOT, NEXT = "2026-11-22T1400", "2026-11-22T1430"
# SLOTS_AWAKE_HOURS → its hours, their zone in these tests, and the number of slots in the UTC day. In Berlin hour 02
# is missing on the day in spring and comes twice on the day in autumn; on Lord Howe clocks go back half an hour.
POLLED = {
    "": (AWAKE_HOURS, "UTC", 34),
    "7-0": ({*range(7, 24), 0}, "Europe/Berlin", 36),
    "2,9-21": ({2, *range(9, 22)}, "Europe/Berlin", 30),
    "1-3": ({1, 2, 3}, "Australia/Lord_Howe", 7),
    "06,8-10": ({6, 8, 9, 10}, "Asia/Kathmandu", 8),
}
# In the place of the programs: what they were called with, and the exit codes in the files beside it.
STUB = """#!/bin/sh
echo "$(date -u +%Y-%m-%dT%H%M) ${0##*/} $*" >>"${0%/*}/calls"
read -r code <"${0%/*}/${0##*/}.code" || code=0
[ "$code" != kill ] || kill -9 $$
exit "$code"
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A folder for PIPELINE_BIN whose programs do nothing but to note that they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("luigi", "python"):
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
        (folder / f"{name}.code").write_text("0\n")
    return folder


def calls(stub: Path, program: str = "") -> list[str]:
    """What the stubs were called with, oldest first."""
    lines = (stub / "calls").read_text().splitlines() if (stub / "calls").exists() else []
    return [line.partition(" ")[2] for line in lines if f" {program}" in line]


def cron(pipeline: Pipeline, *arguments: str, **environment: str) -> Any:
    return pipeline.run("cron/run.sh", *arguments, **{"PIPELINE_BIN": str(BIN), **environment})


@pytest.fixture
def wrapper(data: Path, stub: Path) -> Pipeline:
    """The wrapper with stubs in the place of luigi and python."""
    return Pipeline(data, {"DATA_DIR": str(data), "PIPELINE_BIN": str(stub)})


def test_the_wrapper_passes_a_failure_on(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack) -> None:
    spotify.answers = [error("/v1/me/player", 403, "no")]
    process = cron(pipeline, SLOT, SLACK_WEBHOOK_URL=slack.url)
    assert process.returncode == 30
    assert process.stderr.startswith(
        f"all accounts, slot {SLOT} ended with exit code 30; the log is {pipeline.data}/logs/cron-"
    )
    assert len(slack.messages) == 1


def test_what_the_wrapper_logs_is_json_as_well(wrapper: Pipeline, stub: Path) -> None:
    succeeded(wrapper.run("cron/run.sh", SLOT))
    ((_, log),) = wrapper.files("logs/cron-*.log").items()
    begins, ended = (json.loads(line) for line in log.decode().splitlines())
    assert (begins["slot"], begins["message"]) == (SLOT, f"all accounts, slot {SLOT} begins")
    assert ended["message"] == f"all accounts, slot {SLOT} ended with exit code 0"


@pytest.mark.parametrize("code", ["20", "25", "30", "40", "kill"])
def test_the_pipeline_is_asked_to_tell_of_every_run_that_did_not_end_well(
    wrapper: Pipeline, stub: Path, code: str
) -> None:
    (stub / "luigi.code").write_text(f"{code}\n")
    process = wrapper.run("cron/run.sh", SLOT)
    ended = 137 if code == "kill" else int(code)
    assert process.returncode == ended
    assert (f"slot {SLOT} ended with exit code {ended}" in process.stderr) == (code != "25")
    ((log, _),) = wrapper.files("logs/cron-*.log").items()
    told = f"python -m pipeline alert --slot {SLOT} --exit-code {ended} --log {wrapper.data}/{log}"
    assert calls(stub) == [f"luigi --module pipeline RunPipeline --run-at {SLOT}", told]
    (stub / "luigi.code").write_text("0\n")
    succeeded(wrapper.run("cron/run.sh", NEXT))
    assert len(calls(stub)) == 3, "of a run that ended well nobody is told"


def test_the_wrapper_tells_that_luigi_never_started(pipeline: Pipeline, slack: SampleSlack) -> None:
    process = cron(
        pipeline,
        SLOT,
        SLACK_WEBHOOK_URL=f"{slack.url}/services/sEcReT",
        LISTENER_TIMEZONE="Mars",
        PIPELINE_BIN="/nowhere",
    )
    assert process.returncode == 127
    ((path, message),) = slack.messages
    assert path == "/services/sEcReT"
    assert message["text"].startswith(f"*Slot {SLOT} did not run* (exit code 127) on ")
    assert "sEcReT" not in process.stderr + process.stdout


def test_that_nothing_can_be_started_is_told_once_and_once_more_a_day_until_it_is_over(
    wrapper: Pipeline, stub: Path, slack: SampleSlack
) -> None:
    marker = wrapper.data / "logs" / "not-started"
    webhook = {"SLACK_WEBHOOK_URL": slack.url}
    broken = {**webhook, "PIPELINE_BIN": "/nowhere"}
    slack.status = 500
    assert wrapper.run("cron/run.sh", SLOT, **broken).returncode == 127
    assert re.fullmatch(rf"{SLOT} 127 0 \d{{10}}\n", marker.read_text()), "Slack has not been notified yet"
    slack.status = 200
    for slot in (NEXT, "2026-11-22T1500", "2026-11-22T1530"):
        assert wrapper.run("cron/run.sh", slot, **broken).returncode == 127
    assert len(slack.taken) == 1
    assert f"*Slot {SLOT} did not run* (exit code 127)" in slack.taken[0][1]["text"], "since when"

    first, code, told, began = marker.read_text().split()
    marker.write_text(f"{first} {code} {int(told) - 24 * 3600} {began}\n")
    for slot in ("2026-11-23T1500", "2026-11-23T1530"):
        wrapper.run("cron/run.sh", slot, **broken)
    assert len(slack.taken) == 2
    # Without the fourth field, as an older version wrote it.
    marker.write_text(f"{first} {code} {int(told) + 24 * 3600}\n")
    wrapper.run("cron/run.sh", "2026-11-23T1600", **broken)
    assert len(slack.taken) == 3, "a clock that was set back does not keep it quiet"
    marker.write_text("")
    wrapper.run("cron/run.sh", "2026-11-23T1630", **broken)
    assert len(slack.taken) == 4, "nor does a marker for which the disk had no room"

    succeeded(wrapper.run("cron/run.sh", "2026-11-23T1700", **webhook))
    assert not marker.exists()
    assert [call.split()[3:8] for call in calls(stub, "python")] == [
        ["alert", "--slot", "2026-11-23T1700", "--exit-code", "0"]
    ], "the pipeline hears that it is over"
    wrapper.run("cron/run.sh", "2026-11-23T1730", **broken)
    assert len(slack.taken) == 5, "and when it begins anew, it is told anew"


def test_a_bot_token_tells_that_nothing_can_be_started(wrapper: Pipeline, slack: SampleSlack) -> None:
    settings = {"SLACK_BOT_TOKEN": "xoxb-sEcReT", "SLACK_API_URL": f"{slack.url}/api/", "SLACK_CHANNEL": "#music"}
    process = wrapper.run("cron/run.sh", SLOT, PIPELINE_BIN="/nowhere", LOG_DIR='data of "mine"', **settings)
    shutil.rmtree(wrapper.project / 'data of "mine"')
    ((path, message),) = slack.taken
    assert (path, message["channel"], slack.authorization) == (
        "/api/chat.postMessage",
        "#music",
        "Bearer xoxb-sEcReT",
    )
    assert 'data of "mine"/cron-' in message["text"]
    assert "sEcReT" not in process.stderr + process.stdout


def test_the_wrapper_does_not_overlap_itself(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, stub: Path
) -> None:
    (pipeline.data / "logs").mkdir()
    with (pipeline.data / "logs" / "cron.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = cron(pipeline, SLOT, SLACK_WEBHOOK_URL=slack.url, LOG_FORMAT="text")
        assert process.returncode == 10
        assert list(pipeline.files("polls/**/*")) == [f"polls/account=me/2026/11/{SLOT}.json"], "the poll is made"
        assert len(slack.messages) == 1
        succeeded(cron(pipeline, SLOT, ACCOUNT="me", PIPELINE_BIN=str(stub)))
        assert calls(stub) == [f"luigi --module pipeline RunPipeline --run-at {SLOT} --account me"]
    ((_, log),) = pipeline.files("logs/cron-*.log").items()
    assert f"all accounts, slot {SLOT} polls only: the slot before it is still running\n" in log.decode()


def test_the_wrapper_says_so_where_flock_is_missing(pipeline: Pipeline, tmp_path: Path, slack: SampleSlack) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "date", "dirname", "mkdir", "sed", "tail", "printenv", "uname", "sort", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    process = cron(pipeline, SLOT, PATH=str(tools), SLACK_WEBHOOK_URL=slack.url)
    assert process.returncode == 127
    assert len(slack.messages) == 1


def test_the_wrapper_reads_the_settings_of_env_files(pipeline: Pipeline, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "cron").mkdir(parents=True)
    shutil.copy("cron/run.sh", project / "cron")
    (project / ".env").write_text(
        "export ACCOUNT='ann' # the elder\nLOG_DIR=elsewhere/logs # here\nPIPELINE_BIN=\"/nowhere\"\n"
    )
    pipeline.environment = {}
    process = pipeline.run(str(project / "cron/run.sh"), SLOT)
    assert process.returncode == 127
    assert "ann, slot 2026-11-22T1400 ended" in process.stderr
    assert list((project / "elsewhere/logs").glob("cron-*.log"))
    (project / ".env").write_text('LOG_DIR = "my data/logs"\r\n  PIPELINE_BIN = /nowhere\r\n')
    assert pipeline.run(str(project / "cron/run.sh"), SLOT).returncode == 127
    assert list((project / "my data/logs").glob("cron-*.log")), "a relative folder counts from the project"


@pytest.mark.parametrize("words", [["2026-11-22"], ["2026-11-22T14:30"], ["now"], [""], [SLOT, NEXT]])
def test_what_is_no_slot_is_refused(wrapper: Pipeline, stub: Path, words: list[str]) -> None:
    process = wrapper.run("cron/run.sh", *words)
    assert process.returncode == 64
    assert process.stderr == (
        f"cron/run.sh: '{' '.join(words)}' is no slot. Write one such as 2026-11-22T1430 (UTC), or nothing for the"
        " present one\n"
    )
    assert calls(stub) == []
    assert "cron/run.sh 2026-11-22T1430   that slot" in succeeded(wrapper.run("cron/run.sh", "--help")).stdout


@pytest.mark.parametrize(("months", "kept"), [("", 12), ("2", 2), ("some", 30)])
def test_logs_of_more_than_a_year_are_deleted(wrapper: Pipeline, months: str, kept: int) -> None:
    logs = wrapper.data / "logs"
    logs.mkdir()
    others = [logs / "cron.log", logs / "cron-2020.log", logs / "mine.log"]
    for path in [*others, *(logs / f"cron-20{year}-{month:02}.log" for year in (18, 19) for month in range(1, 13))]:
        path.write_text("x\n")
    for month in range(1, 6):
        (logs / f"cron-2020-{month:02}.log").write_text("x\n")
    for _ in range(2):
        succeeded(wrapper.run("cron/run.sh", SLOT, LOG_MONTHS=months, LOG_FORMAT="text"))
    left = sorted(path.name for path in logs.glob("cron-????-??.log"))
    assert len(left) == kept
    assert left[-2] == "cron-2020-05.log"
    assert all(path.exists() for path in others)
    refused = "LOG_MONTHS is 'some', and no number of months" in (logs / left[-1]).read_text()
    assert refused == (months == "some")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_log_disk_that_is_full_costs_no_slot(pipeline: Pipeline, spotify: SampleSpotify, small_disk: Path) -> None:
    """Full before the run begins; then while it writes its log."""
    spotify.page = page(*evening(3))
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    for slot, room in ((SLOT, 0), (NEXT, 400)):
        if room:
            os.truncate(ballast, ballast.stat().st_size - 4096)
            next(small_disk.glob("*.log")).write_bytes(b"x" * (4096 - room))
        process = succeeded(cron(pipeline, slot, LOG_DIR=str(small_disk), LOG_FORMAT="text"))
        assert "cannot be written (is the disk full?)" in process.stderr
        assert f"slot {slot} ended with exit code 0" in process.stderr
        assert f"polls/account=me/2026/11/{slot}.json" in pipeline.files("polls/**/*")
    assert "dashboard/account=me/index.html" in pipeline.files("dashboard/**/*")


def test_a_run_whose_exit_code_was_lost_with_its_last_words_is_run_again(wrapper: Pipeline, stub: Path) -> None:
    """Python ends with 120 where it cannot write what is left to be said."""
    (stub / "luigi.code").write_text("120\n")
    assert wrapper.run("cron/run.sh", SLOT).returncode == 120
    assert calls(stub, "luigi") == 2 * [f"luigi --module pipeline RunPipeline --run-at {SLOT}"]


def test_a_log_folder_that_cannot_be_made_costs_no_slot(wrapper: Pipeline, stub: Path) -> None:
    (wrapper.data / "logs").write_text("a file in its place")
    process = succeeded(wrapper.run("cron/run.sh", SLOT, LOG_FORMAT="text"))
    assert f"{wrapper.data}/logs/cron-" in process.stderr
    assert f"slot {SLOT} ended with exit code 0" in process.stderr
    assert calls(stub) == [f"luigi --module pipeline RunPipeline --run-at {SLOT}"]


def test_sigterm_reaches_the_run_which_tidies_up_and_the_same_slot_goes_on(
    pipeline: Pipeline, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(2))
    spotify.answers = [Answer("/v1/me/player", 429, b"{}", {"Retry-After": "30"})]
    with subprocess.Popen(
        ["cron/run.sh", SLOT],
        env={**os.environ, **pipeline.environment, "PIPELINE_BIN": str(BIN)},
        cwd=pipeline.project,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not any("recently-played" in call for call in spotify.calls):
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, mailed = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"slot {SLOT} ended with exit code 130" in mailed
    ((_, log),) = pipeline.files("logs/cron-*.log").items()
    assert b"the same command goes on where this run stopped." in log
    lines = len(log.splitlines())

    process_again = succeeded(cron(pipeline, SLOT, LOG_FORMAT="text"))
    assert (process_again.stdout, process_again.stderr) == ("", "")
    assert f"polls/account=me/2026/11/{SLOT}.json" in pipeline.files("polls/**/*")
    ((_, log),) = pipeline.files("logs/cron-*.log").items()
    assert log.decode().splitlines()[lines].endswith(f"all accounts, slot {SLOT} begins")
    assert log.decode().splitlines()[-1].endswith(f"slot {SLOT} ended with exit code 0")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout, in a folder whose name means something to cron and to the shell."""
    folder = tmp_path / "100% my 'music' & more"
    shutil.copytree("cron", folder / "cron")
    return folder


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[crond.Crond]:
    if why := crond.why_not():
        pytest.skip(why)
    with crond.running(tmp_path / "crond", datetime.datetime(2026, 11, 22, 13, 59, 30, tzinfo=datetime.UTC)) as started:
        yield started


@pytest.fixture
def edited() -> Iterator[Path]:
    """A file for `crontab`, which cuts a longer name than a hundred letters off."""
    with tempfile.TemporaryDirectory(prefix="crontab-") as folder:
        yield Path(folder) / "crontab"


@pytest.mark.parametrize(
    "before",
    [
        None,
        "",
        "MAILTO=me\n# mine\n\n0 1 * * *\tdate +\\%F%x\n",
        "# caf\u00e9\r\n@daily true # begin listening history\n",
    ],
    ids=["none", "empty", "lines", "odd"],
)
def test_the_line_comes_and_goes_and_leaves_the_crontab_as_it_was(
    daemon: crond.Crond, checkout: Path, edited: Path, before: str | None
) -> None:
    def crontab() -> str | None:
        answer = daemon.run("crontab", "-l")
        return None if answer.returncode else answer.stdout

    if before is not None:
        edited.write_text(before, newline="")
        succeeded(daemon.run("crontab", str(edited)))
        before = crontab()
    install = str(checkout / "cron" / "install.sh")
    said = succeeded(daemon.run(install)).stdout
    escaped = str(checkout).replace("%", "\\%")
    line = f'*/30 * * * * "{escaped}/cron/run.sh"'
    assert f"added:   {line}\n" in said
    block = f"# begin listening history {checkout}\n{line}\n# end listening history {checkout}\n"
    assert crontab() == (before or "") + block
    assert succeeded(daemon.run(install)).stdout == "Nothing to do: your crontab is as it should be.\n"
    succeeded(daemon.run("cron/install.sh"))
    assert (crontab() or "").startswith((before or "") + block), "two checkouts do not clash"
    assert succeeded(daemon.run(install, "--uninstall")).stdout.count("removed:") == 3
    assert str(checkout) not in (crontab() or "")
    succeeded(daemon.run("cron/install.sh", "--uninstall"))
    assert (crontab() or "") == (before or "")


def test_the_line_is_put_right_and_what_is_not_ours_is_not_touched(
    daemon: crond.Crond, checkout: Path, edited: Path
) -> None:
    install = str(checkout / "cron" / "install.sh")
    succeeded(daemon.run(install))
    written = daemon.run("crontab", "-l").stdout
    edited.write_text("# first\n" + written.replace("*/30", "*/10") + "# last\n")
    succeeded(daemon.run("crontab", str(edited)))
    said = succeeded(daemon.run(install)).stdout
    assert (said.count("removed:"), said.count("added:")) == (1, 1)
    assert daemon.run("crontab", "-l").stdout == f"# first\n{written}# last\n", "where it was"

    moved = checkout.with_name("moved")
    checkout.rename(moved)
    succeeded(daemon.run(str(moved / "cron" / "install.sh")))
    assert str(checkout) not in daemon.run("crontab", "-l").stdout, "a checkout that has gone takes its line along"
    assert daemon.run("crontab", "-l").stdout.count("*/30") == 1

    edited.write_text(f"# begin listening history {moved}\n0 3 * * * backup\n")
    succeeded(daemon.run("crontab", str(edited)))
    succeeded(daemon.run(str(moved / "cron" / "install.sh"), "--uninstall"))
    assert daemon.run("crontab", "-l").stdout == "0 3 * * * backup\n", "without its end, nothing of a block is ours"

    edited.write_text(f"*/30 * * * * {moved}/cron/run.sh\n")
    succeeded(daemon.run("crontab", str(edited)))
    refused = daemon.run(str(moved / "cron" / "install.sh"))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"your crontab starts this already: */30 * * * * {moved}/cron/run.sh\nRemove")


def test_a_crontab_that_cannot_be_used_is_explained_and_left_alone(
    daemon: crond.Crond, tmp_path: Path, checkout: Path
) -> None:
    malformed = "MAILTO=me\n# mine\n0 77 * * * date\n1 1 * * * true"
    (tmp_path / "crond" / "crontabs" / "root").write_text(malformed)
    (tmp_path / "crond" / "crontabs" / "root").chmod(0o600)
    refused = daemon.run("cron/install.sh")
    assert refused.returncode == 1
    assert (
        "cron refuses your crontab, and nothing was changed: bad hour. Look for it with crontab -e at" in refused.stderr
    )
    assert "3:0 77 * * * date\n" in refused.stderr
    assert daemon.run("crontab", "-l").stdout == malformed

    for name, program, words in (
        (
            "denied",
            "echo 'You (me) are not allowed to use this program (crontab)' >&2; exit 1",
            "You (me) are not allowed",
        ),
        ("none", "", "the program crontab is missing"),
    ):
        tools = tmp_path / name
        tools.mkdir()
        for tool in ("sh", "nsenter", "dirname", "mktemp", "rm", "grep", "cat"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        if program:
            (tools / "crontab").write_text(f"#!/bin/sh\n{program}\n")
            (tools / "crontab").chmod(0o755)
        refused = daemon.run("cron/install.sh", PATH=str(tools))
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "Nothing was changed" in refused.stderr
    quoted = checkout.rename(tmp_path / 'a "quoted" $folder')
    assert "cron cannot start anything in" in daemon.run(str(quoted / "cron" / "install.sh")).stderr


@pytest.mark.parametrize(
    ("day", "zone", "settings"),
    [
        ("2026-03-08", "America/New_York", {}),
        ("2026-11-01", "America/New_York", {}),
        ("2026-10-25", "Europe/Berlin", {"TZ": "Asia/Kathmandu", "CRON_TZ": "America/New_York"}),
        ("2026-11-22", "Asia/Kathmandu", {}),
        ("2026-03-29", "UTC", {"SLOTS_AWAKE_HOURS": "7-0", "SLOTS_ZONE": "Europe/Berlin"}),
        ("2026-10-25", "America/New_York", {"SLOTS_AWAKE_HOURS": "2,9-21", "SLOTS_ZONE": "Europe/Berlin"}),
        ("2026-04-04", "UTC", {"SLOTS_AWAKE_HOURS": "1-3", "SLOTS_ZONE": "Australia/Lord_Howe"}),
        ("2026-11-22", "Asia/Kathmandu", {"SLOTS_AWAKE_HOURS": "06,8-10", "SLOTS_ZONE": "Asia/Kathmandu"}),
    ],
    ids=[
        "New York, spring",
        "New York, autumn",
        "Berlin, autumn",
        "Kathmandu",
        "polling hours of Berlin, spring",
        "polling hours of Berlin, autumn",
        "polling hours of Lord Howe, autumn",
        "polling hours of Kathmandu",
    ],
)
def test_every_slot_of_the_awake_hours_is_started_once_whatever_the_zone(
    tmp_path: Path, wrapper: Pipeline, stub: Path, day: str, zone: str, settings: dict[str, str]
) -> None:
    if why := crond.why_not():
        pytest.skip(why)
    begin = datetime.datetime.fromisoformat(f"{day}T00:00:05Z")
    slots = [begin.replace(second=0) + n * HALF_HOUR for n in range(48)]
    with crond.running(tmp_path / "crond", begin - crond.MINUTE, zone, **wrapper.environment, **settings) as daemon:
        daemon.install(f'*/30 * * * * "{wrapper.project}/cron/run.sh"')
        daemon.pass_through(begin, begin + datetime.timedelta(days=1))
    hours, polling_zone, count = POLLED[settings.get("SLOTS_AWAKE_HOURS", "")]
    awake = [f"{slot:%Y-%m-%dT%H%M}" for slot in slots if slot.astimezone(ZoneInfo(polling_zone)).hour in hours]
    assert len(awake) == count
    assert calls(stub) == [f"luigi --module pipeline RunPipeline --run-at {slot}" for slot in awake]
    # Where local time is a quarter of an hour off, cron's half hours begin a quarter of an hour late.
    late = {"Asia/Kathmandu": ("15", "45")}.get(zone, ("00", "30"))
    assert {line.split()[0][-2:] for line in (stub / "calls").read_text().splitlines()} == set(late)


def test_a_real_cron_runs_real_slots_through_sleep_kill_overlap_and_a_clock_set_back(
    daemon: crond.Crond, pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    """The line that is installed; a folder of settings in the crontab's head; a machine off for three days."""

    def slots() -> list[str]:
        return sorted(Path(name).stem for name in pipeline.files("polls/**/*.json"))

    def at(moment: str, wait: float = 60) -> None:
        spotify.now = datetime.datetime.fromisoformat(f"{moment}Z")
        daemon.step(spotify.now, wait)

    def played(first: str, count: int) -> list[dict[str, Any]]:
        begin = datetime.datetime.fromisoformat(f"{first}Z")
        return [
            item(f"{begin + n * datetime.timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}", name=f"{first} {n}")
            for n in range(count)
        ]

    settings = {**pipeline.environment, "PIPELINE_BIN": str(BIN), "PATH": os.environ["PATH"]}
    daemon.head += "".join(f'{name}="{value}"\n' for name, value in settings.items())
    daemon.install()
    succeeded(daemon.run("cron/install.sh"))
    before = played("2026-11-22T12:00", 3)
    spotify.page = page(*before)
    at("2026-11-22T14:00:02")
    assert slots() == ["2026-11-22T1400"]
    ((_, log),) = pipeline.files("logs/cron-2026-11.log").items()
    assert b"slot 2026-11-22T1400 ended with exit code 0" in log

    # Asleep: nothing is caught up but by the next slot, and what Spotify has forgotten is a gap.
    at("2026-11-25T17:40:00")
    assert slots() == ["2026-11-22T1400"]
    after = played("2026-11-25T15:00", 50)
    spotify.page = page(*after)
    at("2026-11-25T18:00:02")
    assert slots() == ["2026-11-22T1400", "2026-11-25T1800"]
    assert database.value("select count(*) from marts.fct_plays") == 53
    assert database.rows("select begins_at < '2026-11-22 14:00Z', ends_at from marts.fct_gaps") == [
        (True, datetime.datetime(2026, 11, 25, 15, tzinfo=datetime.UTC))
    ]

    # Killed: the next slot picks up. Hanging: the next one polls and no more.
    spotify.page = page(*after, *played("2026-11-25T18:05", 2))
    for moment, killed in (("2026-11-25T18:30:02", True), ("2026-11-25T19:00:02", False)):
        spotify.answers = [Answer("/v1/me/player", 429, b"{}", {"Retry-After": "3"})]
        asked = len(spotify.calls)
        at(moment, wait=0)
        while not any("recently-played" in call for call in spotify.calls[asked:]):
            time.sleep(0.05)
        if killed:
            (job,) = daemon.jobs()
            for process in psutil.Process(job).children(recursive=True):
                if "RunPipeline" in process.cmdline():
                    process.kill()
            daemon.finish()
    at("2026-11-25T19:30:02")
    assert slots() == [f"2026-11-{slot}" for slot in ("22T1400", "25T1800", "25T1900", "25T1930")]
    assert database.value("select count(*) from staging.spotify_songs") == 55
    ((_, log),) = pipeline.files("logs/cron-2026-11.log").items()
    assert b"slot 2026-11-25T1830 ended with exit code 137" in log
    assert b"slot 2026-11-25T1930 polls only: the slot before it is still running" in log

    # Set back by two hours: a slot that comes again is started again, and counts nothing twice.
    daemon.finish()
    polls = sum("recently-played" in call for call in spotify.calls)
    daemon.step(datetime.datetime(2026, 11, 25, 18, 0, 2, tzinfo=datetime.UTC))
    ((_, log),) = pipeline.files("logs/cron-2026-11.log").items()
    assert log.count(b"slot 2026-11-25T1800 ended with exit code 0") == 2
    assert sum("recently-played" in call for call in spotify.calls) == polls + 1, "it polls all the same"
    at("2026-11-25T20:30:02")
    assert slots()[-1] == "2026-11-25T2030"
    assert database.value("select count(*) from staging.spotify_songs") == 55

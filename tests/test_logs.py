"""Every event is one record, in the form that was asked for, with its task and without secrets."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.spotify import SampleSpotify, error
from pipeline.forget import forget_files
from tests.conftest import BIN, Pipeline, succeeded
from tests.samples import evening, page

SLOT = "2026-11-22T1400"
# What a process can say beside its tasks: hostile text, a warning of Python's, a secret within a cause, its own end.
SAYS = """
import logging, warnings
import pipeline
logger = logging.getLogger("luigi-interface")
logger.info("a title\\nof two lines \\x1b[2J\\u2028and %s", "\\r\\tmore")
warnings.warn("somebody's warning")
logging.getLogger("another.library").warning("of another library")
logging.getLogger("another.library").info("of no interest")
try:
    raise ValueError("the password is hunter2-of-a-test")
except ValueError:
    logger.exception("with %s in it", "hunter2-of-a-test")
raise RuntimeError("the end")
"""


def events(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        assert {"time", "level", "message", "pid"} <= set(event)
        assert event["time"].endswith("Z")
        assert datetime.datetime.fromisoformat(event["time"]).utcoffset() == datetime.timedelta(0)
    return found


def test_a_failed_slot_is_json_with_the_task_of_each_event(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.answers = [error("/v1/me/player", 403, "Insufficient client scope")]
    process = pipeline.slot(SLOT, task="ExtractRecent", LOG_FORMAT="json")
    assert (process.returncode, process.stdout) == (30, "")
    found = events(process.stderr)
    whose = {"task": "ExtractRecent", "account": "me", "slot": SLOT}
    (failure,) = [event for event in found if event["level"] == "ERROR"]
    assert failure.items() >= whose.items()
    assert failure["exception"].startswith("Traceback (most recent call last):\n")
    assert "Forbidden: Spotify forbids the call ('Insufficient client scope')" in failure["exception"]
    assert {event["pid"] for event in found} == {failure["pid"]}
    (summary,) = [event for event in found if "Luigi Execution Summary" in event["message"]]
    assert "* 1 failed:\n    - 1 ExtractRecent" in summary["message"]
    assert "task" not in summary

    spotify.page = page(*evening(2))
    told = events(succeeded(pipeline.slot(SLOT, task="CopyToStaging", LOG_FORMAT="json")).stderr)
    (polled,) = [event for event in told if "plays returned" in event["message"]]
    assert polled.items() >= whose.items()
    (loaded,) = [event for event in told if "plays loaded" in event["message"]]
    assert loaded.items() >= {**whose, "task": "CopyToStaging"}.items()


def test_the_level_is_luigis_own_option(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    assert succeeded(pipeline.slot(SLOT, "--log-level", "WARNING", task="ExtractRecent")).stderr == ""
    said = succeeded(pipeline.slot(SLOT, "--log-level=DEBUG", "--log-format", "line", task="ExtractRecent")).stderr
    assert f"Z DEBUG: Checking if ExtractRecent(run_at={SLOT}, account=me) is complete" in said
    lines = said.splitlines()
    assert all(datetime.datetime.fromisoformat(line.partition(" ")[0]) for line in lines)
    assert len([line for line in lines if "===== Luigi Execution Summary" in line]) == 1
    wrong = pipeline.slot(SLOT, task="ExtractRecent", LOG_FORMAT="xml")
    assert wrong.returncode == 40
    assert wrong.stderr.startswith("CRITICAL: LOG_FORMAT cannot be used: xml is not a valid choice")
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize("form", ["json", "line", "text"])
def test_whatever_is_said_is_one_line_an_event_and_no_secret(pipeline: Pipeline, form: str) -> None:
    process = pipeline.run(str(BIN / "python"), "-c", SAYS, LOG_FORMAT=form, SPOTIFY_CLIENT_SECRET="hunter2-of-a-test")
    assert process.returncode == 1
    assert "hunter2-of-a-test" not in process.stderr
    assert "of no interest" not in process.stderr
    if form == "text":
        assert "INFO: a title\nof two lines" in process.stderr
        assert process.stderr.endswith("RuntimeError: the end\n")
        return
    lines = process.stderr.splitlines()
    assert len(lines) == 5
    levels = ["INFO", "WARNING", "WARNING", "ERROR", "CRITICAL"]
    if form == "line":
        assert [line.split()[1].rstrip(":") for line in lines] == levels
        assert lines[0].endswith(r"INFO: a title\nof two lines \x1b[2J\u2028and \r" + "\tmore")
        assert r"with *** in it\nTraceback (most recent call last):\n" in lines[3]
        return
    found = events(process.stderr)
    assert [event["level"] for event in found] == levels
    assert found[0]["message"] == "a title\nof two lines \x1b[2J\u2028and \r\tmore"
    assert "UserWarning: somebody's warning" in found[1]["message"]
    assert found[3]["exception"].endswith("ValueError: the password is ***")
    assert (found[4]["message"], "Traceback" in found[4]["exception"]) == ("RuntimeError: the end", True)


def test_an_account_is_forgotten_in_json_too(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "cron-2026-11.log"
    others = [
        '{"message": "ann: 2 plays"}',
        '{"message": "bobby, and a-bob"}',
        "2026-11-22T14:00:00Z all, slot x begins",
    ]
    his = ['{"message": "m", "account": "bob"}', '{"message": "2 failed:\\nbob: 403"}', '{"message": "bob: 2 plays"}']
    path.write_text("".join(f"{line}\n" for line in (*others, *his)))
    assert forget_files(data, tmp_path, "bob") == ["3 lines of the logs"]
    assert path.read_text().splitlines() == others

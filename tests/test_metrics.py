"""Metrics for Prometheus: what status and the tables say, in its exposition format."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.alerts.incidents import Incident, recover, report
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.answers import utc_now
from pipeline.extract.pause import Pause, write_pause
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import AWAKE_HOURS, evening, page

FIRST, SECOND = "2026-11-22T1400", "2026-11-22T1430"
PIPELINE = (str(BIN / "python"), "-m", "pipeline")
Samples = dict[tuple[str, str], float]


def parse(text: str) -> Samples:
    """(name without the prefix, account) → value. Every metric is a gauge, explained, and of one name."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith("."), family.name
        assert family.type == "gauge", family.name
        for sample in family.samples:
            assert sample.name.startswith("listening_history_")
            key = (sample.name.removeprefix("listening_history_"), sample.labels.get("account", ""))
            assert key not in found
            found[key] = sample.value
    return found


def due_after(moment: str) -> float:
    """The first half hour after it that begins in the polling hours."""
    slot = seconds(moment) // 1800 * 1800 + 1800
    while datetime.datetime.fromtimestamp(slot, datetime.UTC).hour not in AWAKE_HOURS:
        slot += 1800
    return slot


def seconds(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


def test_metrics_are_what_status_and_the_tables_say(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    today = f"{utc_now():%Y-%m-%d}"
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    # None of these were known before: a gap.
    spotify.page = page(
        *evening(50, date="2026-11-22", first=50, start="09:00"), *evening(1, date=today, start="00:00")
    )
    pipeline.environment |= {"LOG_DIR": str(tmp_path / "logs"), "PIPELINE_BIN": str(BIN)}
    succeeded(pipeline.run("cron/run.sh", SECOND))
    known = json.loads(pipeline.run(*PIPELINE, "status", "--json").stdout)
    me, database_facts, run = known["accounts"]["me"], known["database"], known["last_run"]
    found = parse(succeeded(pipeline.run(*PIPELINE, "metrics")).stdout)

    plays = database.value("select count(*) from marts.fct_plays")
    assert plays == 54
    (ended_at,) = [line.split('"')[3] for line in Path(run["log"]).read_text().splitlines() if "ended with" in line]
    changing = {("poll_lag_seconds", "me"), ("data_bytes", ""), ("disk_free_bytes", "")}
    assert {key: value for key, value in found.items() if key not in changing} == {
        ("build_info", ""): 1,
        ("last_poll_timestamp_seconds", "me"): seconds(me["last_poll_at"]),
        ("poll_due_timestamp_seconds", "me"): due_after(me["last_poll_at"]),
        ("last_attempt_timestamp_seconds", "me"): seconds(me["last_attempt_at"]),
        ("last_play_timestamp_seconds", "me"): seconds(me["last_play_at"]),
        ("consent_ends_timestamp_seconds", "me"): seconds(me["consent_ends_at"]),
        ("page_made_timestamp_seconds", "me"): seconds(me["page_made_at"]),
        ("consent_days_left", "me"): 179,
        ("consent_given", "me"): 1,
        ("plays", "me"): plays,
        ("plays_today", "me"): 1,
        ("open_gaps", "me"): database.value("select count(*) from marts.fct_gaps where is_open"),
        ("api_calls_today", "me"): me["calls_today"],
        ("api_calls_limit", "me"): 500,
        ("paused", "me"): 0,
        ("pending_answers", "me"): 0,
        ("rejected_answers", "me"): 0,
        ("database_up", ""): 1,
        ("last_dbt_run_timestamp_seconds", ""): seconds(database_facts["last_run_at"]),
        ("last_dbt_test_timestamp_seconds", ""): database.value(
            "select extract(epoch from max(finished_at))::float from pipeline.dbt_runs where step = 'test'"
        ),
        ("loads_not_built", ""): 0,
        ("loads_not_tested", ""): 0,
        ("last_slot_timestamp_seconds", ""): seconds(ended_at),
        ("last_slot_exit_code", ""): 0,
        ("last_success_timestamp_seconds", ""): seconds(ended_at),
        ("open_incidents", ""): found["open_incidents", ""],
        ("warnings", ""): len(known["problems"]),
        ("criticals", ""): 0,
    }
    assert found["open_gaps", "me"] == 1
    assert me["calls_today"] > 0
    assert 0 < found["poll_lag_seconds", "me"] < 3600
    assert found["data_bytes", ""] > 50_000

    # docs/operation.md names every metric, and none that is not.
    page_of_docs = (Path(__file__).parent.parent / "docs/operation.md").read_text()
    names = re.findall(r"^# HELP (\w+) ", pipeline.run(*PIPELINE, "metrics").stdout, re.MULTILINE)
    assert set(re.findall(r"listening_history_\w+", page_of_docs)) == set(names)

    # status itself: what is new on its screen.
    screen = pipeline.run(*PIPELINE, "status").stdout
    assert "plays         54, 1 of them today" in screen
    assert f"last slot     {SECOND}, exit code 0, " in screen
    assert f"{me['calls_today']} of 500, {500 - me['calls_today']} left" in screen

    # A file for node_exporter, which is another user, whatever the umask.
    path = tmp_path / "collector" / "listening.prom"
    before = os.umask(0o077)
    try:
        written = pipeline.run(*PIPELINE, "metrics", "--output", str(path))
    finally:
        os.umask(before)
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["listening.prom"]
    assert set(parse(path.read_text())) == set(found)

    # Without a database there are no numbers of it, rather than wrong ones.
    dark = parse(pipeline.run(*PIPELINE, "metrics", DATABASE_URL="postgresql://127.0.0.1:1/x").stdout)
    assert dark["database_up", ""] == 0
    assert set(found) - set(dark) == {
        *((name, "me") for name in ("plays", "plays_today", "open_gaps", "api_calls_today")),
        *((name, "") for name in ("last_dbt_run_timestamp_seconds", "last_dbt_test_timestamp_seconds")),
        *((name, "") for name in ("loads_not_built", "loads_not_tested")),
    }
    (dark_last, found_last) = (each["last_poll_timestamp_seconds", "me"] for each in (dark, found))
    assert dark_last == found_last

    # Some problems of the machine, in the status.
    log = Path(run["log"])
    log.write_text(log.read_text().replace("exit code 0", "exit code 137"))
    pending = pipeline.data / "raw/recently_played/account=me/pending/20261122T143001.482913Z.json.gz"
    pending.write_bytes(b"")
    poor = pipeline.run(*PIPELINE, "status", LUIGI_SCHEDULER_URL="http://127.0.0.1:1/").stdout
    assert f"slot {SECOND} ended with exit code 137: see" in poor
    assert "1 answers of Spotify's wait to be merged" in " ".join(poor.split())
    assert "luigid        does not answer" in poor


def test_metrics_are_served_as_they_are_at_each_scrape(pipeline: Pipeline) -> None:
    taken = pipeline.run(*PIPELINE, "metrics", "--port", "65536")
    assert (taken.returncode, "'65536' is no port" in taken.stderr) == (2, True)
    with subprocess.Popen(
        [*PIPELINE, "metrics", "--port", "0"],
        env={**os.environ, **pipeline.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        with urlopen(url) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert parse(answer.read().decode())["paused", "me"] == 0
        in_use = pipeline.run(*PIPELINE, "metrics", "--port", url.split(":")[2].split("/")[0])
        assert (in_use.returncode, "Address already in use" in in_use.stderr) == (1, True)
        now = utc_now()
        pause = Pause(now.isoformat(), (now + datetime.timedelta(hours=9)).isoformat(), "quota")
        write_pause(pipeline.data, "me", pause)
        with urlopen(url) as answer:
            assert parse(answer.read().decode())["paused", "me"] == 1
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_no_name_can_break_the_format(data: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.status.metrics import exposition

    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("DATABASE_URL", database.url)
    moment = "2026-11-22T14:00:00+00:00"
    for key in ("a", "b"):
        report(data, Incident(key, "", "name", "title", "", "", since=moment, last_seen=moment))
    recover(data, lambda incident: incident.key == "b", utc_now())
    name = 'we"ird\\n\nlistening_history_plays{account="x"} 7'
    found = parse(exposition([name]).decode())
    assert found["consent_given", name] == 0
    assert ("plays", "x") not in found
    assert found["open_incidents", ""] == 1
    (data / "alerts" / "incidents.json").write_text("{")
    assert parse(exposition([name]).decode())["open_incidents", ""] == 1, "that the file is damaged"

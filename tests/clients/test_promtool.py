"""promtool of Prometheus on our metrics and on the documented rules: lint, its own parser, and firing alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.config import PROJECT
from tests.clients.conftest import Written

MOMENT = 1_795_000_000
PREFIX = "listening_history_"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: it is in the Debian package prometheus")
    return found


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules of docs/operation.md, as they stand there."""
    text = (PROJECT / "docs" / "operation.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(groups:\n.*?)```", text, re.DOTALL)
    path = tmp_path / "rules.yml"
    path.write_text(block)
    return path


def run(*command: str, given: str = "") -> str:
    process = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + process.stderr


def test_metrics_pass_the_lint(promtool: str, written: Written) -> None:
    """But for one metric, whose name stays because rules of users contain it; its moment is also there in seconds."""
    command = (promtool, "check", "metrics")
    process = subprocess.run(command, input=written.metrics, capture_output=True, text=True, timeout=60)
    assert process.stderr == f'{PREFIX}consent_days_left use base unit "seconds" instead of "days"\n'
    assert f"{PREFIX}consent_ends_timestamp_seconds{{" in written.metrics


def test_prometheus_reads_the_values(promtool: str, written: Written, tmp_path: Path) -> None:
    """Into blocks of a real Prometheus database and out again; the values equal those of the exposition."""
    samples = [
        re.sub(r"$", f" {MOMENT}", line) if line and not line.startswith("#") else line
        for line in written.metrics.splitlines()
    ]
    (tmp_path / "metrics").write_text("\n".join([*samples, "# EOF\n"]))
    (tmp_path / "tsdb" / "wal").mkdir(parents=True)  # promtool 2.42 does not read a database without it
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "metrics"), str(tmp_path / "tsdb"))
    found = {}
    for line in run(promtool, "tsdb", "dump", str(tmp_path / "tsdb")).splitlines():
        labels, value, moment = re.fullmatch(r"\{(.*)\} (\S+) (\d+)", line).groups()  # type: ignore[union-attr]
        assert int(moment) == MOMENT * 1000
        pairs = {name: json.loads(text) for name, text in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*")', labels)}
        found[pairs.pop("__name__"), tuple(sorted(pairs.items()))] = float(value)
    expected = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(written.metrics)
        for sample in family.samples
    }
    assert found == expected
    me = (("account", "me"),)
    assert found[f"{PREFIX}plays", me] == sum(row["is_counted"] for row in written.rows)
    assert (found[f"{PREFIX}consent_given", me], found[f"{PREFIX}paused", me]) == (1, 0)
    assert found[f"{PREFIX}database_up", ()] == 1


def test_every_metric_of_a_rule_exists(promtool: str, rules: Path, written: Written) -> None:
    assert "SUCCESS: 8 rules found" in run(promtool, "check", "rules", str(rules))
    named = set(re.findall(rf"{PREFIX}\w+", rules.read_text()))
    assert named <= {family.name for family in text_string_to_metric_families(written.metrics)} | {
        f"{PREFIX}build_info"
    }


@pytest.mark.parametrize(
    "alert, series, moment",
    [
        ("ListeningHistoryNotPolled", {'poll_due_timestamp_seconds{account="me"}': "0x600"}, "3h"),
        ("ListeningHistoryMetricsMissing", {}, "2h"),
        ("ListeningHistoryConsentEnds", {'consent_days_left{account="me"}': "7x600"}, "1m"),
        ("ListeningHistoryGap", {'open_gaps{account="me"}': "0x60 1x600"}, "2h"),
        ("ListeningHistoryDatabaseDown", {"database_up": "0x600"}, "2h"),
        ("ListeningHistoryNotProven", {"loads_not_tested": "1x1200"}, "13h"),
        (
            "ListeningHistoryCallBudget",
            {'api_calls_today{account="me"}': "451x60", 'api_calls_limit{account="me"}': "500x60"},
            "1m",
        ),
        ("ListeningHistoryDisk", {"disk_free_bytes": "4e8x60"}, "1m"),
    ],
)
def test_each_rule_fires(
    promtool: str, rules: Path, tmp_path: Path, alert: str, series: dict[str, str], moment: str
) -> None:
    """The alert fires with its series, and no other alert does."""
    quiet = {} if alert == "ListeningHistoryMetricsMissing" else {"build_info": "1x1200"}
    inputs = [{"series": f"{PREFIX}{name}", "values": values} for name, values in (quiet | series).items()]
    names = re.findall(r"alert: (\w+)", rules.read_text())
    assert len(names) == 8
    account = {"account": "me"} if any("account" in name for name in series) else {}
    annotations = (
        {"summary": "A poll of me is due for two hours: see cron, and python -m pipeline status"}
        if alert == "ListeningHistoryNotPolled"
        else {}
    )
    expected = {"exp_labels": account, "exp_annotations": annotations}
    checks = [
        {"eval_time": moment, "alertname": name, "exp_alerts": [expected] if name == alert else []} for name in names
    ]
    body = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "alert_rule_test": checks}],
    }
    (tmp_path / "test.yml").write_text(json.dumps(body))
    assert "SUCCESS" in run(promtool, "test", "rules", str(tmp_path / "test.yml"))

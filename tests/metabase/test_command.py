"""The command, as a person has it: PublishDashboard with dbt's descriptions; and no secret anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import BIN, SETTINGS, Database, Pipeline, succeeded
from tests.metabase import SampleMetabase

TASK = ("--module", "pipeline", "PublishDashboard")


@pytest.fixture
def command(settings: dict[str, str], data: Path, parsed: Path) -> Pipeline:
    if parsed.exists():
        (data / "dbt").mkdir()
        (data / "dbt" / parsed.name).write_bytes(parsed.read_bytes())
    return Pipeline(data, {**dict.fromkeys(SETTINGS, ""), **settings})


def test_published_by_the_command_with_descriptions(
    command: Pipeline, metabase: SampleMetabase, reports: Database
) -> None:
    process = succeeded(command.run(str(BIN / "luigi"), *TASK))
    (dashboard,) = metabase.content.dashboards
    assert f"on {metabase.origin}/dashboard/{dashboard}; not sent to Slack" in process.stderr
    tables = {table["name"]: table for table in metabase.warehouses.tables.values()}
    fields = {names[2:]: field for names, field in metabase.warehouses.fields.items()}
    undescribed = [name for name, table in tables.items() if not table["description"]]
    assert undescribed == []
    assert [name for name, field in fields.items() if not field["description"]] == []
    assert "local date" in fields["rpt_days", "played_date"]["description"].lower()
    assert metabase.dropped == []
    wrote = len(metabase.writes)
    again = succeeded(command.run(str(BIN / "luigi"), *TASK))
    assert metabase.writes[wrote:] == []
    secrets = {*metabase.secrets, (command.data / "metabase" / "database_password").read_text().strip()}
    for secret in secrets:
        assert secret not in process.stdout + process.stderr + again.stdout + again.stderr
        assert secret not in "".join(metabase.calls)
    kept = [path for path in command.data.rglob("*") if path.is_file() and path.parent.name != "metabase"]
    assert not [path for path in kept if any(secret.encode() in path.read_bytes() for secret in secrets)]


def test_a_failure_is_one_that_luigi_tells(command: Pipeline, metabase: SampleMetabase) -> None:
    process = command.run(str(BIN / "luigi"), *TASK, METABASE_API_KEY="mb_wrong_and_secret")
    assert process.returncode == 30
    assert "NotAllowed: Metabase does not know the key or password" in process.stderr
    assert "wrong_and_secret" not in process.stderr

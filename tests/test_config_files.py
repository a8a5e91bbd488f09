"""Secrets in files: NAME_FILE in place of NAME, as Docker and others hand them over."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config
from tests.conftest import Database, Pipeline

SECRETS = (
    "SPOTIFY_CLIENT_SECRET",
    "SPOTIFY_REFRESH_TOKEN",
    "SPOTIFY_REFRESH_TOKEN_ANN",
    "SLACK_WEBHOOK_URL",
    "SLACK_BOT_TOKEN",
    "METABASE_API_KEY",
    "METABASE_ADMIN_PASSWORD",
    "METABASE_DATABASE_PASSWORD",
    "PGPASSWORD",
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file for every secret, ended by a line break as an editor does it, and nothing in the variables themselves."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SPOTIFY_ACCOUNTS", "me,ann")
    for name in SECRETS:
        (tmp_path / name).write_text(f"of {name}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    url = tmp_path / "DATABASE_URL"
    url.write_text("postgresql://listening:of%20DATABASE@localhost/listening\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(url))
    return tmp_path


def test_every_secret_can_be_in_a_file_and_is_scrubbed_all_the_same(files: Path) -> None:
    spotify, slack, metabase = config.spotify(), config.slack(), config.metabase()
    assert [
        spotify.application("me").client_secret,
        spotify.refresh_token("me"),
        spotify.refresh_token("ann"),
        slack.webhook_url,
        slack.bot_token,
        metabase.api_key,
        metabase.admin_password,
        metabase.database_password,
        config.postgres().password,
    ] == [f"of {name}" for name in SECRETS]
    assert config.postgres().url == "postgresql://listening:of%20DATABASE@localhost/listening"
    assert {f"of {name}" for name in SECRETS} | {config.postgres().url, "of DATABASE"} <= set(config.secrets())


def test_a_file_that_cannot_be_used_is_told_by_its_setting(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, slack = files / "SLACK_BOT_TOKEN", config.slack()
    refused = {"which is empty: write the value": b"\n", "which is no text in UTF-8": b"\xff\xfe"}
    for words, content in refused.items():
        secret.write_bytes(content)
        with pytest.raises(config.SettingError, match=f"SLACK_BOT_TOKEN_FILE names {secret}, {words}"):
            _ = slack.bot_token
    secret.unlink()
    with pytest.raises(config.SettingError, match="SLACK_BOT_TOKEN_FILE names /"):
        _ = slack.bot_token
    secret.mkdir()
    with pytest.raises(config.SettingError, match="which cannot be read: Is a directory"):
        _ = slack.bot_token
    # The others are scrubbed still, and work.
    assert "of SLACK_WEBHOOK_URL" in config.secrets()
    assert slack.webhook_url == "of SLACK_WEBHOOK_URL"

    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.example/one")
    with pytest.raises(config.SettingError, match="SLACK_WEBHOOK_URL and SLACK_WEBHOOK_URL_FILE are both set"):
        _ = slack.webhook_url
    assert "https://hooks.example/one" in config.secrets()


def test_a_secret_in_the_place_of_a_path_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    # An account by the name of file has the variable SPOTIFY_REFRESH_TOKEN_FILE: a misunderstanding that is told.
    monkeypatch.setenv("SPOTIFY_REFRESH_TOKEN_FILE", "AQ-the-token-itself")
    with pytest.raises(config.SettingError, match="SPOTIFY_REFRESH_TOKEN_FILE is to be the absolute path") as caught:
        config.spotify().refresh_token("me")
    assert "AQ-the-token-itself" not in str(caught.value)
    assert "AQ-the-token-itself" in config.secrets()


def test_a_slot_lives_on_files_alone_and_a_missing_one_of_slack_costs_no_play(
    pipeline: Pipeline, database: Database, tmp_path: Path
) -> None:
    variables: dict[str, str] = {}
    for name in ("SPOTIFY_CLIENT_SECRET", "SPOTIFY_REFRESH_TOKEN", "DATABASE_URL"):
        (tmp_path / name).write_text(pipeline.environment[name] + "\n")
        variables |= {name: "", f"{name}_FILE": str(tmp_path / name)}
    process = pipeline.slot(
        "2026-11-22T1400", task="CopyToStaging", **variables, SLACK_WEBHOOK_URL_FILE="/run/secrets/nothing-there"
    )
    assert process.returncode == 0, process.stderr
    assert database.value("select count(*) from staging.polls") == 1

    (tmp_path / "SPOTIFY_CLIENT_SECRET").unlink()
    (pipeline.data / "tokens/account=me.json").unlink()
    refused = pipeline.slot("2026-11-22T1430", task="ExtractRecent", **variables)
    assert refused.returncode == 30
    assert "SPOTIFY_CLIENT_SECRET_FILE names" in refused.stderr

"""Real parts for the tests: a PostgreSQL, a database per test, a sample Spotify, and the `luigi` command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from pipeline.load.embedded import embedded_dsn

BIN = Path(sys.executable).parent
SETTINGS = {
    name
    for section in (config.storage, config.spotify, config.musicbrainz, config.postgres, config.listener, config.slack)
    for name in section.env.values()
}
SETTINGS |= {
    "SPOTIFY_CLIENT_SECRET",
    "SPOTIFY_REFRESH_TOKEN",
    "SLACK_WEBHOOK_URL",
    "SLACK_BOT_TOKEN",
    "PGPASSWORD",
    "LUIGI_SCHEDULER_URL",
}


@pytest.fixture(autouse=True)
def no_settings_of_yours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not read the settings of whoever runs them; an empty value also outdoes .env."""
    for name in SETTINGS:
        monkeypatch.setenv(name, "")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Socket folder of a PostgreSQL that lives as long as the tests."""
    return str(parse_dsn(embedded_dsn(tmp_path_factory.mktemp("server") / "postgres"))["host"])


@pytest.fixture
def database(server: str) -> Iterator[Database]:
    """An empty database for each test; always of one name, so that dbt can go on with what it has parsed."""
    url = f"postgresql://postgres@/{{}}?host={server}"
    administrator = psycopg2.connect(url.format("postgres"))
    administrator.autocommit = True
    with administrator.cursor() as cursor:
        cursor.execute("drop database if exists test with (force)")
        cursor.execute("create database test")
    administrator.close()
    yield Database(url.format("test"))


@dataclass(frozen=True)
class Database:
    url: str

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query returns; commits."""
        connection = psycopg2.connect(self.url, options="-c TimeZone=UTC")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, values or None)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def spotify() -> Iterator[SampleSpotify]:
    with SampleSpotify() as server:
        yield server


@dataclass
class Pipeline:
    """The pipeline as a user has it: commands of the shell, settings in the environment."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def luigi(self, task: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(BIN / "luigi"), "--module", "pipeline", task, *arguments, **environment)

    def slot(self, slot: str, *arguments: str, task: str = "RunPipeline", **environment: str) -> Any:
        return self.luigi(task, "--run-at", slot, *arguments, **environment)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=config.PROJECT,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def files(self, pattern: str) -> dict[str, bytes]:
        """Path relative to the data folder → content."""
        paths = sorted(path for path in self.data.glob(pattern) if path.is_file())
        return {str(path.relative_to(self.data)): path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt's parsed project is handed from test to test: parsing takes seconds."""
    return tmp_path_factory.mktemp("parsed") / "partial_parse.msgpack"


@pytest.fixture
def pipeline(data: Path, spotify: SampleSpotify, database: Database, parsed: Path) -> Iterator[Pipeline]:
    own = data / "dbt" / parsed.name
    if parsed.exists():
        own.parent.mkdir()
        shutil.copy(parsed, own)
    settings = {
        "DATA_DIR": str(data),
        "DATABASE_URL": database.url,
        "MUSICBRAINZ_ARTISTS_PER_SLOT": "0",  # nobody is asked but where a test has a server for it
    }
    yield Pipeline(data, {**spotify.environment(), **settings})
    if own.exists():
        shutil.copy(own, parsed)


def succeeded(process: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert process.returncode == 0, process.stderr
    return process


Run = Callable[..., subprocess.CompletedProcess[str]]

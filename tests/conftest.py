"""Real parts for the tests: a PostgreSQL, a database per test, a sample Spotify, and the `luigi` command."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from pipeline import config
from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.spotify import SampleSpotify
from pipeline.load.embedded import embedded_dsn
from tests.slack import SampleSlack

BIN = Path(sys.executable).parent
CLIENT_SECRET = "sample-secret"  # that of SampleSpotify
SETTINGS = {
    name
    for section in (
        config.storage,
        config.log,
        config.spotify,
        config.musicbrainz,
        config.postgres,
        config.listener,
        config.slack,
        config.slots,
        config.metabase,
    )
    for name in section.env.values()
}
SETTINGS |= {
    "SPOTIFY_CLIENT_SECRET",
    "SPOTIFY_REFRESH_TOKEN",
    "SLACK_WEBHOOK_URL",
    "SLACK_BOT_TOKEN",
    "NOTIFY_URLS",
    "METABASE_API_KEY",
    "METABASE_ADMIN_PASSWORD",
    "METABASE_DATABASE_PASSWORD",
    "PGPASSWORD",
    "LUIGI_SCHEDULER_URL",
    "PLAIN_HTTP_HOSTS",
}
SETTINGS |= {name + config.FILE for name in SETTINGS}


@pytest.fixture(autouse=True)
def no_settings_of_yours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not read the settings of whoever runs them; an empty value also outdoes .env."""
    for name in SETTINGS:
        monkeypatch.setenv(name, "")


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_the_process_list() -> Iterator[None]:
    """Looks at the arguments of every process, several times a second, as long as the tests run."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.2):
            # Not by glob: pathlib raises ProcessLookupError for a process that ends meanwhile.
            for process in Path("/proc").iterdir():
                if not process.name.isdecimal():
                    continue
                with contextlib.suppress(OSError):
                    words = (process / "cmdline").read_bytes().decode(errors="replace")
                    seen.update(secret for secret in tuple(SampleAccounts.issued) if secret in words)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield
    ended.set()
    watcher.join()
    assert not seen, "a secret of the sample Spotify was in the arguments of a process"


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
def data(tmp_path: Path) -> Iterator[Path]:
    """An empty data folder; in the end no file of it but the token stores holds a secret."""
    folder = tmp_path / "data"
    folder.mkdir()
    before = set(SampleAccounts.issued)
    yield folder
    secrets = {secret.encode() for secret in (SampleAccounts.issued - before) | {CLIENT_SECRET}}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] not in ("tokens", "postgres"):
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), f"{path} holds a secret"


@pytest.fixture
def spotify() -> Iterator[SampleSpotify]:
    with SampleSpotify() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[SampleSlack]:
    with SampleSlack() as server:
        yield server


@dataclass
class Pipeline:
    """The pipeline as a user has it: commands of the shell, settings in the environment."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    project: Path = config.PROJECT

    def luigi(self, task: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(BIN / "luigi"), "--module", "pipeline", task, *arguments, **environment)

    def slot(self, slot: str, *arguments: str, task: str = "RunPipeline", **environment: str) -> Any:
        return self.luigi(task, "--run-at", slot, *arguments, **environment)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.run(
            command,
            cwd=self.project,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        said = process.stdout + process.stderr
        leaked = [secret for secret in (*SampleAccounts.issued, CLIENT_SECRET) if secret in said]
        assert not leaked, f"{command} has said a secret"
        return process

    def files(self, pattern: str) -> dict[str, bytes]:
        """Path relative to the data folder → content."""
        paths = sorted(path for path in self.data.glob(pattern) if path.is_file())
        return {str(path.relative_to(self.data)): path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt's parsed project, and the charts' library beside it, go from test to test: each takes seconds."""
    return tmp_path_factory.mktemp("parsed") / "partial_parse.msgpack"


@pytest.fixture
def pipeline(data: Path, spotify: SampleSpotify, database: Database, parsed: Path) -> Iterator[Pipeline]:
    own = data / "dbt" / parsed.name
    if parsed.exists():
        own.parent.mkdir()
        shutil.copy(parsed, own)
    for library in parsed.parent.glob("*.js"):
        (data / "dashboard").mkdir()
        shutil.copy(library, data / "dashboard")
    settings = {
        "DATA_DIR": str(data),
        "DATABASE_URL": database.url,
        "MUSICBRAINZ_ARTISTS_PER_SLOT": "0",  # nobody is asked but where a test has a server for it
    }
    yield Pipeline(data, {**spotify.environment(), **settings})
    if own.exists():
        shutil.copy(own, parsed)
    for library in data.glob("dashboard/*.js"):
        shutil.copy(library, parsed.parent)


def succeeded(process: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert process.returncode == 0, process.stderr
    return process


Run = Callable[..., subprocess.CompletedProcess[str]]

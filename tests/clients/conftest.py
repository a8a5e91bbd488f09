"""What the clients read: a sample Spotify with generated plays, and files that the pipeline wrote. A guard makes every
connection to another machine fail."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from filelock import FileLock

from pipeline.demo.listener import listen, make_catalogue
from pipeline.demo.loopback import LoopbackServer
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, SETTINGS, Database, Pipeline, succeeded
from tests.test_export_history import history, rows_of_the_marts

SEED = 15
NOW = datetime.datetime(2026, 11, 22, 14, 30, tzinfo=datetime.UTC)
CALLBACK = "http://127.0.0.1:8888/callback"
SCOPE = "user-library-read user-read-recently-played"
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to another machine fails the test, and so does the resolution of a name."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a client connects to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="module")
def spotify() -> Iterator[SampleSpotify]:
    """120 or more plays, 45 saved tracks. The tracks have the fields that only older applications receive, too:
    clients of before 2026 require them."""
    catalogue = [{**track, "popularity": 40, "available_markets": ["DE"]} for track in make_catalogue(SEED)]
    plays = list(listen(SEED, NOW - datetime.timedelta(days=6), NOW, catalogue))
    assert len(plays) > 120
    with SampleSpotify(plays, now=NOW) as server:
        server.me.saved = [
            {"added_at": f"2026-10-{30 - n // 2:02}T{23 - n % 2:02}:00:00Z", "track": track}
            for n, track in enumerate(catalogue[:45])
        ]
        server.genres[catalogue[0]["artists"][0]["id"]] = ["dream pop", "shoegaze"]
        yield server


def window(spotify: SampleSpotify) -> list[Json]:
    """The items that Spotify may return: the last 50 plays that it shows by now, newest first."""
    shown = [play.item for play in spotify.me.plays if play.visible_at <= NOW]
    return sorted(shown, key=lambda item: str(item["played_at"]), reverse=True)[:50]


def milliseconds(item: Json) -> int:
    return round(datetime.datetime.fromisoformat(item["played_at"]).timestamp() * 1000)


def malformed(server: LoopbackServer) -> list[str]:
    """The malformed requests since the last call, without which the server ends in an error."""
    found = list(server.malformed)
    server.malformed.clear()
    return found


@dataclass(frozen=True)
class Written:
    """Files that the pipeline wrote, and the rows of the database then: `rows` of the marts, `songs` of staging."""

    data: Path
    metrics: str
    rows: list[Json]
    songs: list[Json]

    def export(self, form: str) -> Path:
        """The export in one of the formats parquet, csv, listenbrainz."""
        return self.data / f"export.{form}"


@pytest.fixture(scope="session")
def written(server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The real pipeline over polls and an export with all that can go wrong in them. The first worker of a test run
    writes the files, because that takes half a minute; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "written"  # master: the only process of the run
    data, facts = folder / "data", folder / "facts.json"
    with FileLock(f"{folder}.lock"):
        if not facts.exists():
            data.mkdir(parents=True)
            facts.write_text(json.dumps(write(data, server)))
    return Written(data, **json.loads(facts.read_text()))


def write(data: Path, server: str) -> Json:
    url = f"postgresql://postgres@/{{}}?host={server}"
    administrator = psycopg2.connect(url.format("postgres"))
    administrator.autocommit = True
    with administrator.cursor() as cursor:
        cursor.execute("drop database if exists test with (force)")
        cursor.execute("create database test")
    administrator.close()
    database = Database(url.format("test"))
    settings = {"DATA_DIR": str(data), "DATABASE_URL": database.url, "MUSICBRAINZ_ARTISTS_PER_SLOT": "0"}
    with SampleSpotify() as spotify:
        pipeline = Pipeline(data, {**dict.fromkeys(SETTINGS, ""), **spotify.environment(), **settings})
        history(pipeline, spotify, data.parent)
    command = (str(BIN / "python"), "-m", "pipeline")
    for form in ("parquet", "csv", "listenbrainz"):
        output = str(data / f"export.{form}")
        succeeded(pipeline.run(*command, "export", "--format", form, "--output", output, "--account", "me"))
    songs = database.rows("select to_jsonb(s) from staging.spotify_songs as s order by played_at_utc")
    return {
        "metrics": succeeded(pipeline.run(*command, "metrics")).stdout,
        "rows": rows_of_the_marts(database),
        "songs": [row for (row,) in songs],
    }

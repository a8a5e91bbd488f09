"""A built warehouse, a sample Metabase that reads it, and the settings that lead from one to the other."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from pipeline.visualize.cards import read_tabs
from pipeline.visualize.publish import publish
from tests.conftest import SETTINGS, Database, Pipeline, succeeded
from tests.metabase import SampleMetabase
from tests.metabase.bodies import Json
from tests.samples import evening, item, page

SLOT = "2026-11-22T1430"
ROLE = "metabase_reader"
# Of people's own making.
HOSTILE = (
    "<script>alert(1)</script>",
    "\u202e\u05e9\u05dc\u05d5\u05dd \U0001f3b8 {{account}} [[and 1=1]]",
    "'; drop table marts.fct_plays; -- %s %(account)s",
)


@pytest.fixture(scope="session")
def warehouse(server: str, tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> str:
    """Name of a database in which the real pipeline has built everything, once; the tests work on copies."""
    folder = tmp_path_factory.mktemp("warehouse")
    # Under the name of its copies: dbt writes the database's name into the bodies of functions.
    url = f"postgresql://postgres@/test?host={server}"
    with administrator(server) as cursor:
        cursor.execute("drop database if exists test with (force)")
        cursor.execute("create database test")
        # Whoever comes on the socket is let in, but for the role whose password is to be tried.
        cursor.execute("show hba_file")
        rules = Path(cursor.fetchone()[0])
        rules.write_text(f"local all {ROLE} scram-sha-256\n{rules.read_text()}")
        cursor.execute("select pg_reload_conf()")
    with SampleSpotify() as spotify:
        songs = [item(f"2026-11-21T12:{n:02}:00.000Z", name=name, minutes=1) for n, name in enumerate(HOSTILE)]
        spotify.page = page(*songs, *evening(20))
        settings = {"DATA_DIR": str(folder), "DATABASE_URL": url, "MUSICBRAINZ_ARTISTS_PER_SLOT": "0"}
        pipeline = Pipeline(folder, {**dict.fromkeys(SETTINGS, ""), **spotify.environment(), **settings})
        succeeded(pipeline.slot(SLOT))
    with administrator(server) as cursor:
        cursor.execute("alter database test rename to built")
    return "built"


@contextlib.contextmanager
def administrator(server: str) -> Iterator[Any]:
    connection = psycopg2.connect(f"postgresql://postgres@/postgres?host={server}")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.fixture
def reports(server: str, warehouse: str) -> Database:
    """A copy of the built database, and no role of Metabase yet."""
    with administrator(server) as cursor:
        cursor.execute("drop database if exists test with (force)")
        cursor.execute(f"create database test template {warehouse}")
        cursor.execute(f"drop role if exists {ROLE}")
    return Database(f"postgresql://postgres@/test?host={server}")


@pytest.fixture
def metabase() -> Iterator[SampleMetabase]:
    with SampleMetabase() as sample:
        yield sample


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch, server: str, data: Path, reports: Database, metabase: SampleMetabase
) -> dict[str, str]:
    """As somebody has set them who has a Metabase and a key for it."""
    metabase.add_administrator()
    given = {
        "DATA_DIR": str(data),
        "DATABASE_URL": reports.url,
        "METABASE_URL": metabase.origin,
        "METABASE_API_KEY": metabase.add_key(),
        "METABASE_DATABASE_HOST": server,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@dataclass(frozen=True)
class Published:
    """What PublishDashboard has left behind, in Metabase's own words."""

    metabase: SampleMetabase
    reports: Database

    @property
    def dashboard(self) -> Json:
        (found,) = self.metabase.content.dashboards.values()
        return found

    def card(self, title: str) -> Json:
        return next(each for each in self.metabase.content.cards.values() if each["name"] == title)

    def everything(self) -> Json:
        content, warehouses = self.metabase.content, self.metabase.warehouses
        rows = (content.collections, content.cards, content.dashboards, content.pulses, warehouses.databases)
        return copy.deepcopy({"rows": rows, "fields": warehouses.fields, "tables": warehouses.tables})


@pytest.fixture
def published(settings: dict[str, str], metabase: SampleMetabase, reports: Database) -> Published:
    publish(read_tabs())
    return Published(metabase, reports)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks, nobody waits."""
    monkeypatch.setattr("pipeline.visualize.metabase.client.POLL_SECONDS", 0.01)
    monkeypatch.setattr("pipeline.visualize.metabase.database.POLL_SECONDS", 0.01)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `patience = 0` in luigi.cfg."""
    monkeypatch.setitem(config.metabase.env, "patience", "METABASE_PATIENCE")
    monkeypatch.setenv("METABASE_PATIENCE", "0")

"""The database as Metabase has it: where it is, whose it is, and when its tables have been read."""

from __future__ import annotations

import logging
import re

import pytest

from pipeline import config
from pipeline.visualize.cards import read_tabs
from pipeline.visualize.metabase import database
from pipeline.visualize.metabase.errors import DatabaseRefused, NameTaken, NotSynced
from pipeline.visualize.publish import publish
from tests.conftest import Database
from tests.metabase import SampleMetabase
from tests.metabase.conftest import ROLE, Published, impatient

TABS = read_tabs()


def test_a_database_that_metabase_cannot_reach_is_told(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METABASE_DATABASE_HOST", "127.0.0.1")
    monkeypatch.setenv("METABASE_DATABASE_PORT", "9")
    with pytest.raises(DatabaseRefused, match=r"Connection refused(?s:.*)port 9.*set METABASE_DATABASE_HOST"):
        publish(TABS)
    assert metabase.warehouses.databases == {}


def test_the_embedded_database_is_out_of_reach(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("METABASE_DATABASE_HOST", "")
    with pytest.raises(
        config.SettingError, match="no Metabase server can reach it. Set DATABASE_URL".replace(".", r"\.")
    ):
        publish(TABS)


def test_a_socket_is_no_host(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_DATABASE_HOST", "")
    with pytest.raises(config.SettingError, match="set METABASE_DATABASE_HOST"):
        publish(TABS)


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "ssl"),
    [
        ("postgresql://me:x-of-a-test@db.example.org/music", "db.example.org", 5432, "music", False),
        ("postgresql://me:x-of-a-test@one:6543,two:6544/music?sslmode=verify-full", "one", 6543, "music", True),
        ("host=db user=me dbname=music sslmode=prefer", "db", 5432, "music", False),
    ],
)
def test_where_the_database_is_comes_from_its_url(
    monkeypatch: pytest.MonkeyPatch, url: str, host: str, port: int, name: str, ssl: bool
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    found = database.details("secret")
    assert (found["host"], found["port"], found["dbname"], found["ssl"]) == (host, port, name, ssl)
    assert (found["user"], found["password"]) == (ROLE, "secret")
    monkeypatch.setenv("METABASE_DATABASE_HOST", "postgres")
    monkeypatch.setenv("METABASE_DATABASE_PORT", "5433")
    monkeypatch.setenv("METABASE_DATABASE_NAME", "other")
    found = database.details("secret")
    assert (found["host"], found["port"], found["dbname"]) == ("postgres", 5433, "other")


def test_a_database_of_our_name_that_is_not_ours(settings: dict[str, str], metabase: SampleMetabase) -> None:
    theirs = {"id": 900, "name": database.NAME, "engine": "postgres", "details": {"host": "x", "user": "them"}}
    metabase.warehouses.databases[900] = dict(theirs)
    with pytest.raises(NameTaken, match=r"'Listening history' already.*Rename it in Metabase"):
        publish(TABS)
    assert metabase.warehouses.databases == {900: theirs}


def test_a_database_that_has_moved_and_a_new_password_arrive(
    published: Published, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = published.metabase.warehouses.databases.values()
    found["details"]["host"] = "/nowhere"
    publish(TABS)
    assert found["details"]["host"] == settings["METABASE_DATABASE_HOST"]
    monkeypatch.setenv("METABASE_DATABASE_PASSWORD", "a new one")
    publish(TABS)
    assert found["details"]["password"] == "a new one"
    assert list(published.metabase.warehouses.databases) == [found["id"]]


def test_a_sync_that_takes_its_time_is_waited_for(
    settings: dict[str, str], metabase: SampleMetabase, caplog: pytest.LogCaptureFixture
) -> None:
    metabase.warehouses.slow = 5
    with caplog.at_level(logging.INFO, logger="luigi-interface"):
        publish(TABS)
    assert any(re.search(r"Metabase reads the tables: 0 of \d+ are known", message) for message in caplog.messages)


def test_a_sync_that_never_ends_is_given_up(
    settings: dict[str, str], metabase: SampleMetabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    metabase.warehouses.slow = 10**6
    with pytest.raises(NotSynced, match=r"has not read \d+ of the \d+ tables of schema reporting in 0 seconds"):
        publish(TABS)


def test_a_report_that_came_later_is_waited_for(published: Published, reports: Database) -> None:
    reports.rows("create view reporting.rpt_new as select 1 as n")
    publish(TABS)
    assert "rpt_new" in {name for _, _, name in published.metabase.warehouses.tables}

"""The role of Metabase: every card runs as it, with what the filters say; nothing else can be read, nothing written."""

from __future__ import annotations

import contextlib
import datetime
import json
import stat
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pipeline.visualize.cards import Card, read_tabs
from pipeline.visualize.metabase.bodies import entity_id
from pipeline.visualize.metabase.errors import RoleRefused
from pipeline.visualize.metabase.role import ensure_role
from pipeline.visualize.query import Filters, fill
from tests.conftest import Database
from tests.metabase.bodies import Json
from tests.metabase.conftest import HOSTILE, ROLE, Published, administrator

CARDS = {card.id: card for tab in read_tabs() for card in tab.cards}


def ask(published: Published, card_id: str, **values: Any) -> Json:
    """What a card shows on the dashboard, with these values of its filters."""
    found = published.metabase.content.card(entity_id(CARDS[card_id]))
    place = next(each for each in published.dashboard["dashcards"] if each["card_id"] == found["id"])
    path = f"/api/dashboard/{published.dashboard['id']}/dashcard/{place['id']}/card/{found['id']}/query"
    body = {"parameters": [{"id": name, "type": "string/=", "value": value} for name, value in values.items()]}
    headers = {"x-api-key": published.metabase.add_key(name=card_id)}
    answer = published.metabase.respond("POST", path, headers, json.dumps(body).encode())
    result: Json = json.loads(answer.body)
    assert (answer.status, result["status"]) == (202, "completed"), (card_id, result)
    return result


def expected(reports: Database, card: Card, filters: Filters) -> list[Any]:
    """The same card's rows, asked of PostgreSQL by its owner, in the form of JSON."""
    query, parameters = fill(card.sql, filters)
    connection = psycopg2.connect(reports.url, options="-c TimeZone=UTC")
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[Any] = json.loads(json.dumps(cursor.fetchall(), default=str))
    return rows


def test_every_card_shows_what_its_query_says(published: Published, reports: Database) -> None:
    today: datetime.date = reports.value("select current_date")
    month = (today - datetime.timedelta(days=30), today)
    for card in CARDS.values():
        result = ask(published, card.id)
        assert result["data"]["rows"] == expected(reports, card, Filters("me", dates=month)), card.id


def test_the_filters_reach_the_queries(published: Published, reports: Database) -> None:
    day = datetime.date(2026, 11, 21)
    assert ask(published, "top-songs", dates="2026-11-21~2026-11-21")["row_count"] >= 20
    assert ask(published, "top-songs", dates="2020-01-01~2020-12-31")["row_count"] == 0
    assert ask(published, "top-songs", account=["nobody"])["row_count"] == 0
    for name, value, filters in (
        ("top-songs", {"dates": "2026-11-21"}, Filters("me", dates=(day, day))),
        ("songs-of-an-artist", {"artist": ["Velvet Harbour"]}, Filters("me", artist="Velvet Harbour")),
        ("wrapped-minutes", {"period": ["2026-11"]}, Filters("me", period="2026-11")),
    ):
        rows = ask(published, name, **value)["data"]["rows"]
        assert rows
        assert rows == expected(reports, CARDS[name], filters)


def test_names_of_any_kind_come_through(published: Published) -> None:
    shown = json.dumps(ask(published, "recently-played")["data"]["rows"], ensure_ascii=False)
    for name in HOSTILE:
        assert json.dumps(name, ensure_ascii=False)[1:-1] in shown


def as_role(reports: Database, password: str, *statements: str) -> Any:
    """What the last of the statements returns."""
    server = reports.url.partition("host=")[2]
    connection = psycopg2.connect(host=server, dbname="test", user=ROLE, password=password)
    with contextlib.closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def test_the_role_reads_reports_alone(settings: dict[str, str], reports: Database) -> None:
    password = ensure_role()
    relations = reports.rows(
        "select nspname || '.' || relname, nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind in ('r', 'v', 'm', 'p') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
    )
    assert {schema for _, schema in relations} >= {"reporting", "marts", "intermediate", "staging", "pipeline", "seeds"}
    for relation, schema in relations:
        if schema == "reporting":
            as_role(reports, password, f"select * from {relation} limit 0")
        else:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                as_role(reports, password, f"select * from {relation} limit 0")


@pytest.mark.parametrize(
    "statement",
    [
        "create table reporting.mine (n int)",
        "create table public.mine (n int)",
        "create temporary table mine (n int)",
        "create schema mine",
        "create function reporting.top_tracks(text) returns text language sql as 'select 1::text'",
        "alter role metabase_reader superuser",
        "copy (select 1) to program 'true'",
        "set role postgres",
    ],
)
def test_the_role_changes_nothing(settings: dict[str, str], reports: Database, statement: str) -> None:
    with pytest.raises((psycopg2.errors.ReadOnlySqlTransaction, psycopg2.errors.InsufficientPrivilege)):
        as_role(reports, ensure_role(), statement)
    if "temporary" not in statement:  # a table of its own session harms nobody
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            as_role(reports, ensure_role(), "set transaction read write", statement)


def test_what_is_built_later_is_readable(settings: dict[str, str], reports: Database) -> None:
    password = ensure_role()
    reports.rows("create view reporting.rpt_new as select plays from marts.fct_listening_days")
    reports.rows("create table reporting.rpt_table as select 1 as n")
    assert as_role(reports, password, "select count(*) from reporting.rpt_new")[0][0] == 1
    assert as_role(reports, password, "select n from reporting.rpt_table") == [(1,)]


def test_a_query_that_hangs_is_ended(settings: dict[str, str], reports: Database) -> None:
    assert as_role(reports, ensure_role(), "show statement_timeout") == [("1min",)]


def test_the_password_is_made_once_and_kept_as_a_secret(
    settings: dict[str, str], reports: Database, data: Path, server: str
) -> None:
    password = ensure_role()
    kept = data / "metabase" / "database_password"
    assert kept.read_text().strip() == password
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert ensure_role() == password
    stored = reports.value("select rolpassword from pg_authid where rolname = %s", ROLE)
    assert stored.startswith("SCRAM-SHA-256$")
    with pytest.raises(psycopg2.OperationalError):
        as_role(reports, "another", "select 1")


def test_postgresql_never_reads_the_password(
    settings: dict[str, str], reports: Database, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METABASE_DATABASE_PASSWORD", "as-typed-by-hand-'1'")
    with administrator(server) as cursor:
        cursor.execute("alter database test set log_statement = 'all'")
        cursor.execute("show data_directory")
        logs = Path(cursor.fetchone()[0])
    assert ensure_role() == "as-typed-by-hand-'1'"
    assert as_role(reports, "as-typed-by-hand-'1'", "select 1") == [(1,)]
    said = "".join(path.read_text(errors="replace") for path in logs.glob("log*") if path.is_file())
    assert "alter role" in said or "create role" in said
    assert "typed-by-hand" not in said


def test_a_user_who_may_not_make_roles_is_told_what_to_ask_for(
    settings: dict[str, str], reports: Database, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.rows("create role small login; grant usage on schema reporting to small")
    try:
        monkeypatch.setenv("DATABASE_URL", reports.url.replace("postgres@", "small@"))
        with pytest.raises(RoleRefused, match="Have an administrator run: create role metabase_reader login"):
            ensure_role()
    finally:
        reports.rows("drop owned by small; drop role small")


def test_a_database_without_reports_is_told_of(settings: dict[str, str], reports: Database) -> None:
    reports.rows("drop schema reporting cascade")
    with pytest.raises(RoleRefused, match=r"no schema reporting yet\. Run a slot first"):
        ensure_role()


def test_a_user_who_may_write_is_not_taken(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METABASE_DATABASE_USER", "postgres")
    with pytest.raises(RoleRefused, match="a user that may write"):
        ensure_role()

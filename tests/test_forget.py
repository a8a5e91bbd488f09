"""After `forget`, no file under DATA_DIR and no statistics of PostgreSQL hold a name of the account."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import luigi.scheduler
import psycopg2
import pytest

from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from pipeline.scheduler.state import format_state, state_path
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.luigid import luigid_of
from tests.samples import evening, item, page

PIPELINE = (str(BIN / "python"), "-m", "pipeline")
SLOTS = ("2026-11-22T1400", "2026-11-22T1430")
ACCOUNT, PERSON = "quillfeather", "quillfeather-at-spotify"
TITLES = [f"Xyzzyplugh Sonata {number}" for number in range(1, 9)]
NAMES = (ACCOUNT, PERSON, "Xyzzyplugh Sonata")


@pytest.fixture
def household(pipeline: Pipeline, spotify: SampleSpotify) -> Pipeline:
    """Ann, and the account that is forgotten; both have played evening(3)."""
    own = [item(f"2026-11-21T20:{10 + 5 * number}:00.000Z", name=title) for number, title in enumerate(TITLES)]
    shared = json.loads(page(*evening(3)))["items"]
    pipeline.environment |= {
        "SPOTIFY_ACCOUNTS": f"ann, {ACCOUNT}",
        "SPOTIFY_REFRESH_TOKEN": "",
        "SPOTIFY_REFRESH_TOKEN_ANN": spotify.add_person(Person("ann's id", page=page(*evening(3)))),
        f"SPOTIFY_REFRESH_TOKEN_{ACCOUNT.upper()}": spotify.add_person(Person(PERSON, page=page(*own, *shared))),
    }
    return pipeline


def holding(data: Path) -> set[str]:
    """The files that hold one of the names, or are called so."""
    return {
        str(path.relative_to(data))
        for path in data.rglob("*")
        if any(name in str(path.relative_to(data)) for name in NAMES)
        or (path.is_file() and any(name.encode() in path.read_bytes() for name in NAMES))
    }


def in_database(pipeline: Pipeline, statement: str) -> str:
    """What the statement returns, by a process of its own: it uses the database of DATA_DIR."""
    program = (
        "import sys; from pipeline.load.postgres import connect\n"
        "connection = connect(); connection.autocommit = True; cursor = connection.cursor()\n"
        "cursor.execute(sys.argv[1]); print(cursor.fetchall() if cursor.description else '')"
    )
    return succeeded(pipeline.run(sys.executable, "-c", program, statement)).stdout.strip()


LATER_FILES = "select count(*) from pg_ls_waldir() where name > pg_walfile_name(pg_current_wal_lsn())"
STATISTICS = "select count(*) from pg_stats where " + " or ".join(f"pg_stats::text like '%{name}%'" for name in NAMES)


def test_no_file_and_no_statistics_hold_a_name_of_a_forgotten_account(household: Pipeline, tmp_path: Path) -> None:
    data = household.data
    household.environment |= {"DATABASE_URL": "", "PIPELINE_BIN": str(BIN), "LOG_DIR": str(data / "logs")}
    with luigid_of(household, tmp_path / "luigid.log") as luigid:
        household.environment["LUIGI_SCHEDULER_URL"] = luigid.url
        for slot in SLOTS:
            succeeded(household.run("cron/run.sh", slot))
        in_database(household, "analyze")
        # WAL files that are kept for later use, with names in them.
        for statement in (
            f"create table public.plays as select '{TITLES[0]}' || n from generate_series(1, 800000) as n",
            "drop table public.plays",
            "checkpoint",
        ):
            in_database(household, statement)
        assert int(in_database(household, LATER_FILES).strip("[(,)]")) > 1
        refused = household.run(
            sys.executable,
            "-c",
            "from pipeline.load.postgres import connect\n"
            f"connect().cursor().execute(\"insert into staging.polls (account) values ('{ACCOUNT}')\")",
        )
        assert refused.returncode == 1
        luigid.stop()  # which writes its state
        luigid.start()
        before = holding(data)
        assert {"postgres/log", "luigid/state.pickle", f"spotify_songs/account={ACCOUNT}"} <= before
        assert {path.split("/")[1] for path in before if path.startswith("postgres/")} == {"log", "base", "pg_wal"}
        assert in_database(household, STATISTICS) != "[(0,)]"
        assert any(ACCOUNT in str(task) for task in luigid.tasks())

        process = succeeded(household.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes"))
        assert holding(data) == set()
        assert in_database(household, STATISTICS) == "[(0,)]"
        assert in_database(household, "show wal_recycle") == "[('on',)]"
        assert in_database(household, "select count(*) from marts.fct_plays where account = 'ann'") == "[(3,)]"
        assert (
            in_database(household, "select count(*) > 0 from pg_stats where pg_stats::text like '%ann%'") == "[(True,)]"
        )
        assert "the task list of luigid (" in process.stdout
        left = process.stdout.partition("Not removed, because this command cannot:\n")[2].splitlines()
        assert not [line for line in left if "luigid" in line or "pg_stats" in line or "DATABASE_URL" in line]
        assert [line for line in left if "backups" in line]
        tasks = luigid.tasks()
        assert any("ann" in task["params"].values() for task in tasks)
        assert not any(ACCOUNT in str(task) for task in tasks)
        # The account that is left goes on, also in luigid.
        household.environment |= {"SPOTIFY_ACCOUNTS": "ann", f"SPOTIFY_REFRESH_TOKEN_{ACCOUNT.upper()}": ""}
        succeeded(household.run("cron/run.sh", "2026-11-22T1500"))
        assert luigid.stop() == 0
    assert holding(data) == set()


def test_the_statistics_of_tables_that_are_empty_afterwards_are_removed(
    household: Pipeline, database: Database
) -> None:
    household.environment |= {"SPOTIFY_ACCOUNTS": ACCOUNT}
    succeeded(household.slot(SLOTS[0]))
    database.rows("analyze")
    assert database.value(STATISTICS.replace("%", "%%")) > 0
    reader = psycopg2.connect(database.url)
    with reader, reader.cursor() as cursor:  # a transaction that sees the rows as they were
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select 1")
        process = succeeded(household.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes"))
        assert f"deleted rows that an open transaction can see (process {reader.info.backend_pid})" in process.stdout
    reader.close()
    process = succeeded(household.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes"))
    assert "open transaction" not in process.stdout
    assert database.value(STATISTICS.replace("%", "%%")) == 0
    assert "your PostgreSQL server (DATABASE_URL): its log; its write-ahead log" in process.stdout
    assert "only a superuser" not in process.stdout


def test_a_role_without_the_rights_is_told_which_statistics_are_left(household: Pipeline, database: Database) -> None:
    database.rows("do $$ begin create role limited login; exception when duplicate_object then null; end $$")
    database.rows("alter database test owner to limited")
    household.environment |= {
        "SPOTIFY_ACCOUNTS": ACCOUNT,
        "DATABASE_URL": database.url.replace("postgres@", "limited@"),
    }
    succeeded(household.slot(SLOTS[0]))
    database.rows("analyze")
    process = succeeded(household.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes"))
    assert database.value(STATISTICS.replace("%", "%%")) > 0
    (left,) = [line for line in process.stdout.splitlines() if "only a superuser can remove" in line]
    assert "pg_stats of " in left
    assert "staging.spotify_songs" in left
    statement, vacuum = left.partition("Run as a superuser: ")[2].split("; ")
    database.rows(statement)
    assert vacuum == "vacuum full pg_statistic"
    assert database.value(STATISTICS.replace("%", "%%")) == 0


def test_the_state_of_a_luigid_that_does_not_run_is_removed_if_it_names_the_account(pipeline: Pipeline) -> None:
    path = state_path(pipeline.data)
    path.parent.mkdir()
    for account, is_named in (("ann", False), (ACCOUNT, True)):
        task = luigi.scheduler.Task("T_1", "PENDING", [], family="T", params={"account": account})
        state = format_state(pipeline.data, ({"T_1": task}, {}, {}))
        path.write_bytes(state)
        path.with_name("state.pickle.damaged").write_bytes(state)
        process = succeeded(pipeline.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes"))
        assert path.exists() is path.with_name("state.pickle.damaged").exists() is not is_named
        assert ("\n  luigid/state.pickle\n" in process.stdout) is is_named
        assert ("LUIGI_SCHEDULER_URL does not name" in process.stdout) is is_named
    url = "http://127.0.0.1:1/"
    silent = succeeded(pipeline.run(*PIPELINE, "forget", "--account", ACCOUNT, "--yes", LUIGI_SCHEDULER_URL=url))
    assert "the task list of luigid, which did not answer (" in silent.stdout

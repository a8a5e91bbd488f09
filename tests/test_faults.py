"""What goes wrong around a slot: bad answers, damaged files, a full disk, a database that is not there."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, item, page

FIRST, SECOND, THIRD = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"not JSON at all", "not JSON"),
        (page(*evening(3))[:-100], "not JSON"),
        (b"<html><title>502 Bad Gateway</title></html>", "not JSON"),
        (b'{"error": {"status": 503, "message": "Service unavailable"}}', "Service unavailable"),
    ],
)
def test_a_bad_answer_is_kept_and_named_and_does_not_stop_the_next_slot(
    pipeline: Pipeline, spotify: SampleSpotify, body: bytes, words: str
) -> None:
    spotify.page = body
    process = pipeline.slot(FIRST, task="ExtractRecent")
    assert process.returncode == 30
    assert words in process.stderr
    ((name, kept),) = pipeline.files("raw/**/*.gz").items()
    assert name.startswith("raw/recently_played/account=me/rejected/")
    assert gzip.decompress(kept) == body
    assert str(pipeline.data / name) in process.stderr
    assert pipeline.files("spotify_songs/**/*") == {}
    ((attempt, record),) = pipeline.files("polls/**/*").items()
    assert attempt.startswith(f"polls/account=me/2026/11/{FIRST}.failed.")
    assert (json.loads(record)["outcome"], words in json.loads(record)["reason"]) == ("failed", True)
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))


def test_an_html_502_fails_the_slot_with_the_status(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.answers = [Answer("/v1/me/player", 502, b"<html>Bad Gateway</html>")] * 4
    process = pipeline.slot(FIRST)
    assert process.returncode == 30
    assert "SpotifyUnreachable: Spotify answers with status 502" in process.stderr
    assert "Bad Gateway" not in process.stderr


def test_a_damaged_partition_is_named_and_its_plays_come_in_after_the_repair(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    whole = partition.read_bytes()
    partition.write_bytes(whole[:-30])
    damaged = partition.read_bytes()

    spotify.page = page(*evening(4), *evening(2, date="2026-11-22"))
    process = pipeline.slot(SECOND, task="CopyToStaging")
    assert process.returncode == 30
    assert f"PartitionDamaged: {partition}, line 4: " in process.stderr
    assert partition.read_bytes() == damaged

    partition.write_bytes(whole)
    spotify.page = page()
    succeeded(pipeline.slot(THIRD, task="CopyToStaging"))
    assert database.value("select count(*) from staging.spotify_songs") == 6
    assert pipeline.files("raw/**/pending/*") == {}


def test_a_partition_that_postgresql_refuses_is_named_with_its_line(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    partition.write_bytes(partition.read_bytes().replace(b",210000,", b",long,", 1))
    process = pipeline.slot(FIRST, task="CopyToStaging")
    assert process.returncode == 30
    assert f'PartitionRefused: {partition}: invalid input syntax for type integer: "long" (line 2, ' in process.stderr
    assert database.value("select to_regclass('staging.spotify_songs') is null"), "nothing of the transaction was kept"


def test_hostile_names_go_through_every_step(pipeline: Pipeline, spotify: SampleSpotify, database: Database) -> None:
    names = [
        "'; drop schema staging cascade; --",
        'a "b" \\ $$ %s {{ 7 }}',
        "two\nlines\r",
        "\0nul",
        "🎧",
        "\u202eRTL",
        "y" * 10_000,
    ]
    artists = [{"id": None, "name": name} for name in names]
    spotify.page = page(
        *[
            item(f"2026-11-21T1{n}:00:00Z", name=name, uri=f"spotify:local:{name}", id=None, artists=artists)
            for n, name in enumerate(names)
        ]
    )
    succeeded(pipeline.slot(FIRST))
    stored = [name.replace("\0", "\ufffd") for name in names]
    assert database.rows("select song_name from staging.spotify_songs order by played_at_utc") == [
        (name,) for name in stored
    ]
    assert {name for (name,) in database.rows("select track_name from reporting.rpt_top_tracks")} == set(stored)
    assert {name for (name,) in database.rows("select artist_name from reporting.rpt_top_artists")} == set(stored)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody:hunter2-of-a-test@127.0.0.1:1/none", "cannot connect to PostgreSQL at 127.0.0.1"),
        (
            "postgresql://nobody:hunter2-of-a-test@no.such.host.invalid/none",
            "cannot connect to PostgreSQL at no.such.host.invalid",
        ),
        ("mysql://nobody:hunter2-of-a-test@localhost/none", "is not a libpq URL"),
        ("postgresql://nobody:hun@ter:2@localhost:x/none", "is not a libpq URL|cannot connect"),
    ],
)
def test_a_database_that_is_not_there_costs_no_play(
    pipeline: Pipeline, spotify: SampleSpotify, url: str, words: str
) -> None:
    spotify.page = page(*evening(3))
    process = pipeline.slot(FIRST, DATABASE_URL=url)
    assert process.returncode == 30
    assert any(word in process.stderr for word in words.split("|"))
    assert "hunter2" not in process.stderr + process.stdout
    assert len(pipeline.files("spotify_songs/**/*.csv")) == 1
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))


def test_a_database_that_goes_away_in_the_middle_keeps_nothing_of_the_step(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    spotify.page = page(*evening(5))
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    blocker = psycopg2.connect(database.url)
    blocker.cursor().execute("lock table staging.spotify_songs in share mode")
    with subprocess.Popen(
        [str(BIN / "luigi"), "--module", "pipeline", "CopyToStaging", "--run-at", SECOND],
        env={**pipeline.environment, "PATH": ""},
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # It has copied the partition and waits to insert: end its server process there.
        waiting = (
            "select pid from pg_stat_activity where query like '%insert into staging.%spotify_songs%'"
            " and pid != pg_backend_pid()"
        )
        while not (pids := database.rows(waiting)):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        database.rows("select pg_terminate_backend(%s)", pids[0][0])
        _, log = process.communicate(timeout=60)
    blocker.close()
    assert process.returncode == 30
    assert "DatabaseError: PostgreSQL went away or gave up in the middle" in log
    assert database.value("select count(*) from staging.spotify_songs") == 3
    succeeded(pipeline.slot(SECOND, task="CopyToStaging"))
    assert database.value("select count(*) from staging.spotify_songs") == 5


def test_a_dbt_failure_names_the_model_and_the_next_slot_tries_again_though_it_is_empty(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST))
    database.rows("alter table marts.fct_plays rename column iso_week to week")
    spotify.page = page(*evening(5))
    process = pipeline.slot(SECOND)
    assert process.returncode == 30
    assert "DbtFailed: " in process.stderr
    assert "model fct_plays: " in process.stderr
    database.rows("alter table marts.fct_plays rename column week to iso_week")
    process = succeeded(pipeline.slot(THIRD))
    assert "0 new, 0 passed over" in process.stderr
    assert database.value("select count(*) from marts.fct_plays") == 5


def test_a_play_that_marts_have_lost_fails_the_next_test_of_the_whole_history(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3, date="2026-11-01"))
    succeeded(pipeline.slot("2026-11-21T1400"))
    database.rows("delete from marts.fct_plays where played_at = '2026-11-01 18:04:00+00'")
    spotify.page = page(*evening(2, date="2026-11-21"))
    process = pipeline.slot(FIRST)
    assert process.returncode == 30
    assert "test every_step_is_in_exactly_one_play: Got 1 result" in process.stderr
    assert "test totals_reconcile: Got 1 result" in process.stderr
    succeeded(pipeline.luigi("RebuildStaging"))
    assert database.value("select count(*) from marts.fct_plays") == 5


@pytest.fixture
def full_disk(data: Path) -> Iterator[Path]:
    """`data` on a disk of 64 kB."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", data], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield data
    subprocess.run(["umount", "-l", data], check=True)


def test_a_full_disk_leaves_whole_files_and_says_where(
    full_disk: Path, spotify: SampleSpotify, database: Database
) -> None:
    pipeline = Pipeline(full_disk, {**spotify.environment(), "DATA_DIR": str(full_disk), "DATABASE_URL": database.url})
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    before = pipeline.files("spotify_songs/**/*.csv")
    (full_disk / "ballast").write_bytes(b"x" * 4096)
    spotify.page = page(*[item(f"2026-11-21T2{n}:00:00Z", name=f"{n}" + "z" * 20_000) for n in range(3)])
    process = pipeline.slot(SECOND, task="ExtractRecent")
    assert process.returncode == 30
    assert f"No space left on device: '{full_disk}/" in process.stderr
    assert pipeline.files("spotify_songs/**/*.csv") == before
    assert list(full_disk.rglob("*.tmp")) == []
    (full_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=1m", full_disk], check=True)
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    assert pipeline.files("spotify_songs/**/*.csv") != before


@pytest.fixture
def read_only(data: Path) -> Iterator[Path]:
    """`data` that cannot be written to, not even by root."""
    mounted = not subprocess.run(["mount", "--bind", "-o", "ro", data, data], capture_output=True).returncode
    if not mounted:
        data.chmod(0o500)
    yield data
    if mounted:
        subprocess.run(["umount", "-l", data], check=True)
    data.chmod(0o700)


def test_a_read_only_data_folder_is_named_before_spotify_is_asked(
    read_only: Path, spotify: SampleSpotify, database: Database
) -> None:
    pipeline = Pipeline(read_only, {**spotify.environment(), "DATA_DIR": str(read_only), "DATABASE_URL": database.url})
    process = pipeline.slot(FIRST, task="ExtractRecent")
    assert process.returncode == 30
    assert f"'{read_only}/" in process.stderr
    assert "Read-only file system" in process.stderr or "Permission denied" in process.stderr
    assert spotify.calls == []


def test_two_runs_of_one_slot_at_once_count_everything_once(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(7))
    command = [str(BIN / "luigi"), "--module", "pipeline", "RunPipeline", "--run-at", FIRST]
    runs = [
        subprocess.Popen(
            command,
            env={**pipeline.environment, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parent.parent,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for run in runs:
        _, log = run.communicate(timeout=200)
        assert run.returncode == 0, log
    assert database.value("select count(*) from staging.spotify_songs") == 7
    assert database.rows("select count(*), sum(steps) from marts.fct_plays") == [(7, 7)]
    (poll,) = pipeline.files("polls/**/*.json").values()
    assert json.loads(poll)["new_plays"] == 7, "the record is that of the run that did it"


def test_secrets_are_in_no_log_and_no_file_but_the_token_store(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    spotify.accounts.rotate = True
    logs = []
    for slot in (FIRST, SECOND):
        spotify.accounts.access_tokens.clear()
        process = pipeline.slot(slot)
        logs.append(process.stderr + process.stdout)
    secrets = {
        spotify.accounts.client_secret,
        spotify.refresh_token,
        pipeline.environment["SPOTIFY_REFRESH_TOKEN"],
        *spotify.accounts.access_tokens,
    }
    files = {name: content for name, content in pipeline.files("**/*").items() if not name.startswith("tokens/")}
    for secret in filter(None, secrets):
        assert not any(secret in log for log in logs)
        assert [name for name, content in files.items() if secret.encode() in content] == []


def test_ctrl_c_ends_a_run_in_one_line_and_the_next_one_goes_on(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    spotify.answers = [Answer("/v1/me/player", 429, b"{}", {"Retry-After": "30"})]
    with subprocess.Popen(
        [sys.executable, str(BIN / "luigi"), "--module", "pipeline", "RunPipeline", "--run-at", FIRST],
        env=pipeline.environment,
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not any("recently-played" in call for call in spotify.calls):
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert log.rstrip().endswith("the same command goes on where this run stopped.")
    succeeded(pipeline.slot(FIRST))


def test_a_secret_in_luigi_cfg_is_refused_by_name_alone(pipeline: Pipeline, tmp_path: Path) -> None:
    settings = tmp_path / "extra.cfg"
    settings.write_text("[spotify]\nclient_secret = hunter2\n")
    process = pipeline.slot(FIRST, task="ExtractRecent", LUIGI_CONFIG_PATH=str(settings))
    assert process.returncode == 40
    assert "luigi.cfg, [spotify]: client_secret is no setting here" in process.stderr
    assert "hunter2" not in process.stderr


def test_a_visualiser_that_is_down_costs_no_play(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    process = succeeded(pipeline.slot(FIRST, task="ExtractRecent", LUIGI_SCHEDULER_URL="http://127.0.0.1:1/"))
    assert "luigid does not answer at http://127.0.0.1:1/" in process.stderr
    assert len(pipeline.files("spotify_songs/**/*.csv")) == 1


def test_a_database_that_answers_but_lets_nobody_read_costs_no_play(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    database.rows("drop role if exists stranger")
    database.rows("create role stranger login")
    succeeded(pipeline.slot(FIRST, task="CopyToStaging"))
    spotify.page = page(*evening(2))
    process = pipeline.slot(SECOND, DATABASE_URL=database.url.replace("postgres@", "stranger@"))
    assert process.returncode == 30
    assert "permission denied for schema staging" in process.stderr
    assert len(pipeline.files("spotify_songs/**/*.csv")) == 1


def test_an_answer_nested_too_deeply_does_not_stop_the_next_slot(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = b"[" * 100_000
    assert pipeline.slot(FIRST, task="ExtractRecent").returncode == 30
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    assert len(pipeline.files("raw/**/rejected/*")) == 1


def test_minutes_that_are_not_those_of_staging_fail_the_tests(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(3, date="2026-11-01"))
    succeeded(pipeline.slot("2026-11-21T1400"))
    database.rows("update marts.fct_plays set ms_played = ms_played - 1000")
    database.rows("update intermediate.int_track_totals set ms_played = ms_played - 1000 * plays")
    spotify.page = page(*evening(2, date="2026-11-21"))
    process = pipeline.slot(FIRST)
    assert process.returncode == 30
    assert "test totals_reconcile: Got 1 result" in process.stderr

"""What older versions have left on disks is brought up in place; what newer ones have left is not touched."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from pathlib import Path

import psycopg2
import pytest

from pipeline.data_format import FORMAT, NewerData, bring_up, read_format
from pipeline.demo.accounts import Consent
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.datasets import DATASETS
from pipeline.load.history import reload_all_imports
from pipeline.load.ledger import reload_all_polls
from pipeline.load.postgres import SCHEMA_VERSION
from pipeline.load.staging import begin_load, reload_all_partitions
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.releases import REFRESH_TOKEN, releases
from tests.samples import evening, page
from tests.test_backup import relations

SLOT = "2026-11-22T1500"
NAMES = [path.name for path in releases()]
# Filled from files; the others of these schemas are asserted by name.
FROM_FILES = (*(dataset.name for dataset in DATASETS), "polls", "history_spans")


def put_in_place(release: Path, pipeline: Pipeline, spotify: SampleSpotify, database: Database) -> None:
    """The folder and the tables as that release has left them, with consents that hold."""
    shutil.copytree(release / "data", pipeline.data, dirs_exist_ok=True)
    for path in pipeline.data.glob("tokens/*"):
        path.chmod(0o600)  # git does not keep that
    database.rows((release / "database.sql").read_text().replace("%", "%%"))
    spotify.accounts.refresh_tokens[f"{REFRESH_TOKEN}-me"] = Consent(spotify.me, spotify.now, pkce=False)


def plays_on_disk(data: Path, dataset: str) -> list[tuple[str, str]]:
    paths = data.glob(f"{dataset}/account=*/????/??/*.csv")
    rows = (row for path in paths for row in csv.DictReader(path.read_text().splitlines()))
    return sorted((row["account"], row["played_at_utc"][:19].replace("T", " ")) for row in rows)


def plays_in_staging(database: Database, dataset: str) -> list[tuple[str, str]]:
    return database.rows(f"select account, played_at_utc::timestamp(0)::text from staging.{dataset} order by 1, 2")


def staging(database: Database) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: database.rows(f"select (to_jsonb(t) - 'load_id')::text from staging.{name} as t order by 1")
        for name in FROM_FILES
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_a_release_has_left_is_brought_up_by_a_slot(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, name: str
) -> None:
    [release] = [path for path in releases() if path.name == name]
    put_in_place(release, pipeline, spotify, database)
    before = pipeline.files("spotify_*/**/*.csv")
    spotify.page = page(*evening(2, date="2026-11-22", first=7, start="08:00"), *evening(1, date="2026-11-23"))
    # Of the oldest the models too; for the others it is enough that staging is what their files make of an empty one.
    is_oldest = name == NAMES[0]
    process = succeeded(pipeline.slot(SLOT, task="RunPipeline" if is_oldest else "CopyToStaging"))
    assert "2 plays returned" not in process.stderr
    assert "me: 3 plays returned, 1 new, 0 passed over" in process.stderr
    assert pipeline.files("spotify_*/**/*.csv").items() >= before.items(), "no row of before has changed"
    assert database.value("select version from staging.schema_version") == SCHEMA_VERSION
    assert database.value("select count(*) from pg_tables where schemaname = 'staging'") == len(FROM_FILES) + 3
    for dataset in ("spotify_songs", "spotify_history"):
        assert plays_in_staging(database, dataset) == plays_on_disk(pipeline.data, dataset)
    assert len(plays_in_staging(database, "spotify_songs")) == 3 + 2 + 1 + 4, "Ann's too, who was not in this slot"
    then, now = (
        json.loads((folder / "tokens/account=me.json").read_bytes()) for folder in (release / "data", pipeline.data)
    )
    assert now["refresh_token"] == f"{REFRESH_TOKEN}-me"
    assert now["authorized_at"] == (then.get("authorized_at") or then["obtained_at"])

    upgraded, marts = staging(database), relations(database, "marts", "reporting")
    database.rows("drop schema staging, pipeline cascade")
    if is_oldest:
        assert len(marts) > 40
        succeeded(pipeline.luigi("RebuildStaging"))
        assert relations(database, "marts", "reporting") == marts
    else:
        load_everything(database, pipeline.data)
    assert staging(database) == upgraded


def load_everything(database: Database, data: Path) -> None:
    with contextlib.closing(psycopg2.connect(database.url, options="-c TimeZone=UTC")) as connection, connection:
        begin_load(connection)
        reload_all_partitions(connection, data)
        reload_all_polls(connection, data)
        reload_all_imports(connection, data)


def test_a_change_of_the_tables_has_a_number_of_its_own(pipeline: Pipeline, database: Database) -> None:
    columns = (
        "select table_schema, table_name, column_name, data_type, is_nullable from information_schema.columns"
        " inner join information_schema.tables using (table_schema, table_name) where table_type = 'BASE TABLE'"
        " and table_schema in ('staging', 'pipeline') order by table_schema, table_name, ordinal_position"
    )
    keys = (
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace in ('staging'::regnamespace, 'pipeline'::regnamespace) and contype != 'n' order by 1, 2"
    )
    latest = releases()[-1]
    database.rows((latest / "database.sql").read_text().replace("%", "%%"))
    version = database.value("select version from staging.schema_version")
    then = database.rows(columns), database.rows(keys)
    database.rows("drop schema staging, pipeline cascade")
    load_everything(database, pipeline.data)
    now = database.rows(columns), database.rows(keys)
    assert now == then or version < SCHEMA_VERSION, (
        f"schema.sql is not that of {latest.name}: SCHEMA_VERSION is one more"
    )


def test_what_no_file_tells_of_outlives_an_upgrade(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T1400", task="CopyToStaging"))
    database.rows("insert into pipeline.api_calls values ('me', '2026-11-25', 'genres', 41)")
    database.rows("insert into pipeline.library_reads values ('me', now(), now(), 'complete', 7, null)")
    database.rows("create view staging.of_dbt as select account from staging.spotify_songs")
    database.rows("update staging.schema_version set version = 0; alter table staging.spotify_songs drop column isrc")
    process = succeeded(pipeline.slot("2026-11-22T1430", task="CopyToStaging"))
    assert "its tables are made anew" in process.stderr
    assert database.value("select count(isrc) from staging.spotify_songs") == 2
    assert database.rows("select calls, tracks from pipeline.api_calls, pipeline.library_reads") == [(41, 7)]

    # A damaged file stops the upgrade, and the database is as it was; polls go on.
    database.rows("update staging.schema_version set version = 0")
    partition = pipeline.data / "spotify_songs/account=me/2026/11/2026-11-21.csv"
    content = partition.read_bytes()
    partition.write_bytes(content.replace(b"2026-11-21T18:00", b"2026-11-21T98:00"))
    spotify.page = page(*evening(1, date="2026-11-22"))
    refused = pipeline.slot("2026-11-22T1500", task="CopyToStaging")
    assert (refused.returncode, "Nothing was loaded; repair the file" in refused.stderr) == (30, True)
    assert database.rows(
        "select version, (select count(*) from staging.spotify_songs) from staging.schema_version"
    ) == [(0, 2)]


def test_what_a_newer_version_has_left_is_not_touched(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T1400", task="CopyToStaging"))
    database.rows("update staging.schema_version set version = 99, program = '9.1'")
    spotify.page = page(*evening(3))
    refused = pipeline.slot("2026-11-22T1430", task="CopyToStaging")
    assert refused.returncode == 30
    assert "the database is of version 99, made by version 9.1 of this program" in refused.stderr
    assert database.value("select count(*) from staging.spotify_songs") == 2
    assert len(list(pipeline.data.glob("polls/account=me/*/*/*.json"))) == 2, "polls go on"

    (pipeline.data / "format.json").write_text(json.dumps({"format": FORMAT + 1, "program": "9.1"}))
    files = pipeline.files("[!dl]*/**/*")
    said = f"{pipeline.data} is of form {FORMAT + 1} and was written by a newer version"
    refused = pipeline.slot("2026-11-22T1500", task="CopyToStaging")
    assert refused.returncode != 0
    assert said in refused.stderr
    status = pipeline.run(str(BIN / "python"), "-m", "pipeline", "status")
    assert (status.returncode, said in status.stderr) == (2, True)
    assert pipeline.files("[!dl]*/**/*") == files


def test_a_folder_of_an_older_form_is_brought_up_step_by_step_and_after_a_kill(data: Path) -> None:
    def first(folder: Path) -> None:
        (folder / "first").write_text("done")

    def second(folder: Path) -> None:
        if not (folder / "power").exists():
            raise KeyboardInterrupt
        (folder / "second").write_text((folder / "first").read_text() + " again")

    steps = (first, second)
    with pytest.raises(KeyboardInterrupt):
        bring_up(data, steps)
    assert read_format(data) == 2
    (data / "first").write_text("only once")
    (data / "power").touch()
    bring_up(data, steps)
    assert (read_format(data), (data / "second").read_text()) == (3, "only once again")
    bring_up(data, steps)
    with pytest.raises(NewerData, match=r"of form 3 .* knows forms up to 2"):
        bring_up(data, steps[:1])
    (data / "format.json").write_text("{}")
    with pytest.raises(NewerData, match=r"format.json is damaged"):
        bring_up(data, steps)

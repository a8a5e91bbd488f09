"""ImportHistory as people run it: the command, its receipt, what is in files and tables afterwards."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, export_row, page

AUDIO = "Streaming_History_Audio_2022_{}.json"


def day(date: str, count: int = 3, **fields: Any) -> list[dict[str, Any]]:
    return [export_row(f"{date}T10:{minute:02}:00Z", f"Song {minute}", **fields) for minute in range(0, 4 * count, 4)]


def write_export(path: Path, *files: list[Any], first: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, rows in enumerate(files, first):
            name = f"Spotify Extended Streaming History/{AUDIO.format(number)}"
            archive.writestr(name, json.dumps(rows, ensure_ascii=False, indent=2))
    return path


def write_by_year(path: Path, **files: list[Any]) -> Path:
    """A folder with files named by year: `_2019_1=rows`."""
    path.mkdir(exist_ok=True)
    for place, rows in files.items():
        (path / f"Streaming_History_Audio{place}.json").write_text(json.dumps(rows))
    return path


def weekly(first: str, last: str) -> list[dict[str, Any]]:
    """A play every week, in no order."""
    begin, end = (datetime.date.fromisoformat(date) for date in (first, last))
    dates = [begin + datetime.timedelta(days=7 * n) for n in range((end - begin).days // 7 + 1)]
    rows = [export_row(f"{date}T09:30:00Z", f"Week {date}") for date in dates]
    return [*rows[1::2], *rows[::2]]


def receipt(said: str, line: str = "total") -> tuple[int, ...]:
    """The numbers of a line of the printed receipt: read, inserted, already there, duplicates, skipped, failed."""
    [found] = re.findall(rf"^{re.escape(line)}((?: +[\d,]+){{6}})$", said, re.MULTILINE)
    return tuple(int(number.replace(",", "")) for number in found.split())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two files, with a repeat within a file, one across both, and two entries that are no plays."""
    first, second = day("2022-12-20"), day("2022-12-21")
    return write_export(
        tmp_path / "my_spotify_data.zip",
        [*first, first[0], {"ts": "garbage"}, *second[:1]],
        [
            *second,
            "not a play",
            export_row(
                "2022-12-21T11:00:00Z",
                "Episode",
                spotify_track_uri=None,
                master_metadata_track_name=None,
                episode_name="One",
                episode_show_name="Show",
                spotify_episode_uri="spotify:episode:1",
            ),
        ],
    )


def test_an_export_becomes_partitions_staging_and_a_receipt_that_adds_up(
    pipeline: Pipeline, database: Database, export: Path
) -> None:
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert receipt(run.stdout, AUDIO.format(0)) == (6, 4, 0, 1, 1, 0)
    assert receipt(run.stdout, AUDIO.format(1)) == (5, 3, 0, 1, 1, 0)
    assert receipt(run.stdout) == (11, 7, 0, 2, 2, 0)
    assert f"skipped in {AUDIO.format(0)}: ts is no date and time (entry 5)" in run.stdout
    assert f"skipped in {AUDIO.format(1)}: not an object (entry 4)" in run.stdout
    assert list(pipeline.files("spotify_history/**/*")) == [
        f"spotify_history/account=me/2022/12/2022-12-{day}.csv" for day in (20, 21)
    ]
    assert database.rows(
        "select account, played_date_utc::text, count(*), sum(ms_played), count(track_uri) from staging.spotify_history"
        " group by 1, 2 order by 2"
    ) == [("me", "2022-12-20", 3, 600_000, 3), ("me", "2022-12-21", 4, 800_000, 3)]
    assert database.rows(
        "select file_number, rows_read, inserted, already_there, duplicates, skipped, failed from pipeline.imports"
    ) == [(0, 6, 4, 0, 1, 1, 0), (1, 5, 3, 0, 1, 1, 0)]
    assert database.rows("select begins_at::text, ends_at::text from staging.history_spans") == [
        ("2022-12-20 10:00:00+00", "2022-12-21 11:00:00+00")
    ]
    for path, content in pipeline.files("**/*").items():
        assert b"203.0.113" not in content, f"{path} holds an address"


def test_the_same_export_again_inserts_nothing_and_says_so(
    pipeline: Pipeline, database: Database, export: Path, tmp_path: Path
) -> None:
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    before = pipeline.files("spotify_history/**/*")
    again = succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    assert receipt(again.stdout) == (11, 0, 7, 2, 2, 0)
    # Unpacked, it is read once more: another way to the same receipt.
    with zipfile.ZipFile(export) as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = succeeded(pipeline.luigi("ImportHistory", "--export", str(tmp_path / "unpacked")))
    assert receipt(unpacked.stdout) == (11, 0, 7, 2, 2, 0)
    assert pipeline.files("spotify_history/**/*") == before
    assert database.value("select count(*) from staging.spotify_history") == 7
    assert database.rows(
        "select sum(rows_read), sum(inserted), sum(already_there) from pipeline.imports"
        " group by imported_at order by imported_at"
    ) == [(11, 7, 0), (11, 0, 7), (11, 0, 7)]
    assert database.value("select count(*) from marts.fct_plays") == 7


def test_a_later_export_adds_what_is_new_and_keeps_what_was_captured_first(
    pipeline: Pipeline, database: Database, export: Path, tmp_path: Path
) -> None:
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    later = [*day("2022-12-20", platform="another", skipped=None), *day("2022-12-21", 4), *day("2022-12-22")]
    path = write_export(tmp_path / "later.zip", later)
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(path)))
    assert receipt(run.stdout, AUDIO.format(0)) == (10, 4, 6, 0, 0, 0)
    assert database.value("select count(*) from staging.spotify_history") == 11
    assert database.rows("select distinct platform from staging.spotify_history") == [("ios",)]


def test_a_partition_that_has_changed_is_not_taken_for_imported(
    pipeline: Pipeline, database: Database, export: Path
) -> None:
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    partition = pipeline.data / "spotify_history/account=me/2022/12/2022-12-20.csv"
    partition.unlink()
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert receipt(run.stdout) == (11, 3, 4, 2, 2, 0)
    assert partition.exists()


def test_a_damaged_partition_keeps_its_rows_out_and_nothing_else(
    pipeline: Pipeline, database: Database, export: Path
) -> None:
    partition = pipeline.data / "spotify_history/account=me/2022/12/2022-12-20.csv"
    partition.parent.mkdir(parents=True)
    partition.write_text("something else\n")
    run = pipeline.luigi("CopyHistory", "--export", str(export))
    assert run.returncode == 30
    assert f"{partition}, line 1: the header is not that of a partition" in run.stderr
    assert receipt(run.stderr) == (11, 4, 0, 2, 2, 3)
    assert partition.read_text() == "something else\n"
    partition.unlink()
    healed = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert receipt(healed.stdout) == (11, 7, 0, 2, 2, 0)
    assert database.value("select count(*) from staging.spotify_history") == 7


def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(AUDIO.format(0), json.dumps(day("2022-12-20")))
        archive.writestr(AUDIO.format(1), json.dumps(day("2022-12-21"))[:-40])
    run = pipeline.luigi("ImportHistory", "--export", str(path))
    assert run.returncode == 30
    assert f"{AUDIO.format(1)} is no JSON" in run.stderr
    assert "Nothing was imported" in run.stderr
    assert not pipeline.files("spotify_history/**/*")


def test_what_is_no_export_is_refused_in_one_sentence(pipeline: Pipeline, tmp_path: Path) -> None:
    run = pipeline.luigi("ImportHistory", "--export", str(tmp_path / "nowhere.zip"))
    assert run.returncode == 30
    assert "nowhere.zip does not exist. Give the zip that Spotify sent" in run.stderr


def test_an_import_can_be_killed_before_any_of_its_writes(pipeline: Pipeline, export: Path, tmp_path: Path) -> None:
    older = write_export(tmp_path / "older.zip", [*day("2022-12-19"), *day("2022-12-20", 2)])
    csv = "played_at_utc,song_name,song_duration_ms,track_id\n2022-12-20T11:00:00.123Z,Old,200000,old\n"
    with zipfile.ZipFile(export, "a") as archive:
        archive.writestr("spotify_songs.csv", csv + csv.splitlines()[1] + "\n")
    run = pipeline.run(
        str(BIN / "python"),
        "-m",
        "tests.import_kill_points",
        str(export),
        str(older),
        FIRST_SPOTIFY_API_URL="",
    )
    report = json.loads(succeeded(run).stdout.splitlines()[-1])
    assert report["files"] >= 20
    assert report["statements"] >= 15


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Large enough to be read by several processes: 46 MB in six files."""
    files = []
    for number in range(6):
        date = f"2022-12-{20 + number}"
        rows = [export_row(f"{date}T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z", f"Song {n}") for n in range(11_000)]
        files.append(rows)
    return write_export(tmp_path / "large.zip", *files)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_import_takes_its_processes_along_and_goes_on_where_it_was(
    pipeline: Pipeline, database: Database, large: Path, how: signal.Signals
) -> None:
    run = subprocess.Popen(
        [str(BIN / "luigi"), "--module", "pipeline", "CopyHistory", "--export", str(large)],
        env=pipeline.environment,
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    unfinished = pipeline.data / "imports" / "account=me" / "unfinished"
    while not list(unfinished.glob("*/[0-9].json")):
        assert run.poll() is None
        workers = psutil.Process(run.pid).children(recursive=True)
        time.sleep(0.002)
    run.send_signal(how)
    said = run.communicate()[1]
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    assert workers, "several processes were to read"
    if how == signal.SIGINT:
        assert said.splitlines()[-1].startswith("Interrupted. Nothing is half-written")
    segments = {path: path.stat().st_mtime_ns for path in unfinished.glob("*/[0-9].json")}
    assert 0 < len(segments) < 6
    again = succeeded(pipeline.luigi("CopyHistory", "--export", str(large)))
    assert receipt(again.stdout) == (66_000, 66_000, 0, 0, 0, 0)
    assert database.value("select count(*) from staging.spotify_history") == 66_000
    assert not unfinished.exists()


def test_a_slot_loads_imported_history_into_an_empty_database(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, export: Path
) -> None:
    spotify.page = page(*evening(3))
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    database.rows("drop schema staging cascade; drop schema pipeline cascade; drop schema marts cascade")
    succeeded(pipeline.slot("2026-11-22T1400"))
    assert database.value("select count(*) from staging.spotify_history") == 7
    assert database.value("select count(*) from marts.fct_plays") == 10


def test_rebuilding_brings_receipts_and_covered_times_back(
    pipeline: Pipeline, database: Database, export: Path
) -> None:
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    tables = ("staging.history_spans", "staging.spotify_history", "marts.fct_plays", "reporting.rpt_top_tracks")
    columns = "account, imported_at, file_number, digest, rows_read, inserted, skipped_entries"

    def everything() -> list[Any]:
        without_load = [
            database.rows(f"select to_jsonb(t) - 'load_id' from {table} as t order by 1") for table in tables
        ]
        return [*without_load, database.rows(f"select {columns} from pipeline.imports order by 1, 2, 3")]

    before = everything()
    database.rows("drop schema staging cascade; drop schema pipeline cascade")
    succeeded(pipeline.luigi("RebuildStaging"))
    assert everything() == before


def test_a_restored_month_is_loaded_whatever_its_folder_says(
    pipeline: Pipeline, database: Database, export: Path, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(1))
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    month = pipeline.data / "spotify_history/account=me/2022/12"
    succeeded(pipeline.slot("2026-11-22T1400", task="CopyToStaging"))
    partition = month / "2022-12-20.csv"
    partition.write_text(partition.read_text().replace("Somebody", "Corrected"))
    os.utime(month, (0, 0))  # as a backup that keeps the moments has it
    succeeded(pipeline.slot("2026-11-22T1430", task="CopyToStaging"))
    assert database.value("select count(*) from staging.spotify_history where album_artist_name = 'Corrected'") == 3


def test_tables_that_were_dropped_come_back_with_the_next_slot_and_with_the_next_import(
    pipeline: Pipeline, database: Database, export: Path, spotify: SampleSpotify
) -> None:
    spotify.page = page(*evening(1))
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    counts = (
        "select (select count(*) from staging.spotify_history), (select count(*) from staging.history_spans),"
        " (select count(*) from pipeline.imports)"
    )
    database.rows("drop schema staging cascade")
    succeeded(pipeline.slot("2026-11-22T1400", task="CopyToStaging"))
    assert database.rows(counts) == [(7, 1, 2)]
    database.rows("drop table staging.spotify_history, staging.history_spans")
    succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    assert database.rows(counts) == [(7, 1, 4)]


def test_a_record_that_cannot_be_read_stops_no_import(pipeline: Pipeline, export: Path) -> None:
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    [record] = (pipeline.data / "imports" / "account=me").glob("*.json")
    record.write_bytes(record.read_bytes()[:100])
    again = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert receipt(again.stdout) == (11, 0, 7, 2, 2, 0)
    assert f"{record.relative_to(pipeline.data)} is damaged" in again.stderr
    assert record.with_name(record.name + ".damaged").exists()


def test_two_imports_at_once_both_succeed(pipeline: Pipeline, database: Database, export: Path, tmp_path: Path) -> None:
    other = write_export(tmp_path / "other.zip", [*day("2022-12-20", 5), *day("2022-12-21", 5)])
    runs = [
        subprocess.Popen(
            [str(BIN / "luigi"), "--module", "pipeline", "CopyHistory", "--export", str(path)],
            env=pipeline.environment,
            cwd=Path(__file__).parent.parent,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for path in (export, other)
    ]
    for run in runs:
        _, said = run.communicate()
        assert run.returncode == 0, said
    assert database.value("select count(*) from staging.spotify_history") == 11
    assert database.value("select sum(inserted) from pipeline.imports") == 11


def test_an_export_closes_the_gaps_that_it_covers_and_no_other(
    pipeline: Pipeline, database: Database, spotify: SampleSpotify, tmp_path: Path
) -> None:
    for number, date in enumerate(("2022-12-19", "2022-12-21", "2022-12-24")):
        spotify.page = page(*evening(50, date=date))
        succeeded(pipeline.slot(f"2026-11-22T{14 + number}00", task="CopyToStaging"))
    heard = [*day("2022-12-19"), *day("2022-12-22")]
    video = tmp_path / "Streaming_History_Video_2022.json"
    video.write_text(json.dumps([*heard, *day("2022-12-25")]))
    gaps = "select array_agg(is_open order by found_at) from marts.fct_gaps"
    succeeded(pipeline.luigi("ImportHistory", "--export", str(video)))
    assert database.value(gaps) == [True, True], "videos are too few to cover anything"
    succeeded(pipeline.luigi("ImportHistory", "--export", str(write_export(tmp_path / "audio.zip", heard))))
    assert database.value(gaps) == [False, True]
    assert database.value("select count(*) from marts.fct_plays where source = 'export'") == 9


SPANS = "select begins_at::date::text || ' ' || ends_at::date::text from staging.history_spans order by 1"


def test_a_missing_year_stays_uncovered_and_its_gap_open(
    pipeline: Pipeline, database: Database, spotify: SampleSpotify, tmp_path: Path
) -> None:
    for number, date in enumerate(("2020-02-10", "2020-10-05")):
        spotify.page = page(*evening(50, date=date))
        succeeded(pipeline.slot(f"2026-11-22T{14 + number}00", task="CopyToStaging"))
    files = {"_2019": weekly("2019-01-03", "2019-06-20"), "_2019_1": weekly("2019-06-27", "2019-12-26")}
    export = write_by_year(tmp_path / "export", **files, _2021=weekly("2021-01-02", "2021-12-25"))
    run = succeeded(pipeline.luigi("ImportHistory", "--export", str(export)))
    assert "missing: Streaming_History_Audio_2020.json. " in run.stdout
    [record] = (pipeline.data / "imports" / "account=me").glob("*.json")
    assert "Streaming_History_Audio_2020.json" in record.read_text()
    assert database.rows(SPANS) == [("2019-01-03 2019-12-26",), ("2021-01-02 2021-12-25",)]
    assert database.rows("select is_open from marts.fct_gaps") == [(True,)]
    assert database.rows("select distinct is_at_least from reporting.rpt_totals") == [(True,)]
    inside = "from marts.fct_capture_hours where hour_at between '2020-02-11' and '2020-10-05'"
    assert database.rows(f"select distinct completeness {inside}") == [("possibly_lossy",)]

    # With the file that was missing, nothing is.
    write_by_year(export, _2020=weekly("2020-01-02", "2020-12-31"))
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert "missing" not in run.stdout
    assert ("2019-01-03 2021-12-25",) in database.rows(SPANS)
    assert database.rows("select is_open from marts.fct_gaps") == [(False,)]
    assert database.rows(f"select distinct completeness {inside}") == [("complete",)]


def test_what_an_older_version_covered_wrongly_is_open_again_and_the_same_export_puts_it_right(
    pipeline: Pipeline, database: Database, spotify: SampleSpotify, tmp_path: Path
) -> None:
    spotify.page = page(*evening(1))
    export = write_by_year(
        tmp_path / "export", _2017=weekly("2017-02-01", "2017-12-20"), _2019=weekly("2019-01-09", "2019-03-06")
    )
    numbered = write_export(tmp_path / "numbered.zip", day("2022-12-20"), day("2022-12-21"))
    for path in (export, numbered):
        succeeded(pipeline.luigi("CopyHistory", "--export", str(path)))
    right = [("2017-02-01 2017-12-20",), ("2019-01-09 2019-03-06",), ("2022-12-20 2022-12-21",)]
    assert database.rows(SPANS) == right
    # What an older version has left: records without the new fields, and years that it joined over a hole.
    first, _ = paths = sorted((pipeline.data / "imports" / "account=me").glob("*.json"))
    for path in paths:
        record = json.loads(path.read_bytes())
        for name in ("rules", "remarks", "not_read"):
            record.pop(name, None)
        if path == first:
            record["spans"] = [["2017-02-01T09:30:00Z", "2019-03-06T09:30:00Z"]]
        path.write_text(json.dumps(record))
    database.rows("delete from staging.history_spans where begins_at < '2020-01-01'")
    database.rows(
        "insert into staging.history_spans select account, '2017-02-01T09:30Z', '2019-03-06T09:30Z', export,"
        " imported_at from pipeline.imports where export = 'export' limit 1"
    )
    run = succeeded(pipeline.slot("2026-11-22T1400", task="CopyToStaging"))
    assert "no longer covers the time from 2017-02-01 to 2019-03-06" in run.stderr
    assert "Import the same export again" in run.stderr.replace("\n", " ")
    assert database.rows(SPANS) == right[2:], "where the rules agree, nothing is taken away"
    quiet = succeeded(pipeline.slot("2026-11-22T1430", task="CopyToStaging"))
    assert "no longer covers" not in quiet.stderr
    again = succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert receipt(again.stdout) == (56, 0, 56, 0, 0, 0)
    assert "missing: Streaming_History_Audio_2018.json" in again.stdout
    assert database.rows(SPANS) == right
    database.rows("drop table staging.history_spans")
    succeeded(pipeline.slot("2026-11-22T1500", task="CopyToStaging"))
    assert database.rows(SPANS) == right


def test_impossible_moments_are_skipped_with_their_numbers(
    pipeline: Pipeline, database: Database, tmp_path: Path
) -> None:
    rows = day("2022-12-20")
    for place, ts in ((1, "1970-01-01T00:00:00Z"), (2, "2098-05-06T07:08:09Z"), (5, "0001-01-01T00:00:00Z")):
        rows.insert(place, export_row(ts))
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(write_export(tmp_path / "export.zip", rows))))
    assert receipt(run.stdout, AUDIO.format(0)) == (6, 3, 0, 0, 3, 0)
    assert "ts is before 2006-04-01, when Spotify did not exist (entry 2, 6)" in run.stdout
    assert "ts is after the import (entry 3)" in run.stdout
    assert database.rows("select distinct played_date_utc::text from staging.spotify_history") == [("2022-12-20",)]
    [(skipped,)] = database.rows("select skipped_entries from pipeline.imports")
    assert sorted(skipped.values()) == [[2, 6], [3]]
    assert database.rows(SPANS) == [("2022-12-20 2022-12-20",)]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"endTime": "2024-01-01 10:00", "trackName": "T", "msPlayed": 1}] * 2,
        [None, "text", export_row("2099-01-01T00:00:00Z")],
    ],
)
def test_an_import_that_reads_no_play_fails_and_leaves_nothing(
    pipeline: Pipeline, tmp_path: Path, entries: list[Any]
) -> None:
    run = pipeline.luigi("ImportHistory", "--export", str(write_export(tmp_path / "export.zip", [], entries)))
    assert run.returncode == 30
    assert (
        f"contains no play: none of its {len(entries)} entries could be read as one. Nothing was imported" in run.stderr
    )
    assert 'Request "Extended streaming history"' in run.stderr
    assert not pipeline.files("imports/**/*")
    assert pipeline.files("alerts/*.json") == {}, "the terminal shows the error of a command that was typed"


def test_the_receipt_names_files_of_plays_that_were_not_read(pipeline: Pipeline, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "endsong.json").write_text(json.dumps(day("2021-12-20")))
    (folder / "endvideo.json").write_text(json.dumps(day("2021-12-21", 2)))
    (folder / "my plays.json").write_text(json.dumps(day("2021-12-22")))
    run = succeeded(pipeline.luigi("CopyHistory", "--export", str(folder)))
    assert receipt(run.stdout, "endsong.json") == (3, 3, 0, 0, 0, 0)
    assert receipt(run.stdout, "endvideo.json") == (2, 2, 0, 0, 0, 0)
    assert "not read, though it looks like plays: my plays.json" in run.stdout
    (folder / "my plays.json").rename(folder / "others.json")
    again = succeeded(pipeline.luigi("ImportHistory", "--export", str(folder)))
    assert "not read, though it looks like plays: others.json" in again.stdout
    assert [json.loads(record)["not_read"] for record in pipeline.files("imports/account=me/[0-9]*.json").values()] == [
        ["my plays.json"],
        ["others.json"],
    ]


def test_status_knows_the_last_play_of_an_account_with_imported_history_alone(pipeline: Pipeline, export: Path) -> None:
    def last_play(*arguments: str) -> Any:
        run = pipeline.run(str(BIN / "python"), "-m", "pipeline", "status", *arguments)
        return json.loads(run.stdout)["accounts"]["me"]["last_play_at"] if arguments else run.stdout

    assert last_play("--json") is None
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    assert last_play("--json") == "2022-12-21T11:00:00Z"
    assert "last play     21 Dec 11:00, " in last_play()
    # An older version let a row of the future in.
    partition = pipeline.data / "spotify_history/account=me/2099/01/2099-01-01.csv"
    partition.parent.mkdir(parents=True)
    known = (pipeline.data / "spotify_history/account=me/2022/12/2022-12-20.csv").read_text()
    partition.write_text(known.replace("2022-12-20", "2099-01-01"))
    assert last_play("--json") == "2022-12-21T11:00:00Z"

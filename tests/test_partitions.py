"""Day partitions: what is written can be read back, by Python and by PostgreSQL; what is damaged is named."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import psycopg2
import pytest

from pipeline.extract.datasets import PLAYS
from pipeline.extract.errors import PartitionDamaged
from pipeline.extract.partitions import format_partition, merge_rows, partition_path, read_partition
from pipeline.extract.plays import COLUMNS, Play, parse_page
from tests.conftest import Database
from tests.samples import FETCHED, item, page

HOSTILE = [
    'it\'s "quoted", with a comma',
    "two\nlines",
    "carriage\rreturn",
    "both\r\nof them",
    "\\.",
    "$$; drop table staging.spotify_songs; --",
    "🎧👩‍👩‍👧",
    "\u202eRTL שלום",
    "  spaces  ",
    "x" * 10_000,
    "null",
    "NULL",
    "=1+1",
]


def plays(*items: object) -> list[Play]:
    parsed, skipped = parse_page(page(*items), "me", FETCHED)  # type: ignore[arg-type]
    assert skipped == []
    return parsed


def test_plays_go_to_the_day_they_ended_on_in_utc(data: Path) -> None:
    merged = merge_rows(
        PLAYS,
        data,
        "me",
        plays(item("2026-11-21T23:59:59.999Z"), item("2026-11-22T00:00:00.000Z"), item("2026-11-22T00:03:00Z")),
    )
    assert [(partition.path, partition.rows_added, partition.rows) for partition in merged] == [
        ("spotify_songs/account=me/2026/11/2026-11-21.csv", 1, 1),
        ("spotify_songs/account=me/2026/11/2026-11-22.csv", 2, 2),
    ]


def test_a_partition_has_a_header_line_feeds_and_rows_sorted_by_moment(data: Path) -> None:
    merge_rows(
        PLAYS, data, "me", plays(item("2026-11-22T10:00:00Z", name="B"), item("2026-11-22T09:00:00.5Z", name="A"))
    )
    merge_rows(PLAYS, data, "me", plays(item("2026-11-22T09:00:00.250Z", name="late")))
    lines = partition_path(PLAYS, data, "me", "2026-11-22").read_bytes().decode().split("\n")
    assert lines[0] == ",".join(COLUMNS)
    assert [line.split(",")[1:4:2] for line in lines[1:-1]] == [
        ["2026-11-22T09:00:00.250Z", "late"],
        ["2026-11-22T09:00:00.500Z", "A"],
        ["2026-11-22T10:00:00.000Z", "B"],
    ]
    assert lines[-1] == ""


def test_the_same_plays_again_change_nothing(data: Path) -> None:
    same = plays(item("2026-11-22T10:00:00Z"), item("2026-11-22T11:00:00Z"))
    merge_rows(PLAYS, data, "me", same)
    path = partition_path(PLAYS, data, "me", "2026-11-22")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    again = merge_rows(
        PLAYS, data, "me", [{**play, "last_updated_datetime_utc": "2027-01-01T00:00:00.000Z"} for play in same]
    )
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [partition.rows_added for partition in again] == [0]


def test_two_tracks_in_one_second_are_two_plays(data: Path) -> None:
    merge_rows(PLAYS, data, "me", plays(item("2026-11-22T10:00:00Z", name="A"), item("2026-11-22T10:00:00Z", name="B")))
    assert len(read_partition(PLAYS, partition_path(PLAYS, data, "me", "2026-11-22"))) == 2


def test_hostile_names_come_back_as_they_were(data: Path, database: Database) -> None:
    merge_rows(
        PLAYS, data, "me", plays(*[item(f"2026-11-22T10:00:{n:02}Z", name=name) for n, name in enumerate(HOSTILE)])
    )
    path = partition_path(PLAYS, data, "me", "2026-11-22")
    assert [play["song_name"] for play in read_partition(PLAYS, path)] == HOSTILE
    assert len(list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))) == len(HOSTILE) + 1
    connection = psycopg2.connect(database.url)
    with connection, connection.cursor() as cursor, path.open("rb") as file:
        cursor.execute(f"create table names ({', '.join(f'{column} text' for column in COLUMNS)})")
        cursor.copy_expert("copy names from stdin (format csv, header match)", file)
    connection.close()
    assert database.rows("select song_name from names order by played_at_utc") == [(name,) for name in HOSTILE]


@pytest.fixture
def partition(data: Path) -> Path:
    merge_rows(PLAYS, data, "me", plays(*[item(f"2026-11-22T1{n}:00:00Z", name=f"Song {n}") for n in range(3)]))
    return partition_path(PLAYS, data, "me", "2026-11-22")


@pytest.mark.parametrize(
    ("spoil", "line", "words"),
    [
        (lambda text: text[: len(text) // 2], 3, "fields instead of|cut off|not CSV"),
        (lambda text: text[:-1], 4, "cut off"),
        (lambda text: text.replace(b"account,", b"acount,", 1), 1, "header"),
        (lambda text: b"", 1, "header"),
        (lambda text: text.replace(b"T11:00", b"T99:00"), 3, "no date and time"),
        (lambda text: text.replace(b"2026-11-22T11", b"2026-11-23T11"), 3, "not that of the file"),
        (lambda text: text.replace(b"Song 1", b"Song \xff"), 3, "not UTF-8"),
        (lambda text: text.replace(b"Song 1", b"Song, 1"), 3, "28 fields instead of 27"),
        (lambda text: text.replace(b"\nme,2026-11-22T11", b"\nyou,2026-11-22T11"), 3, "account is 'you'"),
        (lambda text: text.replace(b"Song 1", b'"Song 1'), 3, "not CSV|fields"),
    ],
)
def test_a_damaged_partition_is_named_and_left_alone(partition: Path, spoil: object, line: int, words: str) -> None:
    spoiled = spoil(partition.read_bytes())  # type: ignore[operator]
    partition.write_bytes(spoiled)
    data = partition.parents[4]
    with pytest.raises(PartitionDamaged, match=words) as caught:
        merge_rows(PLAYS, data, "me", plays(item("2026-11-21T10:00:00Z"), item("2026-11-22T20:00:00Z")))
    assert str(caught.value).startswith(f"{partition}, line {line}: ")
    assert partition.read_bytes() == spoiled
    assert len(read_partition(PLAYS, partition_path(PLAYS, data, "me", "2026-11-21"))) == 1, (
        "the other day is merged all the same"
    )


def test_what_is_formatted_is_what_is_read(partition: Path) -> None:
    assert format_partition(PLAYS, read_partition(PLAYS, partition)) == partition.read_bytes()

"""From entries of the data export to lines of partitions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract.datasets import HISTORY
from pipeline.extract.history.rows import LineMaker, key_length
from pipeline.extract.partitions import format_partition, partition_path, read_partition, split_partition
from tests.samples import export_row

STAMP = "2026-11-22T14:30:00.000Z"
TS = "2022-12-21T14:57:43Z"


def make(*entries: Any) -> tuple[LineMaker, list[dict[str, str]]]:
    """The rows of the lines, read back by the strict reader of partitions."""
    maker = LineMaker("me", STAMP)
    lines = maker.lines(entries)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(lines):
            path = partition_path(HISTORY, Path(folder, str(number)), "me", line.split(",")[1])
            path.parent.mkdir(parents=True)
            path.write_text(",".join(HISTORY.columns) + "\n" + line + "\n", newline="")
            rows += read_partition(HISTORY, path)
    return maker, rows


def test_every_field_has_its_column_and_addresses_none() -> None:
    entry = export_row(TS, "Song", user_agent_decrypted="Browser 1.0", username="somebody", skipped=None, shuffle=True)
    _, [row] = make(entry)
    assert row == {
        "account": "me",
        "played_date_utc": "2022-12-21",
        "played_at_utc": TS,
        "row_id": row["row_id"],
        "last_updated_datetime_utc": STAMP,
        "ms_played": "200000",
        "track_uri": "spotify:track:song",
        "track_name": "Song",
        "album_artist_name": "Somebody",
        "album_name": "Album",
        **dict.fromkeys(("episode_uri", "episode_name", "episode_show_name"), ""),
        **dict.fromkeys(("audiobook_uri", "audiobook_title", "audiobook_chapter_uri", "audiobook_chapter_title"), ""),
        "platform": "ios",
        "conn_country": "DE",
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": "true",
        "skipped": "",
        "offline": "false",
        "incognito_mode": "false",
        "offline_timestamp": "",
    }
    assert "203.0.113.7" not in str(row)


@pytest.mark.parametrize(
    "name", ['Sáy "no", twice', "two\nlines", "\r", "日本語 🎵", "=1+1", "\\.", 'a "', "nul \0 here"]
)
def test_titles_come_back_as_they_were(name: str) -> None:
    _, [row] = make(export_row(TS, name))
    assert row["track_name"] == name.replace("\0", "\ufffd")


def test_lines_stand_in_a_partition_as_its_own_format_has_them(tmp_path: Path) -> None:
    entries = [export_row(f"2022-12-21T1{n}:00:00Z", name) for n, name in enumerate(["a", 'b "', "c\nd", "e,f"])]
    lines = LineMaker("me", STAMP).lines(reversed(entries))
    body = ("\n".join([",".join(HISTORY.columns), *lines]) + "\n").encode()
    path = partition_path(HISTORY, tmp_path, "me", "2022-12-21")
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    assert format_partition(HISTORY, read_partition(HISTORY, path)) == body
    assert split_partition(body)[1:] == [(line + "\n").encode() for line in lines]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (["a list"], "not an object"),
        (None, "not an object"),
        (export_row("yesterday"), "ts is no date and time"),
        ({**export_row(TS), "ts": None}, "ts is no date and time"),
        ({**export_row(TS), "ts": 1671634663}, "ts is no date and time"),
        ({key: value for key, value in export_row(TS).items() if key != "ts"}, "ts is no date and time"),
        ({**export_row(TS), "ms_played": "200000"}, "ms_played is no number of milliseconds"),
        ({**export_row(TS), "ms_played": -1}, "ms_played is no number of milliseconds"),
        ({**export_row(TS), "ms_played": True}, "ms_played is no number of milliseconds"),
        ({**export_row(TS), "ms_played": None}, "ms_played is no number of milliseconds"),
        ({**export_row(TS), "ms_played": 1e300}, "ms_played is no number of milliseconds"),
    ],
)
def test_an_entry_that_is_no_play_is_skipped_with_its_number(entry: Any, reason: str) -> None:
    maker, rows = make(export_row("2022-12-21T10:00:00Z"), entry, export_row("2022-12-21T11:00:00Z"))
    assert maker.skipped == {reason: [2]}
    assert (maker.read, len(rows)) == (3, 2)


@pytest.mark.parametrize(
    "ts",
    [TS, "2022-12-21T14:57:43.900Z", "2022-12-21T15:57:43+01:00", "2022-12-21 14:57:43", "2022-W51-3T14:57:43Z"],
)
def test_moments_are_written_in_one_way(ts: str) -> None:
    _, [row] = make(export_row(ts))
    assert (row["played_at_utc"], row["played_date_utc"]) == (TS, "2022-12-21")


def test_older_generations_lack_fields_and_have_others() -> None:
    old = {"ts": TS, "username": "somebody", "ms_played": 1000, "skipped": None, "mood": "fine"}
    old |= {"spotify_track_uri": "spotify:track:x", "offline_timestamp": 1671634660123}
    maker, [row] = make(old)
    assert (row["track_uri"], row["audiobook_uri"], row["offline_timestamp"]) == (
        "spotify:track:x",
        "",
        "1671634660123",
    )
    assert maker.unknown == {"mood"}


@pytest.mark.parametrize(
    "fields",
    [
        {"platform": None, "reason_end": "fwdbtn"},
        {"master_metadata_track_name": "Song (Remastered)"},
        {"skipped": None},
        {"offline_timestamp": 1671634463},
        {"audiobook_title": ""},
    ],
)
def test_the_same_play_is_one_row_whatever_else_a_later_export_says_of_it(fields: dict[str, Any]) -> None:
    _, rows = make(export_row(TS), export_row(TS, **fields))
    assert len(rows) == 1
    assert rows[0]["platform"] == "ios", "the first stays"


@pytest.mark.parametrize(
    "other",
    [
        export_row(TS, "Another"),
        export_row(TS, ms_played=199_999),
        export_row("2022-12-21T14:57:44Z"),
        export_row(TS, spotify_track_uri=None),
        export_row(TS, offline=True, offline_timestamp=1671600000),
    ],
)
def test_other_plays_are_other_rows(other: dict[str, Any]) -> None:
    assert len(make(export_row(TS), other)[1]) == 2


def test_offline_plays_of_one_second_are_told_apart_by_when_they_began_in_either_unit() -> None:
    batch = [export_row(TS, offline=True, offline_timestamp=1671600000 + n) for n in range(0, 600, 200)]
    in_milliseconds = [{**row, "offline_timestamp": row["offline_timestamp"] * 1000 + 77} for row in batch]
    assert len(make(*batch, *in_milliseconds)[1]) == 3


def test_values_of_other_types_than_documented_do_no_harm() -> None:
    entry = export_row(TS) | {
        "platform": ["a"],
        "master_metadata_track_name": {"x": 1},
        "shuffle": 1,
        "skipped": "true",
    }
    entry |= {"offline": "no", "offline_timestamp": 10**40, "ms_played": 1000.0, "conn_country": 7}
    _, [row] = make(entry)
    assert [row[name] for name in ("platform", "track_name", "conn_country", "offline", "offline_timestamp")] == [
        ""
    ] * 5
    assert (row["shuffle"], row["skipped"], row["ms_played"]) == ("true", "true", "1000")


def test_the_identity_stands_at_the_begin_of_a_line() -> None:
    line = LineMaker("a-long_name", STAMP).lines([export_row(TS)])[0]
    assert line[: key_length("a-long_name")].count(",") == 4
    assert line[key_length("a-long_name") :].startswith(STAMP)


@pytest.mark.parametrize(
    "ts", ["2022-12-21", "2022W51", "20221221T145743,1Z", "2022-12-21T145743,1Z", "2022-12-21T145743.1Z"]
)
def test_unusual_moments_are_rewritten_and_harm_no_other_row(ts: str) -> None:
    maker, rows = make(export_row("2022-12-22T10:00:00Z"), export_row(ts))
    assert len(rows) == 2
    assert all(len(row["played_at_utc"]) == 20 for row in rows)
    assert not maker.skipped


@pytest.mark.parametrize(
    ("ts", "reason"),
    [
        ("1970-01-01T00:00:00Z", "ts is before 2006-04-01, when Spotify did not exist"),
        ("0001-01-01T00:00:00Z", "ts is before 2006-04-01, when Spotify did not exist"),
        ("2006-03-31T23:59:59Z", "ts is before 2006-04-01, when Spotify did not exist"),
        ("2006-04-01T01:59:59+02:00", "ts is before 2006-04-01, when Spotify did not exist"),
        ("2006-04-01T00:00:00Z", None),
        ("2026-11-22T14:30:00Z", None),
        ("2026-11-22T14:30:01Z", "ts is after the import"),
        ("2026-11-22T14:30:00-00:01", "ts is after the import"),
        ("9999-12-31T23:59:59Z", "ts is after the import"),
    ],
)
def test_a_moment_at_which_nothing_can_have_been_played_is_skipped_with_its_number(ts: str, reason: str | None) -> None:
    maker, rows = make(export_row(TS), export_row(ts))
    assert maker.skipped == ({reason: [2]} if reason else {})
    assert len(rows) == (1 if reason else 2)
    assert {maker.first, maker.last} == {row["played_at_utc"] for row in rows}


def test_a_stray_row_does_not_stretch_the_time_of_a_file_beyond_its_bounds() -> None:
    maker = LineMaker("me", STAMP, ("2022-12-31T00:00:00Z", "2024-01-01T23:59:59Z"))
    maker.lines([export_row("2019-05-05T10:00:00Z"), export_row("2022-12-30T10:00:00Z")])
    assert (maker.first, maker.last) == ("", "")
    maker.lines([export_row("2024-02-02T10:00:00Z"), export_row("2022-12-31T23:00:00Z")])
    maker.lines(
        [export_row("2019-05-05T10:00:00Z"), export_row("2023-06-01T10:00:00Z"), export_row("2026-01-01T10:00:00Z")]
    )
    assert (maker.first, maker.last) == ("2022-12-31T23:00:00Z", "2023-06-01T10:00:00Z")

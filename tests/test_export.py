"""What may be handed over as an export, and what is refused with which words."""

from __future__ import annotations

import contextlib
import datetime
import json
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract.history import entries as reading
from pipeline.extract.history.entries import read_entries
from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export import open_export
from pipeline.extract.history.rows import LineMaker
from pipeline.extract.history.spans import covered_spans
from tests.listener.account_data import write_account_data
from tests.listener.hostile import HOSTILE, ODD, write_hostile
from tests.listener.truth import Play, listen
from tests.samples import export_row

ROWS = json.dumps([export_row("2022-12-21T14:57:43Z")])
AUDIO = "Streaming_History_Audio_2022_0.json"
PREDECESSOR = "played_at_utc,played_date_utc,song_name,song_duration_ms\n"


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def names(path: Path) -> list[str]:
    return [file.name for file in open_export(path).files]


@pytest.mark.parametrize(
    "folder", ["Spotify Extended Streaming History/", "", "Verlängerter Verlauf 🎵/a/b/", "a\\b\\"]
)
def test_a_zip_is_taken_as_it_came(tmp_path: Path, folder: str) -> None:
    video = "Streaming_History_Video_2022.json"
    path = zipped(
        tmp_path / "my_spotify_data.zip",
        **{
            f"{folder}ReadMeFirst.pdf": "%PDF",
            f"{folder}{video}": ROWS,
            f"{folder}Streaming_History_Audio_2020-2021_10.json": ROWS,
            f"{folder}Streaming_History_Audio_2020-2021_9.json": ROWS,
            f"{folder}endsong_3.json": ROWS,
            f"__MACOSX/{folder}._{AUDIO}": "junk",
            f"{folder}Identity.json": "{}",
        },
    )
    assert names(path) == [
        "Streaming_History_Audio_2020-2021_9.json",
        "Streaming_History_Audio_2020-2021_10.json",
        video,
        "endsong_3.json",
    ]
    assert all(next(read_entries(file))[0]["ms_played"] == 200_000 for file in open_export(path).files)


def test_an_unpacked_folder_and_a_single_file_of_any_name_are_taken(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / AUDIO).write_text(ROWS)
    (tmp_path / "deep" / "notes.txt").write_text("hello")
    assert names(tmp_path) == [AUDIO]
    renamed = tmp_path / "mine.json"
    renamed.write_text("\ufeff " + ROWS)
    assert names(renamed) == ["mine.json"]
    assert len(next(read_entries(open_export(renamed).files[0]))) == 1


def test_names_keep_their_folder_where_it_tells_them_apart(tmp_path: Path) -> None:
    path = zipped(tmp_path / "two.zip", **{f"2024/{AUDIO}": ROWS, f"2026/{AUDIO}": ROWS})
    assert names(path) == [f"2024/{AUDIO}", f"2026/{AUDIO}"]


def test_the_same_bytes_have_the_same_digest_wherever_they_lie(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / AUDIO).write_text(ROWS)
    assert open_export(first).digest == open_export(second).digest
    (second / AUDIO).write_text(ROWS + " ")
    assert open_export(first).digest != open_export(second).digest


def a_file(name: str, body: str) -> Any:
    return lambda folder: (folder / name, (folder / name).write_text(body))[0]


def a_zip(**members: str) -> Any:
    return lambda folder: zipped(folder / "given.zip", **members)


def cut_off(folder: Path) -> Path:
    path = zipped(folder / "given.zip", **{AUDIO: ROWS * 100})
    path.write_bytes(path.read_bytes()[:-30])
    return path


def encrypted(folder: Path) -> Path:
    """The flag that says so, in both places where a zip keeps it."""
    path = zipped(folder / "given.zip", **{AUDIO: ROWS})
    body = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.index(signature) + offset
        body[place : place + 2] = struct.pack("<H", 1)
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda folder: folder / "nowhere.zip", "does not exist"),
        (a_zip(**{"MyData/StreamingHistory_music_0.json": "[]", "MyData/Userdata.json": "{}"}), '"Account data"'),
        (a_zip(**{"MyData/StreamingHistory0.json": "[]"}), "Extended streaming history"),
        (
            a_file("StreamingHistory_music_0.json", '[{"endTime": "2022-12-21 14:57", "msPlayed": 1}]'),
            "minutes instead",
        ),
        (a_zip(**{"photo.jpg": "x"}), "holds no Streaming_History_Audio"),
        (lambda folder: folder, "holds no Streaming_History_Audio"),
        (a_file("notes.txt", "hello"), "neither a zip nor a list of plays"),
        (a_file("empty.json", ""), "neither a zip nor a list of plays"),
        (a_file("given.zip", "PK\x03\x04 and nothing more"), "cut off or damaged"),
        (cut_off, "cut off or damaged"),
        (encrypted, "encrypted"),
        (a_zip(**{f"../../{AUDIO}": ROWS}), "a place outside itself"),
        (a_zip(**{f"/etc/{AUDIO}": ROWS}), "a place outside itself"),
        (a_zip(**{AUDIO: "[" + " " * 40_000_000 + "]"}), "no listening history is so even"),
    ],
)
def test_what_is_no_export_is_refused_with_what_to_do(tmp_path: Path, given: Any, words: str) -> None:
    with pytest.raises(ExportRefused, match=words):
        open_export(given(tmp_path))


def test_a_folder_with_the_zip_in_it_is_told_so(tmp_path: Path) -> None:
    zipped(tmp_path / "my_spotify_data.zip", **{AUDIO: ROWS})
    with pytest.raises(ExportRefused, match="a zip: give that"):
        open_export(tmp_path)


@pytest.mark.parametrize("limit", [reading.READ_WHOLE, 10])
@pytest.mark.parametrize("body", ["[" + ROWS[1:-1] + ", {", "[{]", '{"a": 1}', '"text"', "[1, 2", "nonsense"])
def test_a_file_that_is_no_list_is_refused_by_name_whole_or_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, limit: int
) -> None:
    monkeypatch.setattr(reading, "READ_WHOLE", limit)
    [file] = open_export(zipped(tmp_path / "given.zip", **{AUDIO: body})).files
    with pytest.raises(ExportRefused, match=AUDIO):
        list(read_entries(file))


def test_a_checksum_that_does_not_fit_is_found_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(AUDIO, ROWS)
    path.write_bytes(path.read_bytes().replace(b"Somebody", b"Somebady"))
    [file] = open_export(path).files
    with pytest.raises(ExportRefused, match="cannot be unpacked"):
        list(read_entries(file))


def test_pieces_hold_what_the_whole_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [export_row(f"2022-12-21T14:57:{second:02}Z", "日本語", ms_played=second) for second in range(60)]
    (tmp_path / AUDIO).write_text(json.dumps(rows))
    [file] = open_export(tmp_path).files
    whole = list(read_entries(file))
    monkeypatch.setattr(reading, "READ_WHOLE", 10)
    monkeypatch.setattr(reading, "PIECE", 7)
    pieces = list(read_entries(file))
    assert [row for piece in pieces for row in piece] == whole[0] == rows
    assert len(pieces) == 9


def test_half_a_surrogate_pair_in_a_title_costs_no_file(tmp_path: Path) -> None:
    (tmp_path / AUDIO).write_text(ROWS.replace("Somebody", "\\ud83c Somebody"))
    [file] = open_export(tmp_path).files
    assert len(next(read_entries(file))) == 1


YEARS = {n: (f"20{n:02}-01-01T00:00:00Z", f"20{n:02}-12-31T23:00:00Z") for n in range(10, 20)}


@pytest.mark.parametrize(
    ("files", "spans"),
    [
        ([("Streaming_History_Audio_2010_0.json", 10), ("Streaming_History_Audio_2011_1.json", 11)], [(10, 11)]),
        ([("x/Streaming_History_Audio_2010-2011.json", 10)], [(10, 10)]),
        (
            [("Streaming_History_Audio_2010_0.json", 10), ("Streaming_History_Audio_2012_2.json", 12)],
            [(10, 10), (12, 12)],
        ),
        ([("Streaming_History_Video_2010-2019.json", 10)], []),
        ([("endsong_0.json", 15), ("endsong_1.json", 10)], [(10, 15)]),
        ([("endsong_0.json", 15), ("endsong_2.json", 10)], []),
        ([("endsong_1.json", 10)], []),
        ([("mine.json", 10)], []),
        (
            [("a/Streaming_History_Audio_2010_0.json", 10), ("b/Streaming_History_Audio_2012_1.json", 12)],
            [(10, 10), (12, 12)],
        ),
        ([("a/endsong_0.json", 10), ("b/endsong_1.json", 12)], [(10, 10)]),
    ],
)
def test_only_complete_sets_of_audio_files_cover_time(
    files: list[tuple[str, int]], spans: list[tuple[int, int]]
) -> None:
    found = covered_spans((name, *YEARS[year]) for name, year in files)
    assert found == [(YEARS[begin][0], YEARS[end][1]) for begin, end in spans]


@pytest.fixture(scope="module")
def plays() -> list[Play]:
    return list(listen(1, datetime.datetime(2022, 12, 1, tzinfo=datetime.UTC), 2))


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, plays: list[Play], kind: str) -> None:
    path = write_hostile(kind, tmp_path / "given.zip", plays)
    with pytest.raises(ExportRefused):
        for file in open_export(path).files:
            list(read_entries(file))
    assert [entry.name for entry in tmp_path.iterdir()] == ["given.zip"], "nothing is unpacked onto the disk"


@pytest.mark.parametrize("kind", ODD)
def test_odd_archives_are_read_whole(tmp_path: Path, plays: list[Play], kind: str) -> None:
    path = write_hostile(kind, tmp_path / "given.zip", plays)
    maker = LineMaker("me", "2026-11-22T14:30:00.000Z")
    lines = [line for file in open_export(path).files for piece in read_entries(file) for line in maker.lines(piece)]
    assert len(lines) >= len(plays) * 0.9
    assert not maker.skipped
    assert "\0" not in "".join(lines)


def test_the_other_zip_of_spotify_is_told_apart(tmp_path: Path, plays: list[Play]) -> None:
    with pytest.raises(ExportRefused, match='Request "Extended streaming history" at'):
        open_export(write_account_data(tmp_path / "my_spotify_data.zip", plays))


@pytest.mark.parametrize("limit", [reading.READ_WHOLE, 10])
def test_what_is_said_of_a_broken_file_holds_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(reading, "READ_WHOLE", limit)
    (tmp_path / AUDIO).write_text(ROWS.replace('"ip_addr": ', '"ip_addr": "203.0.113.9" '))
    [file] = open_export(tmp_path).files
    with pytest.raises(ExportRefused) as refused:
        list(read_entries(file))
    assert "203.0.113" not in str(refused.value)


@pytest.mark.parametrize("limit", [reading.READ_WHOLE, 10])
def test_a_hundred_thousand_brackets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(reading, "READ_WHOLE", limit)
    (tmp_path / AUDIO).write_text("[" * 100_000)
    [file] = open_export(tmp_path).files
    with pytest.raises(ExportRefused):
        list(read_entries(file))


def test_any_byte_of_a_zip_can_be_spoiled_without_a_traceback(tmp_path: Path) -> None:
    chance = random.Random(4)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = tmp_path / f"{method}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr(f"Verlängert/{AUDIO}", ROWS)
        whole = path.read_bytes()
        for _ in range(150):
            spoiled = bytearray(whole)
            for _ in range(chance.choice([1, 2, 5])):
                spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            path.write_bytes(spoiled)
            with contextlib.suppress(ExportRefused):
                for file in open_export(path).files:
                    list(read_entries(file))

"""What may be handed over as an export, and what is refused with which words."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import random
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract.history import entries as reading
from pipeline.extract.history import segments
from pipeline.extract.history.entries import read_entries
from pipeline.extract.history.errors import ExportRefused
from pipeline.extract.history.export import open_export
from pipeline.extract.history.names import audio_sets
from pipeline.extract.history.rows import LineMaker
from pipeline.extract.history.spans import FileTimes, covered_spans
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


@pytest.mark.parametrize(
    "name",
    ["endsong.json", "endvideo.json", "endvideo_1.json", "EndSong.JSON", "Streaming_History_Audio_2024.json"],
)
def test_every_name_of_a_history_is_taken_in_a_folder_and_in_a_zip(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ROWS)
    (tmp_path / "endsong_0.json").write_text(ROWS)
    assert set(names(tmp_path)) == {name, "endsong_0.json"}
    assert names(zipped(tmp_path / "given.zip", **{f"MyData/{name}": ROWS})) == [name]


def test_a_file_that_looks_like_plays_and_is_not_read_is_named(tmp_path: Path) -> None:
    other = '[\n {"endTime": "2024-01-01 10:00", "artistName": "A", "trackName": "T", "msPlayed": 200000}]'
    members = {
        AUDIO: ROWS,
        "deep/history of 2023.json": ROWS,
        "StreamingHistory_music_0.json": other,
        "Userdata.json": '{"username": "somebody"}',
        f"__MACOSX/._{AUDIO}": ROWS,
        "broken.json": "[",
    }
    for name, body in members.items():
        (tmp_path / "export" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "export" / name).write_text(body)
    expected = ("StreamingHistory_music_0.json", "deep/history of 2023.json")
    assert open_export(tmp_path / "export").not_read == expected
    assert open_export(zipped(tmp_path / "export.zip", **members)).not_read == expected
    (tmp_path / "export" / AUDIO).unlink()
    (tmp_path / "export" / "StreamingHistory_music_0.json").unlink()
    with pytest.raises(ExportRefused, match=r"look like plays: deep/history of 2023\.json"):
        open_export(tmp_path / "export")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of another user for a moment")
def test_a_folder_that_cannot_be_read_stops_the_import_and_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / AUDIO).write_text(ROWS)
        (folder / "locked").mkdir(mode=0o700)
        (folder / "locked" / "Streaming_History_Audio_2022_1.json").write_text(ROWS)
        os.seteuid(65534)
        try:
            with pytest.raises(ExportRefused, match="locked cannot be read"):
                open_export(folder)
        finally:
            os.seteuid(0)


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
        ([("endsong.json", 10)], [(10, 10)]),
        ([("endsong.json", 10), ("endsong_1.json", 12)], [(10, 12)]),
        ([("endsong.json", 10), ("endsong_2.json", 12)], []),
        ([("endvideo.json", 10)], []),
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
    found = covered_spans({name: FileTimes(100, *YEARS[year], pause=1) for name, year in files})
    assert found == [(YEARS[begin][0], YEARS[end][1]) for begin, end in spans]


@pytest.fixture(scope="module")
def plays() -> list[Play]:
    return list(listen(1, datetime.datetime(2022, 12, 1, tzinfo=datetime.UTC), 2))


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        (["2011", "2012", "2013", "2013_1", "2014"], []),
        (["2011", "2013_2", "2013", "2016"], ["2012", "2013_1", "2014", "2015"]),
        (["2013_1"], ["2013"]),
        (["2013_1", "2014_2"], ["2013", "2014", "2014_1"]),
        (["2018-2020_0", "2020_1", "2020_3"], ["…_2"]),
        (["2020_1", "2020_0"], []),
        (["2020_0", "2020", "2022"], []),
        (["2020_3000000", "2020"], ["2020_1 to 2020_2999999"]),
    ],
)
def test_missing_files_are_named(files: list[str], missing: list[str]) -> None:
    [found] = audio_sets(f"Streaming_History_Audio_{name}.json" for name in files)
    prefix, suffix = "Streaming_History_Audio_", ".json"
    assert [name.replace(prefix, "").replace(suffix, "") for name in found.missing()] == missing
    assert found.numbering == ("unclear" if files == ["2020_0", "2020", "2022"] else found.numbering)


Q1, Q3 = ("-01-02", "-06-28"), ("-07-03", "-12-29")


def year_files(**files: Any) -> dict[str, FileTimes]:
    """Files of the Spotify of 2026: `_2013_1=(first, last)` and, if they differ, longest pause and entries."""
    found = {}
    for place, (first, last, *others) in files.items():
        begin, end = (f"{place[1:5]}{at}T12:00:00Z" if at.startswith("-") else at for at in (first, last))
        pause, entries = (5, 3_000) if not others else (others[0], others[1] if len(others) > 1 else 3_000)
        found[f"Streaming_History_Audio{place}.json"] = FileTimes(entries, begin, end, pause)
    return found


@pytest.mark.parametrize(
    ("files", "spans"),
    [
        (
            year_files(_2022=("-01-02", "-12-30"), _2023=Q1, _2023_1=Q3, _2024=("-01-01", "-08-01")),
            ["2022-01-02 2024-08-01"],
        ),
        (year_files(_2023=Q1, _2023_1=Q3, _2025=Q1), ["2023-01-02 2023-12-29", "2025-01-02 2025-06-28"]),
        (year_files(_2023=Q1, _2023_2=Q3, _2024=Q1), ["2023-01-02 2023-06-28", "2023-07-03 2024-06-28"]),
        (year_files(_2022=Q3, _2023_1=Q3, _2024=Q1), ["2022-07-03 2022-12-29", "2023-07-03 2024-06-28"]),
        # The last file of 2023 may be missing: the pause is longer than any other, or the file is full.
        (year_files(_2023=Q1, _2024=Q1), ["2023-01-02 2023-06-28", "2024-01-02 2024-06-28"]),
        (year_files(_2023=("-01-02", "-11-02", 60), _2024=Q1), ["2023-01-02 2023-11-02", "2024-01-02 2024-06-28"]),
        (year_files(_2023=("-01-02", "-12-20", 14), _2024=Q1), ["2023-01-02 2024-06-28"]),
        (
            year_files(_2023=("-01-02", "-12-20", 14, 16_000), _2024=Q1),
            ["2023-01-02 2023-12-20", "2024-01-02 2024-06-28"],
        ),
        (year_files(_2023=("-01-02", "-12-31", 5, 16_000), _2024=("-01-01", "-02-01")), ["2023-01-02 2024-02-01"]),
        # The year is the listener's: its first play can be of the year before in UTC.
        (year_files(_2025=("-01-02", "-12-31"), _2026=("2025-12-31T23:00:00Z", "-02-01")), ["2025-01-02 2026-02-01"]),
        # A file without a play says nothing about its year.
        (year_files(_2023=Q3, _2024=("", ""), _2025=Q1), ["2023-07-03 2023-12-29", "2025-01-02 2025-06-28"]),
        (year_files(_2023=Q1, _2023_1=("", ""), _2023_2=Q3), ["2023-01-02 2023-12-29"]),
        # It can be either numbering, or is both.
        (year_files(_2023_1=Q1, _2024_2=Q1), ["2023-01-02 2023-06-28", "2024-01-02 2024-06-28"]),
        (year_files(_2023_0=Q3, _2024=Q1), ["2023-07-03 2023-12-29", "2024-01-02 2024-06-28"]),
    ],
)
def test_years_are_one_span_only_if_no_file_between_them_can_be_missing(
    files: dict[str, FileTimes], spans: list[str]
) -> None:
    assert sorted(f"{begin[:10]} {end[:10]}" for begin, end in covered_spans(files)) == spans


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


def overlapping(path: Path, body: str, count: int) -> Path:
    """A zip whose entries share one packed body: the extra field of each local header covers the headers that follow,
    as in David Fifield's "A better zip bomb" (2019)."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = compressor.compress(body.encode()) + compressor.flush()
    common = struct.pack("<HHHHIIIH", 0, 8, 0, 33, zlib.crc32(body.encode()), len(packed), len(body), 16)
    entries = [f"endsong_{number:03}.json".encode() for number in range(count)]
    headers = b""
    for name in reversed(entries):
        extra = struct.pack("<HH", 0xFFFF, len(headers)) + headers
        headers = (
            b"PK\x03\x04" + struct.pack("<H", 20) + common + struct.pack("<H", len(extra)) + name + extra[:4] + headers
        )
    size = 30 + 16 + 4
    directory = b"".join(
        b"PK\x01\x02"
        + struct.pack("<HH", 20, 20)
        + common
        + struct.pack("<HHHHII", 0, 0, 0, 0, 0, number * size)
        + name
        for number, name in enumerate(entries)
    )
    begin = len(headers) + len(packed)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), begin, 0)
    path.write_bytes(headers + packed + directory + b"PK\x05\x06" + end)
    return path


def test_entries_that_overlap_are_refused_with_numbers(tmp_path: Path) -> None:
    body = json.dumps([export_row("2022-12-21T14:57:43Z", f"Song {n}") for n in range(500)])
    path = overlapping(tmp_path / "given.zip", body, 100)
    with zipfile.ZipFile(path) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) > 500 * path.stat().st_size
    with pytest.raises(
        ExportRefused, match=rf"overlap.* 100 entries .* {path.stat().st_size:,} .* {100 * len(body):,}"
    ):
        open_export(path)
    assert names(overlapping(path, body, 1)), "the archive is well-formed but for the overlap"


def test_many_entries_that_are_each_harmless_are_refused_together(tmp_path: Path) -> None:
    blanks = "[" + " " * 31_000_000 + "]"
    members = {f"Streaming_History_Audio_2022_{number}.json": blanks for number in range(3)}
    with pytest.raises(ExportRefused, match=r"its 3 files of plays would unpack to 93,000,006"):
        open_export(zipped(tmp_path / "given.zip", **members))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_unpack_without_a_limit_are_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "given.zip", "w", method) as archive:
        archive.writestr(AUDIO, ROWS)
    with pytest.raises(ExportRefused, match="neither stored nor deflated"):
        open_export(tmp_path / "given.zip")


def test_a_file_of_nothing_but_other_entries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_SKIPPED", 1_000)
    (tmp_path / AUDIO).write_text("[" + "1," * 1_000 + ROWS[1:])
    [file] = open_export(tmp_path).files
    stamp = "2026-11-22T14:30:00.000Z"
    assert segments.make_segment(segments.Job(file, tmp_path / "0.csv", "me", stamp)).lines == 1
    (tmp_path / AUDIO).write_text("[" + "1," * 1_001 + ROWS[1:])
    with pytest.raises(ExportRefused, match=r"of its first 1,002 entries more than 1,000 are no plays"):
        segments.make_segment(segments.Job(file, tmp_path / "1.csv", "me", stamp))


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

"""The made-up listener keeps the promises on which the tests of the import rest."""

from __future__ import annotations

import csv
import datetime
import json
import zipfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.listener.account_data import write_account_data
from tests.listener.defects import BAD, NEAR_KINDS, NEAR_MS
from tests.listener.export import write_export
from tests.listener.hostile import BOMB_BYTES, HOSTILE, ODD, TRAVERSALS, write_hostile
from tests.listener.manifest import Defects, Expected, Manifest
from tests.listener.moments import to_unix_ms
from tests.listener.polled import MOSTLY_MS, NEVER_MS, body, pages, polled, sample_plays
from tests.listener.predecessor import COLUMNS, write_predecessor
from tests.listener.rows import GARBAGE, PRIVATE_MARKS, Generation, offline_timestamp
from tests.listener.truth import APART_MS, Play, listen

BEGIN = datetime.datetime(2018, 10, 1, tzinfo=datetime.UTC)
MANY = Defects(exact=0.02, exact_in_another_file=0.02, near=0.03, bad=0.02, unknown_fields=0.05)
GENERATIONS: tuple[Generation, ...] = ("endsong", "streaming_history")


@pytest.fixture(scope="module")
def plays() -> list[Play]:
    """Seven months with both changes of the clocks."""
    return list(listen(7, BEGIN, 210, 40))


def read(folder: Path, manifest: Manifest) -> dict[str, list[Any]]:
    return {file.name: json.loads((folder / file.name).read_bytes()) for file in manifest.files}


def test_a_history_is_in_order_and_about_as_long_as_asked_for(plays: list[Play]) -> None:
    assert len(plays) == pytest.approx(210 * 40, rel=0.05)
    assert [play.number for play in plays] == list(range(len(plays)))
    assert all(before.end_ms < after.end_ms and before.end_ms <= after.start_ms for before, after in pairwise(plays))
    assert all(0 <= play.ms_played <= play.end_ms - play.start_ms for play in plays)
    assert all(play.known_ms >= play.end_ms for play in plays)


def test_everything_that_makes_a_history_hard_is_in_it(plays: list[Play]) -> None:
    assert {play.title.kind for play in plays} == {"track", "removed", "local", "episode", "chapter"}
    assert any(play.private for play in plays)
    assert any(play.skipped and play.ms_played == 0 for play in plays)
    assert any(play.ms_played < play.end_ms - play.start_ms for play in plays)
    assert {play.stamp for play in plays if play.offline} == {"sound", "zero", "garbage"}
    assert (
        Counter(play.synced_ms and play.synced_ms // 1000 for play in plays if play.synced_ms).most_common(1)[0][1] > 20
    )
    assert any(play.synced_ms - play.end_ms > 86_400_000 for play in plays if play.synced_ms)
    assert any(all(mark in play.title.name for mark in '",') for play in plays)
    assert any("\n" in play.title.name for play in plays)
    ended: dict[str, list[int]] = defaultdict(list)
    for play in plays:
        ended[play.title.uri].append(play.end_ms)
    assert any(
        third - first < 60_000
        for ends in ended.values()
        for first, _, third in zip(ends, ends[1:], ends[2:], strict=False)
    )


def test_a_longer_history_begins_with_the_shorter_one(plays: list[Play]) -> None:
    shorter = list(listen(7, BEGIN, 30, 40))
    assert plays[: len(shorter)] == shorter
    assert next(listen(8, BEGIN, 1, 40)) != plays[0]


@pytest.mark.parametrize("moment", ["2018-10-28T01:00", "2019-03-31T01:00", "2018-12-31T23:00", "2019-01-01T00:00"])
def test_plays_lie_in_order_on_both_sides_of_a_hard_moment(plays: list[Play], moment: str) -> None:
    hard = to_unix_ms(datetime.datetime.fromisoformat(f"{moment}+00:00"))
    near = [play for play in plays if abs(play.end_ms - hard) < 3_600_000]
    assert any(play.end_ms < hard for play in near)
    assert any(play.end_ms >= hard for play in near)
    assert near == sorted(near, key=lambda play: play.end)


def test_midnights_are_played_over(plays: list[Play]) -> None:
    assert any(play.start.date() < play.end.date() for play in plays)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_manifest_counts_what_plain_json_counts(tmp_path: Path, plays: list[Play], generation: Generation) -> None:
    manifest = write_export(tmp_path, plays, generation=generation, defects=MANY, rows_a_file=2_000)
    assert len(manifest.files) > 4
    assert set(manifest.bad) == set(BAD)
    assert set(manifest.near) == set(NEAR_KINDS)
    assert manifest.plays == len(plays) == len(manifest.expected)
    seen: Counter[str] = Counter()
    for file, (name, rows) in zip(manifest.files, read(tmp_path, manifest).items(), strict=True):
        assert (file.name, file.rows) == (name, len(rows))
        assert all(is_bad(row) == (index in file.bad) for index, row in enumerate(rows))
        texts = [json.dumps(row, sort_keys=True) for index, row in enumerate(rows) if index not in file.bad]
        assert len(texts) - len(set(texts)) == len(file.exact)
        assert sum(seen[text] > 0 for text in texts) == len(file.exact_in_another_file)
        seen.update(texts)
    assert len(seen) == len(plays) + manifest.near.total()


def is_bad(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("ts"), str) or not isinstance(row.get("ms_played"), int):
        return True
    try:
        datetime.datetime.strptime(row["ts"], "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return True
    return bool(row["ms_played"] < 0)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_clean_export_has_the_plays_and_nothing_else(
    tmp_path: Path, plays: list[Play], generation: Generation
) -> None:
    manifest = write_export(tmp_path, plays, generation=generation, clean=True)
    rows = [row for rows in read(tmp_path, manifest).values() for row in rows]
    assert manifest.rows == len(rows) == len(plays)
    assert Counter((row["ts"], row["ms_played"], uri(row)) for row in rows) == Counter(
        (play.ts, play.ms_played, play.play.title.exported_uri) for play in manifest.expected
    )
    text = "".join((tmp_path / file.name).read_text("utf-8") for file in manifest.files)
    expected_marks = (
        PRIVATE_MARKS if generation == "endsong" else [mark for mark in PRIVATE_MARKS if "name" not in mark]
    )
    assert all(mark in text for mark in expected_marks)


def uri(row: dict[str, Any]) -> str:
    uris = (row.get(name) for name in ("spotify_track_uri", "spotify_episode_uri", "audiobook_chapter_uri"))
    return next((found for found in uris if found), "")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_where_a_play_ended_follows_from_its_row(plays: list[Play], tmp_path: Path, generation: Generation) -> None:
    manifest = write_export(tmp_path, plays, generation=generation, clean=True)
    for expected in manifest.expected:
        play = expected.play
        if play.synced_ms and play.stamp != "sound":
            assert expected.played_at_ms == play.synced_ms // 1000 * 1000
            stamp = offline_timestamp(play, generation)
            assert stamp in (None, 0, *GARBAGE)
        else:
            assert 0 <= play.end_ms - expected.played_at_ms < 1_000
        assert 0 <= play.known_ms - to_unix_ms(datetime.datetime.fromisoformat(expected.ts)) < 1_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_two_plays_look_like_near_duplicates(seed: int, tmp_path: Path) -> None:
    history = list(listen(seed, BEGIN, 120, 70))
    manifest = write_export(tmp_path, history, clean=True)
    by_title: dict[str, list[Expected]] = defaultdict(list)
    for expected in manifest.expected:
        by_title[expected.play.title.exported_uri].append(expected)
    alike = [
        (one, other)
        for group in by_title.values()
        for index, one in enumerate(group)
        for other in group[index + 1 :]
        if abs(one.play.known_ms // 1000 - other.play.known_ms // 1000) <= 1
        and abs(one.ms_played - other.ms_played) <= 2 * NEAR_MS
    ]
    # What the phone told at once is told apart by the starts.
    assert all(one.play.stamp == other.play.stamp == "sound" for one, other in alike)
    assert all(abs(one.play.end_ms - other.play.end_ms) >= APART_MS for one, other in alike)


def test_a_later_export_has_the_same_rows_in_newer_fields(plays: list[Play], tmp_path: Path) -> None:
    earlier = write_export(tmp_path / "1", plays[:8000], generation="endsong", seed=1, clean=True)
    later = write_export(tmp_path / "2", plays, generation="streaming_history", seed=2, clean=True)
    old, new = (
        {(row["ts"], uri(row), row["ms_played"], str(row["offline_timestamp"])[:10]): row for row in rows}
        for rows in (
            [row for rows in read(tmp_path / folder, manifest).values() for row in rows if row["offline"]]
            for folder, manifest in (("1", earlier), ("2", later))
        )
    )
    assert old.keys() <= new.keys()
    pairs = [(old[key], new[key]) for key in old]
    stamps = [(row["offline_timestamp"], renewed["offline_timestamp"]) for row, renewed in pairs]
    assert any(ms > 10**11 and ms // 1000 == s for ms, s in stamps)
    assert any(ms > 10**11 and ms == same for ms, same in stamps)
    assert {(row["skipped"], renewed["skipped"]) for row, renewed in pairs} == {(False, None)}


def test_an_archive_has_what_the_folder_has(plays: list[Play], tmp_path: Path) -> None:
    manifest = write_export(
        tmp_path / "unpacked", plays[:500], defects=MANY, layout="unicode", zip_too=tmp_path / "my_spotify_data.zip"
    )
    with zipfile.ZipFile(tmp_path / "my_spotify_data.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert [name for name in names if name.endswith(".json")] == [file.name for file in manifest.files]
        assert [name for name in names if name.endswith(".pdf")]
        assert all(archive.read(name) == (tmp_path / "unpacked" / name).read_bytes() for name in names)
    again = write_export(tmp_path / "again.zip", plays[:500], defects=MANY, layout="unicode")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "my_spotify_data.zip").read_bytes()
    assert again == manifest


def test_polled_items_are_never_further_off_than_stated(plays: list[Play]) -> None:
    entries = polled(plays)
    off = [abs(entry.played_at_ms - entry.play.end_ms // 1000 * 1000) for entry in entries if entry.role != "step"]
    assert max(off) < NEVER_MS
    assert sum(ms > MOSTLY_MS for ms in off) == pytest.approx(0.045 * len(off), rel=0.5)
    assert {entry.play.title.kind for entry in entries} == {"track", "local"}
    assert not any(entry.play.private for entry in entries)
    assert {entry.role for entry in entries} == {"end", "step", "again"}
    assert {entry.relinked for entry in entries} == {"", "isrc", "names"}
    played_at = [to_unix_ms(datetime.datetime.fromisoformat(entry.item["played_at"])) for entry in entries]
    assert played_at == [entry.played_at_ms for entry in entries]
    assert len({(entry.item["track"]["uri"], entry.played_at_ms) for entry in entries}) == len(entries)
    assert len(sample_plays(plays)) > len(entries)


def test_pages_hold_the_last_50_without_the_podcasts(plays: list[Play]) -> None:
    slots = [BEGIN + n * datetime.timedelta(minutes=30) for n in range(24 * 2 * 60)]
    found = pages(plays, slots)
    assert {len(page) for page in found} >= {0, 50}
    assert any(0 < len(page) < 50 for page in found[200:])
    # Most of what is returned at all comes in time for a poll every half hour.
    seen = {entry.play.number for page in found for entry in page}
    returned = {entry.play.number for entry in polled(plays) if entry.visible_ms <= to_unix_ms(slots[-1])}
    assert 0.9 * len(returned) < len(seen) <= len(returned)
    for page, slot in zip(found, slots, strict=True):
        assert all(entry.visible_ms <= to_unix_ms(slot) for entry in page)
        assert page == sorted(page, key=lambda entry: -entry.played_at_ms)
    assert len(json.loads(body(found[-1]))["items"]) == len(found[-1])


def test_the_predecessor_wrote_one_file_or_one_a_day(plays: list[Play], tmp_path: Path) -> None:
    entries = polled(plays[:400])
    (path,) = write_predecessor(tmp_path / "one", entries)
    rows = read_csv(path)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(entries)
    days = write_predecessor(
        tmp_path / "days", entries, time_format="space", track_id=False, release_date=True, partitions=True
    )
    parted = [row for day in days for row in read_csv(day)]
    assert [row["song_name"] for row in parted] == [row["song_name"] for row in rows]
    assert set(parted[0]) == {*COLUMNS, "album_release_date"} - {"track_id"}
    assert parted[0]["played_at_utc"] == rows[0]["played_at_utc"].replace("T", " ").replace("Z", "000")
    assert {day.stem for day in days} == {row["played_date_utc"] for row in rows}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_account_data_is_another_archive(plays: list[Play], tmp_path: Path) -> None:
    with zipfile.ZipFile(write_account_data(tmp_path / "data.zip", plays)) as archive:
        rows = json.loads(archive.read("MyData/StreamingHistory_music_0.json"))
        assert "MyData/Playlist1.json" in archive.namelist()
    assert set(rows[0]) == {"endTime", "artistName", "trackName", "msPlayed"}


@pytest.mark.parametrize("kind", [*HOSTILE, *ODD])
def test_a_hostile_archive_is_what_it_is_called(kind: str, plays: list[Play], tmp_path: Path) -> None:
    path = write_hostile(kind, tmp_path / "archive.zip", plays[:50])
    assert path.stat().st_size < 2**20
    if kind == "cut off":
        assert not zipfile.is_zipfile(path)
        return
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if info.filename.endswith("_0.json")]
        if kind == "encrypted":
            assert all(info.flag_bits & 1 for info in infos)
            with pytest.raises(RuntimeError, match="encrypted"):
                archive.read(infos[0])
        elif kind == "damaged":
            assert archive.infolist()
            with pytest.raises(Exception, match=r"invalid|CRC"):
                archive.read(infos[0])
        elif kind == "traversal":
            assert [info.filename for info in infos] == list(TRAVERSALS)
        elif kind == "bomb":
            assert infos[0].file_size > BOMB_BYTES
        elif kind in ("truncated json", "too deep"):
            with pytest.raises((ValueError, RecursionError)):
                json.loads(archive.read(infos[0]))
        elif kind == "not an array":
            assert isinstance(json.loads(archive.read(infos[0])), dict)
        elif kind in ODD:
            assert len(json.loads(archive.read(infos[-1]))) == 50

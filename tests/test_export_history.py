"""The whole history for other programs: what they read is what the marts say."""

from __future__ import annotations

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas
from pyarrow import parquet

from pipeline.config import PROJECT
from pipeline.demo.spotify import SampleSpotify
from pipeline.share.listenbrainz import EARLIEST, LARGEST
from pipeline.share.plays import COLUMNS
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, export_row, item, page, track
from tests.test_import import write_export

EXPORT = (str(BIN / "python"), "-m", "pipeline", "export")
NAMES = [column.name for column in COLUMNS]
GUESTS = [{"id": "a1", "name": 'Quo"ted'}, {"id": "a2", "name": "Gäste; und, mehr"}]
LOCAL: dict[str, Any] = {
    "id": None,
    "uri": "spotify:local:A:B:C:200",
    "is_local": True,
    "external_urls": {},
    "artists": [{"name": "Own"}],
}
SPOKEN = {"spotify_track_uri": None, "master_metadata_track_name": None, "spotify_episode_uri": "spotify:episode:1"}


def history(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    """Polled and exported plays with all that can make an export go wrong, and a rule that takes one off."""
    pipeline.environment["LISTENER_TIMEZONE"] = "America/New_York"
    rows = [
        export_row("2026-11-02T00:00:10Z", '=1+1\r\n"two"', 200_000, incognito_mode=True),
        export_row("2026-11-02T00:10:00Z", "Broken off", 29_999, reason_end="fwdbtn", skipped=True),
        export_row("2026-11-02T00:11:00Z", "Short and whole", 20_000),
        export_row("2026-11-02T00:20:00Z", "Nobody", master_metadata_album_artist_name="Various Artists"),
        export_row("2026-11-02T00:40:00Z", "Long", 100_000, master_metadata_album_artist_name="A" * 11_000),
        export_row("2026-11-02T01:00:00Z", "x", 900_000, episode_name="Episode", episode_show_name="Show", **SPOKEN),
        export_row("2026-10-31T23:59:00Z", "Übung 🎧", 200_000, platform="iOS, 17", shuffle=True),
    ]
    export = write_export(tmp_path / "export.zip", rows)
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export)))
    spotify.page = page(
        item("2026-11-21T18:00:00.250Z", name="Duo", artists=GUESTS),
        item("2026-11-21T18:10:00Z", name="A file", **LOCAL),
        *evening(2, date="2026-11-22"),
    )
    succeeded(pipeline.slot("2026-11-22T2000"))


def rows_of_the_marts(database: Database) -> list[dict[str, Any]]:
    """The plays, put together a second time, in the order of an export."""
    plays = database.rows("select to_jsonb(p) from marts.fct_plays as p order by account, p.played_at, play_id")
    tracks = {row["track_uri"]: row for (row,) in database.rows("select to_jsonb(t) from marts.dim_tracks as t")}
    spoken = {row["track_uri"]: row for (row,) in database.rows("select to_jsonb(e) from marts.dim_episodes as e")}
    excluded = dict(database.rows("select play_id, rule_id from intermediate.int_excluded_plays"))
    found = []
    for (play,) in plays:
        is_track = play["content_type"] == "track"
        of_track = tracks[play["track_uri"]] if is_track else {}
        of_spoken = {} if is_track else spoken[play["track_uri"]]
        renamed = {
            "is_counted": is_track and play["play_id"] not in excluded,
            "excluded_by": excluded.get(play["play_id"]),
            "title": of_track.get("track_name") or of_spoken.get("title"),
            "artists": [credit["name"] for credit in of_track.get("artist_credits", [])],
            "artist_ids": [credit["id"] for credit in of_track.get("artist_credits", [])],
            "album": of_track.get("album_name"),
            "show": of_spoken.get("show_title"),
            "recording": of_track.get("recording_key"),
            "url": of_track.get("track_url") or of_spoken.get("episode_url"),
            "duration_ms": play["duration_ms"] or of_track.get("duration_ms"),
        }
        row = {**of_track, **play, **renamed}
        found.append({name: row.get(name) for name in NAMES})
    return found


def moments(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its moments as such, so that two spellings of one are equal."""
    kinds = {column.name: column.kind for column in COLUMNS}
    return {
        name: datetime.datetime.fromisoformat(value)
        if isinstance(value, str) and kinds[name] in ("moment", "wall clock")
        else value
        for name, value in row.items()
    }


def test_an_export_has_every_play_in_full_and_adds_up_with_the_reports(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    nothing = pipeline.run(*EXPORT, "--format", "csv", "--output", str(tmp_path / "none.csv"))
    assert (nothing.returncode, "There is no history yet" in nothing.stderr) == (1, True)
    history(pipeline, spotify, tmp_path)
    play_id = database.value("select max(play_id) from marts.fct_plays where source = 'web_api'")
    played = database.value("select played_date from marts.fct_plays where play_id = %s", play_id)
    database.rows("insert into intermediate.int_excluded_plays values ('me', %s, %s, 'mine')", played, play_id)
    database.rows(
        "update marts.fct_listening_days set plays = plays - 1, excluded_plays = excluded_plays + 1,"
        " ms_played = ms_played - ms, ms_excluded = ms_excluded + ms from (select played_date, ms_played as ms"
        " from marts.fct_plays where play_id = %s) as one where fct_listening_days.played_date = one.played_date",
        play_id,
    )
    wanted = [moments(row) for row in rows_of_the_marts(database)]
    assert len(wanted) == 11
    plays, minutes = database.rows("select plays, minutes from reporting.rpt_totals")[0]

    process = succeeded(pipeline.run(*EXPORT, "--format", "parquet", "--output", str(tmp_path / "plays.parquet")))
    table = parquet.read_table(tmp_path / "plays.parquet")
    assert table.schema.names == NAMES
    assert str(table.schema.field("played_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("artists").type) == "list<element: string>"
    assert table.schema.field("ms_played").metadata == {b"description": b"Milliseconds heard."}
    rows = table.to_pylist()
    assert rows == wanted
    counted = [row["ms_played"] for row in rows if row["is_counted"]]
    assert (len(counted), round(sum(counted) / 60_000, 2)) == (plays, float(minutes))
    assert f"me: 11 plays, {sum(row['ms_played'] for row in rows) / 60_000:,.2f} minutes" in process.stdout
    assert f"of these reports count {plays} plays, {minutes:,.2f} minutes" in process.stdout

    succeeded(pipeline.run(*EXPORT, "--format", "csv", "--output", str(tmp_path / "plays.csv"), "--account", "me"))
    frame = pandas.read_csv(tmp_path / "plays.csv", keep_default_na=False, dtype=str)
    assert list(frame.columns) == NAMES
    told = [moments({name: _typed(name, value) for name, value in row.items()}) for row in frame.to_dict("records")]
    assert told == wanted
    assert (tmp_path / "plays.csv").read_bytes().count(b'"=1+1\r\n""two"""') == 1

    unknown = pipeline.run(*EXPORT, "--format", "csv", "--output", str(tmp_path / "ann.csv"), "--account", "ann")
    assert (unknown.returncode, unknown.stderr) == (1, "No play is known of account 'ann'.\n")
    database.rows("update marts.fct_listening_days set plays = plays + 1 where played_date = %s", played)
    before = (tmp_path / "plays.csv").read_bytes()
    refused = pipeline.run(*EXPORT, "--format", "csv", "--output", str(tmp_path / "plays.csv"))
    assert (refused.returncode, "the days of the marts add up to" in refused.stderr) == (1, True)
    assert (tmp_path / "plays.csv").read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".csv", ".parquet", ".zip"]

    database.rows("update marts.fct_listening_days set plays = plays - 1 where played_date = %s", played)
    listens_are_as_listenbrainz_takes_them(pipeline, tmp_path, {row["play_id"]: row for row in wanted})


def _typed(name: str, written: str) -> Any:
    kind = next(column.kind for column in COLUMNS if column.name == name)
    if written == "":
        return None
    if kind == "integer":
        return int(written)
    if kind == "boolean":
        return {"true": True, "false": False}[written]
    return json.loads(written) if kind == "texts" else written


def listens_are_as_listenbrainz_takes_them(pipeline: Pipeline, tmp_path: Path, plays: dict[str, Any]) -> None:
    path = tmp_path / "listens.zip"
    process = succeeded(pipeline.run(*EXPORT, "--format", "listenbrainz", "--output", str(path)))
    files = listens(path)
    assert list(files) == ["listens/2026/10.jsonl", "listens/2026/11.jsonl"]
    assert [line.split(maxsplit=1) for line in process.stdout.splitlines()[2:]][1:] == [
        ["1", "heard in a private session"],
        ["1", "broken off within 30 seconds"],
        ["1", "without an artist or a title"],
        ["1", "longer than 10,240 bytes"],
        ["1", "no track"],
        ["1", "taken off by an exclusion rule"],
    ]
    assert "5 listens; 6 plays were left out" in process.stdout
    [first] = files["listens/2026/10.jsonl"]
    version = first["track_metadata"]["additional_info"].pop("submission_client_version")
    assert version
    assert first == {
        "listened_at": int(datetime.datetime(2026, 10, 31, 23, 55, 40, tzinfo=datetime.UTC).timestamp()),
        "track_metadata": {
            "artist_name": "Somebody",
            "track_name": "Übung 🎧",
            "release_name": "Album",
            "additional_info": {
                "artist_names": ["Somebody"],
                "release_artist_name": "Somebody",
                "ms_played": 200_000,
                "spotify_id": "https://open.spotify.com/track/übung🎧",
                "origin_url": "https://open.spotify.com/track/übung🎧",
                "music_service": "spotify.com",
                "media_player": "Spotify",
                "submission_client": "listening-history-pipeline",
            },
        },
    }
    everything = succeeded(
        pipeline.run(*EXPORT, "--format", "listenbrainz", "--output", str(path), "--with-excluded", "--with-private")
    )
    assert "7 listens; 4 plays were left out" in everything.stdout
    every = [listen for part in listens(path).values() for listen in part]
    duo = next(each["track_metadata"] for each in every if each["track_metadata"]["track_name"] == "Duo")
    assert duo["artist_name"] == 'Quo"ted, Gäste; und, mehr'
    assert duo["additional_info"]["spotify_artist_ids"] == [
        "https://open.spotify.com/artist/a1",
        "https://open.spotify.com/artist/a2",
    ]
    assert duo["additional_info"]["isrc"] == track("Duo")["external_ids"]["isrc"]
    assert duo["additional_info"]["duration_ms"] == 210_000
    assert "ms_played" not in duo["additional_info"], "an estimate is nothing to hand on"
    own = next(each["track_metadata"] for each in every if each["track_metadata"]["track_name"] == "A file")
    assert not {"music_service", "spotify_id", "origin_url"} & own["additional_info"].keys()


def listens(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The listens by file, each held against what ListenBrainz says of them."""
    with zipfile.ZipFile(path) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist()) <= 500
        files = {name: archive.read(name).decode().splitlines() for name in archive.namelist()}
    for line in (line for lines in files.values() for line in lines):
        listen = json.loads(line)
        assert len(line.encode()) <= LARGEST
        assert listen.keys() == {"listened_at", "track_metadata"}
        assert isinstance(listen["listened_at"], int)
        assert listen["listened_at"] >= EARLIEST
        told = listen["track_metadata"]
        assert told.keys() <= {"artist_name", "track_name", "release_name", "additional_info"}
        assert all(isinstance(told[name], str) and told[name] for name in ("artist_name", "track_name"))
        assert all(value not in (None, "", []) for value in told["additional_info"].values())
    return {name: [json.loads(line) for line in lines] for name, lines in files.items()}


def test_every_column_is_described_in_the_documentation() -> None:
    written = (PROJECT / "docs" / "backup.md").read_text()
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.kind} | {column.description} |" in written

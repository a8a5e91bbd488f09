"""data/ as one file, and everything again from that file."""

from __future__ import annotations

import datetime
import filecmp
import gzip
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

import pipeline as tasks
from pipeline.backup.archive import check_archive, write_archive
from pipeline.backup.manifest import ArchiveRefused
from pipeline.backup.restore import FolderNotEmpty, files_not_restored, restore_files
from pipeline.backup.unpacking import read_archive
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.datasets import GENRES
from pipeline.extract.partitions import merge_rows
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import FETCHED, evening, export_row, page, track
from tests.test_import import write_export

PIPELINE = (str(BIN / "python"), "-m", "pipeline")
FIRST, SECOND, THIRD = "2026-11-22T1400", "2026-11-22T1430", "2026-11-22T1500"
# What a new machine may already have: made anew whatever is in it.
MADE_ANEW = ("dbt", "dashboard")


def relations(database: Database, *schemas: str) -> dict[str, list[Any]]:
    """Every row of every table and view of the schemas, as text; but not when dbt ran."""
    names = database.rows(
        "select format('%%I.%%I', table_schema, table_name) from information_schema.tables"
        " where table_schema = any(%s) order by 1",
        list(schemas),
    )
    row = "(to_jsonb(t) - array['built_at_local', 'tested_at_local', 'fully_tested_at_local'])::text"
    return {name: database.rows(f"select {row} from {name} as t order by 1") for (name,) in names}


def household(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> tuple[Person, Path]:
    """Ann with all there is, Bob with polls alone. Returns Ann, and her export."""
    ann = Person("ann's id", page=page(*evening(3)))
    saved = track("Never played", id=f"{77:022}", uri=f"spotify:track:{77:022}")
    ann.saved = [{"added_at": "2026-11-01T10:00:00Z", "track": saved}]
    bob = Person("bob's id", page=page(*evening(5, first=10), {"track": None, "played_at": ""}))
    pipeline.environment |= {
        "SPOTIFY_ACCOUNTS": "ann bob",
        "SPOTIFY_REFRESH_TOKEN": "",
        "SPOTIFY_REFRESH_TOKEN_ANN": spotify.add_person(ann),
        "SPOTIFY_REFRESH_TOKEN_BOB": spotify.add_person(bob),
        "LISTENER_TIMEZONE": "Europe/Berlin",
    }
    podcast = export_row(
        "2026-11-20T11:00:00Z",
        "Podcast",
        spotify_track_uri=None,
        master_metadata_track_name=None,
        episode_name='One, "two"\r\nthree',
        episode_show_name="Show",
        spotify_episode_uri="spotify:episode:1",
    )
    rows = [export_row(f"2026-11-{day:02}T10:00:00Z", f"Song {day % 4}", day * 9_001) for day in range(1, 21)]
    export = write_export(tmp_path / "ann.zip", [*rows, podcast])
    succeeded(pipeline.luigi("CopyHistory", "--export", str(export), "--account", "ann"))
    genre = dict.fromkeys(GENRES.columns, "") | {
        "account": "ann",
        "artist_id": "artist0000000000000001",
        "artist_genre": "dream pop",
        "genre_source": "musicbrainz",
        "genre_votes": "3",
        "asked_date_utc": "2026-11-21",
        "last_updated_datetime_utc": "2026-11-21T12:00:00.000000Z",
    }
    merge_rows(GENRES, pipeline.data, "ann", [genre])
    succeeded(pipeline.slot(FIRST, task="PollAccounts"))
    ann.page = page(*evening(50, date="2026-11-22", first=60, start="05:00"))
    succeeded(pipeline.slot(SECOND))
    return ann, export


def kept(data: Path) -> dict[str, tuple[bytes, int, int]]:
    """Content, mode and moment of change of every file that a backup is to hold."""
    return {
        str(path.relative_to(data)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in data.rglob("*")
        if path.is_file() and path.relative_to(data).parts[0] not in (*MADE_ANEW, "locks", "logs", "alerts")
    }


def test_a_lost_machine_comes_back_from_one_file(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    ann, export = household(pipeline, spotify, tmp_path)
    marts, files = relations(database, "marts", "reporting"), kept(pipeline.data)
    assert len(marts) > 40
    assert len(marts["marts.fct_plays"]) == 3 + 50 + 21 + 5

    backups = tmp_path / "backups"
    process = succeeded(pipeline.run(*PIPELINE, "backup", BACKUP_DIR=str(backups)))
    [archive] = backups.iterdir()
    assert process.stdout.startswith(f"{archive} (")
    assert "Mind:" not in process.stdout, "pipeline/backup/allowed.py lists every file that the program writes"
    assert [line.split() for line in process.stdout.splitlines()[2:]] == [["ann", "53", "21"], ["bob", "5", "0"]]
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    verified = succeeded(pipeline.run(*PIPELINE, "backup", "--verify", str(archive)))
    assert "is whole" in verified.stdout

    # One more poll, whose disk is found again later.
    ann.page = page(*evening(51, date="2026-11-22", first=60, start="05:00"))
    succeeded(pipeline.slot(THIRD, task="PollAccounts"))
    found = Path(shutil.copytree(pipeline.data, tmp_path / "data.before"))
    # The machine is gone; the new one has a database of somebody else's yesterday, and dbt's and the page's folders.
    for schema in ("staging", "pipeline", "intermediate", "marts", "reporting", "seeds"):
        database.rows(f"drop schema if exists {schema} cascade")
    for path in pipeline.data.iterdir():
        if path.name not in MADE_ANEW:
            shutil.rmtree(path)
    for path in pipeline.data.glob("dashboard/account=*"):
        shutil.rmtree(path)
    (pipeline.data / "polls/account=ann").mkdir(parents=True)
    restored = succeeded(pipeline.run(*PIPELINE, "restore", str(archive), LISTENER_TIMEZONE="Europe/Berlin"))
    assert kept(pipeline.data) == files
    now = relations(database, "marts", "reporting")
    assert now.keys() == marts.keys()
    for name, rows in marts.items():
        assert now[name] == rows, name
    assert (pipeline.data / "dashboard/account=ann/index.html").exists()
    assert [line.split() for line in restored.stdout.splitlines() if line.startswith(("ann ", "bob "))] == [
        ["ann", "53", "21", "74"],
        ["bob", "5", "0", "5"],
    ]
    assert "Mind:" not in restored.stdout

    # Whoever restores once more, by mistake or on the wrong machine, loses nothing.
    refused = pipeline.run(*PIPELINE, "restore", str(archive))
    assert refused.returncode == 1
    assert f"mv {pipeline.data} {pipeline.data}.before" in refused.stderr
    assert kept(pipeline.data) == files
    # Slots and imports go on where they were.
    again = succeeded(pipeline.luigi("CopyHistory", "--export", str(export), "--account", "ann"))
    assert "days written" not in again.stderr, "every partition is known to be as the import left it"
    # As docs/backup.md says.
    for folder in ("raw", "polls"):
        succeeded(pipeline.run("cp", "-rn", f"{found / folder}/.", str(pipeline.data / folder)))
    replayed = succeeded(pipeline.luigi("ReplayResponses", "--account", "ann"))
    assert "ann: 1 plays came back" in replayed.stderr
    ann.page = page()
    succeeded(pipeline.slot("2026-11-22T1530", "--account", "ann", task="CopyToStaging"))
    assert database.rows("select account, count(*) from staging.spotify_songs group by 1 order by 1") == [
        ("ann", 54),
        ("bob", 5),
    ]
    assert database.value("select count(*) from staging.polls") == 2 + 2 + 1 + 1, (
        "Bob's third is loaded with his next slot"
    )


# Names of files in a backup, in the order in which it reads them; and of files that it leaves out.
KEPT = (
    "polls/account=me/2026/11/2026-11-22T1400.json",
    "accounts/account=me.json.2.damaged",
    "pauses/account=me.json",
    "spotify_songs/account=me/2026/11/2026-11-22.csv",
    "tokens/account=me.json",
    "raw/recently_played/account=me/2026/11/20261122T140000.000000Z.json.gz",
)
LEFT_OUT = (
    "postgres/base/1",
    "dbt/m.json",
    "dashboard/account=me/index.html",
    "locks/x.lock",
    "logs/l.log",
    "luigid/state.pickle",
    "imports/unfinished/0/1.csv",
    "raw/.b.tmp",
    "raw/recently_played/account=me/notes.txt",
    "polls/account=ME/2026/11/2026-11-22T1400.json",
    "new_kind/d",
    "e",
)


@pytest.fixture
def small(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive of a folder with the files of KEPT and LEFT_OUT; the folder is empty again."""
    monkeypatch.setenv("DATA_DIR", str(data))
    for name in KEPT:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f'header\n{name},"two\nlines"\n'.encode() * 50)
    for made in LEFT_OUT:
        (data / made).parent.mkdir(parents=True, exist_ok=True)
        (data / made).write_text("made anew")
    archive = tmp_path / "backup.tar.gz"
    write_archive(archive, data, FETCHED)
    for path in list(data.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return archive


def test_a_backup_holds_the_files_that_the_program_writes_and_no_other(small: Path, data: Path, tmp_path: Path) -> None:
    names = [name for name, _, _ in read_archive(small)]
    assert names == [
        *(f"data/{name}" for name in KEPT),
        "settings/luigi.cfg",
        "settings/dbt/seeds/exclusion_rules.csv",
        "settings/dbt/seeds/recording_overrides.csv",
        "manifest.json",
    ]
    manifest = check_archive(small)
    assert manifest.rows == {"me": {"spotify_songs": 99}}, "a quoted end of line ends no row"
    restore_files(small, data)
    second = tmp_path / "second.tar.gz"
    without = write_archive(second, data, FETCHED, with_secrets=False)
    lacking = {name for name in manifest.files if manifest.files[name] != without.files.get(name)}
    assert lacking == {"data/tokens/account=me.json"}
    (data / "raw" / "linked").symlink_to(tmp_path)
    before = second.read_bytes()
    with pytest.raises(ValueError, match="raw/linked is a link"):
        write_archive(second, data, FETCHED)
    assert second.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar.gz", "data", "second.tar.gz"]


def repacked(archive: Path, target: Path, *added: tuple[tarfile.TarInfo, bytes], **manifest: Any) -> Path:
    """The archive with entries before the others, and with other words in its manifest."""
    with tarfile.open(target, "w:gz") as new:
        for entry, body in added:
            entry.size = len(body)
            new.addfile(entry, io.BytesIO(body))
        for name, _, content in read_archive(archive):
            body = content.read()
            if name == "manifest.json":
                body = json.dumps({**json.loads(body), **manifest}).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            new.addfile(entry, io.BytesIO(body))
    return target


def test_an_archive_that_is_not_whole_changes_nothing(small: Path, data: Path, tmp_path: Path) -> None:
    whole, bad = small.read_bytes(), tmp_path / "bad.tar.gz"
    link = tarfile.TarInfo("data/polls")
    link.type, link.linkname = tarfile.SYMTYPE, "/tmp"  # noqa: S108
    refused: list[tuple[bytes, str]] = [
        *((whole[:length], "damaged, cut off") for length in (0, 5, len(whole) // 2, len(whole) - 200)),
        (whole[: len(whole) // 2] + b"?" + whole[len(whole) // 2 + 1 :], "damaged|no whole backup"),
        (b"no archive", "no backup at all"),
        (gzip.compress(b"no tar"), "no backup at all"),
        (repacked(small, bad, (tarfile.TarInfo("../escaped"), b"x")).read_bytes(), "not a plain file"),
        (repacked(small, bad, (tarfile.TarInfo("/escaped"), b"x")).read_bytes(), "not a plain file"),
        (repacked(small, bad, (link, b"")).read_bytes(), "not a plain file"),
        (repacked(small, bad, (tarfile.TarInfo("data/added"), b"x")).read_bytes(), "1 of 9 files are not what"),
        (repacked(small, bad, archive_format=2).read_bytes(), "was made by version .*newer than what this version"),
        (repacked(small, bad, data_format=99).read_bytes(), "newer than what this version"),
        (repacked(small, bad, files=[]).read_bytes(), "manifest.json cannot be read"),
        *(
            (repacked(small, bad, **wrong).read_bytes(), reason)
            for wrong, reason in (
                (
                    {"rows": {"../../../x": {"spotify_songs": 1}}},
                    r"cannot be read \(account '../../../x' cannot be used",
                ),
                ({"rows": {"/tmp/x": {}}}, "account '/tmp/x' cannot be used"),  # noqa: S108
                ({"rows": {"me": {"spotify_songs": "1"}}}, "rows has an impossible value"),
                ({"zones": "UTC"}, "zones or with_secrets has an impossible value"),
                ({"made_at": "2026"}, "cannot be read"),
                ({"made_at": 1}, "cannot be read"),
                ({"files": {"data/x": {"size": -1, "mode": 0, "modified_ns": 0, "sha256": ""}}}, "impossible size"),
                ({"program": "\0"}, "program is not a text"),
            )
        ),
        (
            repacked(
                small, bad, (tarfile.TarInfo("data/polls"), b"x"), (tarfile.TarInfo("data/polls"), b"x")
            ).read_bytes(),
            "twice",
        ),
    ]
    with tarfile.open(bad, "w:gz") as archive:
        archive.add(__file__, "something.py")
    refused.append((bad.read_bytes(), "manifest.json is missing"))
    for content, reason in refused:
        bad.write_bytes(content)
        with pytest.raises(ArchiveRefused, match=reason):
            restore_files(bad, data)
        assert [path for path in data.rglob("*") if path.is_file()] == []
    restore_files(small, data)
    assert (data / "tokens/account=me.json").stat().st_mode & 0o777 == 0o600, "it is a secret"


def forged(archive: Path, target: Path, files: dict[str, tuple[int, bytes]]) -> Path:
    """The archive with further files of any name and mode, whose manifest lists them."""
    manifest = json.loads([content.read() for _, _, content in read_archive(archive)][-1])
    added = []
    for name, (mode, body) in files.items():
        entry = tarfile.TarInfo(name)
        entry.mode = mode
        added.append((entry, body))
        digest = hashlib.sha256(body).hexdigest()
        manifest["files"][name] = {"size": len(body), "mode": mode, "modified_ns": 10**18, "sha256": digest}
    return repacked(archive, target, *added, files=manifest["files"])


def test_a_restore_brings_only_files_of_the_program_and_no_mode_beyond_reading(
    small: Path, data: Path, tmp_path: Path
) -> None:
    foreign = (
        "luigid/state.pickle",
        ".luigid.key",
        "postgres/postgresql.auto.conf",
        "postgres/pg_hba.conf",
        "dbt/partial_parse.msgpack",
        "dashboard/account=me/index.html",
        "logs/not-started",
        "alerts/outbox/20261122T140000.000000Z.json",
        "locks/account=me.lock",
        "imports/unfinished/0/1.csv",
        "polls/account=me/2026/11/./2026-11-22T1500.json",
        "polls/account=me/2026/11/2026-11-22T1500.json\n",
        "tokens/account=me.json.py",
        "tokens//account=bob.json",
        "raw/recently_played/account=me/2026/11/code.pth",
        "sitecustomize.py",
    )
    own = {"spotify_songs/account=me/2026/11/2026-11-21.csv": 0o6755, "tokens/account=bob.json": 0o1777}
    files = {f"data/{name}": (0o4777, b"code") for name in foreign}
    files |= {f"data/{name}": (mode, b"own") for name, mode in own.items()}
    archive = forged(small, tmp_path / "forged.tar.gz", files)
    for umask in (0, 0o022):
        before = os.umask(umask)
        try:
            manifest = restore_files(archive, data)
        finally:
            os.umask(before)
        found = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
        assert {name for name in found if not name.startswith("locks/")} == {*KEPT, *own, ".restoring/unpacked"}
        assert not (data / "locks/account=me.lock").read_bytes()
        assert sorted(files_not_restored(manifest)) == sorted(foreign)
        modes = {name: stat.S_IMODE((data / name).stat().st_mode) for name in (*KEPT, *own)}
        assert [modes[name] for name in own] == [0o644, 0o600]
        assert set(modes.values()) == {0o644, 0o600}
        folders = {stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*") if path.is_dir()}
        assert folders == {0o755}
        shutil.rmtree(data)


def test_a_backup_limits_the_modes_that_it_holds(data: Path, tmp_path: Path) -> None:
    modes = {KEPT[0]: (0o4777, 0o644), KEPT[2]: (0o640, 0o600), KEPT[3]: (0o2644, 0o644), KEPT[4]: (0o644, 0o600)}
    for name, (mode, _) in modes.items():
        (data / name).parent.mkdir(parents=True)
        (data / name).touch()
        (data / name).chmod(mode)
    archive = tmp_path / "backup.tar.gz"
    manifest = write_archive(archive, data, FETCHED)
    with tarfile.open(archive) as entries:
        written = {entry.name: entry.mode for entry in entries}
    for name, (_, mode) in modes.items():
        assert (manifest.files[f"data/{name}"].mode, written[f"data/{name}"]) == (mode, mode), name


BOMBS = {
    # Name, reason. Each unpacks to a gigabyte or more.
    "one file": "unpacks to 1,000,000,512 or more, of which 100,000,000 are allowed",
    "many files": "unpacks to 1[0-9]{2},[0-9]{3},[0-9]{3} or more, of which 100,000,000 are allowed",
    "long name": "a header in it has 1,000,000,000 bytes, and 4,194,304 are allowed",
    "hole": "'data/hole' is not a plain file",
    "manifest": "manifest.json has [0-9,]+ bytes for 0 files, and 1,000,000 are allowed",
}


def write_bomb(path: Path, kind: str) -> None:
    """What is written is a tar of 1 GB in pieces, so that the test itself needs no memory."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        piece = bytes(1_000_000)
        entry = tarfile.TarInfo("data/zeros")
        if kind == "many files":
            for _ in range(20):
                entry.size = 50_000_000
                file.write(entry.tobuf())
                for _ in range(50):
                    file.write(piece)
                file.write(bytes(-entry.size % 512))
            return
        entry.size = 5_000_000 if kind == "manifest" else 1_000_000_000
        if kind == "manifest":
            entry.name = "manifest.json"
        if kind == "long name":
            entry.type = tarfile.GNUTYPE_LONGNAME
        if kind == "hole":
            entry.name = "data/hole"
            entry.pax_headers = {
                "GNU.sparse.major": "1",
                "GNU.sparse.minor": "0",
                "GNU.sparse.realsize": "1" + "0" * 15,
            }
            entry.size = 512
            file.write(entry.tobuf(tarfile.PAX_FORMAT) + b"0\n".ljust(512, b"\0") + bytes(1024))
            return
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(entry.size // len(piece)):
            file.write(piece)
        file.write(bytes(-entry.size % 512 + 1024))


@pytest.mark.parametrize("kind", BOMBS)
def test_an_archive_that_unpacks_without_limit_is_refused_with_numbers(kind: str, data: Path, tmp_path: Path) -> None:
    """In a process of its own, which may have 400 MB more than it has after its imports."""
    bomb = tmp_path / "bomb.tar.gz"
    write_bomb(bomb, kind)
    assert bomb.stat().st_size < 3_000_000
    program = (
        "import resource, sys; from pathlib import Path; from pipeline.backup.restore import restore_files\n"
        "before = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (before + 400_000_000,) * 2)\n"
        "try: restore_files(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except ValueError as error: print(error)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, bomb, data], capture_output=True, text=True, timeout=60, check=True
    )
    assert re.search(BOMBS[kind], process.stdout), process.stdout + process.stderr
    assert [path for path in data.rglob("*") if path.is_file()] == []


def test_a_backup_that_does_not_fit_on_the_disk_is_refused_with_numbers(
    small: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = check_archive(small).size
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, size - 1))
    with pytest.raises(ArchiveRefused, match=f"its files have {size:,} bytes, and {size - 1:,} are free"):
        restore_files(small, data)


def test_a_large_file_is_packed_and_restored_in_pieces(data: Path, tmp_path: Path) -> None:
    """30 MB within 20 MB of memory, and the same content as before."""
    source = tmp_path / "source"
    large = KEPT[-1]
    (source / large).parent.mkdir(parents=True)
    with (source / large).open("wb") as file:
        for number in range(30):
            file.write(random.Random(number).randbytes(1_000_000))
    program = (
        "import datetime, resource, sys; from pathlib import Path; from pipeline.backup.archive import write_archive\n"
        "from pipeline.backup.restore import restore_files\n"
        "before = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (before + 20_000_000,) * 2)\n"
        "source, archive, target = map(Path, sys.argv[1:])\n"
        "write_archive(archive, source, datetime.datetime.now(datetime.UTC)); restore_files(archive, target)"
    )
    subprocess.run([sys.executable, "-c", program, source, tmp_path / "large.tar.gz", data], timeout=120, check=True)
    assert filecmp.cmp(source / large, data / large, shallow=False)


def test_whatever_a_record_tells_of_is_in_a_backup_that_was_made_meanwhile(
    pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in pipeline.environment.items():
        monkeypatch.setenv(name, value)
    begin, archive, points = datetime.datetime(2026, 11, 20, 14), tmp_path / "backup.tar.gz", 0
    polled: list[datetime.datetime] = []

    def poll() -> None:
        task = tasks.ExtractRecent(run_at=begin + len(polled) * datetime.timedelta(minutes=30))
        polled.append(task.run_at)
        spotify.page = page(*evening(len(polled)))
        task.set_status_message = print  # what Luigi's worker gives it
        task.run()

    def poll_before(done: int, total: int) -> None:
        if done == points:
            poll()

    while len(polled) == 3 or not points:
        shutil.rmtree(pipeline.data)
        polled.clear()
        poll()
        poll()
        # The third comes in when so many files have been read.
        write_archive(archive, pipeline.data, FETCHED, tell=poll_before)
        inside = {name: content.read() for name, _, content in read_archive(archive)}
        answers = {name.rpartition("/")[2] for name in inside if name.startswith("data/raw/")}
        records = [json.loads(body) for name, body in inside.items() if name.startswith("data/polls/")]
        assert len(records) >= 2
        for record in records:
            assert record["raw"].rpartition("/")[2] in answers
            for told in record["partitions"]:
                assert inside[f"data/{told['path']}"].count(b"\n") > told["rows"]
        points += 1
    assert points > 7


def test_an_interrupted_backup_leaves_the_one_before(pipeline: Pipeline, tmp_path: Path) -> None:
    response = pipeline.data / KEPT[-1]
    response.parent.mkdir(parents=True)
    for number in range(60):
        response.with_name(f"20261122T140000.{number:06}Z.json.gz").write_bytes(os.urandom(2_000_000))
    folder = tmp_path / "there"
    folder.mkdir()
    old = [folder / f"listening-history-2026110{day}T000000Z.tar.gz" for day in (1, 2, 3)]
    for path in old:
        path.write_bytes(b"an older one")
    (folder / ".listening-history-20261104T000000Z.tar.gz.tmp").write_bytes(b"of a kill -9")
    command = (*PIPELINE, "backup", "--output", str(folder), "--keep", "2")
    process = subprocess.Popen(command, env={**os.environ, **pipeline.environment}, cwd=pipeline.project, stderr=-1)
    while not [path for path in folder.glob(".*.tmp") if path.stat().st_size > 1_000_000]:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode != 0
    assert said.decode().startswith("Interrupted. ")
    assert sorted(folder.iterdir()) == old

    shutil.rmtree(pipeline.data / "raw")
    nothing = pipeline.run(*command)
    assert (nothing.returncode, "nothing to back up" in nothing.stderr) == (1, True)
    response.parent.mkdir(parents=True)
    response.write_bytes(b"1")
    within = pipeline.run(*PIPELINE, "backup", "--output", str(pipeline.data / "raw"))
    assert (within.returncode, "every backup would hold those before it" in within.stderr) == (1, True)
    assert sorted(folder.iterdir()) == old
    succeeded(pipeline.run(*command))
    [new] = set(folder.iterdir()) - set(old)
    assert sorted(folder.iterdir()) == [old[2], new], "of four the two latest"


def test_a_restore_goes_on_where_it_was_killed(small: Path, data: Path) -> None:
    report = json.loads(
        subprocess.run(
            [str(BIN / "python"), "-m", "tests.restore_kill_points", str(small), str(data)],
            env={**os.environ, "DATA_DIR": str(data)},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            check=True,
        ).stdout
    )
    assert report["killed"] > 20
    with pytest.raises(FolderNotEmpty):
        restore_files(small, data)

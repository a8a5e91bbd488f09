"""Files are for their owner only, whatever the umask of the user who starts the pipeline; one setting shares them."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.demo.spotify import SampleSpotify
from pipeline.file_modes import NAMES, close_folder, open_paths
from tests.conftest import BIN, Pipeline, succeeded
from tests.luigid import luigid_of, wait_until
from tests.samples import evening, page
from tests.test_doctor import findings

PIPELINE = (str(BIN / "python"), "-m", "pipeline")
SLOT, LATER = "2026-11-22T1400", "2026-11-22T1430"
SECRETS = ("tokens/account=me.json", "luigid/state.pickle", ".luigid.key")


def loose(pipeline: Pipeline, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, by a user whose umask lets everyone read and write."""
    process = subprocess.run(
        command,
        cwd=pipeline.project,
        env={**os.environ, **pipeline.environment, **environment},
        umask=0,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return succeeded(process)


def modes(*folders: Path) -> dict[Path, int]:
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return {path: stat.S_IMODE(path.lstat().st_mode) for path in paths if not path.is_symlink()}


def wrong(found: dict[Path, int], file: int, folder: int) -> dict[str, str]:
    return {str(path): oct(mode) for path, mode in found.items() if mode != (folder if path.is_dir() else file)}


def everything(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path, **settings: str) -> list[Path]:
    """Use every entry point; returns the folders with what they wrote."""
    spotify.page = page(*evening(4))
    out, logs, backups = tmp_path / "out", tmp_path / "logs", tmp_path / "backups"
    settings |= {"LOG_DIR": str(logs), "BACKUP_DIR": str(backups), "PIPELINE_BIN": str(BIN), "ACCOUNT": "me"}
    loose(pipeline, "cron/run.sh", SLOT, **settings)
    spotify.page = b"no page"
    failed = subprocess.run(
        [str(BIN / "luigi"), "--module", "pipeline", "RunPipeline", "--run-at", LATER],
        cwd=pipeline.project,
        env={**os.environ, **pipeline.environment, **settings, "SLACK_WEBHOOK_URL": "http://127.0.0.1:1/services/x"},
        umask=0,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 30, failed.stderr
    assert list(pipeline.data.glob("alerts/outbox/*.json"))
    loose(pipeline, *PIPELINE, "backup", **settings)
    loose(pipeline, *PIPELINE, "export", "--format", "csv", "--output", str(out / "plays.csv"), **settings)
    loose(pipeline, *PIPELINE, "picture", "--period", "2026-11", **settings)
    loose(pipeline, *PIPELINE, "dbt", "parse", **settings)
    previous = os.umask(0)
    try:
        with luigid_of(pipeline, tmp_path / "luigid.log", **settings) as luigid:
            wait_until(lambda: luigid.answers())
            assert luigid.stop() == 0
    finally:
        os.umask(previous)
    return [pipeline.data, out, logs, backups]


def test_only_the_owner_can_read_what_any_entry_point_writes(
    pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path
) -> None:
    of_tests = set(pipeline.data.rglob("*"))
    pipeline.data.chmod(0o755)  # as git or mkdir makes it
    found = modes(*everything(pipeline, spotify, tmp_path))
    assert wrong({path: mode for path, mode in found.items() if path not in of_tests}, 0o600, 0o700) == {}
    names = {path.name for path in pipeline.data.iterdir() if not path.name.startswith(".")}
    assert {"polls", "tokens", "spotify_songs", "raw", "dashboard", "dbt", "alerts", "locks", "luigid"} <= names
    assert names <= NAMES, "close_folder knows every name that the program makes"


def test_one_setting_shares_the_files_but_no_secret(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    of_tests = set(pipeline.data.rglob("*"))
    pipeline.data.chmod(0o755)
    found = modes(*everything(pipeline, spotify, tmp_path, DATA_READABLE_BY="everyone"))
    found = {path: mode for path, mode in found.items() if path not in of_tests}
    (archive,) = (tmp_path / "backups").iterdir()
    secrets = {archive, *(pipeline.data / name for name in SECRETS)}
    assert {found.pop(path) for path in secrets} == {0o600}
    assert wrong(found, 0o644, 0o755) == {}


def test_the_setting_in_luigi_cfg_counts_for_cron_as_well(
    pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "cron").mkdir(parents=True)
    shutil.copy(config.PROJECT / "cron/run.sh", project / "cron")
    asked = tmp_path / "bin"
    asked.mkdir()
    for name in ("luigi", "python"):
        (asked / name).write_text("#!/bin/sh\numask\n")
        (asked / name).chmod(0o755)
    texts = (
        ("[storage]\nreadable_by = everyone\n", 0o644),
        ("[storage]\nreadable-by=everyone \n[slots]\nzone = UTC\n", 0o644),
        ("[storage]\nreadable_by = owner\n", 0o600),
        ("[storage]\n# readable_by = everyone\n", 0o600),
        ("[slots]\nreadable_by = everyone\n", 0o600),
    )
    for number, (text, expected) in enumerate(texts):
        (project / "luigi.cfg").write_text(text)
        logs = tmp_path / f"logs{number}"
        loose(
            pipeline, str(project / "cron/run.sh"), SLOT, LOG_DIR=str(logs), PIPELINE_BIN=str(asked), LOG_FORMAT="text"
        )
        (log,) = logs.glob("cron-*.log")
        assert stat.S_IMODE(log.stat().st_mode) == expected, text
        assert stat.S_IMODE(logs.stat().st_mode) == (0o755 if expected == 0o644 else 0o700)
        assert ("0022" if expected == 0o644 else "0077") in log.read_text()


def test_a_folder_of_before_is_closed_and_doctor_reports_the_files_in_it(
    pipeline: Pipeline, data: Path, tmp_path: Path
) -> None:
    for name in ("polls/account=me/2026/11/2026-11-22T1400.json", "logs/cron-2026-11.log", "tokens/account=me.json"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    logs = tmp_path / "other's logs"
    logs.mkdir()
    for name in ("cron-2026-10.log", "syslog"):
        (logs / name).touch()
        (logs / name).chmod(0o644)
    (data / "polls").chmod(0o755)
    (data / "logs/cron-2026-11.log").chmod(0o664)
    data.chmod(0o755)

    def doctor(**settings: str) -> list[str]:
        process = pipeline.run(*PIPELINE, "doctor", "--offline", LOG_DIR=str(logs), **settings)
        return findings(process.stdout)["permissions"]

    share = "; or share them: in luigi.cfg, [storage]: readable_by = everyone"
    of_data, of_logs = doctor()
    log = data / "logs/cron-2026-11.log"
    assert of_data == (
        f"warning other users can read 2 files and folders, e.g. {log} → run: chmod -R go= {data}{share}"
    )
    assert of_logs == (
        f"warning other users can read 1 file or folder, e.g. {logs}/cron-2026-10.log"
        f" → run: chmod -R go= {shlex.quote(str(logs))}/cron*{share}"
    )
    assert stat.S_IMODE(data.stat().st_mode) == 0o700, "it was closed by the first command"
    assert doctor(DATA_READABLE_BY="everyone") == [
        f"warning other users can change 1 file or folder, e.g. {log} → run: chmod -R go-w {data}"
    ]
    for sentence in doctor():
        command = sentence.partition("→ run: ")[2].removesuffix(share)
        subprocess.run(["/bin/sh", "-c", command], check=True)
    assert doctor() == ["ok only their owner can read the files"]
    assert stat.S_IMODE((logs / "syslog").stat().st_mode) == 0o644, "a file of another program"


@pytest.mark.parametrize(
    ("names", "mode", "umask", "expected"),
    [
        (("polls", ".gitkeep"), 0o755, 0o077, 0o700),
        ((), 0o777, 0o077, 0o700),
        (("polls",), 0o775, 0o022, 0o755),
        (("polls",), 0o711, 0o077, 0o711),
        (("polls", "holiday.jpg"), 0o755, 0o077, 0o755),
        ((".bashrc",), 0o755, 0o077, 0o755),
        (("polls",), 0o1777, 0o077, 0o1777),
    ],
)
def test_a_folder_that_others_use_as_well_is_not_closed(
    names: tuple[str, ...], mode: int, umask: int, expected: int, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in names:
        (folder / name).mkdir()
    folder.chmod(mode)
    close_folder(folder, umask)
    assert stat.S_IMODE(folder.stat().st_mode) == expected
    is_open: Any = set(open_paths(folder, umask))
    assert (folder in is_open) == bool(expected & umask & 0o066)

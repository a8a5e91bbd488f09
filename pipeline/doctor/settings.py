"""The installation and its settings."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import luigi.configuration
import luigi.retcodes

from pipeline import config
from pipeline.config.names import check_names, nearest, unknown_sections
from pipeline.doctor.finding import FAILED, OK, WARNING, Finding

INSTALL = "run: .venv/bin/pip install --require-hashes --no-deps --requirement requirements.lock"
REQUIREMENT = re.compile(r"^([a-z0-9-]+==[^\\\n]+)", re.MULTILINE)
VARIABLE = re.compile(r"^[# ]*(?:export +)?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
# Variables without a section.
BESIDE = {"LOG_DIR", "LOG_MONTHS", "SLOT_LOG", "LUIGI_SCHEDULER_URL", "SPOTIFY_CLIENT_SECRET"}


def python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info < (3, 14):
        yield Finding(OK, f"{found} in {sys.prefix}")
    else:
        yield Finding(
            FAILED, f"{found} cannot run Luigi", "install 3.11, 3.12 or 3.13 and say make PYTHON=python3.13 demo"
        )


def packages() -> Iterator[Finding]:
    """Compare what is installed with requirements.lock, as far as its markers concern this Python and machine."""
    from packaging.requirements import Requirement

    lock = (config.PROJECT / "requirements.lock").read_text(encoding="utf-8")
    wanted = [Requirement(line) for line in REQUIREMENT.findall(lock)]
    wanted = [package for package in wanted if package.marker is None or package.marker.evaluate()]
    others = []
    for package in wanted:
        try:
            if not package.specifier.contains(found := version(package.name), prereleases=True):
                others.append(f"{package.name} {found} instead of {str(package.specifier).removeprefix('==')}")
        except PackageNotFoundError:
            yield Finding(FAILED, f"{package.name} is not installed", INSTALL)
    if others:
        yield Finding(WARNING, f"not the versions this was tested with: {', '.join(others)}", INSTALL)
    else:
        yield Finding(OK, f"{len(wanted)} as in requirements.lock")


def luigi_cfg() -> Iterator[Finding]:
    path, luigi_cfg = config.PROJECT / "luigi.cfg", luigi.configuration.get_config()
    if not path.is_file():
        yield Finding(FAILED, f"{path} is missing: every failure would be taken for a success", "restore it")
        return
    try:
        check_names()
    except config.SettingError as error:
        yield Finding(FAILED, str(error), "correct the name: luigi ends with exit code 40")
        return
    if unknown := unknown_sections():
        yield Finding(WARNING, f"no part of the program reads [{'], ['.join(unknown)}]", "delete the section")
    codes = ("already_running", "not_run", "missing_data", "task_failed", "scheduling_error", "unhandled_exception")
    quiet = [code for code in codes if not luigi_cfg.getint("retcode", code, 0)]
    if quiet:
        what = f"[retcode] {', '.join(quiet)} is 0: cron would take a failure for a success"
        yield Finding(FAILED, what, "set it as in the luigi.cfg of this version")
    if not luigi_cfg.getboolean("worker", "check_complete_on_run", False):
        yield Finding(
            FAILED, "[worker] check_complete_on_run is not true: a task that wrote nothing would pass", "set it"
        )
    yield Finding(OK, str(path))


def env_file() -> Iterator[Finding]:
    config.environment()  # raises what is wrong with it
    if not config.ENV_FILE.is_file():
        yield Finding(OK, "none: settings come from the environment and from luigi.cfg")
        return
    text = config.ENV_FILE.read_text(encoding="utf-8")
    known = set(VARIABLE.findall((config.PROJECT / ".env.example").read_text(encoding="utf-8")))
    known |= {name for section in _sections() for name in section.env.values()}
    known |= BESIDE
    active = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for name in VARIABLE.findall(active):
        if finding := _unknown_variable(name, known, ".env"):
            yield finding
    yield Finding(OK, f"{config.ENV_FILE}, for you alone")


def _unknown_variable(name: str, known: set[str], where: str) -> Finding | None:
    """A warning if the name is like a known name, or begins with the same word as one."""
    plain = name.removesuffix(config.FILE)
    per_account = tuple(f"{each}_" for each in (config.CLIENT_ID, config.CLIENT_SECRET, config.REFRESH_TOKEN))
    if plain in known or name.startswith(per_account):
        return None
    like = nearest(plain, known, 0.8)
    if not like and name.partition("_")[0] not in {each.partition("_")[0] for each in known}:
        return None
    to_do = f"the nearest known name is {like}" if like else "compare with .env.example"
    return Finding(WARNING, f"{name} in {where} is not read: the name is unknown", to_do)


def values() -> Iterator[Finding]:
    sound = True
    readers: list[Callable[[], object]] = [
        *_sections(),
        lambda: config.spotify().account_names,
        lambda: config.listener().zone,
        lambda: config.listener().zones,
        lambda: config.listener().shortest_play,
        lambda: config.slack().summary_grains,
        config.check_secrets,
    ]
    for read in readers:
        try:
            read()
        except config.SettingError as error:
            sound = False
            yield Finding(FAILED, str(error))
    if sound:
        names, listener = config.spotify().account_names, config.listener()
        zones = ", ".join(f"{name} ({listener.zone_of(name)})" for name in names)
        yield Finding(OK, f"accounts and their zones: {zones}")


def _sections() -> list[type[config.Section]]:
    return list(config.Section.__subclasses__())

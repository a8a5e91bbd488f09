"""Names in luigi.cfg and .env that no part of the program reads, each with the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable

import luigi
import luigi.configuration

from pipeline.config.environment import SettingError
from pipeline.config.section import Section, unknown_options

# Sections that Luigi reads without a class, or in modules that a run does not import.
PLAIN_SECTIONS = {"DEFAULT", "resources", "logging", "task_history", "python", "cors", "email"}
# Options that Luigi reads without a parameter.
PLAIN_OPTIONS = {
    "core": {
        *(f"default_scheduler_{part}" for part in ("url", "host", "port")),
        *(f"rpc_{part}" for part in ("connect_timeout", "retry_attempts", "retry_wait", "log_retries")),
        *("autoload_range", "no_configure_logging", "parallel_scheduling", "parallel_scheduling_processes"),
    },
    "worker": {"check_complete_on_run"},
}


def nearest(name: str, known: Iterable[str], likeness: float = 0.75) -> str:
    """The known name that is most like `name`; empty if none is like it."""
    import difflib  # a run with correct names does not need it

    folded = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), folded, 1, likeness)
    return folded[found[0]] if found else ""


def unknown_sections() -> list[str]:
    """Sections of luigi.cfg that neither Luigi nor the pipeline reads."""
    classes = {each.__name__ for each in subclasses(luigi.Task)}
    return sorted(set(luigi.configuration.get_config().sections()) - classes - PLAIN_SECTIONS)


def check_names() -> None:
    """Raises SettingError for a misspelt section or option of luigi.cfg.

    A section or an option of Luigi itself counts as misspelt only if a known name is like it: other files that Luigi
    reads (/etc/luigi/luigi.cfg) may hold sections of libraries that the pipeline does not use.
    """
    classes = {each.__name__: each for each in subclasses(luigi.Task)}
    luigi_cfg = luigi.configuration.get_config()
    for section in luigi_cfg.sections():
        kind = classes.get(section)
        if kind is None:
            if section not in PLAIN_SECTIONS and (like := nearest(section, classes)):
                raise SettingError(f"luigi.cfg: the section [{section}] is unknown. The nearest known name is [{like}]")
        elif issubclass(kind, Section):
            if unknown := unknown_options(kind):
                raise SettingError(refuse_options(kind, unknown))
        else:
            known = {name for name, _ in kind.get_params()} | PLAIN_OPTIONS.get(section, set())
            for option in luigi_cfg[section]:
                name = option.replace("-", "_")
                if name not in known and name not in luigi_cfg.defaults() and (like := nearest(name, known)):
                    raise SettingError(f"luigi.cfg, [{section}]: {option} is unknown. The nearest known name is {like}")


def refuse_options(section: type[Section], unknown: list[str]) -> str:
    """The message about unknown options. It holds names only: the value may be a secret."""
    known = [name for name, _ in section.get_params()]  # type: ignore[no-untyped-call]
    likes = [f"{name} is like {like}" for name in unknown if (like := nearest(name, known))]
    fix = f"The nearest known name: {', '.join(likes)}" if likes else f"The settings here are {', '.join(known)}"
    return (
        f"luigi.cfg, [{section.__name__}]: {', '.join(unknown)} is no setting here. {fix}. A secret belongs into the"
        " environment or .env, under the name in .env.example"
    )


def subclasses(kind: type[luigi.Task]) -> list[type[luigi.Task]]:
    return [each for direct in kind.__subclasses__() for each in (direct, *subclasses(direct))]

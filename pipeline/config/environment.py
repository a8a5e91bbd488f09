"""What is set in the environment, in `.env` beside luigi.cfg, and in files that a variable names.

The only module that reads the environment. Secrets are never Luigi parameters (those can be typed on a command line and
are shown by the visualiser): they come from here.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
ENV_FILE = PROJECT / ".env"
# Of a secret. A shorter one stands in too many words to be removed from logs and messages.
SHORTEST_SECRET = 8
# The end of the name of a variable that holds the path of a file.
FILE = "_FILE"


class SettingError(ValueError):
    """A setting that cannot be used; the message names it and says what to write instead."""


@functools.cache
def _env_file() -> Mapping[str, str]:
    if not ENV_FILE.is_file():
        return {}
    mode = stat.S_IMODE(ENV_FILE.stat().st_mode)
    if mode & 0o077:
        raise SettingError(
            f"{ENV_FILE} holds secrets but others can read it (mode {mode:04o}). Run: chmod 600 {ENV_FILE}"
        )
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        with ENV_FILE.open(encoding="utf-8") as stream:
            broken = [str(each.original.line) for each in parse_stream(stream) if each.error]
    except UnicodeDecodeError:
        raise SettingError(f"{ENV_FILE} is not UTF-8: write it anew, as plain text") from None
    if broken:
        # By number alone: the line may hold a secret.
        raise SettingError(
            f"{ENV_FILE}, line {', '.join(broken)}: not of the form NAME=value. Put a value with blanks or # into"
            " quotes and close them; a remark begins with #"
        )
    return {name: value for name, value in dotenv_values(ENV_FILE).items() if value is not None}


def environment() -> dict[str, str]:
    """The environment over `.env`. An empty value counts as absent, so that `NAME=` switches a setting off."""
    return {name: value for name, value in {**_env_file(), **os.environ}.items() if value}


def value_of(name: str, variables: Mapping[str, str] | None = None) -> str | None:
    """The variable NAME, or what is in the file that NAME_FILE names; None if neither is set."""
    variables = environment() if variables is None else variables
    path = variables.get(name + FILE)
    if path is None:
        return variables.get(name)
    if name in variables:
        raise SettingError(f"{name} and {name}{FILE} are both set: leave one of them out")
    if not path.startswith("/"):
        # What is no path may be the secret itself, and is not shown.
        raise SettingError(f"{name}{FILE} is to be the absolute path of a file, such as /run/secrets/{name.lower()}")
    try:
        # Editors end a file with a line break, which is no part of a secret.
        value = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(f"{name}{FILE} names {path}, which cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{name}{FILE} names {path}, which is no text in UTF-8") from None
    if not value:
        raise SettingError(f"{name}{FILE} names {path}, which is empty: write the value into it, or unset {name}{FILE}")
    return value


def secret_of(name: str) -> str | None:
    """`value_of` for a secret. Raises SettingError also for one that is too short to be scrubbed."""
    value = value_of(name)
    if value:
        check_length(name, value)
    return value


def check_length(name: str, secret: str) -> None:
    if len(secret) < SHORTEST_SECRET:
        raise SettingError(
            f"{name} has fewer than {SHORTEST_SECRET} characters, so that it cannot be removed from logs and messages."
            " Choose a longer one where it was issued, and set it here"
        )


def readable_environment() -> dict[str, str]:
    """`environment`, without .env if that cannot be used."""
    try:
        return environment()
    except SettingError:
        return {name: value for name, value in os.environ.items() if value}


def readable(names: Iterable[str]) -> Iterator[str]:
    """Values of what is set. A file that cannot be read keeps its secret from everybody."""
    for name in names:
        try:
            value = value_of(name)
        except SettingError:
            value = readable_environment().get(name)
        if value:
            yield value

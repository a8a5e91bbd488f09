"""The short names of listeners."""

from __future__ import annotations

import re

import luigi

from pipeline.config.environment import SettingError


class AccountParameter(luigi.Parameter):
    """The short name of a listener. It becomes part of paths, so only plain names are let in."""

    pattern = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
    may_be_empty = False

    def normalize(self, x: str) -> str:
        if self.may_be_empty and not x:
            return x
        if not self.pattern.fullmatch(x):
            raise SettingError(
                f"account {x!r} cannot be used: write 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit"
            )
        return x

    def parse(self, x: str) -> str:
        return self.normalize(x)


class OptionalAccountParameter(AccountParameter):
    """An account, or the empty string for all of them."""

    may_be_empty = True


def naming(account: str) -> re.Pattern[bytes]:
    """Finds the account's name where it stands by itself, in a log or a message. Within JSON the end of a line is a
    backslash and an n."""
    return re.compile(rf"(?:(?<![A-Za-z0-9-])|(?<=\\[nrt])){re.escape(account)}(?![A-Za-z0-9-])".encode())

"""The password within DATABASE_URL, and the fault of a DATABASE_URL whose password is not percent-encoded."""

from __future__ import annotations

import re

from pipeline.config.environment import SettingError

UNREADABLE = (
    "DATABASE_URL is not a libpq URL. Write postgresql://user:password@host:5432/database, with %-codes for"
    " @ : / % and spaces inside the password: %40 for @, %2F for /. Or leave the password out and set PGPASSWORD,"
    " which is written as it is"
)


def parse_url(url: str) -> dict[str, str]:
    """libpq's parameters. Raises SettingError, without a part of the URL, if libpq would misread or refuse it."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    if _ends_password_early(url):
        raise SettingError(UNREADABLE)
    try:
        return dict(parse_dsn(url))
    except psycopg2.ProgrammingError:
        raise SettingError(UNREADABLE) from None


def _ends_password_early(url: str) -> bool:
    """True if libpq takes a part of the password for the host or the database.

    libpq (18) ends the user and password at the first @ or /. An @ after that, before the query, is part of no host
    and, unencoded, of no name of a database.
    """
    found = re.match(r"postgres(?:ql)?://([^@/]*)(@?)([^?]*)", url)
    return found is not None and "@" in found[3]


def secret_parts(url: str) -> list[str]:
    """What nobody may read of a URL: its password; of one that cannot be read, everything that may be the password."""
    if not url:
        return []
    try:
        given = parse_url(url)
    except SettingError:
        rest = url.partition("://")[2] or url
        inside = rest.partition(":")[2].rpartition("@")[0]
        return [url, rest, inside, *re.split(r"[@:/?&=\s]", rest)]
    return [url, given.get("password", ""), given.get("sslpassword", "")]

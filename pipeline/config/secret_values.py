"""Every secret, for whoever takes them out of what is written down or sent."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

from pipeline.config.environment import FILE, SettingError, environment, readable
from pipeline.config.metabase_section import metabase
from pipeline.config.sections import REFRESH_TOKEN, postgres


def secrets() -> list[str]:
    """Every secret value that is set now, for scrubbing text that leaves the machine."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    tokens = {name: value for name, value in environment().items() if name.startswith(REFRESH_TOKEN)}
    names = {"SPOTIFY_CLIENT_SECRET", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "PGPASSWORD"}
    found = [
        *readable(names | {name.removesuffix(FILE) for name in tokens}),
        *(value for value in tokens.values() if not value.startswith("/")),
        *metabase().secrets,
    ]
    url = next(readable(["DATABASE_URL"]), "")
    if not url:
        with contextlib.suppress(SettingError):
            url = postgres().url
    try:
        password = parse_dsn(url).get("password", "")
    except psycopg2.ProgrammingError:
        password = url  # unreadable: then none of it is shown
    return [value for value in (*found, url, password, quote(password, safe="")) if value]

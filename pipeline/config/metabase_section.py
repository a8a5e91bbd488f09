"""The section [metabase], and the secrets that are kept for it."""

from __future__ import annotations

import stat
from pathlib import Path

import luigi

from pipeline.config.environment import SettingError, secret_of
from pipeline.config.section import Section
from pipeline.config.sections import storage


class metabase(Section):
    """The Metabase that PublishDashboard provisions, and PostgreSQL as that Metabase sees it."""

    env = {
        "url": "METABASE_URL",
        "admin_email": "METABASE_ADMIN_EMAIL",
        "slack_channel": "METABASE_SLACK_CHANNEL",
        "database_host": "METABASE_DATABASE_HOST",
        "database_port": "METABASE_DATABASE_PORT",
        "database_name": "METABASE_DATABASE_NAME",
        "database_user": "METABASE_DATABASE_USER",
    }
    url: str = luigi.Parameter(default="", description="Where Metabase is, e.g. http://localhost:3000.")
    admin_email: str = luigi.Parameter(default="", description="Who `python -m pipeline metabase setup` logs in as.")
    slack_channel: str = luigi.Parameter(default="", description="Where the dashboard is sent on Mondays.")
    database_host: str = luigi.Parameter(default="", description="Host of PostgreSQL, seen from Metabase.")
    database_port: int = luigi.IntParameter(default=0, description="Its port; 0: that of DATABASE_URL.")
    database_name: str = luigi.Parameter(default="", description="Its database; empty: that of DATABASE_URL.")
    database_user: str = luigi.Parameter(default="metabase_reader", description="The role that Metabase logs in as.")
    timeout: float = luigi.FloatParameter(default=60.0, description="Seconds for one whole response.")
    patience: float = luigi.FloatParameter(
        default=600.0, description="Seconds to wait for Metabase to start, and for it to read the tables."
    )

    @property
    def folder(self) -> Path:
        """Where secrets are kept that nobody has to know: one file each, mode 0600."""
        return storage().root / "metabase"

    @property
    def api_key(self) -> str | None:
        return secret_of("METABASE_API_KEY") or self._kept("api_key")

    @property
    def admin_password(self) -> str | None:
        return secret_of("METABASE_ADMIN_PASSWORD")

    @property
    def database_password(self) -> str | None:
        return secret_of("METABASE_DATABASE_PASSWORD") or self._kept("database_password")

    def _kept(self, name: str) -> str | None:
        path = self.folder / name
        if not path.is_file():
            return None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingError(f"{path} holds a secret but others can read it. Run: chmod 600 {path}")
        try:
            return path.read_text(encoding="utf-8").strip() or None
        except UnicodeDecodeError:
            raise SettingError(f"{path} is damaged. Delete it, then run: python -m pipeline metabase setup") from None

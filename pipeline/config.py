"""Settings: one class per section of luigi.cfg. The only module that reads the environment.

A value is taken from the environment, else from `.env` beside luigi.cfg, else from luigi.cfg, else from its default.
Secrets are never Luigi parameters (those can be typed on a command line and are shown by the visualiser): they
come from the environment or from `.env`, which must then be readable by its owner alone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import luigi
import luigi.configuration

PROJECT = Path(__file__).resolve().parent.parent
ENV_FILE = PROJECT / ".env"
REFRESH_TOKEN = "SPOTIFY_REFRESH_TOKEN"


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

    return {name: value for name, value in dotenv_values(ENV_FILE).items() if value is not None}


def environment() -> dict[str, str]:
    """The environment over `.env`. An empty value counts as absent, so that `NAME=` switches a setting off."""
    return {name: value for name, value in {**_env_file(), **os.environ}.items() if value}


class Section(luigi.Config):
    """A section of luigi.cfg. `env` names the environment variable that overrides each value."""

    env: ClassVar[Mapping[str, str]] = {}
    ignore_unconsumed: ClassVar[set[str]] = set()

    @classmethod
    def _has_section(cls) -> bool:
        return bool(luigi.configuration.get_config().has_section(cls.__name__))

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> Any:
        section = luigi.configuration.get_config()[cls.__name__] if cls._has_section() else {}
        if unknown := {key.replace("-", "_") for key in section} - {name for name, _ in params} - cls.ignore_unconsumed:
            # By name alone: Luigi's own warning would print the value, which may be a secret.
            raise SettingError(
                f"luigi.cfg, [{cls.__name__}]: {', '.join(sorted(unknown))} is no setting here. A secret belongs into"
                " the environment or .env, under the name in .env.example"
            )
        variables = environment()
        overrides = {name: variables[variable] for name, variable in cls.env.items() if variable in variables}
        parsed = {name: dict(params)[name].parse(value) for name, value in overrides.items()}
        return super().get_param_values(params, args, {**parsed, **kwargs})  # type: ignore[no-untyped-call]


class storage(Section):
    """Where the files are."""

    env = {"data_dir": "DATA_DIR"}
    data_dir: str = luigi.Parameter(default="data", description="Folder of all files the pipeline keeps.")

    @property
    def root(self) -> Path:
        """Absolute; a relative `data_dir` counts from the project, not from where the command was typed."""
        return (PROJECT / self.data_dir).resolve()

    @property
    def logs(self) -> Path:
        """Where cron/run.sh keeps its logs."""
        return PROJECT / environment().get("LOG_DIR", str(self.root / "logs"))


class spotify(Section):
    """The Spotify Web API and the application registered there."""

    env = {
        "api_url": "SPOTIFY_API_URL",
        "accounts_url": "SPOTIFY_ACCOUNTS_URL",
        "client_id": "SPOTIFY_CLIENT_ID",
        "accounts": "SPOTIFY_ACCOUNTS",
        "daily_calls": "SPOTIFY_DAILY_CALLS",
    }
    api_url: str = luigi.Parameter(default="https://api.spotify.com/v1")
    accounts_url: str = luigi.Parameter(default="https://accounts.spotify.com")
    client_id: str = luigi.Parameter(default="", description="Client ID of your application on developer.spotify.com.")
    timeout: float = luigi.FloatParameter(default=20.0, description="Seconds to wait for one answer.")
    accounts: str = luigi.Parameter(default="me", description="Names of the listeners, separated by commas or spaces.")
    daily_calls: int = luigi.IntParameter(default=500, description="Calls per account and UTC day; polls come first.")

    @property
    def account_names(self) -> list[str]:
        """Each once, in the order given."""
        names = self.accounts.replace(",", " ").split()
        if not names:
            raise SettingError("[spotify] accounts (SPOTIFY_ACCOUNTS) names nobody; write for instance: me")
        accounts = list(dict.fromkeys(AccountParameter().normalize(name) for name in names))
        if len({_variable(account) for account in accounts}) < len(accounts):
            raise SettingError("[spotify] accounts (SPOTIFY_ACCOUNTS): two names differ by - and _ alone; rename one")
        return accounts

    @property
    def client_secret(self) -> str | None:
        return environment().get("SPOTIFY_CLIENT_SECRET")

    def refresh_token(self, account: str) -> str | None:
        """Bootstraps an empty token store; afterwards the store is what counts. The account's own variable; the plain
        one is that of the first account."""
        variables = environment()
        plain = variables.get(REFRESH_TOKEN) if account == self.account_names[0] else None
        return variables.get(f"{REFRESH_TOKEN}_{_variable(account)}") or plain


def _variable(account: str) -> str:
    """As part of the name of a variable."""
    return account.upper().replace("-", "_")


class musicbrainz(Section):
    """Where genres are looked up that Spotify does not tell."""

    env = {
        "url": "MUSICBRAINZ_URL",
        "contact": "MUSICBRAINZ_CONTACT",
        "seconds_between": "MUSICBRAINZ_SECONDS_BETWEEN",
        "artists_per_slot": "MUSICBRAINZ_ARTISTS_PER_SLOT",
    }
    url: str = luigi.Parameter(default="https://musicbrainz.org/ws/2")
    contact: str = luigi.Parameter(default="", description="Address or page that MusicBrainz can turn to.")
    seconds_between: float = luigi.FloatParameter(
        default=1.0, description="From one request to the next; never less than 1 at musicbrainz.org."
    )
    artists_per_slot: int = luigi.IntParameter(default=20, description="How many artists are looked up in one slot.")
    timeout: float = luigi.FloatParameter(default=10.0, description="Seconds to wait for one answer.")


class postgres(Section):
    """The database. Without a URL, the embedded PostgreSQL under `data/postgres` is used."""

    env = {"url": "DATABASE_URL"}
    ignore_unconsumed: ClassVar[set[str]] = {"marker_table"}
    url: str = luigi.Parameter(
        default="",
        visibility=luigi.parameter.ParameterVisibility.PRIVATE,
        description="libpq URL; a password belongs into DATABASE_URL or .env, not here.",
    )
    connect_timeout: int = luigi.IntParameter(default=10, description="Seconds to wait for a connection.")

    @property
    def password(self) -> str | None:
        """For a URL without one: libpq's own variable, which spares %-encoding it."""
        return environment().get("PGPASSWORD")


class listener(Section):
    """Whose days and hours the marts speak of."""

    env = {"timezone": "LISTENER_TIMEZONE", "timezones": "LISTENER_TIMEZONES"}
    timezone: str = luigi.Parameter(
        default="UTC", description="IANA zone of local dates and hours, e.g. Europe/Berlin."
    )
    timezones: str = luigi.Parameter(
        default="", description="Accounts in other zones, e.g. anna=Asia/Tokyo ben=America/New_York."
    )

    @property
    def zone(self) -> str:
        return _zone(self.timezone, "timezone (LISTENER_TIMEZONE)")

    @property
    def zones(self) -> str:
        """Accounts with a zone of their own, as `account=Zone`, with blanks between them."""
        setting = "timezones (LISTENER_TIMEZONES)"
        pairs = []
        for pair in self.timezones.replace(",", " ").split():
            account, equals, zone = pair.partition("=")
            if not equals:
                raise SettingError(f"[listener] {setting}: {pair!r} is not of the form account=Zone")
            pairs.append(f"{AccountParameter().normalize(account)}={_zone(zone, setting)}")
        return " ".join(pairs)


def _zone(name: str, setting: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise SettingError(
            f"[listener] {setting} is {name!r}, which is no IANA time zone;"
            " write one such as Europe/Berlin or America/New_York"
        ) from error


class slack(Section):
    """Where failures are told. Without a webhook or a bot token nothing is sent."""

    env = {"api_url": "SLACK_API_URL", "channel": "SLACK_CHANNEL"}
    api_url: str = luigi.Parameter(default="https://slack.com/api/")
    channel: str = luigi.Parameter(default="", description="Channel for the bot token, e.g. #listening.")

    @property
    def webhook_url(self) -> str | None:
        return environment().get("SLACK_WEBHOOK_URL")

    @property
    def bot_token(self) -> str | None:
        return environment().get("SLACK_BOT_TOKEN")


class metabase(Section):
    """The Metabase that PublishDashboard provisions, and PostgreSQL as that Metabase sees it."""

    variables: ClassVar[set[str]] = {"METABASE_API_KEY", "METABASE_ADMIN_PASSWORD", "METABASE_DATABASE_PASSWORD"}
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
    timeout: float = luigi.FloatParameter(default=60.0, description="Seconds to wait for one answer.")
    patience: float = luigi.FloatParameter(
        default=600.0, description="Seconds to wait for Metabase to start, and for it to read the tables."
    )

    @property
    def folder(self) -> Path:
        """Where secrets are kept that nobody has to know: one file each, mode 0600."""
        return storage().root / "metabase"

    @property
    def api_key(self) -> str | None:
        return environment().get("METABASE_API_KEY") or self._kept("api_key")

    @property
    def admin_password(self) -> str | None:
        return environment().get("METABASE_ADMIN_PASSWORD")

    @property
    def database_password(self) -> str | None:
        return environment().get("METABASE_DATABASE_PASSWORD") or self._kept("database_password")

    @property
    def secrets(self) -> list[str | None]:
        """All that are set or kept, also those of a file that nothing else would read."""
        variables = [value for name, value in environment().items() if name in self.variables]
        kept: list[str] = []
        for path in self.folder.glob("*"):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                kept.append(path.read_text(encoding="utf-8").strip())
        return [*variables, *kept]

    def _kept(self, name: str) -> str | None:
        path = self.folder / name
        if not path.is_file():
            return None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingError(f"{path} holds a secret but others can read it. Run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip() or None


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


def secrets() -> list[str]:
    """Every secret value that is set now, for scrubbing text that leaves the machine."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    found = [
        spotify().client_secret,
        *(value for name, value in environment().items() if name.startswith(REFRESH_TOKEN)),
        slack().webhook_url,
        slack().bot_token,
        *metabase().secrets,
        postgres().password,
    ]
    url = postgres().url
    try:
        password = parse_dsn(url).get("password", "")
    except psycopg2.ProgrammingError:
        password = url  # unreadable: then none of it is shown
    return [value for value in (*found, url, password, quote(password, safe="")) if value]

"""One class per section of luigi.cfg; [metabase] and [slots] have modules of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import luigi

from pipeline import data_format, file_modes
from pipeline.config.accounts import AccountParameter
from pipeline.config.address import check_address
from pipeline.config.environment import PROJECT, SettingError, environment, secret_of, value_of
from pipeline.config.section import Section

CLIENT_ID = "SPOTIFY_CLIENT_ID"
CLIENT_SECRET = "SPOTIFY_CLIENT_SECRET"
REFRESH_TOKEN = "SPOTIFY_REFRESH_TOKEN"


class storage(Section):
    """Where the files are."""

    env = {"data_dir": "DATA_DIR", "backup_dir": "BACKUP_DIR", "readable_by": "DATA_READABLE_BY"}
    data_dir: str = luigi.Parameter(default="data", description="Folder of all files the pipeline keeps.")
    backup_dir: str = luigi.Parameter(default="backups", description="Folder that backups are written to.")
    readable_by: str = luigi.ChoiceParameter(
        default="owner", choices=["owner", "everyone"], description="Users who can read the files; not tokens and keys."
    )

    @property
    def root(self) -> Path:
        """Absolute; a relative `data_dir` counts from the project, not from where the command was typed.

        Files of an older form are brought up first; those of a newer one are not touched: SettingError.
        """
        path = (PROJECT / self.data_dir).resolve()
        try:
            data_format.make_ready(path)
        except data_format.NewerData as error:
            raise SettingError(str(error)) from error
        file_modes.close_folder(path, self.umask)
        return path

    @property
    def umask(self) -> int:
        """Of every process that writes files: modes 0700 and 0600, or 0755 and 0644."""
        return 0o022 if self.readable_by == "everyone" else 0o077

    @property
    def backups(self) -> Path:
        """Where backups go. In no case the data folder: a backup would hold those before it."""
        return (PROJECT / self.backup_dir).resolve()

    @property
    def logs(self) -> Path:
        """Where cron/run.sh keeps its logs."""
        return PROJECT / environment().get("LOG_DIR", str(self.root / "logs"))

    @property
    def slot_log(self) -> str:
        """The log of this run, where cron/run.sh has started it."""
        return environment().get("SLOT_LOG", "")


class log(Section):
    """How events are written to stderr: pipeline/logs.py."""

    env = {"format": "LOG_FORMAT"}
    format: str = luigi.ChoiceParameter(
        default="text",
        choices=["text", "line", "json"],
        description="For people; one line an event; one JSON object an event.",
    )


@dataclass(frozen=True)
class Application:
    """An application on developer.spotify.com. `setting`: where its client ID is set."""

    client_id: str
    client_secret: str | None = field(repr=False)
    setting: str


class spotify(Section):
    """The Spotify Web API and the application registered there."""

    env = {
        "api_url": "SPOTIFY_API_URL",
        "accounts_url": "SPOTIFY_ACCOUNTS_URL",
        "client_id": "SPOTIFY_CLIENT_ID",
        "accounts": "SPOTIFY_ACCOUNTS",
        "daily_calls": "SPOTIFY_DAILY_CALLS",
        "developers": "SPOTIFY_DEVELOPERS",
    }
    api_url: str = luigi.Parameter(default="https://api.spotify.com/v1")
    accounts_url: str = luigi.Parameter(default="https://accounts.spotify.com")
    client_id: str = luigi.Parameter(default="", description="Client ID of your application on developer.spotify.com.")
    timeout: float = luigi.FloatParameter(default=20.0, description="Seconds for one whole response.")
    accounts: str = luigi.Parameter(default="me", description="Names of the listeners, separated by commas or spaces.")
    daily_calls: int = luigi.IntParameter(default=500, description="Calls per account and UTC day; polls come first.")
    developers: str = luigi.Parameter(
        default="", description="Accounts whose application another developer registered, e.g. fay=second gus=second."
    )

    def check_addresses(self) -> None:
        """Raises SettingError if tokens would be sent over http."""
        check_address(self.api_url, "[spotify] api_url (SPOTIFY_API_URL)")
        check_address(self.accounts_url, "[spotify] accounts_url (SPOTIFY_ACCOUNTS_URL)")

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

    def application(self, account: str) -> Application:
        """The account's own one; else the plain settings. An own client ID never goes with the plain secret."""
        setting = f"{CLIENT_ID}_{_variable(account)}"
        own_id = value_of(setting)
        secret = secret_of(f"{CLIENT_SECRET}_{_variable(account)}")
        if own_id or secret:
            return Application(own_id or self.client_id, secret, setting if own_id else CLIENT_ID)
        return Application(self.client_id, secret_of(CLIENT_SECRET), CLIENT_ID)

    def sharing_quota(self, account: str) -> list[str]:
        """The other accounts whose applications the same developer registered: Spotify counts their calls together."""
        developers = dict.fromkeys([*self.account_names, account], "")
        for pair in self.developers.replace(",", " ").split():
            name, equals, developer = pair.partition("=")
            if not equals or not developer:
                raise SettingError(
                    f"[spotify] developers (SPOTIFY_DEVELOPERS): {pair!r} is not of the form account=name"
                )
            if AccountParameter().normalize(name) not in developers:
                raise SettingError(f"[spotify] developers (SPOTIFY_DEVELOPERS): {name!r} is none of the accounts")
            developers[name] = developer
        return [name for name in developers if name != account and developers[name] == developers[account]]

    def refresh_token(self, account: str) -> str | None:
        """Bootstraps an empty token store; afterwards the store is what counts. The account's own variable; the plain
        one is that of the first account."""
        own = secret_of(f"{REFRESH_TOKEN}_{_variable(account)}")
        return own or (secret_of(REFRESH_TOKEN) if account == self.account_names[0] else None)


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
    timeout: float = luigi.FloatParameter(default=10.0, description="Seconds for one whole response.")


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
        return secret_of("PGPASSWORD")


class listener(Section):
    """Whose days and hours the marts speak of."""

    env = {
        "timezone": "LISTENER_TIMEZONE",
        "timezones": "LISTENER_TIMEZONES",
        "shortest_play_seconds": "LISTENER_SHORTEST_PLAY_SECONDS",
    }
    timezone: str = luigi.Parameter(
        default="UTC", description="IANA zone of local dates and hours, e.g. Europe/Berlin."
    )
    timezones: str = luigi.Parameter(
        default="", description="Accounts in other zones, e.g. anna=Asia/Tokyo ben=America/New_York."
    )
    shortest_play_seconds: int = luigi.IntParameter(
        default=0, description="Reports do not count plays shorter than this; 0: they count every play."
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

    @property
    def shortest_play(self) -> int:
        """Whole seconds, 0 to 86400."""
        if not 0 <= self.shortest_play_seconds <= 86_400:
            raise SettingError(
                f"[listener] shortest_play_seconds (LISTENER_SHORTEST_PLAY_SECONDS) is {self.shortest_play_seconds};"
                " write a number of seconds from 0 to 86400, such as 30"
            )
        return self.shortest_play_seconds

    def zone_of(self, account: str) -> str:
        return dict(pair.split("=") for pair in self.zones.split()).get(account, self.zone)


def _zone(name: str, setting: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise SettingError(
            f"[listener] {setting} is {name!r}, which is no IANA time zone;"
            " write one such as Europe/Berlin or America/New_York"
        ) from error


def notify_urls() -> list[str]:
    """NOTIFY_URLS: addresses of notification services, in the form that apprise reads. Each is a secret."""
    return (value_of("NOTIFY_URLS") or "").split()


class slack(Section):
    """Where failures are told. Without a webhook or a bot token nothing is sent."""

    grains: ClassVar[tuple[str, ...]] = ("week", "month", "year")
    env = {
        "api_url": "SLACK_API_URL",
        "channel": "SLACK_CHANNEL",
        "summaries": "SLACK_SUMMARIES",
        "stale_days": "SLACK_STALE_DAYS",
        "visualiser": "LUIGI_VISUALISER_URL",
    }
    api_url: str = luigi.Parameter(default="https://slack.com/api/")
    channel: str = luigi.Parameter(default="", description="Channel for the bot token, e.g. #listening.")
    summaries: str = luigi.Parameter(default="week", description="Of which periods: week, month, year; or none.")
    stale_days: int = luigi.IntParameter(default=7, description="Days without a new play that are told; 0: never.")
    visualiser: str = luigi.Parameter(default="", description="luigid as your browser sees it.")
    timeout: int = luigi.IntParameter(default=10, description="Seconds to wait for one answer.")

    @property
    def visualiser_url(self) -> str:
        return self.visualiser or environment().get("LUIGI_SCHEDULER_URL", "")

    @property
    def summary_grains(self) -> list[str]:
        words = self.summaries.replace(",", " ").split()
        if words in ([], ["none"]):
            return []
        if unknown := set(words) - set(self.grains):
            raise SettingError(
                f"[slack] summaries (SLACK_SUMMARIES): {sorted(unknown)[0]!r} is none of {', '.join(self.grains)}"
            )
        return [grain for grain in self.grains if grain in words]

    @property
    def webhook_url(self) -> str | None:
        return secret_of("SLACK_WEBHOOK_URL")

    def check_address(self) -> None:
        """Raises SettingError if messages, or the bot's token, would be sent over http."""
        if self.webhook_url:
            check_address(self.webhook_url, "SLACK_WEBHOOK_URL")
        else:
            check_address(self.api_url, "[slack] api_url (SLACK_API_URL)")

    @property
    def bot_token(self) -> str | None:
        return secret_of("SLACK_BOT_TOKEN")

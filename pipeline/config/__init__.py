"""Settings.

A value is taken from the environment, else from `.env` beside luigi.cfg, else from luigi.cfg, else from its default.
Secrets come from the first two alone, or from files: NAME_FILE in place of NAME is the path of a file with the value in
it, as Docker hands secrets over. `.env` must be readable by its owner alone.

environment.py  the environment and .env        section.py           what a section of luigi.cfg is
sections.py     the sections                    metabase_section.py  [metabase]
slots_section.py  [slots]                       address.py           where secrets may be sent
accounts.py     names of listeners              database_url.py      the password in DATABASE_URL
names.py        unknown names, and the nearest known ones
secret_values.py  every secret, and their removal from text
"""

from pipeline.config.accounts import AccountParameter, OptionalAccountParameter, naming
from pipeline.config.address import check_address
from pipeline.config.database_url import parse_url
from pipeline.config.environment import ENV_FILE, FILE, PROJECT, SettingError, check_length, environment, value_of
from pipeline.config.metabase_section import metabase
from pipeline.config.secret_values import check_secrets, remember, scrub, scrub_body, secrets
from pipeline.config.section import Section
from pipeline.config.sections import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Application,
    listener,
    log,
    musicbrainz,
    notify_urls,
    postgres,
    slack,
    spotify,
    storage,
)
from pipeline.config.slots_section import format_hours, slots

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "ENV_FILE",
    "FILE",
    "PROJECT",
    "REFRESH_TOKEN",
    "AccountParameter",
    "Application",
    "OptionalAccountParameter",
    "Section",
    "SettingError",
    "check_address",
    "check_length",
    "check_secrets",
    "environment",
    "format_hours",
    "listener",
    "log",
    "metabase",
    "musicbrainz",
    "naming",
    "notify_urls",
    "parse_url",
    "postgres",
    "remember",
    "scrub",
    "scrub_body",
    "secrets",
    "slack",
    "slots",
    "spotify",
    "storage",
    "value_of",
]

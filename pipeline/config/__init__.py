"""Settings.

A value is taken from the environment, else from `.env` beside luigi.cfg, else from luigi.cfg, else from its default.
Secrets come from the first two alone, or from files: NAME_FILE in place of NAME is the path of a file with the value in
it, as Docker hands secrets over. `.env` must be readable by its owner alone.

environment.py  the environment and .env        section.py           what a section of luigi.cfg is
sections.py     the sections                    metabase_section.py  [metabase]
slots_section.py  [slots]
names.py        unknown names, and the nearest known ones
accounts.py     names of listeners              secret_values.py     what nobody is to read
"""

from pipeline.config.accounts import AccountParameter, OptionalAccountParameter, naming
from pipeline.config.environment import ENV_FILE, FILE, PROJECT, SettingError, environment, value_of
from pipeline.config.metabase_section import metabase
from pipeline.config.secret_values import secrets
from pipeline.config.section import Section
from pipeline.config.sections import REFRESH_TOKEN, listener, log, musicbrainz, postgres, slack, spotify, storage
from pipeline.config.slots_section import format_hours, slots

__all__ = [
    "ENV_FILE",
    "FILE",
    "PROJECT",
    "REFRESH_TOKEN",
    "AccountParameter",
    "OptionalAccountParameter",
    "Section",
    "SettingError",
    "environment",
    "format_hours",
    "listener",
    "log",
    "metabase",
    "musicbrainz",
    "naming",
    "postgres",
    "secrets",
    "slack",
    "slots",
    "spotify",
    "storage",
    "value_of",
]

"""A client that is let in: Metabase has started, is new enough, and the key is an administrator's."""

from __future__ import annotations

import logging
import re

from pipeline import config
from pipeline.visualize.metabase.client import Json, Metabase
from pipeline.visualize.metabase.errors import NotAllowed, TooOld

logger = logging.getLogger("luigi-interface")
# The first with MBQL 5, in which the cards are written.
FIRST_VERSION = 57
VERSION = re.compile(r"v?[01]\.(\d+)")


def reach() -> tuple[Metabase, Json]:
    """A client that nobody has let in yet, and the public properties. Raises SettingError, MetabaseError."""
    settings = config.metabase()
    if not settings.url:
        raise config.SettingError("METABASE_URL is not set: write where Metabase is, e.g. http://localhost:3000")
    config.check_address(settings.url, "METABASE_URL")
    metabase = Metabase(settings.url, settings.timeout)
    properties = metabase.wait_until_started(settings.patience)
    check_version(properties)
    return metabase, properties


def check_version(properties: Json) -> None:
    tag = str((properties.get("version") or {}).get("tag", ""))
    known = VERSION.match(tag)
    if known and int(known[1]) < FIRST_VERSION:
        raise TooOld(
            f"Metabase {tag} is too old: the cards need v0.{FIRST_VERSION} or newer."
            " Use a newer image of metabase/metabase"
        )
    if not known:
        logger.warning("Metabase does not tell its version (%r); v0.%d or newer is needed", tag, FIRST_VERSION)


def let_in() -> Metabase:
    """A client with the key of METABASE_API_KEY, else of `metabase setup`. Raises SettingError, MetabaseError."""
    settings = config.metabase()
    _, properties = reach()
    if not settings.api_key:
        empty = properties.get("setup-token") and not properties.get("has-user-setup")
        raise NotAllowed(
            f"there is no key for the Metabase at {settings.url}"
            + (", which is still empty" if empty else "")
            + ". Set METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD in .env and run python -m pipeline metabase"
            " setup; or set METABASE_API_KEY to a key of the group Administrators"
        )
    metabase = Metabase(settings.url, settings.timeout, api_key=settings.api_key)
    confirm_administrator(metabase)
    return metabase


def confirm_administrator(metabase: Metabase) -> None:
    user = metabase.get("/api/user/current")
    if not user.get("is_superuser"):
        raise NotAllowed(
            "the key is let in, but its group is not Administrators: it may not add a database. In Metabase, Admin"
            " settings > Authentication > API keys, change its group, or set another METABASE_API_KEY"
        )

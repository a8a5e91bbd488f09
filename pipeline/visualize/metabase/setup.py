"""`python -m pipeline metabase setup`: the first administrator of an empty Metabase, and a key for the pipeline.

A Metabase that has its administrator is logged in to with the same settings. The key goes into data/metabase/api_key.
https://www.metabase.com/docs/latest/people-and-groups/api-keys
"""

from __future__ import annotations

import logging

from pipeline import config
from pipeline.visualize.metabase.access import confirm_administrator, let_in, reach
from pipeline.visualize.metabase.client import Json, Metabase
from pipeline.visualize.metabase.errors import AlreadySetUp, MetabaseError, NotAllowed, Refused
from pipeline.visualize.metabase.kept import keep

logger = logging.getLogger("luigi-interface")
KEY_NAME = "Listening history pipeline"
ADMINISTRATORS = 2  # the group's id, in every Metabase


def set_up() -> str:
    """Returns what was done, in words. Raises SettingError, MetabaseError."""
    settings = config.metabase()
    anybody, properties = reach()
    if settings.api_key:
        try:
            confirm_administrator(Metabase(settings.url, settings.timeout, api_key=settings.api_key))
            return f"Nothing to do: there is a key, and the Metabase at {settings.url} knows it."
        except NotAllowed:
            if config.value_of("METABASE_API_KEY"):
                raise
            logger.info("the key in %s is not known any more; a new one is made", settings.folder)
    if not settings.admin_email or not settings.admin_password:
        raise config.SettingError(
            "METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD are not set: write into .env whom to log in to Metabase"
            " as (in an empty one, who is to be its administrator); or set METABASE_API_KEY to a key of the group"
            " Administrators"
        )
    is_empty = bool(properties.get("setup-token")) and not properties.get("has-user-setup")
    session = _create_administrator(anybody, str(properties["setup-token"])) if is_empty else _log_in(anybody)
    administrator = Metabase(settings.url, settings.timeout, session_id=session)
    confirm_administrator(administrator)
    keep("api_key", _make_key(administrator))
    done = f"The administrator is {settings.admin_email}" if is_empty else f"Logged in as {settings.admin_email}"
    return (
        f"{done}; the pipeline's key is in {settings.folder / 'api_key'}. Next:"
        " luigi --module pipeline PublishDashboard"
    )


def say_status() -> str:
    """Whether the key is let in, in words. Raises SettingError, MetabaseError."""
    metabase = let_in()
    tag = metabase.get("/api/session/properties")["version"]["tag"]
    return f"Metabase {tag} at {metabase.url} knows the key."


def _create_administrator(anybody: Metabase, setup_token: str) -> str:
    settings = config.metabase()
    body: Json = {
        "token": setup_token,
        "user": {
            "email": settings.admin_email,
            "password": settings.admin_password,
            "first_name": None,
            "last_name": None,
            "site_name": "Listening history",
        },
        "prefs": {"site_name": "Listening history", "allow_tracking": False},
        "database": None,
    }
    try:
        return str(anybody.post("/api/setup", body)["id"])
    except Refused as error:
        raise Refused(
            f"{error}. Metabase wants a mail address, and a password of eight characters or more with a digit, not a"
            " common one: correct METABASE_ADMIN_EMAIL or METABASE_ADMIN_PASSWORD",
            error.fields,
        ) from None
    except NotAllowed:
        return _log_in(anybody)  # somebody was faster


def _log_in(anybody: Metabase) -> str:
    settings = config.metabase()
    try:
        body = {"username": settings.admin_email, "password": settings.admin_password}
        return str(anybody.post("/api/session", body)["id"])
    except (NotAllowed, Refused) as error:
        if isinstance(error, Refused) and "too many" in str(error).lower():
            raise MetabaseError(f"{error}. Metabase lets nobody log in for a while after wrong passwords") from None
        raise AlreadySetUp(
            f"the Metabase at {settings.url} has been set up already, and does not know {settings.admin_email!r} with"
            " this password. Correct METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD; or have its administrator make a"
            " key (Admin settings > Authentication > API keys, group Administrators) and set METABASE_API_KEY"
        ) from None


def _make_key(administrator: Metabase) -> str:
    """A key is shown once: one of our name that was lost is made anew, and the old one ends."""
    for key in administrator.get("/api/api-key"):
        if key["name"] == KEY_NAME:
            return str(administrator.put(f"/api/api-key/{key['id']}/regenerate", {})["unmasked_key"])
    return str(administrator.post("/api/api-key", {"name": KEY_NAME, "group_id": ADMINISTRATORS})["unmasked_key"])

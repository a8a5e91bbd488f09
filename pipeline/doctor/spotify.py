"""The way to Spotify: as a slot goes it, with two cheap calls an account."""

from __future__ import annotations

import datetime
import email.utils
import json
from collections.abc import Iterator
from typing import Any

from pipeline import config
from pipeline.doctor.finding import FAILED, OK, WARNING, Finding
from pipeline.extract.answers import utc_now
from pipeline.extract.errors import RateLimited, SpotifyError
from pipeline.extract.identity import stored_ids, user_ids
from pipeline.extract.spotify import SpotifyClient
from pipeline.extract.tokens import load_tokens, read_tokens
from pipeline.status.problems import WARN_DAYS_LEFT

MOST_SECONDS_OFF = 60
MOST_USERS = 5  # of an application in development mode


def application() -> Iterator[Finding]:
    settings, users = config.spotify(), dict[str, list[str]]()
    for name in settings.account_names:
        settings.sharing_quota(name)  # raises for a wrong SPOTIFY_DEVELOPERS
        users.setdefault(settings.application(name).client_id, []).append(name)
    if lacking := users.pop("", []):
        what = f"SPOTIFY_CLIENT_ID is not set, for {', '.join(lacking)}"
        yield Finding(FAILED, what, "copy it from your application on developer.spotify.com into .env")
    for client_id, names in users.items():
        if len(names) > MOST_USERS:
            what = f"application {client_id[:6]}… has {len(names)} accounts, and Spotify allows {MOST_USERS}"
            to_do = "register another application, and set SPOTIFY_CLIENT_ID_<ACCOUNT> for the others"
            yield Finding(WARNING, what, to_do)
        whose = f" for {', '.join(names)}" if len(users) > 1 else ""
        yield Finding(OK, f"application {client_id[:6]}…{whose}, {settings.daily_calls} calls a day for each account")


def account(name: str, offline: bool) -> Iterator[Finding]:
    data, settings, now = config.storage().root, config.spotify(), utc_now()
    again = f"run: .venv/bin/python -m pipeline authorize --account {name}"
    try:
        tokens = read_tokens(data, name, settings.refresh_token(name), settings.application(name), now)
    except SpotifyError as error:
        yield Finding(FAILED, str(error))
        return
    if tokens.ended:
        yield Finding(FAILED, f"the consent has ended ({tokens.ended})", again)
        return
    days = tokens.days_left(now)
    if days <= WARN_DAYS_LEFT:
        yield Finding(WARNING, f"the consent ends in {days} days", again)
    given = "given" if load_tokens(data, name) else "in SPOTIFY_REFRESH_TOKEN, not used yet"
    if offline or not settings.application(name).client_id:
        yield Finding(OK, f"consent {given}, {days} days left; Spotify was not asked")
        return
    try:
        seconds_off = _ask(SpotifyClient(settings, data, name))
    except RateLimited as limit:
        yield Finding(WARNING, str(limit))
        return
    except SpotifyError as error:
        yield Finding(FAILED, str(error))
        return
    if seconds_off is not None and abs(seconds_off) > MOST_SECONDS_OFF:
        side = "behind" if seconds_off > 0 else "ahead of"
        what = f"this machine's clock is {abs(seconds_off):,.0f} seconds {side} Spotify's"
        yield Finding(WARNING, what, "let it be set by the network: timedatectl set-ntp true")
    yield Finding(OK, f"consent given, {days} days left; Spotify answers, and it is this person")


def _ask(client: SpotifyClient) -> float | None:
    """Seconds that Spotify's clock is ahead of this one; None where it does not tell. Raises SpotifyError."""
    ahead: list[float] = []

    def look(response: Any, *_: Any, **__: Any) -> None:
        try:
            said = email.utils.parsedate_to_datetime(response.headers["Date"])
            ahead.append((said.astimezone(datetime.UTC) - utc_now()).total_seconds())
        except (KeyError, TypeError, ValueError):
            return

    client.session.hooks["response"].append(look)
    person = user_ids(json.loads(client.get("/me")))
    known = stored_ids(client.data, client.account)
    if known is not None and not known.share_one_with(person):
        raise SpotifyError(
            "the consent is of another Spotify user than the history. Log in as that user: python -m pipeline"
            f" authorize --account {client.account}"
        )
    client.get("/me/player/recently-played", limit=1)
    return ahead[-1] if ahead else None

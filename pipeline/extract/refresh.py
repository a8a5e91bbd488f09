"""The refresh of access tokens, at Spotify's accounts host.

Source of the format: Spotify's authorization guide, "Refreshing tokens".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import requests

from pipeline import config
from pipeline.exchange import failures_of
from pipeline.extract.answers import raise_for_status, send_patiently
from pipeline.extract.errors import ClientRejected, ConsentEnded, UnexpectedAnswer
from pipeline.extract.token_response import fault, is_token, lifetime, read_object
from pipeline.extract.tokens import Tokens

LONGEST_WORDS = 120  # characters of Spotify's own words that are kept and shown
Post = Callable[..., requests.Response]


def refresh(post: Post, settings: config.spotify, tokens: Tokens, now: datetime.datetime) -> tuple[Tokens, str]:
    """The tokens to store, and the fault of the response, "" if it has none.

    The caller stores the tokens before it reports the fault: Spotify may no longer accept the old refresh token. An
    unusable part of the response changes nothing. Without any usable part UnexpectedAnswer is raised.
    Raises SpotifyError, of any kind but NotAuthorized, and what `requests` raises if no response arrives.
    """
    application = settings.application(tokens.account)
    if not application.client_id:
        raise ClientRejected("SPOTIFY_CLIENT_ID is not set: copy it from your application on developer.spotify.com")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    auth = None
    if tokens.pkce or application.client_secret is None:
        form["client_id"] = application.client_id
    else:
        auth = (application.client_id, application.client_secret)
    url = f"{settings.accounts_url.rstrip('/')}/api/token"
    response = send_patiently(lambda: post(url, data=form, auth=auth))
    if response.status_code in (403, 429) or response.status_code >= 500:
        raise_for_status(response, quotes=False)
    answer = read_object(response)
    if response.status_code == 200 and answer.keys() & {"access_token", "refresh_token"}:
        return _accept(answer, replace(tokens, client_id=application.client_id), now)
    error = answer.get("error")
    if error == "invalid_grant":
        raise consent_ended(tokens.account, _words(answer) + _lost(response))
    if error == "invalid_client" or response.status_code == 401:
        secret = application.setting.replace("CLIENT_ID", "CLIENT_SECRET")
        raise ClientRejected(f"Spotify does not accept {application.setting} with {secret}: check both")
    raise UnexpectedAnswer(f"the token request was answered with status {response.status_code} and no access token")


def consent_ended(account: str, words: str) -> ConsentEnded:
    return ConsentEnded(
        f"Spotify refuses the refresh token of account {account!r} ({words}). A consent lasts six months. Nothing is"
        f" polled until a new one is given: python -m pipeline authorize --account {account}",
        words,
    )


def _accept(answer: dict[str, Any], tokens: Tokens, now: datetime.datetime) -> tuple[Tokens, str]:
    access, renewed = answer.get("access_token"), answer.get("refresh_token") or None
    faults = []
    if not is_token(access):
        faults.append(fault("access_token", access) if access is not None else "it contains no access token")
        access = ""
    if renewed is not None and not is_token(renewed):
        faults.append(f"{fault('refresh_token', renewed)}, so that the stored refresh token is kept")
        renewed = None
    wrong = (
        f"Spotify's token response cannot be used as it is: {'; '.join(faults)}. The next slot tries again. If this"
        f" stays, a proxy may have changed the response; if polls end, run: python -m pipeline authorize --account"
        f" {tokens.account}"
        if faults
        else ""
    )
    if not access and not renewed:
        raise UnexpectedAnswer(wrong)
    expires_at = (now + lifetime(answer.get("expires_in"))).isoformat() if access else ""
    refresh_token = renewed or tokens.refresh_token
    return replace(tokens, refresh_token=refresh_token, access_token=access, expires_at=expires_at), wrong


def _words(answer: dict[str, Any]) -> str:
    """Spotify's reason for invalid_grant, on one line, without secrets."""
    words = answer.get("error_description")
    text = " ".join(config.scrub(words).split()) if isinstance(words, str) else ""
    return text[:LONGEST_WORDS] or "invalid_grant"


def _lost(response: requests.Response) -> str:
    """If a try before got no complete response, Spotify may have replaced the refresh token in that response."""
    failures = failures_of(response)
    return f"; the response to the request before was lost: {', '.join(failures)}" if failures else ""

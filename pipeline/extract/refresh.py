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
from pipeline.extract.answers import raise_for_status, send_patiently
from pipeline.extract.errors import ClientRejected, ConsentEnded, UnexpectedAnswer
from pipeline.extract.tokens import Tokens

Post = Callable[..., requests.Response]


def refresh(post: Post, settings: config.spotify, tokens: Tokens, now: datetime.datetime) -> Tokens:
    """Ask for an access token. The refresh token that may come along replaces the one in use.

    Raises SpotifyError, of any kind but NotAuthorized, and what `requests` raises when nobody answers.
    """
    if not settings.client_id:
        raise ClientRejected("SPOTIFY_CLIENT_ID is not set: copy it from your application on developer.spotify.com")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    auth = None
    if tokens.pkce or settings.client_secret is None:
        form["client_id"] = settings.client_id
    else:
        auth = (settings.client_id, settings.client_secret)
    url = f"{settings.accounts_url.rstrip('/')}/api/token"
    response = send_patiently(lambda: post(url, data=form, auth=auth))
    if response.status_code in (403, 429) or response.status_code >= 500:
        raise_for_status(response)
    answer = _json(response)
    if response.status_code == 200 and isinstance(answer.get("access_token"), str):
        return replace(
            tokens,
            refresh_token=answer.get("refresh_token") or tokens.refresh_token,
            access_token=answer["access_token"],
            expires_at=(now + _lifetime(answer)).isoformat(),
        )
    error = str(answer.get("error", ""))
    if error == "invalid_grant":
        raise consent_ended(tokens.account, str(answer.get("error_description", "invalid_grant")))
    if error == "invalid_client" or response.status_code == 401:
        raise ClientRejected("Spotify does not accept SPOTIFY_CLIENT_ID with SPOTIFY_CLIENT_SECRET: check both")
    raise UnexpectedAnswer(f"the token request was answered with status {response.status_code} and no access token")


def consent_ended(account: str, words: str) -> ConsentEnded:
    return ConsentEnded(
        f"Spotify refuses the refresh token of account {account!r} ({words}). A consent lasts six months. Nothing is"
        f" polled until a new one is given: python -m pipeline authorize --account {account}",
        words,
    )


def _lifetime(answer: dict[str, Any]) -> datetime.timedelta:
    try:
        return datetime.timedelta(seconds=float(answer.get("expires_in") or 3600))
    except (TypeError, ValueError, OverflowError):
        return datetime.timedelta(hours=1)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}

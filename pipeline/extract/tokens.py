"""The token store and the refresh of access tokens.

    data/tokens/account=<a>.json    mode 0600: refresh_token, access_token, expires_at, obtained_at

The refresh token that Spotify may send along with an access token is saved before that access token is used: a run
that dies in between would otherwise lose the only way in.
"""

from __future__ import annotations

import datetime
import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from pipeline.extract.answers import raise_for_status, send_patiently
from pipeline.extract.errors import ClientRejected, ConsentEnded, NotAuthorized, UnexpectedAnswer
from pipeline.extract.files import write_atomic

# An access token this close to its end is replaced before it is used.
MARGIN = datetime.timedelta(seconds=60)


class TokenStoreError(Exception):
    """The token file cannot be trusted or read; the message names it and the fix."""


@dataclass(frozen=True)
class Tokens:
    """`expires_at`, `obtained_at`: ISO 8601, UTC. `obtained_at` is when the refresh token came."""

    refresh_token: str
    obtained_at: str
    access_token: str = ""
    expires_at: str = ""

    def __repr__(self) -> str:
        return f"Tokens(obtained_at={self.obtained_at!r})"

    def valid_at(self, now: datetime.datetime) -> bool:
        return bool(self.access_token) and datetime.datetime.fromisoformat(self.expires_at) - MARGIN > now


def token_path(data: Path, account: str) -> Path:
    return data / "tokens" / f"account={account}.json"


def read_tokens(data: Path, account: str, bootstrap: str | None, now: datetime.datetime) -> Tokens:
    """The stored tokens, or `bootstrap` (SPOTIFY_REFRESH_TOKEN) where none are stored yet.

    Raises NotAuthorized when there is neither, TokenStoreError when the file is damaged or others can read it.
    """
    path = token_path(data, account)
    if not path.exists():
        if not bootstrap:
            raise NotAuthorized(
                f"account {account!r} has no refresh token: set SPOTIFY_REFRESH_TOKEN in the environment or in .env"
            )
        return Tokens(refresh_token=bootstrap, obtained_at=now.isoformat())
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise TokenStoreError(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
    try:
        tokens = Tokens(**json.loads(path.read_bytes()))
        tokens.valid_at(now)
        return tokens
    except (ValueError, TypeError):
        # The cause would quote the file's content.
        raise TokenStoreError(
            f"{path} is damaged. Delete it and set SPOTIFY_REFRESH_TOKEN to start again from a known token"
        ) from None


def write_tokens(data: Path, account: str, tokens: Tokens) -> None:
    write_atomic(token_path(data, account), json.dumps(asdict(tokens), indent=1).encode(), mode=0o600)


def refresh(
    session: requests.Session,
    accounts_url: str,
    client_id: str,
    client_secret: str | None,
    tokens: Tokens,
    now: datetime.datetime,
    timeout: float,
) -> Tokens:
    """Ask Spotify Accounts for an access token. With a client secret: Basic; without: PKCE, the id in the body.

    Raises SpotifyError, of any kind but NotAuthorized, and what `requests` raises when nobody answers.
    """
    if not client_id:
        raise ClientRejected("SPOTIFY_CLIENT_ID is not set: copy it from your application on developer.spotify.com")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    if client_secret is None:
        form["client_id"] = client_id
    auth = (client_id, client_secret) if client_secret is not None else None
    url = f"{accounts_url.rstrip('/')}/api/token"
    response = send_patiently(lambda: session.post(url, data=form, auth=auth, timeout=timeout))
    if response.status_code == 429 or response.status_code >= 500:
        raise_for_status(response)
    answer = _json(response)
    if response.status_code == 200 and isinstance(answer.get("access_token"), str):
        rotated = answer.get("refresh_token")
        lifetime = datetime.timedelta(seconds=float(answer.get("expires_in") or 3600))
        return Tokens(
            refresh_token=rotated or tokens.refresh_token,
            obtained_at=now.isoformat() if rotated else tokens.obtained_at,
            access_token=answer["access_token"],
            expires_at=(now + lifetime).isoformat(),
        )
    error = str(answer.get("error", ""))
    if error == "invalid_grant":
        raise ConsentEnded(
            f"Spotify refuses the refresh token ({answer.get('error_description', 'invalid_grant')})."
            " A consent lasts six months. Give a new one, delete the account's file in data/tokens and set"
            " SPOTIFY_REFRESH_TOKEN to the new token; polling cannot go on until then"
        )
    if error == "invalid_client" or response.status_code == 401:
        raise ClientRejected("Spotify does not accept SPOTIFY_CLIENT_ID with SPOTIFY_CLIENT_SECRET: check both")
    raise UnexpectedAnswer(f"the token request was answered with status {response.status_code} and no access token")


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}

"""The Spotify Web API client. Knows HTTP and tokens, nothing of files of plays or of Luigi.

Source of the format: Spotify Web API reference, "Get Recently Played Tracks", and the authorization guide.
"""

from __future__ import annotations

import datetime
import email.utils
import time
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from pipeline import config
from pipeline.extract.errors import (
    Forbidden,
    RateLimited,
    SpotifyUnreachable,
    UnexpectedAnswer,
)
from pipeline.extract.tokens import Tokens, read_tokens, refresh, write_tokens

PAGE = 50
LONGEST_WAIT = 60  # seconds of Retry-After that are waited for in place
RETRIES = 3


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class SpotifyClient:
    """One account's way to the Web API. The caller holds the account's lock: one process refreshes at a time."""

    def __init__(self, settings: config.spotify, data: Path, account: str) -> None:
        self.settings = settings
        self.data = data
        self.account = account
        self.tokens: Tokens | None = None
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "listening-history-pipeline"
        # 429 is not here: how long to wait decides whether to wait at all, see _get.
        retry = Retry(
            total=RETRIES,
            backoff_factor=0.3,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))

    def fetch_recently_played(self) -> bytes:
        """The last 50 plays, the body as it came. Never with a cursor: late and out-of-order plays are in there too."""
        return self._get("/me/player/recently-played", {"limit": str(PAGE)}).content

    def _get(self, path: str, parameters: dict[str, str]) -> requests.Response:
        try:
            response = self._send(path, parameters, self._access_token())
            if response.status_code == 401:
                response = self._send(path, parameters, self._access_token(renew=True))
            if response.status_code == 429 and (wait := _seconds_to_wait(response)) is not None:
                time.sleep(wait)
                response = self._send(path, parameters, self._access_token())
        except requests.exceptions.RequestException as error:
            # The cause is named by type alone: its text can hold addresses with credentials.
            raise SpotifyUnreachable(
                f"no answer from {self.settings.api_url} or {self.settings.accounts_url} after {RETRIES} retries"
                f" ({type(error).__name__}). Check the network; the next slot asks again, nothing is lost"
                " until 50 further plays have been heard"
            ) from None
        _raise_for_status(response)
        return response

    def _send(self, path: str, parameters: dict[str, str], token: str) -> requests.Response:
        return self.session.get(
            self.settings.api_url + path,
            params=parameters,
            headers={"Authorization": f"Bearer {token}"},
            timeout=self.settings.timeout,
        )

    def _access_token(self, renew: bool = False) -> str:
        now = utc_now()
        tokens = self.tokens or read_tokens(self.data, self.account, self.settings.refresh_token, now)
        if renew or not tokens.valid_at(now):
            tokens = refresh(
                self.session,
                self.settings.accounts_url,
                self.settings.client_id,
                self.settings.client_secret,
                tokens,
                now,
                self.settings.timeout,
            )
            write_tokens(self.data, self.account, tokens)
        self.tokens = tokens
        return tokens.access_token


def _retry_after(response: requests.Response) -> float:
    """Seconds, from a Retry-After in either of its forms (RFC 9110: a number or a date)."""
    value = response.headers.get("Retry-After", "")
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(value) - utc_now()).total_seconds())
    except (TypeError, ValueError):
        return 1.0


def _reason(response: requests.Response) -> tuple[str, str]:
    """`error.reason` and `error.message` of a Web API error, each empty where absent (some bodies are plain text)."""
    try:
        error = response.json()["error"]
        return str(error.get("reason", "")), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", response.text[:120].strip()


def _seconds_to_wait(response: requests.Response) -> float | None:
    """How long to wait in place, or None when the wait is not worth it."""
    wait = _retry_after(response)
    return wait if wait <= LONGEST_WAIT and _reason(response)[0] != "QUOTA_EXCEEDED" else None


def _raise_for_status(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    reason, message = _reason(response)
    if status == 429:
        retry_at = utc_now() + datetime.timedelta(seconds=_retry_after(response))
        limit = "daily quota" if reason == "QUOTA_EXCEEDED" else "rate limit"
        raise RateLimited(
            f"Spotify's {limit} is used up until {retry_at:%Y-%m-%d %H:%M} UTC. Run nothing against the same"
            " application before then; the plays heard meanwhile are still fetched, as long as they are 50 or fewer",
            retry_at,
        )
    if status == 403:
        raise Forbidden(
            f"Spotify forbids the call ({message!r}). Check in this order: the application's owner has Premium; this"
            " user is on the application's allow-list; the consent includes user-read-recently-played"
        )
    if status == 401:
        raise UnexpectedAnswer(
            f"Spotify refuses an access token it has just issued ({message!r}). Check this machine's clock, and that"
            " SPOTIFY_API_URL and SPOTIFY_ACCOUNTS_URL belong together"
        )
    if status >= 500:
        raise SpotifyUnreachable(
            f"Spotify answers with status {status} even after {RETRIES} retries. The next slot asks again"
        )
    raise UnexpectedAnswer(f"status {status} ({message!r}) is not one the Web API documents for this call")

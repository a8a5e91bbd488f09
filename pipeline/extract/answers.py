"""What an answer of Spotify's means when it is not a plain 200: how long to wait, and which error it is."""

from __future__ import annotations

import datetime
import email.utils
import time
from collections.abc import Callable

import requests

from pipeline.extract.errors import Forbidden, RateLimited, SpotifyUnreachable, UnexpectedAnswer

LONGEST_WAIT = 60  # seconds of Retry-After that are waited for in place
RETRIES = 3


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


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


def send_patiently(send: Callable[[], requests.Response]) -> requests.Response:
    """What `send` brings, sent once more after a 429 whose wait is short and is no used-up quota."""
    response = send()
    if response.status_code == 429 and _reason(response)[0] != "QUOTA_EXCEEDED":
        wait = _retry_after(response)
        if wait <= LONGEST_WAIT:
            time.sleep(wait)
            return send()
    return response


def raise_for_status(response: requests.Response) -> None:
    """Raise the error that a status other than 200 stands for."""
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

"""What an answer of Spotify's means when it is not a plain 200: how long to wait, and which error it is."""

from __future__ import annotations

import datetime
import email.utils
import time
from collections.abc import Callable

import requests

from pipeline import config
from pipeline.exchange import failures_of
from pipeline.extract.errors import Forbidden, RateLimited, SpotifyUnreachable, UnexpectedAnswer
from pipeline.extract.pause import LONGEST_PAUSE

LONGEST_WAIT = 60  # seconds of Retry-After that are waited for in place
RETRIES = 3
QUOTA_WAIT = 3600.0  # seconds, where a used-up quota comes without a Retry-After


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _retry_after(response: requests.Response) -> float:
    """Seconds, from a Retry-After in either of its forms (RFC 9110: a number or a date).

    A date is compared with the answer's own Date: this machine's clock may be wrong.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until, said_at = (email.utils.parsedate_to_datetime(each) for each in (value, response.headers["Date"]))
        return max(0.0, (until - said_at).total_seconds())
    except (KeyError, TypeError, ValueError):
        return QUOTA_WAIT if _is_quota(response) else 1.0


def _reason(response: requests.Response) -> tuple[str, str]:
    """`error.reason` and `error.message` of a Web API error, each empty where absent (some bodies are plain text).

    Without secrets, which a server can return from the request.
    """
    try:
        error = response.json()["error"]
        return str(error.get("reason", "")), config.scrub(str(error.get("message", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", config.scrub(response.text)[:120].strip()


def _is_quota(response: requests.Response) -> bool:
    return _reason(response)[0] == "QUOTA_EXCEEDED"


def send_patiently(send: Callable[[], requests.Response]) -> requests.Response:
    """What `send` brings, sent once more after a 429 whose wait is short and is no used-up quota."""
    response = send()
    if response.status_code == 429 and not _is_quota(response):
        wait = _retry_after(response)
        if wait <= LONGEST_WAIT:
            time.sleep(wait)
            return send()
    return response


def raise_for_status(response: requests.Response, quotes: bool = True) -> None:
    """Raise the error that a status other than 200 stands for.

    `quotes`: whether the error quotes Spotify. False for a token response: it can hold new tokens in any form.
    """
    status = response.status_code
    if status == 200:
        return
    message = _reason(response)[1] if quotes else ""
    if status == 429:
        retry_at = utc_now() + datetime.timedelta(seconds=min(_retry_after(response), LONGEST_PAUSE.total_seconds()))
        limit = "quota" if _is_quota(response) else "rate limit"
        raise RateLimited(
            f"Spotify's {limit} is used up until {retry_at:%Y-%m-%d %H:%M} UTC, and nothing is asked before. The plays"
            " heard meanwhile are still fetched afterwards, as long as they are 50 or fewer",
            retry_at,
            limit,
        )
    if status == 403:
        raise Forbidden(f"Spotify forbids the call ({message!r}). {_remedy(message)}")
    if status == 401:
        raise UnexpectedAnswer(
            f"Spotify refuses an access token it has just issued ({message!r}). Check this machine's clock, and that"
            " SPOTIFY_API_URL and SPOTIFY_ACCOUNTS_URL belong together"
        )
    if status >= 500:
        raise SpotifyUnreachable(
            f"Spotify answers with status {status} even after {retried(response)}. The next slot asks again"
        )
    raise UnexpectedAnswer(f"status {status} ({message!r}) is not one the Web API documents for this call")


def retried(outcome: requests.Response | requests.exceptions.RequestException) -> str:
    """How many retries an exchange really had: "3 retries"."""
    count = len(failures_of(outcome))
    return f"{count} {'retry' if count == 1 else 'retries'}"


def _remedy(message: str) -> str:
    """What a 403 asks for, as far as its words tell."""
    words = message.lower()
    if "premium" in words:
        return "The owner of the application needs Spotify Premium"
    if "scope" in words:
        return "The consent does not include this. Give a new one: python -m pipeline authorize"
    if "regist" in words or "allow" in words or "developer.spotify.com" in words:
        return "This user is not on the application's allow-list: add them on developer.spotify.com, User Management"
    return (
        "Check in this order: the application's owner has Premium; this user is on the application's allow-list;"
        " the consent includes the call (python -m pipeline authorize gives a new one)"
    )

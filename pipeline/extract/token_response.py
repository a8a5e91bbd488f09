"""Which parts of a token response can be used. Nothing here quotes a value: each can be a secret.

Source of the format: RFC 6749, sections 5.1, A.12 and A.17; Spotify's authorization guide.
"""

from __future__ import annotations

import datetime
import logging
import re
from typing import Any, TypeGuard

import requests

logger = logging.getLogger("luigi-interface")
LONGEST_TOKEN = 4096  # characters; Spotify's have 100 to 300
TOKEN = re.compile(r"[!-~]+")  # visible ASCII. A line break in a token would end a header
USUAL_LIFETIME = datetime.timedelta(hours=1)
LONGEST_LIFETIME = datetime.timedelta(days=1)


def read_object(response: requests.Response) -> dict[str, Any]:
    """The JSON object of a response, of any status; empty for anything else."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def is_token(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= LONGEST_TOKEN and TOKEN.fullmatch(value) is not None


def fault(name: str, value: Any) -> str:
    """Why `value`, for which is_token is false, is no token."""
    if not isinstance(value, str):
        return f"{name} is of the JSON type {_json_type(value)}, not a string"
    if len(value) > LONGEST_TOKEN:
        return f"{name} has {len(value)} characters, more than {LONGEST_TOKEN}"
    return f"{name} is empty" if not value else f"{name} contains a space, a line break or another invalid character"


def lifetime(value: Any) -> datetime.timedelta:
    """From `expires_in`, in seconds. One hour, which Spotify documents, if that is absent or cannot be right."""
    if value is None:
        return USUAL_LIFETIME
    is_number = type(value) in (int, float)  # isinstance would take true and false for 1 and 0
    if is_number and 0 < value <= LONGEST_LIFETIME.total_seconds():
        return datetime.timedelta(seconds=value)
    logger.warning(
        "expires_in of Spotify's token response is %s. One hour is used instead, the value that Spotify documents",
        "out of range" if is_number else f"of the JSON type {_json_type(value)}, not a number",
    )
    return USUAL_LIFETIME


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")

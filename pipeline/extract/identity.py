"""Whose history an account is: Spotify's id of the person, kept from the first consent on.

    data/accounts/account=<a>.json    account_id

It outlives the tokens, so that a later consent of somebody else is not taken into the same history.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.extract.errors import UnexpectedAnswer, WrongPerson
from pipeline.extract.files import named_lock, write_atomic

FOLDER = "accounts"


def identity_path(data: Path, account: str) -> Path:
    return data / FOLDER / f"account={account}.json"


def account_id(profile: Any) -> str:
    """The person's id, from the body of `GET /me`."""
    found = profile.get("account_id") or profile.get("id") if isinstance(profile, dict) else None
    if not isinstance(found, str) or not found:
        raise UnexpectedAnswer(
            "Spotify's answer to GET /me names no account_id, so that nobody knows whose plays they are"
        )
    return found


def stored_id(data: Path, account: str) -> str | None:
    """Raises WrongPerson where the file cannot be read: then it is not known whose history this is."""
    path = identity_path(data, account)
    try:
        return str(json.loads(path.read_bytes())["account_id"]) if path.exists() else None
    except (ValueError, KeyError, TypeError):
        raise WrongPerson(
            f"{path} is damaged, so whose history account {account!r} is cannot be checked. Restore the file from a"
            " backup; or delete it, if you are sure that the person who agrees is the same as before"
        ) from None


def any_identity(data: Path) -> bool:
    """Whether it is known of any account whose it is."""
    return any((data / FOLDER).glob("account=*.json"))


def confirm_identity(data: Path, account: str, person: str) -> None:
    """Keep `person` (an account_id) as the listener of `account`.

    Raises WrongPerson when the account is somebody else's, or the person already has an account of another name.
    """
    with named_lock(data, "accounts"):
        known = stored_id(data, account)
        if known == person:
            return
        if known is not None:
            raise WrongPerson(
                f"account {account!r} is the history of another Spotify user than the one who has agreed now. Log in as"
                f" that user, or choose another name: python -m pipeline authorize --account NAME"
            )
        for path in (data / FOLDER).glob("account=*.json"):
            other = path.stem.removeprefix("account=")
            if stored_id(data, other) == person:
                raise WrongPerson(
                    f"this Spotify user already has the account {other!r}; under the name {account!r} as well, every"
                    " play would be counted twice. Log in as another user, or go on with the account there is"
                )
        body = json.dumps({"account": account, "account_id": person}, indent=1) + "\n"
        write_atomic(identity_path(data, account), body.encode())

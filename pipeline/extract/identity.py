"""Whose history an account is: Spotify's ids of the person, kept from the first consent on.

    data/accounts/account=<a>.json    account, account_id, id

It outlives the tokens, so that a later consent of somebody else is not taken into the same history. `GET /me` has long
returned `id` only and now returns `account_id` too. A file without `id` holds either of them in account_id; it is
completed when the person is identified again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.extract.errors import UnexpectedAnswer, WrongPerson
from pipeline.extract.files import named_lock, write_atomic
from pipeline.extract.tokens import load_tokens
from pipeline.folders import matching
from pipeline.state_files import NotAsWritten, check_text, json_object, read_state, set_aside_copies

FOLDER = "accounts"


def identity_path(data: Path, account: str) -> Path:
    return data / FOLDER / f"account={account}.json"


class UserIds(NamedTuple):
    """A Spotify user's ids; "" for one that is not known."""

    account_id: str
    id: str

    @property
    def best(self) -> str:
        return self.account_id or self.id

    def share_one_with(self, other: UserIds) -> bool:
        """True if both are the same user. The fields are not compared one by one: see the module's docstring."""
        return bool({*self} & {*other} - {""})

    def completed_by(self, older: UserIds) -> UserIds:
        """With each id that only `older`, of the same user, has."""
        user_id = self.id or older.id
        return UserIds(self.account_id or older.account_id or user_id, user_id)


def user_ids(profile: Any) -> UserIds:
    """From the body of `GET /me`. Raises UnexpectedAnswer if it has neither id."""
    found = [profile.get(name) if isinstance(profile, dict) else None for name in UserIds._fields]
    ids = UserIds(*(value if isinstance(value, str) else "" for value in found))
    if not ids.best:
        raise UnexpectedAnswer(
            "Spotify's answer to GET /me names no account_id, so that nobody knows whose plays they are"
        )
    return ids


def stored_ids(data: Path, account: str) -> UserIds | None:
    """None before the first consent. If the file was damaged, the id in the token file takes its place.

    Raises WrongPerson if that file has no id either: then a consent of another person could not be recognised.
    """
    path = identity_path(data, account)
    known = read_state(data, path, lambda content: parse_identity(content, account))
    damaged = set_aside_copies(path) if known is None else []
    if damaged:
        tokens = load_tokens(data, account)
        known = UserIds(tokens.account_id, "") if tokens and tokens.account_id else None
        if known is None:
            raise WrongPerson(
                f"{path} was damaged and is now {damaged[-1]}, so that it cannot be checked whose history account"
                f" {account!r} is. Restore {path} from a backup; or delete {damaged[-1]}, if you are sure that the"
                " person who agrees is the same as before"
            )
    return known


def parse_identity(content: bytes, account: str) -> UserIds:
    """Raises ValueError, KeyError."""
    found = json_object(content)
    person = UserIds(found["account_id"], found.get("id", ""))
    for name, value in person._asdict().items():
        check_text(name, value)
    if not person.account_id or found.get("account", account) != account:
        raise NotAsWritten("it does not hold the account and the id of its listener")
    return person


def any_identity(data: Path) -> bool:
    """Whether it is known of any account whose it is."""
    return bool(matching(data / FOLDER, "account=*.json*"))


def confirm_identity(data: Path, account: str, account_id: str, user_id: str = "") -> None:
    """Keep the person with these UserIds as the listener of `account`; ids that the stored file lacks are added to it.

    Raises WrongPerson when the account is somebody else's, or the person already has an account of another name.
    """
    person = UserIds(account_id, user_id)
    with named_lock(data, "accounts"):
        known = stored_ids(data, account)
        if known is not None and known.share_one_with(person):
            completed = person.completed_by(known)
            if completed != known or not identity_path(data, account).exists():
                _write(data, account, completed)
            return
        if known is not None:
            raise WrongPerson(
                f"account {account!r} is the history of another Spotify user than the one who has agreed now. Log in as"
                f" that user, or choose another name: python -m pipeline authorize --account NAME"
            )
        for path in matching(data / FOLDER, "account=*.json"):
            other = path.stem.removeprefix("account=")
            holder = _ids_if_known(data, other) if other != account else None
            if holder is not None and holder.share_one_with(person):
                raise WrongPerson(
                    f"this Spotify user already has the account {other!r}; under the name {account!r} as well, every"
                    " play would be counted twice. Log in as another user, or go on with the account there is"
                )
        _write(data, account, person)


def _write(data: Path, account: str, person: UserIds) -> None:
    body = json.dumps({"account": account, "account_id": person.best, "id": person.id}, indent=1) + "\n"
    write_atomic(identity_path(data, account), body.encode())


def _ids_if_known(data: Path, account: str) -> UserIds | None:
    """A damaged file of one account does not stop the consent of another."""
    try:
        return stored_ids(data, account)
    except WrongPerson:
        return None

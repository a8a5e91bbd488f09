"""The token store.

    data/tokens/account=<a>.json    mode 0600

One file an account: its tokens, when consent was given, whose they are, and whether they have come to their end.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline import config
from pipeline.config import AccountParameter, Application
from pipeline.extract.errors import NotAuthorized, TokenStoreError, WrongApplication
from pipeline.extract.files import named_lock, reserved, write_atomic
from pipeline.extract.token_response import LONGEST_TOKEN
from pipeline.state_files import FUTURE, NotAsWritten, json_object, moment, read_state, set_aside_copies, typed

# An access token this close to its end is replaced before it is used.
MARGIN = datetime.timedelta(seconds=60)
# Spotify says six months, which are 181 days at least; a day is left for clocks that differ.
LONGEST_LIFE = datetime.timedelta(days=2)
CONSENT_LASTS = datetime.timedelta(days=180)
# Days left at which somebody is warned.
WARNED = (30, 7, 1)
# Bytes of the largest store: two tokens, of which JSON can double the length, and the other fields.
LARGEST_STORE = 4 * LONGEST_TOKEN + 4096


@dataclass(frozen=True)
class Tokens:
    """Moments are ISO 8601, UTC.

    `authorized_at`: when the person agreed, or a token of the settings was first used; refreshing does not change it.
    `pkce`: given without a client secret, and refreshed without one. `account_id`: Spotify's id of the person, empty
    until it has been asked. `ended`: Spotify's words, once it has refused the refresh token for good. `bootstrap`:
    digest of the SPOTIFY_REFRESH_TOKEN that was set when the store was written. `warned`: the least number of days left
    that somebody has been warned of; 0 for none. `told`: whether somebody has been told that it `ended`. `client_id`:
    the application that the consent was given to; empty in a store of an older version until its next refresh.
    """

    account: str
    refresh_token: str
    authorized_at: str
    access_token: str = ""
    expires_at: str = ""
    pkce: bool = False
    account_id: str = ""
    ended: str = ""
    bootstrap: str = ""
    warned: int = 0
    told: bool = False
    client_id: str = ""

    def __post_init__(self) -> None:
        config.remember(self.refresh_token, self.access_token)

    def __repr__(self) -> str:
        return f"Tokens(account={self.account!r}, authorized_at={self.authorized_at!r})"

    def valid_at(self, now: datetime.datetime) -> bool:
        """False for an end that is too far away to be true: then the token is refreshed."""
        if not self.access_token:
            return False
        expires_at = datetime.datetime.fromisoformat(self.expires_at)
        return now < expires_at - MARGIN and expires_at < now + LONGEST_LIFE

    @property
    def consent_ends_at(self) -> datetime.datetime:
        return datetime.datetime.fromisoformat(self.authorized_at) + CONSENT_LASTS

    def days_left(self, now: datetime.datetime) -> int:
        """Whole days until the consent ends; 0 on its last day and ever after. Also 0 if `authorized_at` is in the
        future, so that its end is not known: the user is warned, and polls continue."""
        if self.ended or datetime.datetime.fromisoformat(self.authorized_at) > now + FUTURE:
            return 0
        return max(0, (self.consent_ends_at - now).days)


def token_path(data: Path, account: str) -> Path:
    return data / "tokens" / f"account={account}.json"


def token_lock(data: Path, account: str) -> FileLock:
    """Held while a token is refreshed or replaced: one at a time, across processes."""
    return named_lock(data, f"tokens-account={account}")


def digest(token: str | None) -> str:
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


def read_tokens(
    data: Path, account: str, bootstrap: str | None, application: Application, now: datetime.datetime
) -> Tokens:
    """The stored tokens, or `bootstrap` (SPOTIFY_REFRESH_TOKEN) where none are stored or those that are have ended.

    Tokens of another application count as ended. Without a new bootstrap token they raise WrongApplication.

    A bootstrap token that was already set when the consent ended is the one that ended. Raises NotAuthorized when there
    is neither, TokenStoreError when the file is damaged, another account's, or can be read by others.
    """
    stored = load_tokens(data, account)
    is_foreign = stored is not None and stored.client_id not in ("", application.client_id) and application.client_id
    if stored and not ((stored.ended or is_foreign) and bootstrap and digest(bootstrap) != stored.bootstrap):
        if is_foreign:
            raise WrongApplication(
                f"the consent of account {account!r} was given to the application {stored.client_id[:6]}…, and"
                f" {application.setting} is {application.client_id[:6]}…: Spotify refuses a refresh token of another"
                f" application. Correct {application.setting}, or give a new consent: python -m pipeline authorize"
                f" --account {account}"
            )
        return stored
    if not bootstrap:
        damaged = set_aside_copies(token_path(data, account))
        cause = (
            f"no consent any more: its token file was damaged and is now {damaged[-1]}" if damaged else "no consent yet"
        )
        raise NotAuthorized(f"account {account!r} has {cause}. Run: python -m pipeline authorize --account {account}")
    return Tokens(
        account, bootstrap, now.isoformat(), pkce=application.client_secret is None, bootstrap=digest(bootstrap)
    )


def load_tokens(data: Path, account: str) -> Tokens | None:
    """What the file holds; None if it is absent, or damaged and set aside. Raises TokenStoreError."""
    path = token_path(data, account)
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    mode = stat.S_IMODE(status.st_mode) if status and stat.S_ISREG(status.st_mode) else 0
    if mode & 0o077:
        raise TokenStoreError(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
    tokens = read_state(data, path, lambda content: parse_tokens(content, account))
    if tokens and tokens.account != account:
        raise TokenStoreError(
            f"{path} holds the tokens of account {tokens.account!r}: with them, one person's plays would come into"
            f" another's history. Delete it and run: python -m pipeline authorize --account {account}"
        )
    return tokens


def parse_tokens(content: bytes, account: str) -> Tokens:
    """Raises ValueError, TypeError, KeyError."""
    tokens = typed(Tokens, _upgraded(json_object(content), account))
    moment(tokens.authorized_at)
    if tokens.access_token or tokens.expires_at:
        moment(tokens.expires_at)
    if not tokens.refresh_token:
        raise NotAsWritten("it holds no refresh token")
    for token in (tokens.refresh_token, tokens.access_token):
        if not all("!" <= letter <= "~" for letter in token):
            raise NotAsWritten("a token holds a character that no token has")
    if not AccountParameter.pattern.fullmatch(tokens.account):
        raise NotAsWritten("the account has an impossible name")
    return tokens


def _upgraded(held: Any, account: str) -> Any:
    """A store of before 0.2 knew when the refresh token came: the person had agreed by then at the latest."""
    if isinstance(held, dict) and "obtained_at" in held:
        held = {**held, "account": account, "authorized_at": held["obtained_at"]}
        del held["obtained_at"]
    return held


def write_tokens(data: Path, tokens: Tokens) -> None:
    """The caller holds the token lock."""
    write_atomic(token_path(data, tokens.account), _encoded(tokens), mode=0o600)


def _encoded(tokens: Tokens) -> bytes:
    return json.dumps(asdict(tokens), indent=1).encode()


@contextlib.contextmanager
def reserved_store(data: Path, account: str) -> Iterator[Callable[[Tokens], None]]:
    """Reserve the disk space for new tokens; yields the function that stores them. The caller holds the token lock.

    Spotify may replace the refresh token in its response. If the new one cannot be stored, the consent is lost; the
    space is therefore reserved before the request. Raises TokenStoreError if that fails, before the block begins.
    """
    path = token_path(data, account)
    with contextlib.ExitStack() as stack:
        try:
            save = stack.enter_context(reserved(path, LARGEST_STORE, mode=0o600))
        except OSError as error:
            raise TokenStoreError(
                f"no space could be reserved for the new tokens of account {account!r} ({error.strerror}: '{path}')."
                f" Spotify was not asked for them, so that the consent stays valid. Free {LARGEST_STORE // 1024} kB on"
                " that disk, and make the folder writable; the next slot tries again"
            ) from None
        yield lambda tokens: save(_encoded(tokens))


def consent_ended(data: Path, account: str, bootstrap: str | None) -> bool:
    """Whether the account waits for a new consent. A store that cannot be read is for the next poll to complain of."""
    try:
        tokens = load_tokens(data, account)
    except TokenStoreError:
        return False
    if tokens is None:
        return not bootstrap
    return bool(tokens.ended and not (bootstrap and digest(bootstrap) != tokens.bootstrap))


def days_left(data: Path, account: str, now: datetime.datetime) -> int | None:
    """Whole days until the consent ends; None where that cannot be known."""
    try:
        tokens = load_tokens(data, account)
    except TokenStoreError:
        return None
    return tokens.days_left(now) if tokens else None


def end_warning(data: Path, account: str, now: datetime.datetime) -> tuple[int, str] | None:
    """The days (30, 7 or 1) and a sentence, where somebody is to be warned of the consent's end and was not yet."""
    tokens = load_tokens(data, account)
    if tokens is None:
        return None
    left = tokens.days_left(now)
    due = min((days for days in WARNED if left <= days), default=0)
    if not due or (tokens.warned and tokens.warned <= due):
        return None
    days = f"{left} day{'' if left == 1 else 's'}"
    return due, (
        f"The consent of account {account!r} ends in {days}, on {tokens.consent_ends_at:%Y-%m-%d}; then nothing"
        f" is polled any more. Renew it: python -m pipeline authorize --account {account}"
    )


def note(data: Path, account: str, **changes: Any) -> None:
    """Change what the store says of an account, if it has one: `warned`, `told`."""
    with token_lock(data, account):
        tokens = load_tokens(data, account)
        if tokens:
            write_tokens(data, replace(tokens, **changes))

"""What can go wrong between Spotify and the files.

SpotifyError
├── SpotifyUnreachable      no answer, or 5xx, after the retries
├── RateLimited             429 with a long wait, or the daily quota
│   └── Paused              not asked at all, because of an earlier one
├── UnexpectedAnswer        an answer that is not what the Web API documents
└── AuthorizationError      nobody is let in until a person acts
    ├── NotAuthorized       no consent yet
    ├── TokenStoreError     the token file cannot be trusted, read or written
    ├── ConsentEnded        the refresh token expired or was revoked
    ├── ConsentRefused      the person, or Spotify, did not agree to a new consent
    ├── WrongPerson         the consent is another person's than the history
    ├── WrongApplication    the stored consent was given to another application
    ├── ClientRejected      client id or secret is wrong
    └── Forbidden           403: Premium, allow-list, scope, or a removed endpoint
PartitionDamaged            a CSV partition that is not as this pipeline writes it
CommandRefused              a command that was typed cannot be run: Slack gets no message
├── SlotInFuture            a slot that has not come yet
└── ExportRefused           --export is not a streaming history (history/errors.py)

Every message says what to do, and none holds a token, a code or a secret.
"""

from __future__ import annotations

import datetime
from pathlib import Path


class SpotifyError(Exception):
    """Spotify did not give what was asked for."""

    is_foreign = True  # pipeline/causes.py


class SpotifyUnreachable(SpotifyError):
    """No usable answer after the retries; the next slot tries again."""


class RateLimited(SpotifyError):
    """429 with a wait too long for a slot. `retry_at`: not before this moment (UTC). `reason`: quota or rate limit."""

    def __init__(self, message: str, retry_at: datetime.datetime, reason: str) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        self.reason = reason


class Paused(RateLimited):
    """Spotify said earlier that it must not be asked before `retry_at`, and was not."""


class UnexpectedAnswer(SpotifyError):
    """A 200 that is not JSON, is cut off, or lacks what the Web API documents; or a status nobody documents."""


class AuthorizationError(SpotifyError):
    """A person has to act before the next poll can succeed."""


class TokenStoreError(AuthorizationError):
    """The token file cannot be trusted, read or written; the message names it and the fix."""

    is_foreign = False


class ConsentEnded(AuthorizationError):
    """`invalid_grant`: six months are over, or the consent was withdrawn. `words`: Spotify's own."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


class NotAuthorized(ConsentEnded):
    """There is no refresh token: not yet, or its file was deleted. As after the end of a consent, nothing has failed,
    and a person has to act."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "no consent")


class ConsentRefused(AuthorizationError):
    """No consent came of an attempt to get one."""


class WrongPerson(AuthorizationError):
    """Two people under one account name, or one person under two."""


class WrongApplication(AuthorizationError):
    """The client ID is of another application than the stored tokens."""


class ClientRejected(AuthorizationError):
    """`invalid_client`: the application's id or secret is not accepted."""


class Forbidden(AuthorizationError):
    """403."""


class PartitionDamaged(Exception):
    """A partition file that cannot be read back; it is left as it is."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(
            f"{path}, line {line}: {problem}. The file is left untouched and new plays wait in data/raw;"
            " repair the line; or restore the file from a backup and run luigi --module pipeline ReplayResponses, which"
            " adds what the backup lacks. Then run the slot again"
        )
        self.path = path


class CommandRefused(Exception):
    """A command that was typed cannot be run. Its message is printed, and is not an incident."""


class SlotInFuture(CommandRefused, ValueError):
    """A slot names a run that has happened or happens now, never one to come."""

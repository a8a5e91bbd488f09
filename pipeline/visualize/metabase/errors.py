"""What can go wrong between the cards and Metabase.

MetabaseError
├── MetabaseUnreachable     nobody answers, or it does not come up in time
├── TooOld                  a version that does not know MBQL 5
├── NotAllowed              401 or 403: key, session or password are not accepted, or may not do this
│   └── AlreadySetUp        somebody else is the administrator
├── Refused                 400: a body is not as Metabase wants it; each field with Metabase's own words
│   └── DatabaseRefused     Metabase cannot connect to PostgreSQL with what it was given
├── NotFound                404
├── NameTaken               something of that name is there and was not made here
├── NotSynced               Metabase has not read the tables in time
├── NotKept                 what was written does not read back as it was written
└── UnexpectedAnswer        5xx, or an answer that is not what Metabase documents
RoleRefused                 PostgreSQL does not let the role of Metabase be made

Every message says what to do, and none holds a password or a key.
"""

from __future__ import annotations


class MetabaseError(Exception):
    """Metabase did not do what was asked of it."""

    is_foreign = True  # pipeline/causes.py


class MetabaseUnreachable(MetabaseError):
    """No answer."""


class TooOld(MetabaseError):
    """MBQL 5 came with version 57."""


class NotAllowed(MetabaseError):
    """401, 403."""


class AlreadySetUp(NotAllowed):
    """There is an administrator, and the settings are not theirs."""


class Refused(MetabaseError):
    """400. `fields`: what Metabase says of each."""

    def __init__(self, message: str, fields: dict[str, str]) -> None:
        super().__init__(message)
        self.fields = fields


class DatabaseRefused(Refused):
    """The connection to PostgreSQL was tried by Metabase, and failed."""


class NotFound(MetabaseError):
    """404."""


class NameTaken(MetabaseError):
    """Nothing of somebody else's is changed."""


class NotSynced(MetabaseError):
    """Metabase reads tables in its own time."""


class NotKept(MetabaseError):
    """Metabase drops what it does not know without a word; so all is read back."""


class UnexpectedAnswer(MetabaseError):
    """Metabase failed, or something else answers at its address."""


class RoleRefused(Exception):
    """The pipeline's own user may not make roles."""

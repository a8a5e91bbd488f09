"""Secrets that are made here and that nobody has to know: one file each under data/metabase, mode 0600."""

from __future__ import annotations

import secrets

from pipeline import config
from pipeline.extract.files import make_folder, write_atomic


def keep(name: str, secret: str) -> None:
    config.remember(secret)
    folder = config.metabase().folder
    make_folder(folder)
    folder.chmod(0o700)
    write_atomic(folder / name, f"{secret}\n".encode(), mode=0o600)


def database_password() -> str:
    """Of the role that Metabase reads as: set, kept, or made now."""
    known = config.metabase().database_password
    if known:
        return known
    made = secrets.token_urlsafe(24)
    keep("database_password", made)
    return made

"""What can go wrong between the files and PostgreSQL. Every message says what to do, and none holds a password."""

from __future__ import annotations


class DatabaseError(Exception):
    """PostgreSQL cannot be used."""


class PartitionRefused(Exception):
    """PostgreSQL did not take a partition file; the message names the file and the line."""

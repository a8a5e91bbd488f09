"""What a backup or a restore did, in words and numbers that add up."""

from __future__ import annotations

from typing import Any

from pipeline.backup.manifest import Manifest
from pipeline.extract.datasets import DATASETS, HISTORY, PLAYS

HEADINGS = {PLAYS.name: "polled plays", HISTORY.name: "imported rows"}


def size_in_words(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1000:,.1f} kB"


def describe(manifest: Manifest) -> str:
    made = manifest.made_at[:16].replace("T", " ")
    secrets = "with the ways in (tokens)" if manifest.with_secrets else "without tokens and keys"
    return (
        f"{len(manifest.files):,} files, {size_in_words(manifest.size)} unpacked, {secrets};"
        f" made {made} UTC by version {manifest.program}"
    )


def skipped(names: list[str], action: str) -> str:
    """`action`: what was not done to the files."""
    files = "1 file is" if len(names) == 1 else f"{len(names):,} files are"
    return f"{files} not {action}, e.g. {names[0]}: this program does not write files of such a name"


def rows_by_account(manifest: Manifest, plays: dict[str, int] | None = None) -> str:
    """A table: one line per account. `plays`: those of the marts, where they are known."""
    columns = {
        heading: {account: rows.get(name, 0) for account, rows in manifest.rows.items()}
        for name, heading in HEADINGS.items()
    }
    if plays is not None:
        columns["plays in marts"] = plays
    accounts = sorted(set(manifest.rows) | set(plays or {}))
    if not accounts:
        return "no plays yet"
    width = max(len("account"), *map(len, accounts))
    lines = ["  ".join([" " * width, *columns])]
    for account in accounts:
        numbers = (f"{column.get(account, 0):>{len(heading)},}" for heading, column in columns.items())
        lines.append("  ".join([f"{account:{width}}", *numbers]))
    return "\n".join(lines)


def rows_that_differ(connection: Any, manifest: Manifest) -> list[str]:
    """Sentences on tables of staging that hold more or fewer rows of an account than the files of the archive."""
    said = []
    with connection.cursor() as cursor:
        for dataset in DATASETS:
            cursor.execute(f"select account, count(*) from staging.{dataset.name} group by account")
            held = dict(cursor.fetchall())
            for account, rows in sorted(manifest.rows.items()):
                if held.get(account, 0) != rows.get(dataset.name, 0):
                    said.append(
                        f"staging.{dataset.name} holds {held.get(account, 0):,} rows of {account}, the files"
                        f" {rows.get(dataset.name, 0):,}"
                    )
    return said


def plays_in_marts(connection: Any) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("select account, count(*) from marts.fct_plays group by account")
        return dict(cursor.fetchall())

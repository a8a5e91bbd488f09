"""The receipt of an import, which adds up: read = inserted + already there + duplicates + skipped + failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HEADINGS = ("", "read", "inserted", "already there", "duplicates", "skipped", "failed")
MOST_NUMBERS = 10


@dataclass
class FileReceipt:
    """What became of the entries of one file.

    `inserted`: rows that the partitions gained. `already_there`: known before this import. `duplicates`: equal to
    another row of the same export. `skipped`: reason → numbers of the entries, from 1, that are no plays. `failed`:
    rows whose partition could not be read. `unknown`: fields that are not kept because nobody knows them yet.
    """

    file: str
    read: int = 0
    inserted: int = 0
    already_there: int = 0
    duplicates: int = 0
    skipped: dict[str, list[int]] = field(default_factory=dict)
    failed: int = 0
    unknown: list[str] = field(default_factory=list)

    @property
    def skipped_rows(self) -> int:
        return sum(map(len, self.skipped.values()))

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.read, self.inserted, self.already_there, self.duplicates, self.skipped_rows, self.failed)

    @property
    def adds_up(self) -> bool:
        read, *parts = self.numbers
        return read == sum(parts)

    def again(self) -> FileReceipt:
        """That of the same file once more: what was inserted then is there now."""
        there = self.inserted + self.already_there
        return FileReceipt(self.file, self.read, 0, there, self.duplicates, self.skipped, 0, self.unknown)


def format_receipt(files: Sequence[FileReceipt]) -> str:
    """A table of all files with their total, and below it what was skipped, by file, reason and entry."""
    total = tuple(map(sum, zip(*(file.numbers for file in files), strict=True)))
    rows = [HEADINGS, *((file.file, *map(_thousands, file.numbers)) for file in files)]
    if len(files) > 1:
        rows.append(("total", *map(_thousands, total)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    if len(files) > 1:
        lines.insert(-1, "─" * len(lines[0]))
    return "\n".join([*lines, *_remarks(files)])


def _remarks(files: Sequence[FileReceipt]) -> Iterator[str]:
    for file in files:
        for reason, numbers in file.skipped.items():
            shown = ", ".join(_thousands(number) for number in numbers[:MOST_NUMBERS])
            more = f" and {len(numbers) - MOST_NUMBERS:,} more" if len(numbers) > MOST_NUMBERS else ""
            yield f"skipped in {file.file}: {reason} (entry {shown}{more})"
    if unknown := sorted({name for file in files for name in file.unknown}):
        yield f"not kept, for nobody knows them yet: the fields {', '.join(unknown[:MOST_NUMBERS])}"


def _thousands(number: int) -> str:
    return f"{number:,}"

"""What was written into an export, so that an import's receipt can be checked against it."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass, field

from tests.listener.moments import to_datetime
from tests.listener.truth import Play


@dataclass(frozen=True)
class Defects:
    """How many of the rows (0 to 1) are followed by a double or by one that is no play, and how many have fields
    that nobody knows."""

    exact: float = 0.002
    exact_in_another_file: float = 0.002
    near: float = 0.002
    bad: float = 0.001
    unknown_fields: float = 0.01


NONE = Defects(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Expected:
    """A play as an import should have it.

    `played_at_ms` (Unix ms) and `ms_played` are those of the play's own row; `or_else`: those of its near-duplicates,
    one of which may be kept instead. Rows of one play never count twice.
    """

    play: Play
    ts: str
    played_at_ms: int
    ms_played: int
    or_else: list[tuple[int, int]] = field(default_factory=list)

    @property
    def played_at(self) -> datetime.datetime:
        return to_datetime(self.played_at_ms)


@dataclass
class FileManifest:
    """A file's array, by index.

    `bad`: why an entry is no row. `exact`: entries that repeat one before them in the file; `exact_in_another_file`:
    entries that repeat one of an earlier file. `near`: how an entry differs from the row that it is a double of.
    """

    name: str
    rows: int = 0
    bad: dict[int, str] = field(default_factory=dict)
    exact: list[int] = field(default_factory=list)
    exact_in_another_file: list[int] = field(default_factory=list)
    near: dict[int, str] = field(default_factory=dict)

    @property
    def bad_by_reason(self) -> Counter[str]:
        return Counter(self.bad.values())

    @property
    def plays(self) -> int:
        """Rows that are left when the defects are taken off."""
        return self.rows - len(self.bad) - len(self.exact) - len(self.exact_in_another_file) - len(self.near)


@dataclass
class Manifest:
    """`expected`: the plays in the order in which they were heard; empty when not asked for."""

    generation: str
    files: list[FileManifest] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def plays(self) -> int:
        return sum(file.plays for file in self.files)

    @property
    def bad(self) -> Counter[str]:
        return sum((file.bad_by_reason for file in self.files), Counter())

    @property
    def exact(self) -> int:
        """Exact doubles, wherever the other row is."""
        return sum(len(file.exact) + len(file.exact_in_another_file) for file in self.files)

    @property
    def near(self) -> Counter[str]:
        return sum((Counter(file.near.values()) for file in self.files), Counter())

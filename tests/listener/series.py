"""The numbered files of one kind, as they are called and laid out by Spotify."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.listener.archive import Destination
from tests.listener.manifest import FileManifest

ELSEWHERE = "elsewhere"


class Entry(NamedTuple):
    """An element of a file's array. `ts`: empty when it is no row; then `mark` says why not. Else `mark` is how the row
    differs from the one that it is a double of; empty for a play's own row, and for its exact double."""

    ts: str
    text: str
    mark: str = ""


class Series:
    """Files of kind "endsong" (one line of ASCII, in no order), "Audio" or "Video" (a row a line, in order of `ts`)."""

    def __init__(
        self,
        folder: str,
        kind: str,
        rows_a_file: int,
        chance: random.Random,
        destinations: Sequence[Destination],
        files: list[FileManifest],
    ) -> None:
        self.folder, self.kind, self.rows_a_file, self.chance = folder, kind, rows_a_file, chance
        self.destinations, self.files = destinations, files
        self.number = 0
        self.entries: list[Entry] = []
        self.bad: list[Entry] = []
        self.for_the_next: list[Entry] = []

    def add(self, ts: str, text: str, mark: str = "") -> None:
        """`text`: the row as JSON."""
        self.entries.append(Entry(ts, text, mark))

    def repeat_in_the_next_file(self, ts: str, text: str) -> None:
        self.for_the_next.append(Entry(ts, text, ELSEWHERE))

    def add_to_the_middle(self, text: str, reason: str) -> None:
        self.bad.append(Entry("", text, reason))

    def text_of(self, element: Any) -> str:
        return json.dumps(element, ensure_ascii=self.kind == "endsong", separators=(",", ":"))

    def write_when_full(self) -> None:
        if len(self.entries) + len(self.bad) >= self.rows_a_file:
            self._write()

    def finish(self) -> None:
        """Write what is left; rows that still have to be repeated get a file of their own."""
        while self.entries or self.for_the_next:
            self._write()

    def _write(self) -> None:
        entries, repeated = self.entries, self.for_the_next
        own = [entry for entry in entries if entry.mark != ELSEWHERE] or entries
        years = sorted({entry.ts[:4] for entry in own})
        if self.kind == "endsong":
            self.chance.shuffle(entries)
        else:
            entries.sort(key=lambda entry: entry.ts)
        for bad in self.bad:
            entries.insert(self.chance.randrange(1, max(len(entries), 2)), bad)
        file = FileManifest(self._name(years), len(entries))
        _count(entries, file)
        self.files.append(file)
        self._deliver(file.name, entries)
        # The file that comes next begins with them.
        self.entries, self.for_the_next, self.bad = repeated, [], []
        self.number += 1

    def _deliver(self, name: str, entries: list[Entry]) -> None:
        between = "," if self.kind == "endsong" else ",\n"
        data = f"[{between.join(entry.text for entry in entries)}]".encode()
        for destination in self.destinations:
            destination.write(name, data)

    def _name(self, years: list[str]) -> str:
        if self.kind == "endsong":
            return f"{self.folder}endsong_{self.number}.json"
        span = years[0] if len(years) == 1 else f"{years[0]}-{years[-1]}"
        number = "" if self.kind == "Video" and self.number == 0 else f"_{self.number}"
        return f"{self.folder}Streaming_History_{self.kind}_{span}{number}.json"


def _count(entries: list[Entry], file: FileManifest) -> None:
    """Of two rows that are the same, the second one is the double."""
    seen: set[str] = set()
    for index, (ts, text, mark) in enumerate(entries):
        if not ts:
            file.bad[index] = mark
        elif mark == ELSEWHERE:
            file.exact_in_another_file.append(index)
        elif mark:
            file.near[index] = mark
        elif text in seen:
            file.exact.append(index)
        seen.add(text)

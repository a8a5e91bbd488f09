"""What the names of audio files show: in which order the files follow one another, and which are missing.

Spotify numbers the files of an export in one of these ways:

  numbered   all files from 0, with the years they hold: _2018-2020_0, _2020_1
  by year    the files of each local year, the first one without a number: _2013, _2013_1, _2014
  endsong    older exports: endsong_0, endsong_1, in no order; or endsong alone
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Numbering = Literal["numbered", "by year", "endsong", "unclear"]
Place = tuple[int, int]  # year (0 if the numbering has none) and number within it
AUDIO = re.compile(r"streaming_history_audio_(\d{4})(?:-(\d{4}))?(?:_(\d{1,9}))?\.json", re.IGNORECASE | re.ASCII)
ENDSONG = re.compile(r"endsong(?:_(\d{1,9}))?\.json", re.IGNORECASE | re.ASCII)
# A longer hole is named by its first and its last file.
MOST_NAMED = 10


@dataclass(frozen=True)
class AudioSet:
    """The audio files of one folder that belong together. `files`: place → name; of an unclear set the places mean
    nothing."""

    folder: str
    numbering: Numbering
    files: dict[Place, str]

    def missing(self) -> list[str]:
        """Names of the files that the numbers show to be missing; "first to last" for a long hole."""
        if self.numbering == "unclear":
            return []
        found: list[str] = []
        places = sorted(self.files)
        if places[0][1]:
            found += self._hole((places[0][0], 0), places[0])
        for before, after in pairwise(places):
            found += self._hole((before[0], before[1] + 1), after)
        return found

    def _hole(self, begin: Place, end: Place) -> Iterator[str]:
        """Names from `begin` up to `end`, without `end`. Of the years between, at least one file each is missing."""
        years, number = range(begin[0] + 1, end[0]), begin[1]
        if begin[0] < end[0]:
            yield from _shortened(years, lambda year: self._name((year, 0)))
            number = 0
        yield from _shortened(range(number, end[1]), lambda number: self._name((end[0], number)))

    def _name(self, place: Place) -> str:
        year, number = place
        folder = f"{self.folder}/" if self.folder else ""
        if self.numbering == "endsong":
            return f"{folder}endsong_{number}.json"
        if self.numbering == "numbered":
            return f"{folder}Streaming_History_Audio_…_{number}.json"
        return f"{folder}Streaming_History_Audio_{year:04}{f'_{number}' if number else ''}.json"


def _shortened(numbers: range, name: Callable[[int], str]) -> Iterator[str]:
    if len(numbers) > MOST_NAMED:
        yield f"{name(numbers[0])} to {name(numbers[-1])}"
    else:
        yield from map(name, numbers)


def audio_sets(names: Iterable[str]) -> list[AudioSet]:
    """One set for each folder and kind of name: two exports that lie side by side are two sets."""
    audio: dict[str, list[tuple[str, re.Match[str]]]] = defaultdict(list)
    endsong: dict[str, list[tuple[str, re.Match[str]]]] = defaultdict(list)
    for name in names:
        folder, _, own = name.rpartition("/")
        if found := AUDIO.fullmatch(own):
            audio[folder].append((name, found))
        elif found := ENDSONG.fullmatch(own):
            endsong[folder].append((name, found))
    return [
        *(_audio_set(folder, files) for folder, files in audio.items()),
        *(
            _set(folder, "endsong", [((0, int(found[1] or 0)), name) for name, found in files])
            for folder, files in endsong.items()
        ),
    ]


def _audio_set(folder: str, files: list[tuple[str, re.Match[str]]]) -> AudioSet:
    """By year, unless a name occurs only in the other numbering: a range of years, or the number 0. A set such as
    _2020_1, _2021_2 can be either; by year it has more holes, so it is taken for that."""
    is_numbered = any(found[2] or (found[3] is not None and int(found[3]) == 0) for _, found in files)
    is_by_year = any(found[2] is None and found[3] is None for _, found in files)
    if is_numbered and is_by_year:
        return _set(folder, "unclear", [((0, place), name) for place, (name, _) in enumerate(files)])
    if is_numbered:
        return _set(folder, "numbered", [((0, int(found[3] or 0)), name) for name, found in files])
    return _set(folder, "by year", [((int(found[1]), int(found[3] or 0)), name) for name, found in files])


def _set(folder: str, numbering: Numbering, files: list[tuple[Place, str]]) -> AudioSet:
    """Two files at one place (of two exports, for instance) say nothing about their order."""
    if len({place for place, _ in files}) < len(files):
        return AudioSet(folder, "unclear", {(0, number): name for number, (_, name) in enumerate(files)})
    return AudioSet(folder, numbering, dict(files))

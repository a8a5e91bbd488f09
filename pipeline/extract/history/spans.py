"""Which times an export covers, so that the gaps of the ledger in them are closed. The rule and its reasons:
docs/numbers.md, "What an export covers".

Calling incomplete data complete is worse than leaving a gap open, so a doubt always leaves time uncovered.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.extract.history.names import AudioSet, audio_sets

Span = tuple[str, str]
# Version of the rules of this module. Spans in records of version 1 are kept only where the rules agreed.
RULES = 2
EVERYTHING: Span = ("", "~")
# Spotify's files have about 16,000 entries: a file with fewer than half of them was not continued in another one.
FULL = 8_000
# Longest pause, in days, over which two years are joined.
LONGEST_PAUSE = 31


@dataclass(frozen=True)
class FileTimes:
    """`first`, `last`: earliest and latest moment of the plays, ISO 8601 in UTC; empty without a play. `pause`: days of
    the longest pause between two plays."""

    entries: int
    first: str
    last: str
    pause: int


def bounds_of(names: Iterable[str]) -> dict[str, Span]:
    """The times within which the plays of a file count for its span, for files named by year: the year, and a day more
    on each side, because the year is the listener's local one. A stray row must not extend the span to other years."""
    return {
        name: (f"{year - 1:04}-12-31T00:00:00Z", f"{year + 1:04}-01-01T23:59:59Z")
        for each in audio_sets(names)
        if each.numbering == "by year"
        for (year, _), name in each.files.items()
    }


def longest_pause(dates: Iterable[str]) -> int:
    """Days between two dates that follow one another, at most; 0 for fewer than two."""
    days = sorted(map(datetime.date.fromisoformat, dates))
    return max(((after - before).days for before, after in pairwise(days)), default=0)


def covered_spans(files: Mapping[str, FileTimes]) -> list[Span]:
    """`files`: by name. Returns begins and ends, ISO 8601 in UTC."""
    return [span for each in audio_sets(files) for run in _runs(each, files) if (span := _span(run))]


def remarks(names: Iterable[str]) -> list[str]:
    """A sentence for each thing that keeps time uncovered."""
    found = []
    for each in audio_sets(names):
        if missing := each.missing():
            found.append(
                f"missing: {', '.join(missing)}. The missing time is not covered, and gaps of the ledger in it stay"
                " open. Look for the file in the zip, or request the export again. (A year without any play has no"
                " file; its time is not covered either, because names cannot show the difference.)"
            )
        if each.numbering == "unclear":
            found.append(
                "not in one order: "
                + ", ".join(sorted(each.files.values()))
                + ". They are numbered in two ways, so each file covers only the time from its first to its last play."
                " If they come from two exports, put each into a folder of its own"
            )
    return found


def is_unchanged(names: Iterable[str]) -> bool:
    """True if version 1 of these rules found the same spans for files of these names."""
    return all(each.numbering in ("numbered", "endsong") for each in audio_sets(names))


def _runs(audio: AudioSet, files: Mapping[str, FileTimes]) -> Iterator[list[FileTimes]]:
    """Files between which no play can be missing; a file without a play continues a run of its year or numbering."""
    if audio.numbering == "endsong":
        # In no order: an incomplete set proves nothing.
        if not audio.missing():
            yield [files[name] for name in audio.files.values()]
        return
    if audio.numbering == "unclear":
        yield from ([files[name]] for name in audio.files.values())
        return
    run: list[FileTimes] = []
    year_before: list[FileTimes] = []
    last_year = -1
    for year, places in groupby(sorted(audio.files), key=lambda place: place[0]):
        of_year: list[FileTimes] = []
        last_number = -1
        for place in places:
            file = files[audio.files[place]]
            follows = place[1] == last_number + 1
            if last_number == -1:
                follows = follows and year == last_year + 1 and _years_join(year_before, file)
            if not follows:
                yield run
                run, of_year = [], []
            run.append(file)
            of_year.append(file)
            last_number = place[1]
        year_before, last_year = of_year, year
    yield run


def _years_join(before: list[FileTimes], file: FileTimes) -> bool:
    """True if the year before certainly has no further file, although names cannot show it: the pause between the years
    is usual for this listener, and the last file of the year before is not full."""
    span = _span(before)
    if not span or not file.first:
        return False
    pause = (_date(file.first) - _date(span[1])).days
    usual = min(max(1, file.pause, *(each.pause for each in before)), LONGEST_PAUSE)
    return pause <= (usual if before[-1].entries < FULL else 1)


def _span(run: list[FileTimes]) -> Span | None:
    played = [file for file in run if file.first]
    return (min(file.first for file in played), max(file.last for file in played)) if played else None


def _date(moment: str) -> datetime.date:
    return datetime.date.fromisoformat(moment[:10])

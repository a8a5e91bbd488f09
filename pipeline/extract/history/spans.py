"""Which times an export covers, so that the gaps of the ledger in them are closed.

Audio files are numbered without a hole, in order of time. Where one is missing, the time before it and the time after
it are two spans; of `endsong_` files, whose order nobody promises, an incomplete set covers nothing. Video files hold a
play now and then, and cover nothing either.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

Span = tuple[str, str]
AUDIO = re.compile(r"(?:.*/)?streaming_history_audio_\d+(?:-\d+)?(?:_(\d+))?\.json", re.IGNORECASE)
ENDSONG = re.compile(r"(?:.*/)?endsong_(\d+)\.json", re.IGNORECASE)


def covered_spans(files: Iterable[tuple[str, str, str]]) -> list[Span]:
    """`files`: name, earliest and latest `ts`. Returns begins and ends, ISO 8601 in UTC."""
    audio: dict[str, dict[int, Span]] = defaultdict(dict)
    endsong: dict[str, dict[int, Span]] = defaultdict(dict)
    for name, first, last in files:
        folder = name.rpartition("/")[0]  # two exports that lie side by side are two sets
        if found := AUDIO.fullmatch(name):
            audio[folder][int(found.group(1) or 0)] = (first, last)
        elif found := ENDSONG.fullmatch(name):
            endsong[folder][int(found.group(1))] = (first, last)
    complete = [numbered for numbered in endsong.values() if sorted(numbered) == list(range(len(numbered)))]
    return [run for numbered in (*audio.values(), *complete) for run in _runs(numbered)]


def _runs(numbered: dict[int, Span]) -> list[Span]:
    """One span for files that follow one another; a file without a play continues the run."""
    runs: list[list[Span]] = []
    for number, span in sorted(numbered.items()):
        if number - 1 not in numbered:
            runs.append([])
        if span[0]:
            runs[-1].append(span)
    return [(min(first for first, _ in run), max(last for _, last in run)) for run in runs if run]

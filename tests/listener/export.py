"""Spotify's "Extended streaming history" of a list of plays, with defects that are counted while they are made."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable
from pathlib import Path

from tests.listener.archive import LAYOUTS, PDF, Layout, open_destination
from tests.listener.defects import Spoiler
from tests.listener.manifest import NONE, Defects, Expected, Manifest
from tests.listener.rows import Generation, played_at_of, row_text, ts_of
from tests.listener.series import Series
from tests.listener.truth import Play

# About as many as Spotify puts into a file of 10 to 13 MB.
ROWS_A_FILE = 16_000


def write_export(
    target: Path,
    plays: Iterable[Play],
    *,
    generation: Generation = "streaming_history",
    seed: int = 0,
    defects: Defects | None = None,
    clean: bool = False,
    layout: Layout = "delivered",
    rows_a_file: int = ROWS_A_FILE,
    zip_too: Path | None = None,
    keep_expected: bool = True,
) -> Manifest:
    """Write the export into a folder, or into an archive when `target` ends in .zip; `zip_too`: into that one as well.

    `clean`: without defects, and without fields that nobody knows. No more than a file is held in memory, unless the
    plays to be expected are kept for the manifest.
    """
    manifest = Manifest(generation)
    chance = random.Random(f"export {seed}")
    with contextlib.ExitStack() as stack:
        destinations = [stack.enter_context(open_destination(path)) for path in (target, zip_too) if path]

        def series(kind: str) -> Series:
            return Series(LAYOUTS[layout], kind, rows_a_file, chance, destinations, manifest.files)

        audio = series("endsong" if generation == "endsong" else "Audio")
        video = audio if generation == "endsong" else series("Video")
        spoiler = Spoiler(NONE if clean else defects or Defects(), chance)
        for play in plays:
            into = video if play.title.video else audio
            ts = ts_of(play)
            doubles = spoiler.add(into, play, ts, row_text(play, generation, ts))
            if keep_expected:
                manifest.expected.append(_expect(play, generation, ts, doubles))
            into.write_when_full()
        for each in dict.fromkeys((audio, video)):
            each.finish()
        for destination in destinations:
            destination.write(f"{LAYOUTS[layout]}ReadMeFirst_ExtendedStreamingHistory.pdf", PDF)
    return manifest


def _expect(play: Play, generation: Generation, ts: str, doubles: list[tuple[int, int]]) -> Expected:
    played_at_ms = played_at_of(play, generation)
    or_else = [(played_at_ms + later_ms, ms_played) for later_ms, ms_played in doubles]
    return Expected(play, ts, played_at_ms, play.ms_played, or_else)

"""One export: the file, and a receipt that adds up with the marts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline.progress_line import ProgressLine
from pipeline.share.listenbrainz import Listens
from pipeline.share.plays import COLUMNS, History, NoHistory, open_history
from pipeline.share.tables import Rows, write_csv, write_parquet
from pipeline.whole_file import whole_file

Format = Literal["parquet", "csv", "listenbrainz"]
NAMES = [column.name for column in COLUMNS]
Totals = dict[str, tuple[int, int, int, int]]


class ExportDisagrees(Exception):
    """What was read is not what the marts add up to; no file was written."""


def export_history(path: Path, form: Format, account: str | None, listens: Listens) -> str:
    """Write the plays of an account, or of all, to `path`; returns the receipt.

    Raises NoHistory, ExportDisagrees, OSError; `path` is as it was then.
    """
    with open_history(account) as history:
        if form == "listenbrainz" and len(history.totals) > 1:
            raise NoHistory(
                f"A user of ListenBrainz is one person: name one with --account ({', '.join(history.totals)})."
            )
        counted: Totals = {}
        with whole_file(path.absolute()) as file:
            batches = _counting(history, counted)
            if form == "parquet":
                write_parquet(file, batches)
            elif form == "csv":
                write_csv(file, batches)
            else:
                listens.write(file, batches)
            if counted != history.totals:
                raise ExportDisagrees(f"the plays read are {counted}, the days of the marts add up to {history.totals}")
    return _receipt(path, history, listens if form == "listenbrainz" else None)


def _counting(history: History, counted: Totals) -> Iterator[Rows]:
    """The batches, added up as they pass."""
    account, ms, is_counted = (NAMES.index(name) for name in ("account", "ms_played", "is_counted"))
    progress, done = ProgressLine("exporting"), 0
    for rows in history.batches:
        for row in rows:
            plays, all_ms, counted_plays, counted_ms = counted.get(row[account], (0, 0, 0, 0))
            told = row[is_counted]
            counted[row[account]] = (
                plays + 1,
                all_ms + row[ms],
                counted_plays + told,
                counted_ms + told * row[ms],
            )
        done += len(rows)
        progress.tell(done, history.plays, "plays")
        yield rows


def _receipt(path: Path, history: History, listens: Listens | None) -> str:
    lines = [f"{path} ({path.stat().st_size / 1_000_000:,.1f} MB)"]
    for account, (plays, ms, counted, counted_ms) in history.totals.items():
        lines.append(
            f"{account}: {plays:,} plays, {ms / 60_000:,.2f} minutes; of these reports count {counted:,} plays,"
            f" {counted_ms / 60_000:,.2f} minutes"
        )
    if listens:
        lines.append(f"{listens.written:,} listens; {listens.left_out.total():,} plays were left out")
        lines += [f"{number:>9,}  {reason}" for reason, number in listens.left_out.most_common()]
    return "\n".join(lines)

"""Rows with their bounds, and the table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.measure import Ratio, Run, compare

MEGABYTE = 1_000_000
HEADINGS = ("", "measured", "against", "ratio", "pairs", "reach", "fails", "verdict")


@dataclass(frozen=True)
class Row:
    """A line of the table. `value` is held against `reach`, the aim, and `failure`; without them the line informs."""

    subject: str
    measured: str
    value: float = 0.0
    against: str = ""
    ratio: str = ""
    pairs: str = ""
    reach: float | None = None
    failure: float | None = None
    unit: str = ""

    @property
    def failed(self) -> bool:
        return self.failure is not None and self.value > self.failure

    @property
    def verdict(self) -> str:
        if self.reach is None:
            return ""
        if self.failed:
            return "FAILED"
        return "good" if self.value <= self.reach else "short of reach"


def ratio_row(
    subject: str, runs: Sequence[Run], floor: Sequence[Run], reach: float | None = None, failure: float | None = None
) -> Row:
    """Wall time of `runs` against `floor`, which ran in turns with it."""
    ratio: Ratio = compare(runs, floor)
    return Row(
        subject,
        measured=f"{ratio.seconds:.2f} s",
        value=ratio.times,
        against=f"{ratio.floor_seconds:.2f} s",
        ratio=f"{ratio.times:.2f} x",
        pairs=f"{ratio.low:.2f}–{ratio.high:.2f}",
        reach=reach,
        failure=failure,
        unit=" x",
    )


def memory_row(subject: str, runs: Sequence[Run], reach: float, failure: float) -> Row:
    """The largest peak of `runs`, in megabytes (10⁶ bytes)."""
    peak = max(run.peak_bytes for run in runs) / MEGABYTE
    return Row(subject, f"{peak:.0f} MB", value=peak, reach=reach, failure=failure, unit=" MB")


def report_row(
    subject: str, times: Sequence[float], raw: float | None, given_up: float, reach: float | None, failure: float | None
) -> Row:
    """Seconds that a report took, the largest history last and held against the bounds in ms; `pairs` has them all.

    `raw`: those of the raw question on the largest; from `given_up` on it did not end.
    """
    ended = "> " if raw is not None and raw >= given_up else ""
    milliseconds = [1000 * seconds for seconds in times]
    return Row(
        subject,
        measured=f"{milliseconds[-1]:.1f} ms",
        value=milliseconds[-1],
        against="" if raw is None else f"{ended}{raw:.2f} s",
        ratio="" if raw is None else f"{ended}{raw / times[-1]:.0f} x",
        pairs=" ".join(f"{each:.1f}" for each in milliseconds),
        reach=reach,
        failure=failure,
        unit=" ms",
    )


def imports_row(subject: str, imported: Sequence[str]) -> Row:
    """Packages that were imported though they should not have been."""
    return Row(subject, ", ".join(imported) or "none", value=len(imported), reach=0, failure=0)


def format_table(rows: Sequence[Row]) -> str:
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in (0, len(HEADINGS) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    reach = "" if row.reach is None else f"≤ {row.reach:g}{row.unit}"
    failure = "" if row.failure is None else f"> {row.failure:g}{row.unit}"
    return row.subject, row.measured, row.against, row.ratio, row.pairs, reach, failure, row.verdict

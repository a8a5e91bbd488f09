"""What the reports answer, asked of the raw plays: SQL as somebody would write it who has the tables of staging alone.

They are easier questions than those of the reports: nothing here joins the steps in which Spotify returns a play,
knows a rule, or fills days without a play. Where dates bound the question, the key of the table is made use of.
"""

from __future__ import annotations

import datetime
from pathlib import Path

FOLDER = Path(__file__).with_name("raw")
Range = tuple[datetime.date, datetime.date]


def raw_question(name: str, settings: dict[str, str], dates: Range | None = None) -> str:
    """The question of raw/<name>.sql; empty where there is none. `settings`: account, zone, today."""
    path = FOLDER / f"{name}.sql"
    if not path.exists():
        return ""
    within, of = "", "true"
    values = settings
    if dates:
        begin, end = dates
        values = {**settings, "from_date": str(begin), "to_date": str(end)}
        of = f"played_local >= '{begin}' and played_local < date '{end}' + 1"
        if name != "wrapped":  # which must know what was heard before
            # A day more for the zone; at the begin another for the play before.
            within = f"and played_date_utc between date '{begin}' - 2 and date '{end}' + 1"
    parts = {part: _read(f"_{part}").format(**values, within=within, of=of) for part in ("plays", "credits", "genres")}
    return _read(name).format(**values, **parts, of=of)


def _read(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text().rstrip()

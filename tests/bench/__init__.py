"""The benchmark: `make bench`, or `python -m tests.bench [--quick]`.

Whole processes are timed, as cron starts them, with a sample Spotify and an embedded PostgreSQL for both sides.
A floor is the least that any program must do for the same effect; subject and floor run in turns, so that what else the
machine does falls on both, and the median of their pairwise ratios counts.

    history.py        a listener of ten years, as partitions and as the page of the next slot
    installation.py   one history with its data folder and database, and the processes that work on it
    imports.py        imports of a data export
    import_floor.py   the bare script that an import is held against
    reports.py        every report of a household at three sizes, and the raw questions of raw/*.sql beside it
    household.py      five accounts, made inside PostgreSQL by household.sql
    raw_questions.py  what the reports answer, asked of the raw plays
    floor.py          the bare script that a quiet slot is held against
    empty_tasks.py    what Luigi alone takes of a slot
    measure.py        a process's wall time and peak memory; subjects in turns
    report.py         rows, bounds, verdicts, the table
"""

"""A made-up listener of many years whose truth is known: what was played, and what Spotify would make of it.

    truth.py         the plays
    export.py        Spotify's data export of them, with its defects, and a manifest of what was written
    polled.py        what the Web API would have returned
    account_data.py  the other archive that Spotify delivers; hostile.py  archives that mean harm, or are broken
    predecessor.py   the files of the pipeline before this one

Everything follows from a seed; no clock is read.
"""

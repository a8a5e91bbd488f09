"""Every report a second time, in plain Python over the raw plays: what the SQL of the reports is held against.

    raw.py         rows of staging, as they were loaded
    plays.py       from rows to plays; sources.py: those of both sources once
    tracks.py      what is known of a track: names, credits, recording, album
    removed.py     which rows are no plays of their own, and the play that counts instead
    rules.py       which plays the listener has taken out of the reports
    history.py     all that a report of one account is made of
    numbers.py     rounding, minutes, shares, ranks; periods.py: weeks, months, quarters, years
    totals.py      totals, days, periods; rhythm.py: hours, weekdays, seasons, sessions; tops.py: most played
    artists.py     recordings and years of each artist
    discovery.py   first heard; returns.py: streaks, obsessions, what comes back; wrapped.py: a period in one row
    reports.py     all of them by name; hard_days.py: made-up histories on the limits of the rules
    compare.py     the reports of the database against these, cell by cell

Loops over plays that can be checked by reading; nothing is shared with the SQL but what the numbers mean. A report is a
function from a history to `{key: {column: value}}`; moments are aware datetimes, lengths are in milliseconds until they
are rounded to minutes.
"""

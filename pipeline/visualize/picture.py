"""Wrapped as a picture to share: any year, quarter or month as a PNG of 1080 by 1350 pixels, made offline."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from pipeline.visualize.answers import Answer, Asker
from pipeline.visualize.cards import WRAPPED_CARD, find_card
from pipeline.visualize.caveats import estimated_share
from pipeline.visualize.query import Filters
from pipeline.visualize.template import template
from pipeline.visualize.units import period_name, text

# What XML 1.0 does not allow, though a title may hold it. https://www.w3.org/TR/xml/#charsets
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Letters of an average width that fit into a column.
COLUMN_WIDTH = 23
LINES = 5


class NoSuchPeriod(ValueError):
    """A period of which the history knows nothing; the message says which there are."""


def wrapped_picture(connection: Any, account: str, period: str | None) -> tuple[str, bytes]:
    """The period and its PNG. `period`: 2026, 2026-Q3 or 2026-11; None for the year that is going on. Raises
    NoSuchPeriod, CardError."""
    import vl_convert

    told = _told(connection, account, period)
    return told["label"], bytes(vl_convert.svg_to_png(template("wrapped.svg.j2").render(**told)))


def _told(connection: Any, account: str, period: str | None) -> dict[str, Any]:
    """What the picture says: the answers of the cards of Wrapped."""
    asker = Asker(connection)

    def ask(card_id: str) -> Answer:
        return asker.ask(find_card(card_id), Filters(account, period=period))

    wrapped = ask(WRAPPED_CARD)
    if not wrapped.rows:
        raise NoSuchPeriod(_no_such_period(connection, account, period))
    row = wrapped.dicts()[0]
    songs = [(song["track_name"], song["artists"]) for song in ask("wrapped-top-songs").dicts()]
    artists = [
        (artist["artist_name"], f"{text(artist['plays'], 'count')} plays")
        for artist in ask("wrapped-top-artists").dicts()
    ]
    change = "" if row["change"] is None else f", {text(row['change'], 'change')} against the one before"
    share = estimated_share(wrapped)
    caveats = [
        "At least: plays may be missing." if row["is_at_least"] else "",
        f"{share} of the minutes are estimated." if share else "",
        "" if row["is_complete"] else "Not over yet, or begun before the history.",
    ]
    return {
        "label": row["label"],
        "name": shortened(f"{account}, wrapped", 50),
        "period": period_name(row["grain"], row["period_start"]),
        "minutes": text(row["minutes"], "minutes"),
        "change": change,
        "lists": [("Songs", _ranked(songs)), ("Artists", _ranked(artists))],
        "facts": [
            ("Plays", text(row["plays"], "count")),
            ("Songs", text(row["tracks"], "count")),
            ("New artists", text(row["new_artists"], "count")),
            ("Genre", shortened(row["top_genre"] or "–", 10)),
        ],
        "caveat": " ".join(caveat for caveat in caveats if caveat),
    }


def _ranked(pairs: list[tuple[Any, str]]) -> list[tuple[int, str, str]]:
    return [
        (place, shortened(first or "", COLUMN_WIDTH), shortened(second, round(COLUMN_WIDTH * 1.4)))
        for place, (first, second) in enumerate(pairs[:LINES], start=1)
    ]


def shortened(words: str, width: int) -> str:
    """`words` in at most `width` columns, with an ellipsis where it ends early; wide letters take two."""
    words = NOT_XML.sub("", words)
    taken, kept = 0, ""
    for letter in words:
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > width:
            return kept.rstrip() + "…"
        kept += letter
    return kept


def _no_such_period(connection: Any, account: str, period: str | None) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "select min(label), max(label) from reporting.rpt_periods where account = %s and grain = 'month'",
            (account,),
        )
        first, last = cursor.fetchone()
    if first is None:
        return f"account {account!r} has no plays yet"
    return (
        f"{period!r} is no period of this history. Write a year, a quarter or a month from {first} to {last},"
        f" such as {last[:4]}, {last[:4]}-Q1 or {last}"
    )

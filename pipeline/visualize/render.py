"""The page's file: made when the numbers have changed, and when a day has begun."""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.extract.answers import utc_now
from pipeline.extract.files import write_atomic
from pipeline.load.marker import Marker
from pipeline.load.postgres import held_warehouse, transaction

logger = logging.getLogger("luigi-interface")
HERE = Path(__file__).resolve().parent
STATE = re.compile(r'<meta name="rendered-from" content="([^"]*)">')
# The head of the file, in which the state stands.
HEAD_BYTES = 1000


def page_path(data: Path, account: str) -> Path:
    return data / "dashboard" / f"account={account}" / "index.html"


def render_dashboard(account: str, marker: Marker | None = None) -> str:
    """Make the account's page anew if it does not show what is proven; returns what was done, in words.

    `marker` is written when the page is there. Raises CardError, DatabaseError.
    """
    path = page_path(config.storage().root, account)
    with transaction() as connection:
        if rendered_from(path) == wanted_state(connection, account):
            if marker:
                marker.touch(connection)
            return _log("page not rendered: it shows the latest numbers")
    with held_warehouse():  # so that all cards speak of the same plays
        started = time.monotonic()
        with transaction() as connection:
            write_page(connection, path, account, utc_now())
            if marker:
                marker.touch(connection)
    return _log(f"page rendered in {time.monotonic() - started:.1f} s: {path}")


def captured_accounts() -> list[str]:
    """Every account of which the database knows something."""
    with transaction() as connection, connection.cursor() as cursor:
        cursor.execute("select account from reporting.rpt_capture order by account")
        return [account for (account,) in cursor.fetchall()]


def write_page(connection: Any, path: Path, account: str, made_at: datetime.datetime) -> None:
    """The page, whole or not at all. The caller holds the warehouse."""
    from pipeline.visualize.page import render_page

    state = wanted_state(connection, account)
    page = render_page(connection, account, made_at, state, chart_library(path.parent.parent))
    write_atomic(path, page.encode())


def wanted_state(connection: Any, account: str) -> str:
    """What a page of now is made from: proven numbers, the listener's day, and the cards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select loaded_through, project_version from pipeline.dbt_runs where step = 'test'"
            " order by finished_at desc limit 1"
        )
        proven = cursor.fetchone() or ("nothing", "")
        # What no build is needed for: reports read it as it is.
        cursor.execute(
            "select greatest((select max(load_id) from staging.spotify_saved_tracks),"
            " (select max(load_id) from staging.spotify_genres)),"
            " (select today from reporting.rpt_totals where account = %s)",
            (account,),
        )
        looked_up, today = cursor.fetchone()
    return f"load {proven[0]} of models {proven[1]}, look-ups of load {looked_up}, {today}, cards {_cards_digest()}"


def rendered_from(path: Path) -> str | None:
    """What the page at `path` was made from; None where there is none."""
    try:
        with path.open(encoding="utf-8") as file:
            found = STATE.search(file.read(HEAD_BYTES))
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return found[1] if found else None


def chart_library(folder: Path) -> str:
    """Vega-Lite as JavaScript, from the wheel of vl-convert. Putting it together takes a second, so it is kept."""
    import vl_convert

    path = folder / f"vega-embed-{version('vl-convert-python')}.js"
    if not path.is_file():
        write_atomic(path, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode())
    return path.read_text(encoding="utf-8")


def _cards_digest() -> str:
    """Changes with any card, template or line of code that makes the page."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*.*")):
        if path.suffix in (".py", ".yml", ".j2", ".css", ".js"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _log(message: str) -> str:
    logger.info(message)
    return message

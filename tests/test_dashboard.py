"""RenderDashboard and the picture: when they are made, from what, and what they do with bad input."""

from __future__ import annotations

import datetime
import json
import re
import struct
from pathlib import Path

import pytest

from pipeline.demo.spotify import SampleSpotify
from pipeline.visualize.render import page_path, rendered_from
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, item, page

FIRST, SECOND, NEXT_DAY = "2026-11-22T1400", "2026-11-22T1430", "2026-11-23T1400"
PIPELINE = (str(BIN / "python"), "-m", "pipeline")
DRAWING = {"jinja2", "yaml", "vl_convert", "pandas", "dbt.cli.main"}
NOT_RENDERED = "page not rendered: it shows the latest numbers"


def stamp(path: Path) -> tuple[int, int]:
    """Changes whenever the file is written again."""
    about = path.stat()
    return about.st_ino, about.st_mtime_ns


def test_a_page_is_made_when_there_is_news_and_a_quiet_slot_makes_none(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    path = page_path(pipeline.data, "me")
    spotify.page = page(*evening(2))
    assert "page rendered in" in succeeded(pipeline.slot(FIRST)).stderr
    before, made_from = stamp(path), rendered_from(path)
    process = succeeded(pipeline.slot(SECOND))
    assert NOT_RENDERED in process.stderr
    assert stamp(path) == before
    assert database.rows("select update_id from staging.table_updates where target_table = 'dashboard' order by 1") == [
        (f"RenderDashboard account=me {slot}",) for slot in (FIRST, SECOND)
    ]
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot("2026-11-22T1500"))
    assert rendered_from(path) != made_from
    # A page that somebody has deleted is made again by the next slot; what a killed run left is no page.
    path.unlink()
    leftover = path.with_name(f".{path.name}.tmp")
    leftover.write_text("half")
    succeeded(pipeline.slot("2026-11-22T1530"))
    assert path.read_text().rstrip().endswith("</html>")
    assert not leftover.exists()


def test_a_quiet_slot_imports_nothing_that_draws(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot(FIRST))
    process = pipeline.run(
        str(BIN / "python"), "-X", "importtime", str(BIN / "luigi"), "--module", "pipeline", "RunPipeline",
        "--run-at", SECOND,
    )  # fmt: skip
    assert NOT_RENDERED in succeeded(process).stderr
    imported = {
        line.rpartition("|")[2].strip() for line in process.stderr.splitlines() if line.startswith("import time")
    }
    assert "luigi" in imported
    assert imported & DRAWING == set()


def test_a_new_day_and_a_new_card_make_a_page_though_no_play_has_come(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    path = page_path(pipeline.data, "me")
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot(FIRST))
    made_from = rendered_from(path)
    assert made_from
    (today,) = re.findall(r", (\d{4}-\d\d-\d\d),", made_from)
    assert today == str(database.value("select today from reporting.rpt_totals"))
    # The listener's today is that of the last poll.
    database.rows("update staging.polls set fetched_at = fetched_at + interval '1 day'")
    succeeded(pipeline.slot(NEXT_DAY, task="RenderDashboard"))
    tomorrow = datetime.date.fromisoformat(today) + datetime.timedelta(days=1)
    assert rendered_from(path) == made_from.replace(today, str(tomorrow))


def test_a_rebuild_ends_with_the_page(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot(FIRST))
    path = page_path(pipeline.data, "me")
    path.unlink()
    succeeded(pipeline.luigi("RebuildStaging"))
    assert path.is_file()


def test_a_picture_is_made_of_any_period_and_goes_with_its_account(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    hostile = "<b>\u0000\u202e🎧 & فيروز '\" ]]> " + "very long " * 30
    spotify.page = page(
        item("2026-10-31T10:00:00.000Z", name=hostile), *evening(3), item("2026-11-22T10:00:00.000Z", name="<script>")
    )
    nothing = pipeline.run(*PIPELINE, "picture")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "build the models first" in nothing.stderr
    succeeded(pipeline.slot(FIRST))
    for period in ("2026", "2026-Q4", "2026-10"):
        target = tmp_path / f"{period}.png"
        process = succeeded(pipeline.run(*PIPELINE, "picture", "--period", period, "--output", str(target)))
        assert process.stdout.strip() == str(target)
        content = target.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", content[16:24]) == (1080, 1350)
    assert (tmp_path / "2026.png").read_bytes() != (tmp_path / "2026-10.png").read_bytes()
    default = succeeded(pipeline.run(*PIPELINE, "picture")).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date()  # of the polls
    assert default == str(page_path(pipeline.data, "me").with_name(f"wrapped-{today.year}.png"))
    for period in ("2025", "2026-W47", "yesterday", "2026-13", "'; drop schema reporting cascade; --"):
        process = pipeline.run(*PIPELINE, "picture", "--period", period)
        assert process.returncode == 1
        assert f"{period!r} is no period of this history" in process.stderr
        assert f"from 2026-10 to {today:%Y-%m}" in process.stderr
    nobody = pipeline.run(*PIPELINE, "picture", "--account", "nobody")
    assert "account 'nobody' has no plays yet" in nobody.stderr
    forgotten = succeeded(pipeline.run(*PIPELINE, "forget", "--account", "me", "--yes"))
    assert "dashboard/account=me (2 files)" in forgotten.stdout
    assert not page_path(pipeline.data, "me").parent.exists()


@pytest.mark.parametrize("display", ["bar", "row"])
def test_the_specifications_of_charts_are_valid_vega_lite(display: str) -> None:
    import vl_convert

    from pipeline.visualize.answers import Answer
    from pipeline.visualize.cards import read_tabs
    from pipeline.visualize.charts import specification

    cards = [card for tab in read_tabs() for card in tab.cards if card.display == display]
    assert cards
    for card in cards:
        names = tuple(column.name for column in card.columns)
        values = {"date": datetime.date(2026, 11, 1), "month": datetime.date(2026, 11, 1)}
        row = tuple(values.get(column.unit, 1) for column in card.columns)
        spec = specification(card, Answer(names, (row,)))
        svg = vl_convert.vegalite_to_svg(json.dumps({**spec, "width": 400}))
        assert "<path" in svg

"""The offline page, in a real browser: what it says, what it looks up, and who can use it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pipeline.demo.spotify import SampleSpotify
from pipeline.visualize.answers import Answer, Asker
from pipeline.visualize.cards import Card, read_tabs
from pipeline.visualize.metabase.bodies import entity_id
from pipeline.visualize.publish import publish
from pipeline.visualize.query import Filters
from pipeline.visualize.render import page_path
from pipeline.visualize.units import SUFFIXES, machine, text
from pipeline.visualize.variants import of_dates, of_periods
from tests.browser import Opened, needs_browser, opened
from tests.conftest import Database, Pipeline
from tests.household import ACCOUNTS, TITLES, build
from tests.mart_questions import MART_QUESTIONS
from tests.metabase import SampleMetabase

pytestmark = needs_browser
REFUSED = ["script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
READ = r"""() => {
  const all = (place, selector, read) => [...place.querySelectorAll(selector)].map(read);
  const said = data => [data.value, data.textContent.trim().replace(/ +/g, ' ')];
  return Object.fromEntries(all(document, '.card', card => [card.id.slice(5), all(card, '.answer', answer => ({
    rows: all(answer, 'tbody tr', row => all(row, 'data', said)),
    number: all(answer, '.value data, .besides data', said),
    notes: all(answer, '.note', note => note.textContent).join(' '),
    said: answer.textContent,
    drawn: answer.querySelectorAll('.chart').length,
  }))]));
}"""


@pytest.fixture
def pages(pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path) -> dict[str, Path]:
    build(pipeline, spotify, database, tmp_path)
    return {account: page_path(pipeline.data, account) for account in ACCOUNTS}


@pytest.fixture
def metabase(pages: dict[str, Path], pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleMetabase]:
    """With the dashboard of the household."""
    monkeypatch.setattr("pipeline.visualize.metabase.client.POLL_SECONDS", 0.01)
    monkeypatch.setattr("pipeline.visualize.metabase.database.POLL_SECONDS", 0.01)
    with SampleMetabase() as sample:
        sample.add_administrator()
        server = psycopg2.extensions.parse_dsn(pipeline.environment["DATABASE_URL"])["host"]
        given = {"METABASE_URL": sample.origin, "METABASE_API_KEY": sample.add_key(), "METABASE_DATABASE_HOST": server}
        for name, value in {**pipeline.environment, **given}.items():
            monkeypatch.setenv(name, value)
        publish(read_tabs())
        yield sample


def test_the_number_is_the_same_behind_every_door_and_everybody_can_read_it(
    pages: dict[str, Path], database: Database, metabase: SampleMetabase
) -> None:
    for account, path in pages.items():
        assert path.stat().st_size < 2_000_000
        with opened(path, viewport=DESKTOP) as shown:
            compare(shown, database, account, metabase)
            assert [url for url in shown.requests if not url.startswith("file:")] == []
            assert shown.errors == []
            assert shown.page.title() == f"Listening history of {account}", "nothing of a title has run"
    with opened(pages["ann"]) as shown:
        headline = shown.page.inner_text("header")
        assert "At least: 1 open gap" in headline
        assert "All tests passed" in headline
        links = shown.page.eval_on_selector_all("main a", "all => all.map(a => a.href)")
        assert links
        assert all(re.fullmatch(r"https://open\.spotify\.com/track/\w+", link) for link in links)
    with opened(pages["none"]) as shown:
        assert "No play yet" in shown.page.inner_text("header")
        assert "Last poll" in shown.page.inner_text("header")
    everybody_can_use_it(pages["ann"])


def compare(shown: Opened, database: Database, account: str, metabase: SampleMetabase) -> None:
    """Every answer of every card: on the page as a browser has it, in Metabase, by its SQL; those of the predecessor's
    cards also by the plays in the marts."""
    found = shown.page.evaluate(READ)
    key = metabase.add_key(name=account)
    compared = 0
    with reader(database) as connection:
        asker = Asker(connection)
        for card in (card for tab in read_tabs() for card in tab.cards):
            choices = filters_of(connection, card, account)
            assert len(found[card.id]) == len(choices), card.id
            for said, filters in zip(found[card.id], choices, strict=True):
                answer = asker.ask(card, filters)
                compared += compare_answer(card, answer, said)
                assert in_metabase(metabase, key, card, filters) == json.loads(json.dumps(answer.rows, default=str))
                if card.id in MART_QUESTIONS and answer.rows:
                    compare_with_marts(connection, card, answer, filters)
    assert compared > (2_000 if account == "ann" else 0)


@contextlib.contextmanager
def reader(database: Database) -> Iterator[Any]:
    with contextlib.closing(psycopg2.connect(database.url, options="-c TimeZone=UTC")) as connection:
        yield connection


def filters_of(connection: Any, card: Card, account: str) -> list[Filters]:
    everything = Filters(account)
    with connection.cursor() as cursor:
        cursor.execute("select today from reporting.rpt_totals where account = %s", (account,))
        (today,) = cursor.fetchone() or (None,)
    if "dates" in card.filters:
        return [variant.filters for variant in of_dates(everything, today)]
    if "period" in card.filters:
        return [variant.filters for variant in of_periods(connection, everything)]
    return [everything]


def in_metabase(metabase: SampleMetabase, key: str, card: Card, filters: Filters) -> Any:
    """The rows that the card has there."""
    dates = filters.dates and "~".join(map(str, filters.dates))
    parameters = [
        {"type": "date/all-options", "target": ["dimension", ["template-tag", "dates"]], "value": dates}
        if name == "dates"
        else {"type": "string/=", "target": ["variable", ["template-tag", name]], "value": [getattr(filters, name)]}
        for name in card.filters
        if getattr(filters, name)
    ]
    path = f"/api/card/{entity_id(card)}/query"
    body = json.dumps({"parameters": parameters}).encode()
    answer = json.loads(metabase.respond("POST", path, {"x-api-key": key}, body).body)
    assert answer["status"] == "completed", (card.id, answer)
    return answer["data"]["rows"]


def compare_with_marts(connection: Any, card: Card, answer: Answer, filters: Filters) -> None:
    first_date, last_date = filters.dates or ("1900-01-01", "2100-01-01")
    with connection.cursor() as cursor:
        cursor.execute(
            MART_QUESTIONS[card.id],
            {"account": filters.account, "first_date": first_date, "last_date": last_date},
        )
        rows = cursor.fetchall()
    named = [column.name for column in card.columns]
    names = [*named, *(name for name in answer.names if name not in named)] if card.cells else named
    told = [[row[name] for name in names] for row in answer.dicts()]
    asked = range(len(rows[0])) if rows else range(0)
    shown = [[row[place] for place in asked if rows[0][place] is not None] for row in told]
    assert shown == [[row[place] for place in asked if rows[0][place] is not None] for row in rows], card.id


def compare_answer(card: Card, answer: Answer, said: Any) -> int:
    """How many values were compared."""
    if not answer.rows:
        assert "Nothing yet" in said["said"], card.id
        return 0
    rows = answer.dicts()
    if card.display == "number":
        shown = [column for place, column in enumerate(card.columns) if place == 0 or rows[0][column.name] is not None]
        expected = [[machine(rows[0][column.name]), text(rows[0][column.name], column.unit)] for column in shown]
        assert exact(said["number"]) == expected, card.id
        assert SUFFIXES.get(card.columns[0].unit, "") in said["said"]
        assert ("at least" in said["said"]) == any(answer.column("is_at_least")), card.id
        return len(expected)
    units = [(column.name, column.unit) for column in card.columns]
    if card.display == "heatmap":
        named = {column.name for column in card.columns}
        units += [(name, card.cells or "") for name in answer.names if name not in named]
    cells = [[cell(row[name], unit, card.display) for name, unit in units] for row in rows]
    assert [exact(row) for row in said["rows"]] == cells, card.id
    assert said["drawn"] == (card.display in ("bar", "line", "row")), card.id
    assert ("At least" in said["notes"]) == any(answer.column("is_at_least")), card.id
    is_estimated = any(answer.column("minutes_estimated")) or any(answer.column("is_estimated"))
    assert ("estimate" in said["notes"]) == is_estimated, card.id
    return sum(len(row) for row in cells)


def exact(shown: list[list[str]]) -> list[list[str]]:
    """Without the sign that a number is an estimate."""
    return [[value, words.removeprefix("≈ ")] for value, words in shown]


def cell(value: Any, unit: str, display: str) -> list[str]:
    """As a browser gives it back: without the spaces at the ends, and each run of them as one."""
    words = "" if value is None and display == "heatmap" else text(value, unit)
    return [machine(value), " ".join(words.split())]


def everybody_can_use_it(path: Path) -> None:
    """By keyboard, on a phone, in the dark, without scripts, and with a screen reader (axe-core's rules)."""
    from axe_playwright_python.sync_playwright import Axe

    contrast = {"runOnly": ["color-contrast"]}
    for scheme, rules, looked_at in (
        ("light", {}, ("Rhythm", "Wrapped", "Now")),
        ("dark", contrast, ("Rhythm", "Now")),
    ):
        with opened(path, viewport=DESKTOP, color_scheme=scheme, bypass_csp=True) as shown:
            tabs = shown.page.get_by_role("tab")
            shown.page.keyboard.press("Tab")
            assert shown.page.evaluate("document.activeElement.className") == "skip"
            shown.page.keyboard.press("Tab")
            for name in ("Tops", "Rhythm", "Discovery", "Wrapped", "Data health", "Now"):
                shown.page.keyboard.press("ArrowRight")
                chosen = shown.page.evaluate("document.activeElement.textContent")
                assert chosen == name
                assert shown.page.get_by_role("tabpanel").count() == 1
                if name in looked_at:
                    found = Axe().run(shown.page, options=rules)
                    assert found.violations_count == 0, found.generate_report()
            shown.page.keyboard.press("End")
            assert tabs.last.get_attribute("aria-selected") == "true"
    with opened(path, "#wrapped", viewport=DESKTOP) as shown:
        assert shown.page.get_by_role("tabpanel", name="Wrapped").is_visible()
        assert shown.page.locator("[role=graphics-document][aria-label^='Genres of the period. Which']").is_visible()
        minutes = shown.page.locator("#card-wrapped-minutes .answer:not([hidden]) .value data")
        before = minutes.get_attribute("value")
        periods = shown.page.get_by_label("Wrapped of").locator("option").all_text_contents()
        months = [period for period in periods if re.fullmatch(r"[A-Z][a-z]+ [0-9]{4}", period)]
        shown.page.get_by_label("Wrapped of").select_option(label=months[-1])
        assert minutes.get_attribute("value") != before
        assert shown.page.locator("#card-wrapped-top-genres .answer:not([hidden]) svg").count() == 1
    with opened(path, "#rhythm", viewport=PHONE, color_scheme="dark") as shown:
        for tab in shown.page.get_by_role("tab").all():
            tab.click()
            width = shown.page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"], f"{tab.text_content()} is {width} wide"
    with opened(path, java_script_enabled=False) as shown:
        said = shown.page.locator("body").text_content()
        assert all(title.strip() in said for title in TITLES[:3])
        assert shown.page.get_by_role("heading", name="Data health").is_visible()


def test_only_the_page_s_own_code_runs_and_styles_it(pages: dict[str, Path]) -> None:
    """The policy allows three texts by their hashes: nothing that a title could become, and nothing less than the page
    needs, in any tab, with any choice, in the light, in the dark and on paper."""
    path = pages["ann"]
    text = path.read_text(encoding="utf-8")
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy"\s+content="([^"]*)">', text)
    assert "unsafe" not in policy
    assert len(re.findall("sha256-", policy)) == 3
    assert not any(name == "style" or name.startswith("on") for name in attributes(text))
    for scheme in ("light", "dark"):
        with opened(path, viewport=DESKTOP, color_scheme=scheme) as shown:
            use_everything(shown)
            other = "dark" if scheme == "light" else "light"
            shown.page.emulate_media(color_scheme=other)
            use_everything(shown)
            assert shown.errors == [], "a violation of the policy is an error of the console"
            look(shown, other)
            assert injected(shown) == {"ran": None, "colour": None, "refused": REFUSED}
    with opened(path, java_script_enabled=False, viewport=DESKTOP) as shown:
        shown.page.emulate_media(media="print")
        first, second = (shown.page.locator(".card").nth(number).bounding_box() for number in (0, 1))
        assert first and second and first["y"] == second["y"] and first["x"] < second["x"], "side by side by classes"
        assert shown.errors == []


def attributes(page: str) -> set[str]:
    """The name of every attribute of every element."""
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.update(name for name, _ in attrs)  # type: ignore[method-assign]
    parser.feed(page)
    return found


def use_everything(shown: Opened) -> None:
    """Every tab, every choice of every filter, and the tooltip of a chart."""
    for tab in shown.page.get_by_role("tab").all():
        tab.click()
        panel = shown.page.get_by_role("tabpanel")
        for select in panel.locator("select").all():
            for choice in select.locator("option").all():
                select.select_option(value=choice.get_attribute("value"))
        charts = panel.locator(".answer:not([hidden]) > .chart")
        for chart in charts.all():
            chart.locator("svg").wait_for()
        if charts.count():
            charts.first.locator("svg").hover()


def look(shown: Opened, scheme: str) -> None:
    """What the rules of the library's own style elements were for, and what style attributes did."""
    shown.page.get_by_role("tab", name="Rhythm").click()
    shown.page.get_by_role("tabpanel").locator("svg .mark-rect path").first.hover(force=True)
    tooltip = shown.page.locator("#vg-tooltip-element")
    tooltip.and_(shown.page.locator(".visible")).wait_for()
    style = "element => [getComputedStyle(element).position, getComputedStyle(element).backgroundColor]"
    ink = {"light": "rgb(27, 26, 34)", "dark": "rgb(241, 239, 248)"}[scheme]
    assert tooltip.evaluate(style) == ["fixed", ink]
    heats = shown.page.eval_on_selector_all(
        ".heat:not(.marks) .cell", "all => all.map(cell => [cell.className, getComputedStyle(cell).backgroundColor])"
    )
    assert len({colour for _, colour in heats}) == len({name for name, _ in heats}) > 5
    for chart in shown.page.locator(".answer:not([hidden]) > .chart").all():
        if (box := chart.bounding_box()) and (drawn := chart.locator("svg").bounding_box()):
            assert abs(box["width"] - drawn["width"]) < 2, "as wide as its card"


def injected(shown: Opened) -> Any:
    """What a title could do that became HTML: a handler, a style attribute, a script and a style of its own."""
    return shown.page.evaluate(r"""async () => {
      const refused = [];
      document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
      const place = document.querySelector('main').appendChild(document.createElement('div'));
      place.innerHTML = '<img src="data:," onerror="window.ran = \'handler\'">'
        + '<p id="styled" style="color: rgb(1, 2, 3)">x';
      place.appendChild(document.createElement('script')).textContent = "window.ran = 'script'";
      place.appendChild(document.createElement('style')).textContent = '#styled { color: rgb(1, 2, 3) }';
      await new Promise(done => setTimeout(done, 300));
      const colour = getComputedStyle(document.getElementById('styled')).color;
      const styled = colour === 'rgb(1, 2, 3)' ? colour : null;
      return {ran: window.ran ?? null, colour: styled, refused: [...new Set(refused)].sort()};
    }""")

"""What a person sees in luigid's visualiser, in a real browser: a slot of two accounts, a failure, a running import."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify
from tests.browser import CHROMIUM, FLAGS, needs_browser
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.household import history
from tests.luigid import Luigid, luigid_of, wait_until
from tests.oracle.hard_days import write_export
from tests.samples import evening, page, track

SLOT, LATER = "2026-11-22T1400", "2026-11-22T1430"
EACH = ("CopyToStaging", "DbtRun", "DbtTest", "EnrichGenres", "ExtractRecent", "RenderDashboard", "SyncSavedTracks")
SECRET = "mb_a/key+of=metabase"


@contextmanager
def browser(luigid: Luigid) -> Iterator[Any]:
    """A page that is to find all it needs at luigid; errors of its scripts and requests to others end the test."""
    from playwright.sync_api import sync_playwright

    errors: list[str] = []
    requests: list[Any] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        shown = chromium.new_context(viewport={"width": 1500, "height": 1300}).new_page()
        shown.on("pageerror", lambda error: errors.append(str(error)))
        # What the browser is told not to ask for Playwright shows as a request that failed.
        for event in ("requestfinished", "requestfailed"):
            shown.on(event, lambda request: requests.append(request))
        yield shown
        asked = {each.url for each in requests if not each.url.startswith(luigid.url) and each.failure != "csp"}
        chromium.close()
    assert asked == set(), "luigid alone is asked"
    assert errors == []


def rows(shown: Any, luigid: Luigid) -> dict[tuple[str, str], str]:
    """The task list: (family, parameters) → status; and every family is in the sidebar."""
    shown.goto(luigid.url)
    shown.wait_for_selector("#taskTable tbody td:nth-child(3)")
    shown.select_option("select[name=taskTable_length]", "100")
    found = {}
    for row in shown.locator("#taskTable tbody tr").all():
        status, name, details = (" ".join(cell.split()) for cell in row.locator("td").all_inner_texts()[:3])
        found[name, details] = status
    families = {" ".join(each.split()[1:]) for each in shown.locator("li[data-task]").all_text_contents()}
    assert families == {name for name, _ in found}
    return found


def click(shown: Any, name: str, details: str, button: str, modal: str) -> str:
    """What stands in the dialog that a task's button opens; closes it."""
    row = shown.locator("#taskTable tbody tr", has_text=details).filter(has=shown.get_by_text(name, exact=True))
    row.locator(button).click()
    dialog = shown.locator(f"{modal}.in")
    dialog.wait_for()
    assert f"{name}(" in dialog.locator("h4").inner_text()
    dialog.locator("pre", has_text=re.compile(r"\S")).first.wait_for()  # a message is asked for when the dialog is open
    text: str = "\n".join(dialog.locator("pre").all_inner_texts())
    dialog.locator(".modal-footer button").click()
    shown.locator(modal).wait_for(state="hidden")
    return text


def message(shown: Any, name: str, details: str) -> str:
    return click(shown, name, details, ".statusMessage", "#statusMessageModal")


@needs_browser
def test_slots_failures_and_imports_can_be_read_in_the_visualiser(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database, tmp_path: Path
) -> None:
    ann, ben = Person("ann's id", page=page(*evening(2))), Person("ben's id", page=page(*evening(1, first=30)))
    ann.saved = [{"added_at": "2026-11-01T10:00:00Z", "track": track("Never played")}]
    with luigid_of(pipeline, tmp_path / "luigid.log") as luigid, browser(luigid) as shown:
        pipeline.environment |= {
            "LUIGI_SCHEDULER_URL": luigid.url,
            "SPOTIFY_ACCOUNTS": "ann,ben",
            "SPOTIFY_REFRESH_TOKEN": "",
            "SPOTIFY_REFRESH_TOKEN_ANN": spotify.add_person(ann),
            "SPOTIFY_REFRESH_TOKEN_BEN": spotify.add_person(ben),
            "METABASE_API_KEY": SECRET,
        }
        succeeded(pipeline.slot(SLOT))
        ben.page = f"no page, but {SECRET}".encode()
        assert pipeline.slot(LATER).returncode == 30
        look_at_slots(shown, luigid)
        look_at_a_message_with_a_script(shown, luigid)
        look_at_the_graph(shown, luigid)
        look_at_a_running_import(shown, luigid, pipeline, write_export(tmp_path / "ann.zip", history()))
        look_at_the_history(shown, luigid, database)
        succeeded(pipeline.run(str(BIN / "python"), "-m", "pipeline", "forget", "--account", "ann", "--yes"))
        assert database.rows("select distinct value from luigi.task_parameters where name = 'account' order by 1") == [
            ("",),
            ("ben",),
        ]
        assert SECRET not in luigid.said.read_text()


def look_at_slots(shown: Any, luigid: Luigid) -> None:
    found = rows(shown, luigid)
    slot = {(name, f"run_at={SLOT}, account={account}"): "DONE" for name in EACH for account in ("ann", "ben")}
    anns = {(name, f"run_at={LATER}, account=ann"): "DONE" for name in EACH}
    bens = {(name, f"run_at={LATER}, account=ben"): "UPSTREAM_FAILED" for name in EACH}
    assert found == {
        **slot,
        **anns,
        **bens,
        ("RunPipeline", f"run_at={SLOT}, account="): "DONE",
        ("RunPipeline", f"run_at={LATER}, account="): "UPSTREAM_FAILED",
        ("ExtractRecent", f"run_at={LATER}, account=ben"): "FAILED",
    }
    messages = {
        (task["name"], task["params"]["account"]): re.sub(r"\d+\.\d s.*", "… s", task["status_message"] or "")
        for task in luigid.tasks()
        if task["params"]["run_at"] == SLOT
    }
    built = [{messages.pop((name, account)) for account in ("ann", "ben")} for name in ("DbtRun", "DbtTest")]
    assert built == [  # for whichever account comes first
        {"models built (full) in … s", "dbt not started: staging holds nothing new"},
        {"tests passed (full) in … s", "dbt tests not started: nothing was built since they last passed"},
    ]
    assert messages == {
        ("ExtractRecent", "ann"): "2 plays returned, 2 new",
        ("ExtractRecent", "ben"): "1 plays returned, 1 new",
        ("CopyToStaging", "ann"): "2 new plays",
        ("CopyToStaging", "ben"): "1 new plays",
        ("EnrichGenres", "ann"): "look-ups are switched off",
        ("EnrichGenres", "ben"): "look-ups are switched off",
        ("SyncSavedTracks", "ann"): "complete: 1 saved or removed",
        ("SyncSavedTracks", "ben"): "unchanged: 0 saved or removed",
        ("RenderDashboard", "ann"): "page rendered in … s",
        ("RenderDashboard", "ben"): "page rendered in … s",
        ("RunPipeline", ""): "ann: 2 new plays; ben: 1 new plays",
    }
    assert message(shown, "RunPipeline", f"run_at={SLOT}") == "ann: 2 new plays; ben: 1 new plays"
    error = click(shown, "ExtractRecent", f"run_at={LATER}, account=ben", ".showError", "#errorModal")
    assert "UnexpectedAnswer: the answer is not JSON (JSONDecodeError); it begins 'no page, but ***'" in error
    assert f'ExtractRecent --run-at "{LATER}" --account "ben"' in error
    assert SECRET not in error
    assert SECRET not in shown.content()


def look_at_a_message_with_a_script(shown: Any, luigid: Luigid) -> None:
    """Luigi takes a message for HTML; what somebody puts into one must not run."""
    rows(shown, luigid)
    row = shown.locator("#taskTable tbody tr", has_text=f"run_at={SLOT}, account=ben").filter(has_text="ExtractRecent")
    task_id = row.locator(".statusMessage").get_attribute("data-task-id")
    script = "<img src=nowhere onerror=\"document.title='owned'\">"
    told = {"task_id": task_id, "status_message": script}
    urlopen(f"{luigid.url}api/set_task_status_message", urlencode({"data": json.dumps(told)}).encode()).close()
    with shown.expect_response("**/nowhere"):
        row.locator(".statusMessage").click()
    shown.locator("#statusMessageModal pre img").wait_for(state="attached")
    assert shown.title() == "Luigi Task Visualiser"


def look_at_the_graph(shown: Any, luigid: Luigid) -> None:
    """Of the slot that failed, with what was done, what failed, and what could not be begun for that."""
    found = rows(shown, luigid)
    row = shown.locator("#taskTable tbody tr", has_text=LATER).filter(has=shown.get_by_text("RunPipeline", exact=True))
    link = row.locator("a[title='View graph'], a[data-original-title='View graph']").get_attribute("href")
    page_of_it = f"{luigid.url}static/visualiser/index.html{link.removesuffix('&hideDone=1')}"
    expected = Counter(name for name, details in found if LATER in details)
    shown.goto("about:blank")
    shown.goto(f"{page_of_it}&visType=svg")
    shown.locator("#graphPlaceholder a text").first.wait_for()
    assert Counter(shown.locator("#graphPlaceholder a text").all_text_contents()) == expected
    assert shown.locator("#graphPlaceholder line").count() == 2 * (4 + 6), (
        "from RunPipeline, and between the tasks of each account"
    )
    shown.goto("about:blank")
    shown.goto(f"{page_of_it}&visType=d3")
    shown.locator("g.node .name").first.wait_for()
    assert Counter(shown.locator("g.node .name").all_text_contents()) == expected
    assert shown.locator("g.node.FAILED .name").all_text_contents() == ["ExtractRecent"]
    assert shown.locator("g.node.PENDING").count() == 7
    assert shown.locator("g.node.DONE").count() == 7


def look_at_a_running_import(shown: Any, luigid: Luigid, pipeline: Pipeline, export: Path) -> None:
    command = [str(BIN / "luigi"), "--module", "pipeline", "ImportHistory", "--export", str(export), "--account", "ann"]
    process = subprocess.Popen(
        command,
        cwd=pipeline.project,
        env={**os.environ, **pipeline.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def bar() -> Any:
        assert process.poll() is None, "the import ended before its progress was seen"
        shown.goto("about:blank")
        shown.goto(f"{luigid.url}static/visualiser/index.html#tab=workers")
        shown.wait_for_selector(".worker-table, .box")
        found = shown.locator("tr", has_text="ImportHistory").locator(".taskProgressBar")
        return found.count() and found.inner_text()

    assert wait_until(bar) in ("10%", "55%", "82%")
    assert process.wait(300) == 0
    found = rows(shown, luigid)
    details = f"export={export}, account=ann"
    assert {name: status for (name, shown_details), status in found.items() if shown_details == details} == {
        "ExtractHistory": "DONE",
        "CopyHistory": "DONE",
        "ImportHistory": "DONE",
    }
    count = len(history())
    said = message(shown, "ImportHistory", details)
    assert re.fullmatch(rf"{count:,} rows are new; models built \(\w+\) in .* s; tests passed \(\w+\) in .* s", said)
    messages = {task["name"]: task["status_message"] for task in luigid.tasks()}
    assert re.fullmatch(r"(\d+) of \1 days written", messages["ExtractHistory"])
    assert re.fullmatch(r"(\d+) of \1 days loaded", messages["CopyHistory"])


def look_at_the_history(shown: Any, luigid: Luigid, database: Database) -> None:
    """Luigi's own pages of it say what the tables say; they ask nobody else either."""
    wait_until(
        lambda: database.value("select 'DONE' = (select event_name from luigi.task_events order by id desc limit 1)")
    )
    shown.goto(f"{luigid.url}history")
    runs = shown.locator("table.table-striped > tbody > tr")
    assert runs.count() == database.value("select count(*) from luigi.tasks") == 15 + 15 + 3
    newest = runs.first.locator("> td").all_inner_texts()
    assert [newest[0], newest[3]] == ["ImportHistory", "DONE"]
    runs.first.locator("a").click()
    shown.get_by_role("heading", name="Actions").wait_for()
    actions = shown.locator("table").last.locator("td:first-child").all_inner_texts()
    assert actions == ["DONE", "RUNNING", "PENDING"]
    events = database.rows(
        "select tasks.name, array_agg(event_name::text order by events.id) from luigi.tasks"
        " inner join luigi.task_events as events on events.task_id = tasks.id"
        " inner join luigi.task_parameters as slot on slot.task_id = tasks.id and slot.value = %s"
        " inner join luigi.task_parameters as account on account.task_id = tasks.id and account.value in ('ben', '')"
        " group by tasks.id order by tasks.name",
        LATER,
    )
    assert events == [
        (name, ["PENDING", "RUNNING", "FAILED"] if name == "ExtractRecent" else ["PENDING"])
        for name in sorted((*EACH, "RunPipeline"))
    ]

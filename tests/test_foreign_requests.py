"""luigid, which has no password, answers its own pages and Luigi's workers, and no other web page."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import pytest
from luigi.task import task_id_str

from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.spotify import SampleSpotify
from tests.browser import CHROMIUM, FLAGS, needs_browser
from tests.conftest import Pipeline, succeeded
from tests.luigid import Luigid, luigid_of
from tests.samples import evening, page

SLOT = "2026-11-22T1830"
PARAMETERS = {"run_at": SLOT, "account": "me"}
POLL = {
    "task_id": task_id_str("ExtractRecent", PARAMETERS),
    "family": "ExtractRecent",
    "module": "pipeline",
    "params": PARAMETERS,
    "worker": "elsewhere",
}
# A web page of another origin, that tells luigid something by each way that HTML and scripts have.
WAYS = {
    "img": '<img src="{url}?data={quoted}">',
    "script": '<script src="{url}?data={quoted}"></script>',
    "frame": '<iframe src="{url}?data={quoted}"></iframe>',
    "link": '<a href="{url}?data={quoted}">a prize</a><script>document.links[0].click()</script>',
    "form": '<form action="{url}" method="post"><input name="data" value="{escaped}"></form>'
    "<script>document.forms[0].submit()</script>",
    "fetch": '<script>fetch("{url}", {{method: "POST", mode: "no-cors", body: "data={quoted}", headers:'
    ' {{"Content-Type": "application/x-www-form-urlencoded"}}}})</script>',
}


class ForeignPage(LoopbackServer):
    """Another origin; `html`: its page."""

    html = ""

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        return Answer(target, 200, self.html.encode() if target == "/" else b"", {"Content-Type": "text/html"})


@pytest.fixture
def luigid(pipeline: Pipeline, tmp_path: Path) -> Iterator[Luigid]:
    with luigid_of(pipeline, tmp_path / "luigid.log") as luigid:
        pipeline.environment["LUIGI_SCHEDULER_URL"] = luigid.url
        yield luigid


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        yield browser.new_context(viewport={"width": 1500, "height": 1300}).new_page()
        browser.close()


def tell(luigid: Luigid, method: str, **data: Any) -> None:
    """As a program on this machine that speaks as Luigi's workers do."""
    urlopen(f"{luigid.url}api/{method}", urlencode({"data": json.dumps(data)}).encode()).close()


def polls(spotify: SampleSpotify) -> int:
    return len([call for call in spotify.calls if "recently-played" in call])


@needs_browser
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["cross-site", "same-site"])
@pytest.mark.parametrize(("way", "status"), [*((way, "DONE") for way in WAYS), ("img", "RUNNING")])
def test_a_web_page_of_another_origin_cannot_tell_luigid_anything(
    pipeline: Pipeline, spotify: SampleSpotify, luigid: Luigid, way: str, status: str, host: str
) -> None:
    url, data = f"{luigid.url}api/add_task", json.dumps({**POLL, "status": status})
    with ForeignPage() as foreign, chromium() as shown:
        foreign.html = WAYS[way].format(url=url, quoted=quote(data), escaped=escape(data))
        with shown.expect_response(lambda answer: answer.url.startswith(url)) as response:
            shown.goto(foreign.origin.replace("127.0.0.1", host))
        told = response.value
    known = luigid.families(status)
    spotify.page = page(*evening(2))
    process = pipeline.slot(SLOT, task="ExtractRecent")
    assert (told.status, known, process.returncode, polls(spotify)) == (403, set(), 0, 1)
    assert "luigid is done without" not in process.stderr


@needs_browser
def test_a_host_name_that_was_rebound_to_this_machine_is_refused(luigid: Luigid) -> None:
    tell(luigid, "add_task", **POLL, status="FAILED")
    with chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as shown:
        for path in ("api/worker_list", "api/task_list", "", "history", "metrics"):
            answer = shown.goto(f"http://evil.example:{luigid.port}/{path}")
            assert answer.status == 403, path
            assert "Host is not configured" in shown.content()
            assert "ExtractRecent" not in shown.content()


@needs_browser
@pytest.mark.parametrize("name", ["127.0.0.1", "luigi.test"])
def test_the_buttons_of_the_visualiser_work(pipeline: Pipeline, tmp_path: Path, name: str) -> None:
    """To luigi.test, which is neither https nor a loopback address, Chromium sends no Sec-Fetch-Site."""
    with luigid_of(pipeline, tmp_path / "luigid.log", LUIGI_VISUALISER_URL="http://luigi.test/") as luigid:
        for number in "12":
            tell(luigid, "add_task", **{**POLL, "task_id": number, "params": {"run_at": number}}, status="FAILED")
        with chromium("--host-resolver-rules=MAP luigi.test 127.0.0.1") as shown:
            shown.goto(f"http://{name}:{luigid.port}/")
            for number, button in (("1", ".forgiveFailures"), ("2", ".markAsDone")):
                row = shown.locator("#taskTable tbody tr", has_text=f"run_at={number}")
                with shown.expect_response(re.compile("forgive_failures|mark_as_done")) as response:
                    row.locator(button).click()
                assert response.value.status == 200
        assert {task["params"]["run_at"]: task["status"] for task in luigid.tasks()} == {"1": "PENDING", "2": "DONE"}


@needs_browser
def test_a_link_to_the_visualiser_opens_it_and_a_frame_does_not(luigid: Luigid) -> None:
    tell(luigid, "add_task", **POLL, status="FAILED")
    link = f"{luigid.url}static/visualiser/index.html#order=4%2Cdesc"
    with ForeignPage() as foreign, chromium() as shown:
        foreign.html = f'<a href="{link}">luigid</a><iframe src="{luigid.url}"></iframe>'
        with shown.expect_response(luigid.url) as framed:
            shown.goto(foreign.origin.replace("127.0.0.1", "localhost"))
        assert framed.value.status == 403
        shown.get_by_text("luigid").click()
        shown.locator("#taskTable tbody", has_text="ExtractRecent").wait_for()


OWN = {"Sec-Fetch-Site": "same-origin"}
READ, CHANGE, PAGE = "/api/task_list", "/api/mark_as_done", "/history"
NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", READ, {}, 200),
        ("GET", READ, {"Host": "LOCALHOST:1234"}, 200),
        ("GET", READ, {"Host": "[::1]:8082"}, 200),
        ("GET", READ, {"Host": "luigid:8082"}, 200),
        ("GET", READ, {"Host": "visualiser.test"}, 200),
        ("GET", READ, {"Host": "further.test"}, 200),
        ("GET", READ, {"Host": "evil.example"}, 403),
        ("GET", READ, {"Host": "localhost.evil.example"}, 403),
        ("GET", READ, {"Host": "localhost@evil.example"}, 400),
        ("GET", READ, {"Host": "evil.example:localhost"}, 403),
        ("GET", READ, {"Host": "localhost,evil.example"}, 400),
        ("GET", READ, {"Host": ""}, 403),
        ("HEAD", "/", {"Host": "evil.example"}, 403),
        ("POST", CHANGE, {"Host": "evil.example"}, 403),
        ("POST", CHANGE, {}, 200),
        ("POST", CHANGE, {"Origin": "null"}, 403),
        ("POST", CHANGE, {"Origin": "http://localhost:3000"}, 403),
        ("POST", CHANGE, {"Host": "localhost:8082", "Origin": "http://localhost:8082"}, 200),
        ("POST", CHANGE, {"Host": "localhost:8082", "Origin": "https://visualiser.test"}, 200),
        ("POST", CHANGE, {"Sec-Fetch-Site": "none"}, 403),
        ("GET", CHANGE, OWN, 200),
        ("GET", CHANGE, {"X-Requested-With": "XMLHttpRequest"}, 200),
        ("GET", CHANGE, {}, 403),
        ("GET", "/api/count_pending", {}, 403),
        ("GET", "/api/m%61rk_as_done", {}, 403),
        ("GET", CHANGE, {"Sec-Fetch-Site": "none", **NAVIGATES}, 403),
        ("GET", CHANGE, {"Sec-Fetch-Site": "cross-site", "X-Requested-With": "XMLHttpRequest"}, 403),
        ("GET", READ, {"Sec-Fetch-Site": "cross-site", **NAVIGATES}, 403),
        ("GET", READ, {"Sec-Fetch-Site": "same-site"}, 403),
        ("GET", READ, {"Sec-Fetch-Site": "none"}, 200),
        ("GET", PAGE, {"Sec-Fetch-Site": "cross-site", **NAVIGATES}, 200),
        ("GET", PAGE, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", PAGE, {"Sec-Fetch-Site": "cross-site", **NAVIGATES, "Sec-Fetch-Dest": "iframe"}, 403),
        ("POST", "/", {"Sec-Fetch-Site": "cross-site", **NAVIGATES}, 403),
        ("OPTIONS", CHANGE, {"Origin": "http://evil.example"}, 403),
    ],
)
def test_luigid_answers_by_the_headers_of_a_request(
    shared_luigid: Luigid, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared_luigid.port)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in {**headers, "Content-Length": "0"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


@pytest.fixture(scope="module")
def shared_luigid(tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Luigid]:
    folder = tmp_path_factory.mktemp("shared")
    settings = {"DATA_DIR": str(folder), "DATABASE_URL": f"postgresql://postgres@/postgres?host={server}"}
    urls = {"LUIGI_SCHEDULER_URL": "http://luigid:8082/", "LUIGI_VISUALISER_URL": "https://visualiser.test/"}
    options = ("--host", "further.test")
    with luigid_of(Pipeline(folder, settings), folder / "luigid.log", *options, **urls) as luigid:
        yield luigid


def test_a_run_says_that_luigid_refuses_it(pipeline: Pipeline, spotify: SampleSpotify, tmp_path: Path) -> None:
    spotify.page = page(*evening(2))
    with luigid_of(pipeline, tmp_path / "luigid.log", "--address", "0.0.0.0") as everywhere:  # noqa: S104
        url = everywhere.url.replace("127.0.0.1", "127.0.0.2")
        process = succeeded(pipeline.slot(SLOT, task="ExtractRecent", LUIGI_SCHEDULER_URL=url))
    assert f"{url} (it refuses the request: Host is not configured: name it in LUIGI_VISUALISER_URL" in process.stderr
    assert polls(spotify) == 1


@pytest.mark.parametrize(("status", "workers"), [("DONE", 1), ("DONE", 2), ("RUNNING", 1), ("RUNNING", 2)])
def test_a_poll_that_luigid_calls_done_or_running_is_made_if_it_has_no_target(
    pipeline: Pipeline,
    spotify: SampleSpotify,
    luigid: Luigid,
    status: str,
    workers: int,
) -> None:
    spotify.page = page(*evening(2))
    tell(luigid, "add_task", **POLL, status=status)
    process = pipeline.slot(SLOT, "--workers", str(workers), task="CopyToStaging")
    assert (process.returncode, polls(spotify)) == (0, 1)
    assert pipeline.files(f"polls/account=me/2026/11/{SLOT}.json")
    assert "Unfulfilled" not in process.stderr


FOREIGN_TASK = """
import os
from pathlib import Path
import luigi

class Foreign(luigi.Task):
    word = luigi.Parameter()
    batchable = True

    def run(self):
        Path(os.environ["MARK"]).touch()

    def complete(self):
        return Path(os.environ["MARK"]).exists()
"""


@pytest.mark.parametrize("how", ["pending", "running", "batch"])
def test_a_worker_runs_no_task_but_its_own(
    pipeline: Pipeline,
    spotify: SampleSpotify,
    luigid: Luigid,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    (tmp_path / "foreign.py").write_text(FOREIGN_TASK)
    mark = tmp_path / "mark"
    spotify.page = page(*evening(2))
    respond = spotify.respond

    def meddle(method: str, target: str, *rest: Any) -> Any:
        if "recently-played" in target:
            with urlopen(f"{luigid.url}api/worker_list") as answer:
                (worker,) = [each["name"] for each in json.load(answer)["response"]]
            for word in ("one", "two"):
                task_id = task_id_str("Foreign", {"word": word})
                task = {"task_id": task_id, "family": "Foreign", "module": "foreign", "worker": worker}
                status = "RUNNING" if how == "running" else "PENDING"
                tell(
                    luigid,
                    "add_task",
                    **task,
                    params={"word": word},
                    status=status,
                    batchable=how == "batch",
                    priority=99,
                )
            if how == "batch":
                tell(luigid, "add_task_batcher", worker=worker, task_family="Foreign", batched_args=["word"])
        return respond(method, target, *rest)

    monkeypatch.setattr(spotify, "respond", meddle)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    process = pipeline.slot(SLOT, task="CopyToStaging", PYTHONPATH=path, MARK=str(mark))
    assert (mark.exists(), process.returncode, polls(spotify)) == (False, 0, 1)
    assert process.stderr.count("luigid is done without from here on") == 1

"""`python -m pipeline authorize` as a person uses it; their browser is a GET that follows Spotify's redirect."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from pipeline import config
from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.extract.tokens import digest, token_path
from tests.conftest import Pipeline, succeeded

TOKEN = "/api/token"
ME = "/v1/me"


@dataclass
class Command:
    """The command while it runs, and what it has said."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    folder: Path
    forbidden: set[str] = field(default_factory=set)

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def stderr(self) -> str:
        """Without its line breaks, which depend on the port's length."""
        return " ".join((self.folder / "stderr").read_text().split())

    @property
    def link(self) -> str:
        return self.until(r"^http\S+$")

    @property
    def state(self) -> str:
        return parse_qs(urlsplit(self.link).query)["state"][0]

    def until(self, pattern: str) -> str:
        """Wait until stdout has a line that ends and matches."""
        while True:
            ended = self.process.poll() is not None
            if found := re.search(f"{pattern}(?=\n)", self.stdout, re.MULTILINE):
                return found[0]
            assert not ended, self.stderr
            time.sleep(0.02)

    def agree(self) -> requests.Response:
        return requests.get(self.link, timeout=20)

    def agreed_address(self) -> str:
        """Where Spotify sends the browser, which does not follow."""
        return requests.get(self.link, timeout=20, allow_redirects=False).headers["Location"]

    def call(self, query: str, path: str = "/callback") -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}?{query}", timeout=20)

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def ends(self, code: int) -> Command:
        """Wait for the end. Nothing secret is anywhere but in the token store, however it went."""
        if self.process.stdin:
            self.process.stdin.close()
        assert self.process.wait(60) == code, self.stderr
        files = [path for path in self.data.rglob("*") if path.is_file() and path.parent.name != "tokens"]
        said = [self.stdout, self.stderr, *(path.read_text() for path in files)]
        for secret in SampleAccounts.issued | self.forbidden:
            assert not any(secret in text for text in said)
        assert "Traceback" not in self.stderr
        return self


Start = Callable[..., Command]


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[Start]:
    """`start(spotify, …)` runs the command; the redirect URI of its port is registered."""
    commands: list[Command] = []

    def run(spotify: SampleSpotify, *arguments: str, stdin: Any = subprocess.DEVNULL, **environment: str) -> Command:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        spotify.accounts.redirect_uris.add(f"http://127.0.0.1:{port}/callback")
        folder = tmp_path / f"command-{len(commands)}"
        folder.mkdir()
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "authorize", "--port", str(port), "--no-browser", *arguments],
                cwd=config.PROJECT,
                env={**os.environ, **spotify.environment(), "DATA_DIR": str(data), **environment},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )
        commands.append(Command(process, port, data, folder))
        return commands[-1]

    yield run
    for command in commands:
        command.process.kill()
        command.process.wait()


def stored(data: Path, account: str = "me") -> Any:
    return json.loads(token_path(data, account).read_text())


def test_a_consent_is_given_in_the_browser_and_kept(spotify: SampleSpotify, data: Path, start: Start) -> None:
    command = start(spotify)
    asked = dict(parse_qsl(urlsplit(command.link).query))
    assert asked.pop("state") and asked.pop("code_challenge")
    assert asked == {
        "response_type": "code",
        "client_id": "sample-client",
        "redirect_uri": f"http://127.0.0.1:{command.port}/callback",
        "scope": "user-read-recently-played user-library-read",
        "code_challenge_method": "S256",
        "show_dialog": "true",
    }
    page = command.agree()
    assert (page.status_code, "this page can be closed" in page.text) == (200, True)
    said = command.ends(0).stdout.splitlines()
    assert re.fullmatch(
        r"Account 'me' is authorized until \d{4}-\d\d-\d\d \(180 days\)\. The next slot polls\.", said[-1]
    )
    assert all(len(line) <= 80 or line == command.link for line in said)
    assert command.stderr == ""

    tokens = stored(data)
    assert stat.S_IMODE(token_path(data, "me").stat().st_mode) == 0o600
    consent = spotify.accounts.refresh_tokens[tokens.pop("refresh_token")]
    assert (consent.person, consent.pkce) == (spotify.me, True)
    assert spotify.accounts.access_tokens[tokens.pop("access_token")][0] is spotify.me
    assert tokens.pop("authorized_at") < tokens.pop("expires_at")
    assert tokens == {
        "account": "me",
        "client_id": spotify.accounts.client_id,
        "pkce": True,
        "account_id": "sample",
        "ended": "",
        "bootstrap": digest(spotify.first_token),
        "warned": 0,
        "told": False,
    }
    assert json.loads((data / "accounts" / "account=me.json").read_text())["account_id"] == "sample"
    assert [call.split("?")[0] for call in spotify.calls] == ["GET /authorize", f"POST {TOKEN}", f"GET {ME}"]


def test_the_browser_is_opened(spotify: SampleSpotify, start: Start, tmp_path: Path, data: Path) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text("import sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    spotify.accounts.redirect_uris = {f"http://127.0.0.1:{port}/callback"}
    succeeded(
        Pipeline(data, spotify.environment()).run(
            *(sys.executable, "-m", "pipeline", "authorize", "--port", port),
            DATA_DIR=str(data),
            BROWSER=f"{sys.executable} {browser} %s",
        )
    )
    assert stored(data)["account_id"] == "sample"


@pytest.mark.parametrize("rotate", [False, True])
def test_the_next_slot_polls_with_it_and_needs_no_client_secret(data: Path, start: Start, rotate: bool) -> None:
    # The access token is too near its end to be used: the slot has to refresh it, as PKCE does.
    with SampleSpotify(rotate=rotate, token_seconds=30) as spotify:
        command = start(spotify)
        command.agree()
        command.ends(0)
        given = stored(data)
        assert spotify.environment()["SPOTIFY_CLIENT_SECRET"]
        pipeline = Pipeline(data, {**spotify.environment(), "DATA_DIR": str(data)})
        succeeded(pipeline.slot("2026-11-22T1400", task="ExtractRecent"))
        assert spotify.calls[-1] == "GET /v1/me/player/recently-played?limit=50"
        assert (stored(data)["refresh_token"] != given["refresh_token"]) == rotate
        assert stored(data)["authorized_at"] == given["authorized_at"]


@pytest.mark.parametrize("options", [(), ("--paste",)])
def test_the_address_can_be_pasted_through_a_pipe(
    options: tuple[str, ...], spotify: SampleSpotify, data: Path, start: Start
) -> None:
    command = start(spotify, *options, stdin=subprocess.PIPE)
    address = command.agreed_address()
    command.forbidden = {address}
    for wrong in (
        "",
        "yes",
        "http://[",
        command.link,
        address.replace("state=", "state=x"),
        address.split("&state")[0],
    ):
        command.type(wrong)
    if "--paste" in options:  # it does not listen then
        with pytest.raises(requests.exceptions.ConnectionError):
            command.call("state=x&code=y")
    command.type(f' "{address}" ')
    command.ends(0)
    assert stored(data)["account_id"] == "sample"
    assert command.stdout.count("That is not the address") == 4
    assert command.stdout.count("That belongs to another attempt") == 1


def test_input_that_ends_without_the_address_ends_the_command(spotify: SampleSpotify, start: Start) -> None:
    command = start(spotify, "--paste", stdin=subprocess.PIPE)
    command.type("no")
    assert "the input has ended without an address" in command.ends(1).stderr


def test_a_pasted_last_line_needs_no_line_break(spotify: SampleSpotify, start: Start) -> None:
    command = start(spotify, "--paste", stdin=subprocess.PIPE)
    assert command.process.stdin
    command.process.stdin.write(command.agreed_address().encode())
    command.ends(0)


def test_in_a_terminal_the_address_can_be_pasted_while_the_command_listens(
    spotify: SampleSpotify, start: Start
) -> None:
    keyboard, terminal = pty.openpty()
    try:
        command = start(spotify, stdin=terminal)
        address = command.agreed_address()
        os.write(keyboard, f"{address.replace('state=', 'state=x')}\n".encode())
        command.until("^That belongs to another attempt.*$")
        os.write(keyboard, f"{address}\n".encode())
        command.ends(0)
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_a_terminal_whose_input_ends_still_listens(spotify: SampleSpotify, start: Start) -> None:
    keyboard, terminal = pty.openpty()
    try:
        command = start(spotify, stdin=terminal)
        assert command.link
        os.write(keyboard, b"\x04")
        command.agree()
        command.ends(0)
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_a_forged_callback_is_refused_and_the_wait_goes_on(spotify: SampleSpotify, data: Path, start: Start) -> None:
    command = start(spotify)
    state = command.state
    for query in ("code=x&state=forged", "code=x&state=%C3%BC", "code=x", "code=x&state=", f"state={state}", ""):
        page = command.call(query)
        assert (page.status_code, "Open the link" in page.text) == (400, True)
    for path in ("/favicon.ico", "/", "/callback/"):
        assert command.call(f"code=x&state={state}", path).status_code == 404
    address = f"http://127.0.0.1:{command.port}/callback?code=x&state={state}"
    assert requests.post(address, timeout=20).status_code == 501
    assert command.agree().status_code == 200
    assert command.ends(0).stderr == ""
    assert stored(data)["account_id"] == "sample"


class Watching(SampleSpotify):
    """Waits with the tokens until it is told to go on, and looks whether another user of the machine could see them."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.asked = threading.Event()
        self.verifier = ""

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        if target == TOKEN and b"code_verifier" in body:
            form = dict(parse_qsl(body.decode()))
            self.verifier = form["code_verifier"]
            assert "Authorization" not in headers and "client_secret" not in form
            self.asked.set()
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen = path.read_text(errors="replace")
                except OSError:
                    continue
                assert form["code"] not in seen and self.verifier not in seen
            self.go_on.wait(20)
        return super().respond(method, target, headers, body)


def test_a_second_delivery_changes_nothing_and_no_secret_is_seen(data: Path, start: Start) -> None:
    with Watching() as spotify:
        command = start(spotify)
        threading.Thread(target=command.agree, daemon=True).start()
        assert spotify.asked.wait(20)
        command.forbidden = {spotify.verifier}
        for code in (*spotify.accounts.codes, "another"):
            page = command.call(f"code={code}&state={command.state}")
            assert (page.status_code, "Already received" in page.text) == (200, True)
        spotify.go_on.set()
        command.ends(0)
        assert spotify.calls.count(f"POST {TOKEN}") == 1
        assert spotify.verifier not in token_path(data, "me").read_text()


def test_without_an_answer_the_message_says_what_spotifys_page_may_show(
    spotify: SampleSpotify, data: Path, start: Start
) -> None:
    command = start(spotify, "--timeout", "1")
    spotify.accounts.redirect_uris.clear()
    assert (command.agree().status_code, command.agree().text) == (400, "INVALID_CLIENT: Invalid redirect URI")
    said = command.ends(1).stderr
    assert "No answer came within 1 seconds" in said
    assert (
        f'"INVALID_CLIENT: Invalid redirect URI": register exactly http://127.0.0.1:{command.port}/callback in your'
        " application on developer.spotify.com (`localhost` is refused)"
    ) in said
    assert '"INVALID_CLIENT: Invalid client": SPOTIFY_CLIENT_ID is not that of your application' in said
    assert "Nothing was stored: account 'me' is as it was." in said
    assert list(data.iterdir()) == []


def test_a_paste_is_not_waited_for_forever_either(spotify: SampleSpotify, start: Start) -> None:
    command = start(spotify, "--paste", "--timeout", "1", stdin=subprocess.PIPE)
    assert command.process.wait(60) == 1
    assert "No answer came within 1 seconds" in command.ends(1).stderr
    assert "run again with --paste" not in command.stderr


def test_a_refusal_is_told(spotify: SampleSpotify, start: Start) -> None:
    spotify.accounts.denied = True
    command = start(spotify)
    assert command.agree().status_code == 200
    assert "access_denied: you, or Spotify, said no" in command.ends(1).stderr


def test_another_error_of_the_callback_is_told(spotify: SampleSpotify, start: Start) -> None:
    command = start(spotify)
    command.call(f"error=server_error&state={command.state}")
    assert "the error 'server_error', not with a code" in command.ends(1).stderr


INVALID_GRANT = '{{"error": "invalid_grant", "error_description": "{}"}}'
LACKING = b'{"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "scope": "user-library-read"}'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(TOKEN, 400, b'{"error": "invalid_client"}'), "Spotify does not know SPOTIFY_CLIENT_ID"),
        (Answer(TOKEN, 400, INVALID_GRANT.format("Invalid redirect URI").encode()), "register exactly http://127.0."),
        (Answer(TOKEN, 400, INVALID_GRANT.format("Authorization code expired").encode()), "expired, or was used"),
        (Answer(TOKEN, 400, b'{"error": "invalid_request"}'), "refuses the code with the error 'invalid_request'"),
        (Answer(TOKEN, 200, b"<html>Please log in</html>"), "login page of a network"),
        (Answer(TOKEN, 200, b"[]"), "status 200 and no tokens"),
        (Answer(TOKEN, 200, b'{"access_token": "a"}'), "status 200 and no tokens"),
        (Answer(TOKEN, 200, LACKING[:-1] + b', "expires_in": "soon"}'), "cannot be read"),
        (Answer(TOKEN, 503, b"<html>busy</html>"), "127.0.0.1 gives no usable answer (status 503)"),
        (Answer(TOKEN, 200, LACKING), "the consent does not include user-read-recently-played"),
        (
            Answer(ME, 403, b"Active premium subscription required for the owner of the app."),
            "The owner of the application needs Spotify Premium",
        ),
        (error(ME, 403, "User not registered in the Developer Dashboard"), "not on the application's allow-list"),
        (error(ME, 401, "Invalid access token"), "belong together"),
        (Answer(ME, 502, b"Bad Gateway"), "gives no usable answer (status 502)"),
        (Answer(ME, 200, b"<html>hello</html>"), "names no account_id"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    spotify: SampleSpotify, data: Path, start: Start, answer: Answer, words: str
) -> None:
    spotify.answers = [answer]
    command = start(spotify)
    command.agree()
    said = command.ends(1).stderr
    assert words in said
    assert said.endswith("Nothing was stored: account 'me' is as it was.")
    assert list(data.iterdir()) == []


def test_a_code_that_was_used_before_is_refused(spotify: SampleSpotify, start: Start) -> None:
    command = start(spotify, "--paste", stdin=subprocess.PIPE)
    address = command.agreed_address()
    spotify.accounts.codes.clear()
    command.type(address)
    assert "it has expired, or was used before" in command.ends(1).stderr


def test_an_accounts_host_that_is_down_is_unreachable(spotify: SampleSpotify, start: Start) -> None:
    with SampleSpotify() as gone:
        pass
    command = start(spotify, SPOTIFY_ACCOUNTS_URL=gone.url)
    command.call(f"code=x&state={command.state}")
    assert "127.0.0.1 gives no usable answer (ConnectionError). Check the network" in command.ends(1).stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        ((), {"SPOTIFY_CLIENT_ID": ""}, "SPOTIFY_CLIENT_ID is not set"),
        ((), {"SPOTIFY_ACCOUNTS_URL": "http://accounts.example"}, "Write an address that begins with https://"),
        (("--account", "../me"), {}, "account '../me' cannot be used"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_before_anything_opens(
    spotify: SampleSpotify, start: Start, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    command = start(spotify, *arguments, **settings).ends(1)
    assert words in command.stderr
    assert command.stdout == ""


def test_a_port_that_is_taken_is_said_before_anything_opens(spotify: SampleSpotify, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = start(spotify, "--port", str(port)).ends(1)
    assert f"port {port} of 127.0.0.1 cannot be used (Address already in use)" in command.stderr
    assert "--paste" in command.stderr
    assert command.stdout == ""


def test_a_port_that_is_none_is_refused(spotify: SampleSpotify, start: Start) -> None:
    assert "'65536' is no port: write 1 to 65535" in start(spotify, "--port", "65536").ends(2).stderr


def authorized(start: Start, spotify: SampleSpotify, *arguments: str) -> None:
    command = start(spotify, *arguments)
    command.agree()
    command.ends(0)


def test_the_consent_of_somebody_else_leaves_the_tokens_as_they_were(
    spotify: SampleSpotify, data: Path, start: Start
) -> None:
    authorized(start, spotify)
    before = {path: path.read_bytes() for path in data.rglob("*.json")}
    spotify.browser = Person("somebody-else")
    command = start(spotify)
    command.agree()
    assert "the history of another Spotify user" in command.ends(1).stderr
    assert {path: path.read_bytes() for path in data.rglob("*.json")} == before


def test_one_person_does_not_get_two_accounts(spotify: SampleSpotify, data: Path, start: Start) -> None:
    authorized(start, spotify)
    command = start(spotify, "--account", "sam")
    command.agree()
    assert "already has the account 'me'" in command.ends(1).stderr
    assert not token_path(data, "sam").exists()


def test_another_listener_is_told_apart_and_named_in_the_settings(
    spotify: SampleSpotify, data: Path, start: Start
) -> None:
    authorized(start, spotify)
    spotify.browser = Person("somebody-else")
    command = start(spotify, "--account", "sam")
    command.agree()
    assert "Add sam to SPOTIFY_ACCOUNTS" in " ".join(command.ends(0).stdout.split())
    assert (stored(data)["account_id"], stored(data, "sam")["account_id"]) == ("sample", "somebody-else")


@pytest.mark.parametrize("spoil", ["damage", "open", "end"])
def test_a_store_in_any_state_is_replaced(spotify: SampleSpotify, data: Path, start: Start, spoil: str) -> None:
    authorized(start, spotify)
    path, before = token_path(data, "me"), stored(data)
    if spoil == "damage":
        path.write_text("{")
    elif spoil == "open":
        path.chmod(0o644)
    else:
        path.write_text(json.dumps({**before, "ended": "Refresh token expired", "warned": 1}))
    authorized(start, spotify)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    after = stored(data)
    assert (after["ended"], after["warned"]) == ("", 0)
    assert after["refresh_token"] != before["refresh_token"]
    assert after["authorized_at"] > before["authorized_at"]


@pytest.mark.parametrize("way", [(), ("--paste",)])
def test_an_interrupt_ends_it_in_one_line(
    spotify: SampleSpotify, data: Path, start: Start, way: tuple[str, ...]
) -> None:
    command = start(spotify, *way, stdin=subprocess.PIPE)
    command.until(r"^The browser then goes to[^\0]*\n")
    command.process.send_signal(signal.SIGINT)
    assert command.process.wait(60) == 130
    assert command.ends(130).stderr == "Interrupted. The same command starts again."
    assert list(data.iterdir()) == []

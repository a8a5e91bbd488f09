"""No secret is shown or stored, in any form, whatever the servers return and whichever setting holds it."""

from __future__ import annotations

import base64
import datetime
import html
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from pipeline import config
from pipeline.alerts.incidents import Incident
from pipeline.alerts.messages import due_message
from pipeline.demo.accounts import SampleAccounts
from pipeline.demo.loopback import Answer, LoopbackServer
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.tokens import Tokens, token_path, write_tokens
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import dsn
from tests.conftest import BIN, Database, Pipeline
from tests.samples import evening, item, page
from tests.slack import SampleSlack

NOW = datetime.datetime(2026, 11, 22, 14, 30, tzinfo=datetime.UTC)
HARD = ["p&ss<wo>rd", "quo\"ted'words", "sl/ash+plus=%25", "blank and ümläut", "back\\slash{$x}", "plainletters"]
FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda text: json.dumps(text),
    "json in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "json, / escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "url": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02x}" for byte in text.encode()
    ),
    "path": quote,
    "form": quote_plus,
    "html": html.escape,
    "Slack": lambda text: html.escape(text, quote=False),
    "repr": repr,
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "basic": lambda text: base64.b64encode(f"client-id:{text}".encode()).decode(),
    "basic, one byte more": lambda text: base64.b64encode(f"client-id1:{text}".encode()).decode(),
    "basic, two bytes more": lambda text: base64.b64encode(f"client-id12:{text}:more".encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", HARD)
def test_a_secret_is_removed_in_every_form(secret: str, form: str, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    written = FORMS[form](secret)
    assert config.scrub(f"before {written} after") == f"before {written} after"
    monkeypatch.setenv("PGPASSWORD", secret)
    scrubbed = config.scrub(f"before {written} after")
    assert "***" in scrubbed
    assert scrubbed.startswith("before ")
    # What is left of base64 shares bits with the neighbours of the secret, so that it may be a character or two.
    left = scrubbed.removeprefix("before ").removesuffix(" after").replace("***", "")
    assert len(left) <= (4 if "base64" in form else 26 if "basic" in form else 2)


def test_stored_and_rotated_tokens_are_known(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    held = {"refresh_token": "refresh-first-1", "access_token": "access-first-1"}
    path = token_path(data, "ann")
    path.parent.mkdir()
    path.write_text(json.dumps(held, indent=1))  # as another process wrote it
    assert config.scrub("refresh-first-1 access-first-1") == "*** ***"
    path.with_name(f"{path.name}.damaged").write_text(json.dumps(held)[:-9] + "!")
    path.unlink()
    assert config.scrub("refresh-first-1") == "***"
    write_tokens(data, Tokens("ann", "refresh-second-2", NOW.isoformat(), "access-second-2", NOW.isoformat()))
    path.unlink()
    assert config.scrub("refresh-second-2 and access-second-2") == "*** and ***"


def test_an_incident_is_scrubbed_before_it_is_escaped(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("METABASE_ADMIN_PASSWORD", "p&ss<word>")
    now = NOW.isoformat()
    text = due_message([Incident("k", "", "n", "t", "refused: p&ss<word> & more", "", now, now)], NOW)
    assert text is not None
    assert "> refused: *** &amp; more" in text


SHORT: dict[str, Callable[[], object]] = {
    "SPOTIFY_CLIENT_SECRET": lambda: config.spotify().application("me").client_secret,
    "SPOTIFY_REFRESH_TOKEN": lambda: config.spotify().refresh_token("me"),
    "SPOTIFY_REFRESH_TOKEN_ME": lambda: config.spotify().refresh_token("me"),
    "SLACK_WEBHOOK_URL": lambda: config.slack().webhook_url,
    "SLACK_BOT_TOKEN": lambda: config.slack().bot_token,
    "METABASE_API_KEY": lambda: config.metabase().api_key,
    "METABASE_ADMIN_PASSWORD": lambda: config.metabase().admin_password,
    "METABASE_DATABASE_PASSWORD": lambda: config.metabase().database_password,
    "PGPASSWORD": lambda: config.postgres().password,
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_secret_is_an_error_that_names_its_setting(
    name: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv(name, "x7sh0rt")
    with pytest.raises(config.SettingError, match=f"{name} has fewer than 8 characters") as caught:
        SHORT[name]()
    assert "x7sh0rt" not in str(caught.value)
    monkeypatch.setenv(name, "e")
    with pytest.raises(config.SettingError, match=name):
        SHORT[name]()
    assert config.scrub("every sentence stays") == "every sentence stays"
    monkeypatch.setenv(name, "x8l0nger")
    assert SHORT[name]() == "x8l0nger"


@pytest.mark.parametrize(
    "password", ["Zq9@vW4kT7", "Zq9/vW4kT7", "Z/q9vW4kT7@", "Z@q9/vW4kT7", "Zq9v:W4@kT7", "Z@q9vW4?kT7"]
)
def test_a_database_url_that_is_not_encoded_shows_nothing_of_its_password(
    password: str, data: Path, pipeline: Pipeline, slack: SampleSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql://listening:{password}@127.0.0.1:1/music"
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(DatabaseError, match="DATABASE_URL is not a libpq URL"):
        dsn()
    process = pipeline.luigi("DbtRun", "--run-at", "2026-11-22T1430", DATABASE_URL=url, SLACK_WEBHOOK_URL=slack.url)
    shown = pipeline.run(str(BIN / "python"), "-m", "pipeline", "status", DATABASE_URL=url)
    everything = [process.stdout, process.stderr, shown.stdout, shown.stderr, str(slack.messages)]
    everything += [content.decode(errors="replace") for content in pipeline.files("**/*").values()]
    assert "DATABASE_URL is not a libpq URL" in process.stderr + process.stdout
    assert "%40" in process.stderr + process.stdout
    for text in everything:
        assert not [part for part in ("vW4", "kT7", "Zq9", "q9v") if part in text], text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://listening:p%40ss%2Fword@localhost:5432/music",
        "postgresql://listening:colon:and?mark@localhost/music",
        "postgresql:///music?host=/run/postgresql&application_name=a@b",
        "postgresql://listening@[::1]:5432,other:5433/music?sslmode=require",
        "host=localhost password=with@and/slash dbname=music",
    ],
)
def test_a_database_url_that_libpq_reads_right_stays_good(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert "music" in dsn()


# --- The campaign ---


def made(name: str, more: str = "&<'/+") -> str:
    return f"{secrets.token_hex(4)}{more}{name}{secrets.token_hex(4)}"


def babble(values: list[str]) -> str:
    """All secrets in several forms; so long that every reader shortens it."""
    forms = ("raw", "url", "html", "base64", "basic")
    return " ".join(FORMS[form](value) for form in forms for value in values)


class Babbling(LoopbackServer):
    """Every response repeats the request, and whatever else a server can know."""

    def __init__(self, status: int, known: Callable[[], list[str]]) -> None:
        super().__init__()
        self.status, self.known = status, known

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        said = babble(
            [*self.known(), str(headers.get("Authorization", "no authorization")), body.decode() or "no body"]
        )
        answer = {"status": said, "message": said, "error": said, "errors": {said: said}, "ok": False}
        return Answer("", self.status, json.dumps(answer).encode())


class Needles:
    """What is searched for: each secret and its beginning, in every form."""

    def __init__(self, values: set[str]) -> None:
        parts = {part for value in values for part in (value, value[:16])}
        self.found: dict[str, str] = {}
        self.texts = 0
        self._needles = {
            needle: value
            for value in parts
            for form in FORMS.values()
            if len(needle := form(value).strip("\"'=")[:-3]) >= 10
        }

    def search(self, place: str, text: str) -> None:
        self.texts += 1
        for needle, value in self._needles.items():
            if needle in text:
                self.found[place] = f"{value} as {needle}"


class Echoing(SampleSpotify):
    """Replaces the refresh token at every refresh. `said` makes the response of the next poll, when it is sent."""

    said: Callable[[], Answer] | None = None

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        usual = super().respond(method, target, headers, body)
        if self.said is None or usual.status == 401 or "/me/player" not in target:
            return usual
        reply, self.said = self.said(), None
        return reply

    def known(self) -> list[str]:
        """The tokens that are good now: those before are spent, and no process of the pipeline has them."""
        return [str(self.accounts.client_secret), self.refresh_token, *list(self.accounts.access_tokens)[-1:]]


@pytest.fixture
def rotating() -> Iterator[Echoing]:
    with Echoing(rotate=True, client_secret=made("client", "-"), token_seconds=1) as server:
        yield server


def test_no_secret_of_any_setting_or_response_is_found_anywhere(
    pipeline: Pipeline, rotating: Echoing, slack: SampleSlack, database: Database, server: str, data: Path
) -> None:
    before, spotify = set(SampleAccounts.issued), rotating
    set_ones = {
        "PGPASSWORD": made("pg"),
        "METABASE_API_KEY": made("key", "-"),
        "METABASE_ADMIN_PASSWORD": made("admin"),
        "METABASE_DATABASE_PASSWORD": made("reader"),
        "POSTGRES_PASSWORD": made("compose"),
    }
    in_urls = {"webhook": made("hook", "-"), "database": made("database")}
    own = [*set_ones.values(), *in_urls.values(), str(spotify.accounts.client_secret), spotify.first_token]
    pipeline.environment |= spotify.environment() | set_ones
    pipeline.environment |= {
        "SLACK_WEBHOOK_URL": f"{slack.url}/services/T0/{in_urls['webhook']}",
        "DATABASE_URL": f"postgresql://postgres:{quote(in_urls['database'], safe='')}@/test?host={server}",
        "LOG_FORMAT": "line",
    }
    said: list[str] = []

    def run(*words: str, **environment: str) -> None:
        done = pipeline.run(str(BIN / words[0]), *words[1:], **environment)
        said.extend((done.stdout, done.stderr))

    def slot(number: int, task: str = "CopyToStaging", **environment: str) -> None:
        run("luigi", "--module", "pipeline", task, "--run-at", f"2026-11-22T{number:02}00", **environment)

    def known() -> list[str]:
        return [*own, *spotify.known()]

    def error(status: int) -> bytes:
        return json.dumps({"error": {"status": status, "message": babble(known()), "reason": babble(known())}}).encode()

    recent, token = "/v1/me/player", "/api/token"
    spotify.page = page(*evening(3))
    slot(0)
    assert database.value("select count(*) from staging.spotify_songs") == 3
    # Errors in the documented form, as text, and as an answer that is none. A server can return what it was sent.
    spotify.said = lambda: Answer(recent, 403, error(403))
    slot(1)
    spotify.said = lambda: Answer(recent, 400, babble(known()).encode())
    slot(2)
    spotify.said = lambda: Answer(recent, 418, error(418))
    slot(3)
    spotify.said = lambda: Answer(recent, 200, f"not JSON: {babble(spotify.known())}".encode())
    slot(4)
    spotify.said = lambda: Answer(recent, 200, page(*evening(3), item("2026-11-22T04:30:00Z", type=babble(known()))))
    slot(5)
    spotify.said = lambda: Answer(recent, 200, json.dumps({"error": babble(known())}).encode())
    slot(6)
    # A token response that is an error can hold new tokens.
    fresh = {"access_token": made("fresh-access", "-"), "refresh_token": made("fresh-refresh", "-")}
    for number, (status, body) in enumerate(
        [
            (403, json.dumps({"error": babble(known()), **fresh}).encode()),
            (403, f"{babble(known())} access_token={fresh['access_token']}".encode()),
            (400, json.dumps({"error": babble(known()), "error_description": babble(known())}).encode()),
            (200, json.dumps({"access_token": f"{fresh['access_token']} \n", "x": fresh}).encode()),
        ],
        7,
    ):
        spotify.accounts.access_tokens.clear()
        spotify.answers = [Answer(recent, 401, error(401)), Answer(token, status, body)]
        slot(number)
    # Slack does not take messages, and says why; the outbox keeps them.
    with Babbling(400, known) as other:
        spotify.said = lambda: Answer(recent, 403, error(403))
        slot(11, SLACK_WEBHOOK_URL=f"{other.origin}/services/T0/{in_urls['webhook']}")
        slot(11, task="EnrichGenres", MUSICBRAINZ_URL=f"{other.origin}/ws/2", MUSICBRAINZ_ARTISTS_PER_SLOT="2")
        for status in (503, 500, 400, 401, 403):
            other.status = status
            settings = {"METABASE_URL": other.origin, "METABASE_ADMIN_EMAIL": "ann@example.org"}
            (data / "luigi.cfg").write_text("[metabase]\npatience = 1\n")
            run("python", "-m", "pipeline", "metabase", "setup", LUIGI_CONFIG_PATH=str(data / "luigi.cfg"), **settings)
        run("luigi", "--module", "pipeline", "PublishDashboard", METABASE_URL=other.origin)
        run("python", "-m", "pipeline", "doctor", METABASE_URL=other.origin, SLACK_API_URL=f"{other.origin}/api/")
    # PostgreSQL refuses, and cannot be reached.
    unreachable = f"postgresql://postgres:{quote(in_urls['database'], safe='')}@127.0.0.1:1/test"
    slot(12, DATABASE_URL=unreachable)
    run("python", "-m", "pipeline", "status", DATABASE_URL=unreachable)
    database.rows("alter table staging.polls add check (slot < '2026-11-22 13:00+00') not valid")
    slot(13)
    # The consent ends, in words of the server.
    spotify.accounts.access_tokens.clear()
    ended = {"error": "invalid_grant", "error_description": babble(known())}
    spotify.answers = [Answer(recent, 401, error(401)), Answer(token, 400, json.dumps(ended).encode())]
    slot(14)
    for words in (["status"], ["status", "--json"], ["doctor", "--offline"], ["metrics"]):
        run("python", "-m", "pipeline", *words)
    run("python", "-m", "pipeline", "alert", "--slot", "2026-11-22T1400", "--exit-code", "35", "--log", "x")

    needles = Needles({*own, *fresh.values(), *(SampleAccounts.issued - before)})
    for number, text in enumerate(said):
        needles.search(f"output {number}", text)
    for path in data.rglob("*"):
        kind = path.relative_to(data).parts[0]
        if path.is_file() and kind != "tokens":
            needles.search(str(path.relative_to(data)), path.read_bytes().decode(errors="replace"))
    tables = database.rows(
        "select format('%I.%I', schemaname, tablename) from pg_catalog.pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema')"
    )
    for (table,) in tables:
        needles.search(table, "\n".join(row for (row,) in database.rows(f"select t::text from {table} as t")))
    for _, message in slack.messages:
        needles.search("Slack", json.dumps(message, ensure_ascii=False))
        needles.search("Slack, read", html.unescape(str(message)))
    for log in Path(server).glob("**/log*"):
        if log.is_file():
            needles.search(str(log), log.read_bytes().decode(errors="replace"))
    assert needles.texts > 60
    assert slack.messages
    assert needles.found == {}

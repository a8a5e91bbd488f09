"""doctor: a set-up that is well, set-ups that are not, and what each is told to do."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import config
from pipeline.demo.loopback import Answer
from pipeline.demo.person import Person
from pipeline.demo.spotify import SampleSpotify, error
from pipeline.doctor import services
from pipeline.doctor import spotify as step
from pipeline.extract.answers import utc_now
from pipeline.extract.identity import confirm_identity
from pipeline.extract.pause import Pause, write_pause
from pipeline.extract.tokens import load_tokens, token_path
from tests.conftest import BIN, Database, Pipeline, succeeded
from tests.samples import evening, page
from tests.slack import SampleSlack

SLOT = "2026-11-22T1400"
PIPELINE = (str(BIN / "python"), "-m", "pipeline")
NOWHERE = "http://127.0.0.1:1"


def crontab(folder: Path, lines: str) -> str:
    """A PATH with a program `crontab` that shows these lines."""
    folder.mkdir()
    (folder / "lines").write_text(lines)
    program = folder / "crontab"
    program.write_text(f"#!/bin/sh\ncat '{folder}/lines'\n")
    program.chmod(0o755)
    return f"{folder}:/usr/local/bin:/usr/bin:/bin"


def findings(screen: str) -> dict[str, list[str]]:
    """Name of the step → `level sentence`, of every line but the last two."""
    found: dict[str, list[str]] = {}
    for line in screen.splitlines()[:-2]:
        level, name, sentence = line[:8].strip(), line[9:23].strip(), line[24:].strip()
        found.setdefault(name, []).append(f"{level} {sentence}")
    return found


def test_a_set_up_that_is_well_passes_and_is_left_as_it_was(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, tmp_path: Path
) -> None:
    spotify.page = page(*evening(2))
    succeeded(pipeline.slot(SLOT, task="CopyToStaging"))
    line = f'*/30 * * * * "{config.PROJECT}/cron/run.sh"\n'
    settings = {
        "PATH": crontab(tmp_path / "bin", f"# begin\n{line}# end\n"),
        "SLACK_BOT_TOKEN": "xoxb-sEcReT",
        "SLACK_CHANNEL": "#listening",
        "SLACK_API_URL": f"{slack.url}/api/",
    }
    before, calls = pipeline.files("[!dlp]*/**/*"), len(spotify.calls)
    process = pipeline.run(*PIPELINE, "doctor", "--tell", **settings)
    found = findings(process.stdout)
    assert (process.returncode, process.stderr) == (0, ""), process.stdout
    told = {name: sentences for name, sentences in found.items() if any(not s.startswith("ok") for s in sentences)}
    told.pop("cron", None)  # whether its daemon runs is not for a test to say
    told.pop("fonts", None)
    assert told == {"dbt": ["warning the project parses; nothing is built yet → run a slot: see README"]}
    assert found["account me"] == ["ok consent given, 179 days left; Spotify answers, and it is this person"]
    assert found["PostgreSQL"][0].startswith("ok PostgreSQL 18 at ")
    assert found["Slack"] == ["ok took a message: look for it"]
    assert [message["channel"] for _, message in slack.messages] == ["#listening"]
    assert pipeline.files("[!dlp]*/**/*") == before
    assert spotify.calls[calls:] == ["GET /v1/me", "GET /v1/me/player/recently-played?limit=1"]

    offline = pipeline.run(
        *PIPELINE, "doctor", "--offline", **{**settings, "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    )
    assert offline.returncode == 1
    assert findings(offline.stdout)["Slack"] == ["ok a bot token is set, for #listening; Slack was not asked"]
    assert (len(spotify.calls), len(slack.messages)) == (calls + 2, 1)


def test_everything_amiss_is_told_at_once_and_what_to_do(pipeline: Pipeline, tmp_path: Path) -> None:
    process = pipeline.run(
        *PIPELINE,
        "doctor",
        SPOTIFY_CLIENT_ID="",
        SPOTIFY_REFRESH_TOKEN="",
        LISTENER_TIMEZONES="me=Mars",
        MUSICBRAINZ_ARTISTS_PER_SLOT="many",
        DATABASE_URL="postgresql://me:hunter2-of-a-test@127.0.0.1:1/x",
        LUIGI_SCHEDULER_URL=f"{NOWHERE}/",
        SLACK_BOT_TOKEN="xoxb-sEcReT",
        METABASE_URL=NOWHERE,
        METABASE_API_KEY="mb_sEcReT",
        PATH=crontab(tmp_path / "bin", f"# {config.PROJECT}/cron/run.sh\n"),
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stdout + process.stderr
    assert "sEcReT" not in process.stdout + process.stderr
    assert "hunter2" not in process.stdout + process.stderr
    found = findings(process.stdout)
    for name, level, words, to_do in (
        ("settings", "FAILED", "MUSICBRAINZ_ARTISTS_PER_SLOT cannot be used: invalid literal for int()", "'many'"),
        ("Spotify", "FAILED", "SPOTIFY_CLIENT_ID is not set", "developer.spotify.com"),
        ("account me", "FAILED", "has no consent yet", "python -m pipeline authorize --account me"),
        ("PostgreSQL", "FAILED", "cannot connect to PostgreSQL at 127.0.0.1", "Check DATABASE_URL"),
        ("dbt", "skipped", "without a database", ""),
        ("luigid", "warning", f"does not answer at {NOWHERE}/", "remove LUIGI_SCHEDULER_URL"),
        ("Slack", "FAILED", "SLACK_CHANNEL is not", "name the channel"),
        ("Metabase", "FAILED", "127.0.0.1:1", ""),
        ("cron", "warning", "does not start cron/run.sh", "make install-cron"),
    ):
        sentence = " | ".join(found[name])
        assert sentence.startswith(level), sentence
        assert words in sentence
        assert to_do in sentence
    assert any("timezones (LISTENER_TIMEZONES) is 'Mars'" in sentence for sentence in found["settings"])


def spoil(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def do(project: Path) -> None:
        path = project / name
        path.write_text(change(path.read_text() if path.exists() else ""))
        path.chmod(0o600)

    return do


def write_env(content: bytes, mode: int = 0o600) -> Callable[[Path], None]:
    def do(project: Path) -> None:
        (project / ".env").write_bytes(content)
        (project / ".env").chmod(mode)

    return do


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("checkout") / "project"
    shutil.copytree(config.PROJECT / "pipeline", project / "pipeline")
    for name in ("requirements.lock", ".env.example"):
        shutil.copy(config.PROJECT / name, project)
    return project


@pytest.mark.parametrize(
    ("damage", "words", "is_told_by_luigi"),
    [
        pytest.param(
            write_env(b"A=1\n", 0o644), ".env holds secrets but others can read it (mode 0644)", True, id="mode"
        ),
        pytest.param(write_env(b"A=1\nB 'hunter2\nC=2\n"), ".env, line 2: not of the form NAME=value", True, id="line"),
        pytest.param(write_env(b'A="hunter2\nC=2\n'), ".env, line 1: not of the form NAME=value", True, id="quote"),
        pytest.param(write_env(b"A=\xff\n"), ".env is not UTF-8", True, id="bytes"),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("format = text", "format = xml")),
            "luigi.cfg, [log]: format cannot be used: xml is not a valid choice",
            True,
            id="value",
        ),
        pytest.param(
            write_env(b"SPOTIFY_CLIENTID=x\nLOG_DIR=y\nexport SPOTIFY_REFRESH_TOKEN_ANN=z\nSLACK_BOT_TOKEN_FILE=\n"),
            "SPOTIFY_CLIENTID in .env is not read: the name is unknown → the nearest known name is SPOTIFY_CLIENT_ID",
            False,
            id="unknown name",
        ),
        pytest.param(
            write_env(b"SPOTFY_CLIENT_ID=x\n"),
            "SPOTFY_CLIENT_ID in .env is not read: the name is unknown → the nearest known name is SPOTIFY_CLIENT_ID",
            False,
            id="misspelt first word",
        ),
        pytest.param(
            write_env(b"DATABSE_URL_FILE=/run/secrets/x\n"),
            "DATABSE_URL_FILE in .env is not read: the name is unknown → the nearest known name is DATABASE_URL",
            False,
            id="misspelt file",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("[core]", "hunter2 = 1\n[core]")),
            "luigi.cfg, line 4: a setting before the first [section]",
            True,
            id="no section",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("[worker]", "[worker]\nhunter2\n")),
            "not of the form",
            True,
            id="cfg",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: f"{text}\n[spotify]\n"),
            "the section [spotify] is there twice",
            True,
            id="twice",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("daily_calls = 500", "daily_calls = 5\ndaily_calls = 6")),
            "daily_calls is set twice in [spotify]",
            True,
            id="option twice",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("\nzone = UTC", "\nzone = Mars")),
            "luigi.cfg, [slots]: zone cannot be used: 'Mars' is not an IANA time zone",
            True,
            id="polling zone",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("awake_hours = 0-6,14-23", "awake_hours = 0-6;14-23")),
            "luigi.cfg, [slots]: awake_hours cannot be used: '0-6;14-23' is not an hour or a range of hours",
            True,
            id="polling hours",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("daily_calls = 500", "daily_calls = 5%")),
            "luigi.cfg, [spotify]: daily_calls cannot be",
            False,
            id="number",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("timezone = UTC", "timezone = UTC\npassword = hunter2")),
            "luigi.cfg, [listener]: password is no setting here. The settings here are timezone, timezones, shortest",
            True,
            id="secret",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("task_failed = 30", "")),
            "[retcode] task_failed is 0",
            False,
            id="codes",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: f"{text}\n[spotifly]\n"),
            "luigi.cfg: the section [spotifly] is unknown. The nearest known name is [spotify]",
            True,
            id="section",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("[retcode]", "[retcodes]")),
            "luigi.cfg: the section [retcodes] is unknown. The nearest known name is [retcode]",
            True,
            id="section of Luigi",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("daily_calls", "dayly_calls")),
            "luigi.cfg, [spotify]: dayly_calls is no setting here. The nearest known name: dayly_calls is like daily",
            True,
            id="option",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("patience = 600", "patiense = 600")),
            "luigi.cfg, [metabase]: patiense is no setting here. The nearest known name: patiense is like patience",
            True,
            id="option that a poll does not need",
        ),
        pytest.param(
            spoil("luigi.cfg", lambda text: text.replace("remove_delay", "remove_dealy")),
            "luigi.cfg, [scheduler]: remove_dealy is unknown. The nearest known name is remove_delay",
            True,
            id="option of Luigi",
        ),
    ],
)
def test_files_of_settings_that_cannot_be_read_are_told_by_line_and_never_shown(
    data: Path, tmp_path: Path, checkout: Path, damage: Callable[[Path], None], words: str, is_told_by_luigi: bool
) -> None:
    (checkout / ".env").unlink(missing_ok=True)
    shutil.copy(config.PROJECT / "luigi.cfg", checkout)
    damage(checkout)
    settings = {"DATA_DIR": str(data), "DATABASE_URL": "postgresql://127.0.0.1:1/x", "PYTHONPATH": str(checkout)}
    commands = Pipeline(data, settings, checkout)
    process = commands.run(*PIPELINE, "doctor", "--offline")
    said = process.stdout + process.stderr
    assert (process.returncode, words in said) == (1, True), said
    assert "Traceback" not in said
    assert "hunter2" not in said
    if is_told_by_luigi:
        # From elsewhere: a luigi.cfg in the present folder is read by Luigi alone, before any of this.
        elsewhere = Pipeline(data, settings, tmp_path).luigi("ExtractRecent", "--run-at", SLOT)
        assert (elsewhere.returncode, words in elsewhere.stderr) == (40, True), elsewhere.stderr
        assert "Traceback" not in elsewhere.stderr
        assert "hunter2" not in elsewhere.stderr


@pytest.fixture
def settings(data: Path, spotify: SampleSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    for name, value in spotify.environment().items():
        monkeypatch.setenv(name, value)


def sentences(account: str = "me") -> list[str]:
    return [f"{finding.level} {finding.sentence}" for finding in step.account(account, offline=False)]


@pytest.mark.usefixtures("settings")
def test_a_consent_that_does_not_work_is_told(data: Path, spotify: SampleSpotify) -> None:
    assert sentences() == ["ok consent given, 180 days left; Spotify answers, and it is this person"]
    # Now the token is kept, and used as a slot uses it.
    spotify.answers = [error("/v1/me/player", 403, "Insufficient client scope")]
    (scope,) = sentences()
    assert scope.startswith("FAILED Spotify forbids the call")
    assert "python -m pipeline authorize" in scope
    an_hour_ago = f"{utc_now() - datetime.timedelta(hours=1):%a, %d %b %Y %H:%M:%S} GMT"
    spotify.answers = [Answer("/v1/me/player", 200, b"{}", {"Date": an_hour_ago})]
    clock, fine = sentences()
    assert clock.startswith("warning this machine's clock is 3,6")
    assert "seconds ahead of Spotify's" in clock
    assert fine.startswith("ok ")

    kept = json.loads(token_path(data, "me").read_text())
    other = spotify.add_person(Person("somebody else"))
    changed = {**kept, "refresh_token": other, "access_token": "", "account_id": kept["account_id"]}
    token_path(data, "me").write_text(json.dumps(changed))
    (wrong,) = sentences()
    assert "FAILED the consent is of another Spotify user" in wrong
    old = {**kept, "authorized_at": (utc_now() - datetime.timedelta(days=178)).isoformat()}
    token_path(data, "me").write_text(json.dumps(old))
    assert sentences()[0].startswith("warning the consent ends in 1 days → run: ")
    now = utc_now()
    write_pause(data, "me", Pause(now.isoformat(), (now + datetime.timedelta(hours=9)).isoformat(), "quota"))
    assert sentences()[-1].startswith("warning account 'me' is paused until")
    (data / "pauses/account=me.json").unlink()
    spotify.accounts.revoke(spotify.me)
    token_path(data, "me").write_text(json.dumps({**kept, "access_token": ""}))
    assert sentences()[0].startswith("FAILED Spotify refuses the refresh token of account 'me' (Refresh token revoked)")
    tokens = load_tokens(data, "me")
    assert tokens and tokens.ended == "Refresh token revoked", "kept, as by a slot"
    assert sentences()[0].startswith("FAILED the consent has ended (Refresh token revoked) → run: ")
    confirm_identity(data, "ann", "her id")
    assert "has no consent yet" in sentences("ann")[0]


def test_a_database_user_that_may_not_create_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.rows("drop role if exists stranger")
    database.rows("create role stranger login")
    database.rows("create schema marts")
    monkeypatch.setenv("DATABASE_URL", database.url.replace("postgres@", "stranger@"))
    create, schema, _ = [f"{finding.level} {finding.sentence}" for finding in services.postgresql()]
    assert create == (
        "FAILED user 'stranger' may not create schemas in 'test'"
        ' → as its owner: grant create on database "test" to "stranger"'
    )
    assert schema.startswith("FAILED user 'stranger' may not create tables in marts")

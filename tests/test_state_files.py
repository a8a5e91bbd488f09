"""A damaged state file is set aside and reported once, and work continues. A folder that cannot be read is named."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi.scheduler
import pytest

from pipeline.alerts.incidents import read_incidents
from pipeline.alerts.outbox import outbox, put_message, send_messages
from pipeline.alerts.telling import tell_what_is_due
from pipeline.demo.spotify import SampleSpotify
from pipeline.extract.answers import utc_now
from pipeline.extract.pause import Pause, current_pause, pause_path, write_pause
from pipeline.extract.tokens import Tokens, token_path, write_tokens
from pipeline.scheduler.state import KEY, format_state, parse_state, state_path
from pipeline.state_files import json_object, read_notes, read_state, sealed, unsealed
from tests import fuzz_state
from tests.conftest import Database, Pipeline, succeeded
from tests.samples import evening, item, page
from tests.slack import SampleSlack

FIRST, SECOND, THIRD, FOURTH = (f"2026-11-22T{time}" for time in ("1400", "1430", "1500", "1530"))
READERS = {reader.name: reader for reader in fuzz_state.readers()}


@pytest.fixture
def settings(data: Path, slack: SampleSlack, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{slack.url}/services/T0/B0/s")
    return data


def record_of(pipeline: Pipeline, slot: str) -> Path:
    return pipeline.data / f"polls/account=me/2026/11/{slot}.json"


@pytest.mark.parametrize("name", READERS)
def test_no_damage_stops_a_reader(name: str, settings: Path) -> None:
    """A sample; all of it: python -m tests.fuzz_state."""
    found = fuzz_state.fuzz(READERS[name], settings, 60)
    assert found.inputs >= 60
    assert (found.exceptions, found.wrong_accepted, found.blocked) == ([], [], 0)


@pytest.mark.parametrize("name", READERS)
def test_what_the_program_writes_is_not_damaged(name: str, settings: Path) -> None:
    reader = READERS[name]
    path = reader.path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "0.csv").write_bytes(b"a\n" * 4 + b"\n")
    path.write_bytes(reader.content)
    path.chmod(reader.mode)
    reader.read(settings, path)
    assert not list(settings.rglob("*.damaged"))
    assert not list(settings.rglob("*.note"))


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"fetched_at": "2026-1x-22T14:00:02+00:00"}, "not of the expected form"),
        ({"fetched_at": "2099-11-22T14:00:02+00:00"}, "a moment is in the future"),
        ({"fetched_at": 5}, "a moment is not a text"),
        ({"skipped": None}, "skipped is not a list"),
        ({"unreadable": "1"}, "unreadable is not a number"),
    ],
)
def test_a_damaged_poll_record_stops_no_later_slot_and_is_reported_once(
    pipeline: Pipeline, spotify: SampleSpotify, slack: SampleSlack, spoiled: dict[str, Any], reason: str
) -> None:
    pipeline.environment["SLACK_WEBHOOK_URL"] = f"{slack.url}/services/T0/B0/s"
    spotify.page = page(*evening(3))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    path = record_of(pipeline, FIRST)
    damaged = json.dumps({**json.loads(path.read_bytes()), **spoiled})
    path.write_text(damaged)
    for slot in (SECOND, THIRD):
        succeeded(pipeline.slot(slot, task="ExtractRecent"))
    assert path.with_name(f"{path.name}.damaged").read_text() == damaged
    (text,) = [message["text"] for _, message in slack.taken]
    assert text.startswith("*A state file is damaged* on ")
    assert f"polls/account=me/2026/11/{FIRST}.json" in text
    assert reason in text
    (incident,) = read_incidents(pipeline.data)
    assert (incident.account, incident.is_open) == ("me", True)
    path.with_name(f"{path.name}.damaged").unlink()
    succeeded(pipeline.slot(FOURTH, task="ExtractRecent"))
    assert slack.taken[-1][1]["text"].startswith(f"Recovered: damaged file polls/account=me/2026/11/{FIRST}.json on ")
    assert read_incidents(pipeline.data) == []


def test_the_gap_that_a_damaged_record_showed_stays_a_gap(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    """The page is kept, and read again. A rebuild says the same."""
    gaps = "select begins_at, ends_at, why from marts.fct_gaps order by 1"
    spotify.page = page(*evening(50))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    spotify.page = page(*evening(50, date="2026-11-22", first=60, start="05:00"))  # no play of the page before
    succeeded(pipeline.slot(SECOND, task="ExtractRecent"))
    spotify.page = page(*evening(50, date="2026-11-22", first=61, start="05:04"))
    succeeded(pipeline.slot(THIRD))
    whole = database.rows(gaps)
    assert [why for *_, why in whole] == ["window_overrun"]

    path = record_of(pipeline, SECOND)
    intact = path.read_text()
    path.write_text(intact.replace('"fetched_at": "2', '"fetched_at": "x'))
    succeeded(pipeline.luigi("RebuildStaging"))
    assert database.rows(gaps) == whole


def test_the_gap_of_a_record_that_lost_its_page_begins_at_the_poll_before(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    gaps = "select begins_at, ends_at from marts.fct_gaps order by 1"
    spotify.page = page(*evening(50))
    succeeded(pipeline.slot(FIRST, task="ExtractRecent"))
    spotify.page = page(*evening(50, date="2026-11-22", first=60, start="05:00"))  # no play of the page before
    succeeded(pipeline.slot(SECOND))
    [(begin, end)] = database.rows(gaps)
    path = record_of(pipeline, SECOND)
    path.write_text(path.read_text()[:40])
    succeeded(pipeline.luigi("RebuildStaging"))
    found = database.rows(gaps)
    assert found
    assert min(begins_at for begins_at, _ in found) <= begin
    assert max(ends_at for _, ends_at in found) >= end


def test_a_new_unreadable_entry_in_the_place_of_an_old_one_is_reported_and_a_gap(
    pipeline: Pipeline, spotify: SampleSpotify, database: Database
) -> None:
    said = []
    spoiled = [item(f"2026-11-21T18:3{n}:00Z", name=f"Spoiled {n}", duration_ms=None) for n in range(3)]
    for slot, entries in ((FIRST, []), (SECOND, spoiled[:1]), (THIRD, spoiled[:1]), (FOURTH, spoiled[1:2])):
        spotify.page = page(*evening(5), *entries)
        process = succeeded(pipeline.slot(slot, task="RunPipeline" if slot == FOURTH else "CopyToStaging"))
        said.append("1 of them are new" in process.stderr)
    assert said == [False, True, False, True]
    assert database.rows("select why, found_in_slot::text from marts.fct_gaps order by found_at") == [
        ("unreadable_items", "2026-11-22 14:30:00+00"),
        ("unreadable_items", "2026-11-22 15:30:00+00"),
    ]


def test_ten_days_of_empty_pages_are_reported(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page(*evening(3, date="2026-11-12"))
    succeeded(pipeline.slot("2026-11-12T2000", task="ExtractRecent"))
    spotify.page = page()
    for day in (13, 18):
        assert "no play of me since" not in succeeded(pipeline.slot(f"2026-11-{day}T2000", task="ExtractRecent")).stderr
    said = succeeded(pipeline.slot("2026-11-22T2000", task="ExtractRecent")).stderr
    assert "no play of me since 2026-11-12 18:08 UTC" in said
    assert [incident.key for incident in read_incidents(pipeline.data)] == ["stale account=me"]


def test_an_account_that_never_had_a_play_is_reported(pipeline: Pipeline, spotify: SampleSpotify) -> None:
    spotify.page = page()
    for slot in ("2026-11-12T2000", "2026-11-18T2000"):
        assert "no play" not in succeeded(pipeline.slot(slot, task="ExtractRecent")).stderr
    said = succeeded(pipeline.slot("2026-11-22T2000", task="ExtractRecent")).stderr
    assert "no play at all: Spotify returns empty pages of me since 2026-11-12 20:00 UTC" in said


def test_a_damaged_message_blocks_none_behind_it(settings: Path, slack: SampleSlack) -> None:
    now = utc_now()
    for name, content in (
        ("1", "{"),
        ("2", json.dumps({"text": "two", "account": "", "not_before": "2099-01-01T00:00:00+00:00"})),
        ("3", json.dumps({"text": "\ud800", "account": "", "not_before": ""})),
    ):
        outbox(settings).mkdir(parents=True, exist_ok=True)
        (outbox(settings) / f"{name}.json").write_text(content)
    (outbox(settings) / "4.json").mkdir()
    put_message(settings, "five", now)
    picture = outbox(settings) / f"{now:%Y%m%dT%H%M%S.%fZ}.png"
    picture.mkdir()
    send_messages(settings, now)
    assert [message["text"] for _, message in slack.taken] == ["two", "five"]
    names = [path.name for path in outbox(settings).iterdir()]
    assert sorted(names) == [f"{name}.damaged" for name in ("1.json", picture.name, "3.json", "4.json")]


def test_an_account_with_damaged_tokens_is_told_to_authorize(pipeline: Pipeline) -> None:
    write_tokens(pipeline.data, Tokens("me", "refresh", utc_now().isoformat()))
    path = token_path(pipeline.data, "me")
    path.write_bytes(path.read_bytes()[:-9])
    process = pipeline.slot(FIRST, task="ExtractRecent", SPOTIFY_REFRESH_TOKEN="")
    assert '"outcome": "consent_ended"' in record_of(pipeline, FIRST).read_text()
    assert f"its token file was damaged and is now {path}.damaged. Run: python -m pipeline authorize" in process.stderr
    assert path.with_name("account=me.json.damaged").stat().st_mode & 0o777 == 0o600


def test_a_consent_given_in_the_future_is_to_be_renewed(data: Path) -> None:
    now = utc_now()
    tokens = Tokens("me", "refresh", "2099-01-01T00:00:00+00:00", "access", "2099-01-01T00:00:00+00:00")
    assert tokens.days_left(now) == 0
    assert not tokens.valid_at(now)


def put_state(data: Path, content: bytes) -> Path:
    path = state_path(data)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_luigid_starts_with_a_state_that_unpickles_to_something_else(settings: Path) -> None:
    states: tuple[Any, ...] = (5, ({"a": 1}, {}, {}), [{}, {}])
    for state in states:
        path = put_state(settings, format_state(settings, state))
        assert fuzz_state.read_luigid(settings, path) is False
    assert len(list(path.parent.glob("*.damaged"))) == 3, "none takes the place of another"


class Executed:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "executed"))


def test_luigid_loads_only_a_state_that_this_installation_wrote(settings: Path, tmp_path: Path) -> None:
    task = luigi.scheduler.Task("T_1", "PENDING", [], family="T", params={"account": "me"})
    proof, other = tmp_path / "proof", tmp_path / "other"
    other.mkdir()
    attack = pickle.dumps(Executed(proof))
    own = format_state(settings, ({"T_1": task}, {}, {}))
    elsewhere = format_state(other, Executed(proof))
    unsigned = [attack, sealed(attack), sealed(bytes(32) + attack), elsewhere, sealed(unsealed(own)[:32] + attack)]
    for state in unsigned:
        assert fuzz_state.read_luigid(settings, put_state(settings, state)) is False
        assert not proof.exists()
    assert fuzz_state.read_luigid(settings, put_state(settings, own)) is True
    # A copy of both files, as rsync or an older restore makes it.
    copy = Path(shutil.copytree(other, tmp_path / "copy"))
    assert fuzz_state.read_luigid(copy, put_state(copy, elsewhere)) is False
    assert not proof.exists()
    # The same bytes in the folder in which they were signed: the state would have executed code.
    read_state(other, put_state(other, elsewhere), lambda content: parse_state(other, content))
    assert proof.read_text() == "executed"
    (settings / KEY).chmod(0o644)
    assert fuzz_state.read_luigid(settings, put_state(settings, own)) is False, "others can read the key"


def test_a_flipped_bit_in_the_state_of_luigid_is_reported(settings: Path) -> None:
    task = luigi.scheduler.Task("T_1", "PENDING", [], family="T", params={"account": "me"})
    own = format_state(settings, ({"T_1": task}, {}, {}))
    for place in range(0, len(own), 7):
        path = put_state(settings, own[:place] + bytes([own[place] ^ 1]) + own[place + 1 :])
        assert read_state(settings, path, lambda content: parse_state(settings, content)) is None
        assert not path.exists()
    assert len(list(read_notes(settings))) == len(range(0, len(own), 7))


def _read(folder: str, barrier: Any) -> None:
    data = Path(folder)
    barrier.wait()
    assert read_state(data, data / "pauses" / "account=me.json", json_object) is None


def test_processes_that_find_the_same_damage_set_it_aside_once(data: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        path = pause_path(data, "me")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{attempt}")
        barrier = context.Barrier(4)
        processes = [context.Process(target=_read, args=(str(data), barrier)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        assert len(list(path.parent.glob("*.damaged"))) == attempt + 1
        assert len(list((data / "alerts" / "damaged").glob("*.note"))) == attempt + 1


def test_a_file_that_was_replaced_since_it_was_read_is_not_set_aside(data: Path) -> None:
    path = pause_path(data, "me")
    path.parent.mkdir()
    path.write_text("damaged")
    good = Pause("2026-11-22T15:00:00+00:00", "2026-11-22T16:00:00+00:00", "quota")

    def parse(content: bytes) -> Any:
        if content == b"damaged":
            path.unlink()
            write_pause(data, "me", good)  # another process, between reading and setting aside
        return json_object(content)

    found = read_state(data, path, parse)
    assert found
    assert found["reason"] == "quota"
    assert list(path.parent.glob("*.damaged")) == []


# As a user who is not root, whom modes hold back.
AS_NOBODY = """
import os, sys
os.setgid(65534); os.setuid(65534)
from pathlib import Path
data = Path(sys.argv[1])
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A data folder below one that every user can enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


def as_nobody(program: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    environment = {**os.environ, "DATA_DIR": str(data), "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1", **settings}
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY + program, data], capture_output=True, text=True, timeout=120, env=environment
    )


LISTINGS = {
    "partitions": ("spotify_songs/account=me/2026/11/2026-11-21.csv", "spotify_songs/account=me/2026/11",
        "from pipeline.extract.partitions import list_partitions; from pipeline.extract.datasets import PLAYS\n"
        "list_partitions(PLAYS, data)"),
    "month of another account": ("spotify_history/account=ann/2026/11/2026-11-21.csv", "spotify_history/account=ann",
        "from pipeline.extract.partitions import list_partitions; from pipeline.extract.datasets import HISTORY\n"
        "list_partitions(HISTORY, data)"),
    "backup": ("tokens/account=me.json", "tokens",
        "from pipeline.backup.contents import files_to_keep; list(files_to_keep(data))"),
    "backup of a month": ("raw/recently_played/account=me/2026/11/x.json.gz", "raw/recently_played/account=me/2026/11",
        "from pipeline.backup.contents import files_to_keep; list(files_to_keep(data))"),
    "poll records": ("polls/account=me/2026/11/2026-11-22T1430.json", "polls/account=me/2026/11",
        "from pipeline.extract.records import latest_records; import datetime\n"
        "latest_records(data, 'me', datetime.datetime.now(datetime.UTC))"),
    "months of the ledger": ("polls/account=me/2026/11/2026-11-22T1430.json", "polls/account=me",
        "from pipeline.load.ledger import _months; list(_months(data))"),
    "import records": ("imports/account=me/20261122T143000.000000Z.json", "imports/account=me",
        "from pipeline.extract.history.records import list_records; list_records(data)"),
    "responses": ("raw/recently_played/account=me/pending/x.json.gz", "raw/recently_played/account=me/pending",
        "from pipeline.extract.raw import pending; pending(data, 'me')"),
    "archived responses": ("raw/recently_played/account=me/2026/11/x.json.gz", "raw/recently_played/account=me/2026",
        "from pipeline.extract.raw import archived; archived(data, 'me')"),
    "identities": ("accounts/account=me.json", "accounts",
        "from pipeline.extract.identity import any_identity; any_identity(data)"),
    "outbox": ("alerts/outbox/1.json", "alerts/outbox",
        "from pipeline.alerts.outbox import forget_messages; forget_messages(data, 'me')"),
    "traces of an account": ("saved/account=me/x.csv", "saved",
        "from pipeline.forget import traces; traces(data, 'me')"),
}  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", LISTINGS)
def test_a_folder_that_cannot_be_read_is_named(name: str, shared: Path) -> None:
    file, folder, program = LISTINGS[name]
    (shared / file).parent.mkdir(parents=True)
    (shared / file).write_text("x")
    (shared / folder).chmod(0)
    process = as_nobody(program, shared)
    assert process.returncode != 0
    assert f"PermissionError: [Errno 13] Permission denied: '{shared / folder}'" in process.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_damaged_file_in_a_folder_that_cannot_be_written_is_ignored_and_reported_once(shared: Path) -> None:
    path = pause_path(shared, "me")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    path.parent.chmod(0o555)
    program = (
        "import datetime; from pipeline.extract.pause import current_pause\n"
        "from pipeline.alerts import tell_what_is_due\n"
        "from pipeline.alerts.incidents import read_incidents\n"
        "print(current_pause(data, 'me', datetime.datetime.now(datetime.UTC)))\n"
        "tell_what_is_due(); print([(each.key.split()[2], each.times) for each in read_incidents(data)])"
    )
    for times in (1, 2):
        process = as_nobody(program, shared)
        assert process.stdout == f"None\n[('pauses/account=me.json', {times})]\n", process.stderr
        assert "it cannot be renamed (Permission denied)" in process.stderr
    assert path.read_text() == "{"


def test_without_slack_the_incident_is_kept_for_status(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(data))
    pause_path(data, "me").parent.mkdir()
    pause_path(data, "me").write_text("{")
    now = datetime.datetime(2026, 11, 22, 15, tzinfo=datetime.UTC)
    assert current_pause(data, "me", now) is None
    assert tell_what_is_due()
    assert [incident.name.partition(" on ")[0] for incident in read_incidents(data)] == [
        "damaged file pauses/account=me.json"
    ]

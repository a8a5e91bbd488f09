"""Damages every state file in every way, and reads it as the program does.

    python -m tests.fuzz_state --inputs 2000

For each reader: truncations at every byte, bit flips, each JSON value replaced by others or removed, and a folder, a
dangling link or a FIFO in the file's place. Prints a table. Exits with 1 for an exception that names no file, a value
of a wrong type or an impossible time that is accepted, or a message that does not leave the outbox.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import gzip
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luigi.scheduler

from pipeline import state_files
from pipeline.alerts import outbox, telling
from pipeline.alerts.incidents import incidents_path, read_incidents
from pipeline.alerts.tasks import SendSummary
from pipeline.extract import raw
from pipeline.extract.errors import AuthorizationError, UnexpectedAnswer
from pipeline.extract.files import named_lock
from pipeline.extract.history import predecessor, segments
from pipeline.extract.history import records as imports
from pipeline.extract.history.export_file import ExportFile
from pipeline.extract.identity import identity_path, stored_ids
from pipeline.extract.pause import LONGEST_PAUSE, Pause, current_pause, pause_path
from pipeline.extract.records import latest_records, read_record, record_path
from pipeline.extract.tokens import Tokens, end_warning, load_tokens, token_path
from pipeline.load import embedded
from pipeline.scheduler.state import format_state
from pipeline.state_files import SUFFIX, sealed
from tests.slack import SampleSlack

NOW = datetime.datetime(2026, 11, 22, 15, 2, tzinfo=datetime.UTC)
SLOT = datetime.datetime(2026, 11, 22, 14, 30)
RAW = "raw/recently_played/account=me/2026/11/20261122T143002.348388Z.json.gz"
EARLY, FAR = "1901-12-13T20:45:52+00:00", ("2099-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00")
OTHERS: tuple[Any, ...] = (
    None, True, -1, 10**30, 1.5, float("nan"), "x", "", "\ud800", "a\0b", [], {}, [1], {"a": None}, EARLY, *FAR,
)  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """`read`: as the program reads it; True if the content was accepted. `bounded`: moments that are accepted however
    far away, because the reader limits their effect. `seals`: whether its content has a SHA-256."""

    name: str
    path: Callable[[Path], Path]
    content: bytes
    read: Callable[[Path, Path], bool]
    bounded: frozenset[str] = frozenset()
    seals: bool = False
    mode: int = 0o644
    text: bool = False


@dataclass
class Result:
    inputs: int = 0
    set_aside: int = 0
    exceptions: list[str] = dataclasses.field(default_factory=list)
    wrong_accepted: list[str] = dataclasses.field(default_factory=list)
    flips_accepted: int = 0
    blocked: int = 0


def as_json(**content: Any) -> bytes:
    return json.dumps(content, indent=1).encode()


POLL = {
    "slot": "2026-11-22T14:30Z", "account": "me", "outcome": "polled", "fetched_at": "2026-11-22T14:30:02.348388+00:00",
    "calls": 1, "reason": "", "token_days_left": 179, "raw": RAW, "items": 6, "new_plays": 2,
    "oldest": "2026-11-21T18:00:00.000Z", "newest": "2026-11-22T08:04:00.000Z", "overlap": True, "late_from": None,
    "skipped": [{"item": 5, "reason": "no track", "entry": "2026-11-21T18:30:00Z"}], "unreadable": 1,
    "new_unreadable": 0, "partitions": [{"path": "spotify_songs/account=me/2026/11/2026-11-22.csv", "rows_added": 2,
    "rows": 2}], "recovered": [],
}  # fmt: skip
INCIDENT = {
    "key": "ExtractRecent account=me", "account": "me", "name": "*ExtractRecent*", "title": "*ExtractRecent* failed",
    "cause": "Forbidden: 403", "to_do": "make doctor", "since": "2026-11-22T14:30:02+00:00",
    "last_seen": "2026-11-22T14:30:02+00:00", "link": "", "log": "", "times": 1, "told": "2026-11-22T14:30:03+00:00",
    "ended": "", "caught_up": "", "lasts": True, "reminds": True,
}  # fmt: skip
IMPORT = {
    "account": "me", "imported_at": "2026-11-20T10:00:00.000000Z", "export": "my_spotify_data.zip", "digest": "ab12",
    "files": [{"file": "Streaming_History_Audio_2022_0.json", "read": 7, "inserted": 6, "already_there": 0,
    "duplicates": 0, "skipped": {"no ts": [3]}, "failed": 0, "unknown": ["mood"]}],
    "spans": [["2022-11-01T10:00:00Z", "2022-11-07T10:00:00Z"]],
    "partitions": {"spotify_history/account=me/2022/11/2022-11-01.csv": [539, 1795624791756459837]},
    "ended_at": "2026-11-20T10:00:01.000000Z",
}  # fmt: skip
TOKENS = Tokens(
    "me", "refresh-of-a-sample", "2026-11-01T10:00:00+00:00", "access-of-a-sample", "2026-11-22T15:30:00+00:00",
    account_id="sample", bootstrap="0" * 64, warned=30,
)  # fmt: skip
SEGMENT = segments.Segment(
    3, 3, {}, ["mood"], "2022-11-01T10:00:00Z", "2022-11-01T11:00:00Z", {"2022-11-01": [[0, 9, 3]]}
)


def luigid_state() -> bytes:
    task = luigi.scheduler.Task("T_1", "PENDING", [], family="T", params={"account": "me"})
    worker = luigi.scheduler.Worker("worker", NOW.timestamp())
    with tempfile.TemporaryDirectory() as folder:
        return format_state(Path(folder), ({"T_1": task}, {"worker": worker}, {}))


def job(data: Path) -> segments.Job:
    folder = imports.imports_folder(data, "me") / "unfinished" / "abcd"
    return segments.Job(ExportFile("history", "a.json", 9, Path("a.zip"), 0), folder / "0.csv", "me", "stamp")


def read_poll(data: Path, path: Path) -> bool:
    accepted = read_record(data, path, NOW) is not None
    latest_records(data, "me", NOW)
    return accepted


def read_tokens(data: Path, path: Path) -> bool:
    tokens = load_tokens(data, "me")
    if tokens:
        tokens.valid_at(NOW)
        end_warning(data, "me", NOW)
        far = datetime.datetime.fromisoformat(tokens.authorized_at) > NOW + datetime.timedelta(days=1)
        assert not far or tokens.days_left(NOW) == 0, "the user is warned of a consent whose end is not known"
    return tokens is not None


def read_pause(data: Path, path: Path) -> bool:
    pause = current_pause(data, "me", NOW)
    assert pause is None or pause.ends_at <= NOW + LONGEST_PAUSE + datetime.timedelta(hours=1, minutes=1)
    return path.is_file()


def read_outbox(data: Path, path: Path) -> bool:
    """A good message behind the damaged one leaves the outbox, unless the first waits for Slack as it may."""
    outbox.put_message(data, "behind", NOW)
    outbox.send_messages(data, NOW)
    sent = not list(outbox.outbox(data).glob("*.json"))
    left = outbox.outbox(data) / path.name
    if not sent and not (left.exists() and outbox.parse_message(left.read_bytes()).waits_at(NOW)):
        raise QueueBlocked
    return not list(outbox.outbox(data).glob(f"*{SUFFIX}"))


class QueueBlocked(Exception):
    pass


def read_pending(data: Path, path: Path) -> bool:
    for found in raw.pending(data, "me"):
        raw.read(found)
        return True
    return False


def read_lock(data: Path, path: Path) -> bool:
    with named_lock(data, "account=me").acquire(timeout=1):
        return True


def read_luigid(data: Path, path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Luigi 3.8 uses a name that SQLAlchemy 2 has moved
        from pipeline.scheduler.luigid import Scheduler

    scheduler = Scheduler(state_path=str(path))  # type: ignore[no-untyped-call]
    scheduler.load()
    accepted = bool(list(scheduler._state.get_active_tasks()))
    scheduler.prune()
    scheduler.ping(worker="another")
    return accepted


def read_embedded(data: Path, path: Path) -> bool:
    embedded._refuse_a_second_host(data / "postgres")
    embedded._forget_the_dead(data / "postgres")
    return path.is_file()


def read_summary(data: Path, path: Path) -> bool:
    return SendSummary(account="me", period="2026-W46").complete()


def read_not_started(data: Path, path: Path) -> bool:
    telling._end_what_curl_has_told(path, NOW)
    return path.is_file()


def readers() -> list[Reader]:
    index = sealed(json.dumps(dataclasses.asdict(SEGMENT)).encode())
    return [
        Reader("poll record", lambda data: record_path(data, "me", SLOT), as_json(**POLL), read_poll,
               frozenset({"paused_until", "oldest", "newest", "skipped/0/entry"})),
        Reader("import record", lambda data: imports.imports_folder(data, "me") / "20261120T100000.000000Z.json",
               as_json(**IMPORT), lambda data, path: imports.read_record(data, path, NOW) is not None),
        Reader("incidents", incidents_path, as_json(incidents=[INCIDENT]),
               lambda data, path: bool(read_incidents(data))),
        Reader("outbox", lambda data: outbox.outbox(data) / "20261122T140000.000000Z.json",
               as_json(text="hello", account="me", not_before="2026-11-22T14:00:00+00:00"), read_outbox,
               frozenset({"not_before"})),
        Reader("summary", lambda data: data / "summaries/account=me/2026-W46.json",
               as_json(account="me", period="2026-W46", made_at="2026-11-16T06:00:00+00:00", text="*Week*"),
               read_summary,
               frozenset({"made_at"})),
        Reader("pause", lambda data: pause_path(data, "me"),
               as_json(**dataclasses.asdict(Pause("2026-11-22T15:00:00+00:00", "2026-11-22T16:00:00+00:00", "quota"))),
               read_pause, frozenset({"since", "until"})),
        Reader("tokens", lambda data: token_path(data, "me"), as_json(**dataclasses.asdict(TOKENS)), read_tokens,
               frozenset({"expires_at", "authorized_at"}), mode=0o600),
        Reader("identity", lambda data: identity_path(data, "me"), as_json(account="me", account_id="sample"),
               lambda data, path: stored_ids(data, "me") is not None),
        Reader("not-started", lambda data: data / "logs" / "not-started", b"2026-11-22T1430 127 1795356000\n",
               read_not_started, text=True),
        Reader("lock", lambda data: data / "locks" / "account=me.lock", b"", read_lock, text=True),
        Reader("luigid state", lambda data: data / "luigid" / "state.pickle", luigid_state(), read_luigid, seals=True),
        Reader("segment index", lambda data: segments.index_path(job(data)), index,
               lambda data, path: segments.read_index(job(data)) is not None, seals=True),
        Reader("receipt note", lambda data: data / "imports/account=me/unfinished/abcd/0.receipt",
               sealed(as_json(**{"2022-11-01": [1, 2, 3]})),
               lambda data, path: bool(state_files.read_state(data, path, predecessor.parse_counted)), seals=True),
        Reader("begun", lambda data: data / "imports/account=me/unfinished/abcd/begun", b"2026-11-20T10:00:00.000000Z",
               lambda data, path: imports.begin_import(data, "me", "abcd", NOW)[1] != NOW, text=True),
        Reader("PostgreSQL pids", lambda data: data / "postgres" / ".handle_pids.json", b"[1, 4194000]", read_embedded),
        Reader("PostgreSQL pid", lambda data: data / "postgres" / "postmaster.pid", b"4194000\n/data\n", read_embedded,
               text=True),
        Reader("PostgreSQL host", lambda data: data / ".postgres.host", b"a-host\n", read_embedded, text=True),
        Reader("response", lambda data: raw.folder(data, "me") / "pending/20261122T143002.348388Z.json.gz",
               gzip.compress(b'{"items": []}' * 20, mtime=0), read_pending, text=True),
    ]  # fmt: skip


def damaged_inputs(reader: Reader, count: int, chance: random.Random) -> Iterator[tuple[str, str, bytes | None]]:
    """Kind, description, content; without content, something else is in the file's place."""
    whole = reader.content
    for place in ("folder", "dangling link", "FIFO"):
        yield "place", place, None
    inputs: list[tuple[str, str, bytes | None]] = [
        ("truncated", f"cut off at {length}", whole[:length]) for length in range(len(whole))
    ]
    if not reader.seals and not reader.text:
        inputs += [("json", what, body) for what, body in changed_json(json.loads(whole))]
    chance.shuffle(inputs)
    yield from inputs[: max(count * 3 // 4, 1)] if count < len(inputs) else inputs
    for _ in range(max(count - len(inputs), count // 4)):
        flipped = bytearray(whole or b"\0")
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        if bytes(flipped) != whole:
            yield "flip", "bits", bytes(flipped)
    for garbage in (b"\0" * 4096, b"[" * 100_000, b'{"a":' * 20_000, b"\xff\xfe", b"null", b"[]", b"{}", b"1" * 10_000):
        yield "garbage", repr(garbage[:8]), garbage


def changed_json(whole: Any) -> Iterator[tuple[str, bytes]]:
    """Each value replaced by each of OTHERS, and each key removed. The description ends with `type`, `time` or `-`:
    whether a reader must find it."""
    for path, value in _values(whole):
        for other in OTHERS:
            if value == other and type(value) is type(other):
                continue
            changed = json.loads(json.dumps(whole))
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            if path:
                holder[path[-1]] = other
            else:
                changed = other
            is_type = type(other) is not type(value) and value is not None and other is not None
            is_time = isinstance(value, str) and other in FAR and _is_moment(value)
            what = "type" if is_type else "time" if is_time else "-"
            yield f"{'/'.join(map(str, path))} = {str(other)[:30]!r} {what}", json.dumps(changed).encode()
        if path and isinstance(path[-1], str):
            changed = json.loads(json.dumps(whole))
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            del holder[path[-1]]
            yield f"{'/'.join(map(str, path))} removed -", json.dumps(changed).encode()


def _values(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _values(child, (*path, key))


def _is_moment(value: str) -> bool:
    try:
        return datetime.datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def fuzz(reader: Reader, data: Path, count: int, seed: int = 1) -> Result:
    """`data`: DATA_DIR of this process."""
    result, chance = Result(), random.Random(f"{seed} {reader.name}")
    for kind, what, content in damaged_inputs(reader, count, chance):
        _empty(data)
        state_files._reported.clear()
        path = reader.path(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        if "unfinished" in path.parts:
            (path.parent / "0.csv").write_bytes(b"a\n" * 4 + b"\n")
        _put(path, what, content, reader.mode)
        result.inputs += 1
        try:
            accepted = reader.read(data, path)
        except QueueBlocked:
            result.blocked += 1
            result.exceptions.append(f"{kind} {what}: the queue is blocked")
            continue
        except (OSError, AuthorizationError, UnexpectedAnswer) as error:
            result.set_aside += bool(list(path.parent.glob(f"*{SUFFIX}")))
            if path.name not in str(error):
                result.exceptions.append(f"{kind} {what}: {error!r}")
            continue
        except Exception as error:
            result.exceptions.append(f"{kind} {what}: {error!r}")
            continue
        aside = [each for each in path.parent.iterdir() if each.name.endswith(SUFFIX)]
        result.set_aside += bool(aside)
        if aside and not list(state_files.read_notes(data)):
            result.exceptions.append(f"{kind} {what}: nobody is notified")
        if aside or not accepted:
            continue
        if kind == "flip":
            result.flips_accepted += 1
        elif kind == "json" and what.endswith(("type", "time")) and not _is_bounded(reader, what):
            result.wrong_accepted.append(f"{kind} {what}")
    _empty(data)
    return result


def _is_bounded(reader: Reader, what: str) -> bool:
    return what.endswith("time") and what.partition(" = ")[0] in reader.bounded


def _empty(data: Path) -> None:
    for path in data.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _put(path: Path, what: str, content: bytes | None, mode: int) -> None:
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    elif what == "folder":
        path.mkdir()
        (path / "inside").write_text("x")
    elif what == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")


@contextlib.contextmanager
def own_settings() -> Iterator[Path]:
    """A data folder, and a Slack, that the settings of this process name."""
    memory = Path("/dev/shm")  # noqa: S108  a disk would sync for most of the time
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder, SampleSlack() as slack:
        data = Path(folder, "data")
        data.mkdir()
        os.environ |= {"DATA_DIR": str(data), "LOG_DIR": "", "SLACK_WEBHOOK_URL": f"{slack.url}/services/T0/B0/s"}
        yield data


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000, help="for each reader, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", help="only the readers whose name contains this")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    failed = False
    print("reader            inputs  set aside  exceptions  blocked  wrong accepted  flips accepted")
    with own_settings() as data:
        for reader in readers():
            if options.reader and options.reader not in reader.name:
                continue
            found = fuzz(reader, data, options.inputs, options.seed)
            numbers = (found.set_aside, len(found.exceptions), found.blocked, len(found.wrong_accepted))
            print(f"{reader.name:16}{found.inputs:8}{numbers[0]:11}{numbers[1]:12}{numbers[2]:9}{numbers[3]:16}"
                  f"{found.flips_accepted:16}", flush=True)  # fmt: skip
            for line in (*found.exceptions[:8], *found.wrong_accepted[:8]):
                print(f"    {line[:200]}")
            failed |= bool(found.exceptions or found.wrong_accepted)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

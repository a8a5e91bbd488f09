"""One copy of the project, as somebody has it who runs it with compose, and a Spotify that keeps it waiting."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.config import PROJECT
from pipeline.demo.loopback import Answer
from pipeline.demo.spotify import SampleSpotify
from tests.containers.reachable import port_of

PARTS = (
    "docker-compose.yml",
    ".dockerignore",
    "requirements.lock",
    "pyproject.toml",
    "luigi.cfg",
    "cron",
    "dbt",
    "pipeline",
)
HOST = "host.docker.internal"
# To the process that is named snooze.
STRIKE = """
for each in /proc/[0-9]*; do
    read -r name <"$each/comm"
    [ "$name" != snooze ] || kill -s ALRM "${each#/proc/}"
done"""


class HeldSpotify(SampleSpotify):
    """Answers nobody while `hold` is set; `waiting`: somebody has asked since."""

    hold = waiting = False

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        while self.hold:
            self.waiting = True
            time.sleep(0.1)
        return super().answer(method, target, headers, body)


class Trial:
    """One copy of the project, as somebody has it who runs it with compose."""

    def __init__(self, folder: Path, spotify: HeldSpotify) -> None:
        self.folder, self.spotify = folder, spotify
        self.name = f"listening-trial-{os.getpid()}"
        self.secret = {name: secrets.token_hex(12) + "$a b" for name in ("warehouse", "metabase", "administrator")}
        for part in PARTS:
            source = PROJECT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
            else:
                shutil.copy(source, folder / part)

    def write_env(self, **more: str) -> None:
        sample = self.spotify.environment()
        address = f"http://{HOST}:{port_of(self.spotify)}"
        values = {
            **sample,
            "SPOTIFY_API_URL": f"{address}/v1",
            "SPOTIFY_ACCOUNTS_URL": address,
            "PLAIN_HTTP_HOSTS": f"metabase {HOST}",
            "MUSICBRAINZ_ARTISTS_PER_SLOT": "0",
            "METABASE_ADMIN_EMAIL": "ann@example.org",
            "METABASE_ADMIN_PASSWORD": self.secret["administrator"],
            "POSTGRES_PASSWORD": self.secret["warehouse"],
            "METABASE_POSTGRES_PASSWORD": self.secret["metabase"],
            "LUIGID_PORT": "18082",
            "METABASE_PORT": "13000",
            **more,
        }
        lines = [f"{name}='{value}'" for name, value in values.items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")
        (self.folder / ".env").chmod(0o600)

    def compose(self, *arguments: str, check: bool = True) -> str:
        paths = sorted(self.folder.glob("docker-compose*.yml"), key=lambda path: len(path.name))  # the main one first
        files = [word for path in paths for word in ("--file", str(path))]
        command = ["docker", "compose", "--project-name", self.name, *files, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}\n{self.last()}")
        return (done.stdout + done.stderr).replace("\x1b[2K", "")

    def logs(self, *services: str) -> str:
        return self.compose("logs", "--no-color", "--no-log-prefix", *services, check=False)

    def last(self) -> str:
        """What every service has said last, for whoever has to find out why."""
        return self.compose("logs", "--no-color", "--tail", "40", check=False)

    def execute(self, service: str, *command: str, check: bool = True) -> str:
        return self.compose("exec", "--no-TTY", service, *command, check=check)

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.compose("ps", "--all", "--quiet", service).strip()
        said = subprocess.run(["docker", "inspect", container], check=True, capture_output=True, text=True).stdout
        found: dict[str, Any] = json.loads(said)[0]
        return found

    def wait(self, what: str, is_so: Callable[[], bool], seconds: float = 180) -> None:
        begun = time.monotonic()
        while not is_so():
            if time.monotonic() - begun > seconds:
                raise SystemExit(f"waited {seconds:.0f} seconds in vain: {what}\n{self.last()}")
            time.sleep(0.5)
        print(f"  {what}: {time.monotonic() - begun:.1f} s", flush=True)

    def wait_until_healthy(self, service: str) -> None:
        self.wait(f"{service} is healthy", lambda: self.inspect(service)["State"]["Health"]["Status"] == "healthy")

    def strike(self) -> None:
        """The clock strikes a half hour, now: snooze does so on SIGALRM."""
        self.execute("pipeline", "sh", "-c", STRIKE)


def told(what: str, is_so: bool, trial: Trial) -> None:
    print(f"  {'yes' if is_so else 'NO '}  {what}", flush=True)
    if not is_so:
        raise SystemExit(f"not so: {what}\n{trial.last()}")

"""A real cron daemon whose time is the test's: in a mount namespace of its own, with the clock of tests/clock.c.

Nothing of the machine is run or changed: crontabs, /etc/cron.d and /run are the namespace's. The driver moves a file
with the distance to the real time, and wakes the daemon, which sleeps until the next minute. Needs root.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

Moment = datetime.datetime
MINUTE = datetime.timedelta(minutes=1)
# What cron may be asleep in, by the numbers of x86-64 and of arm64: nanosleep and clock_nanosleep.
ASLEEP = {"35", "230", "101", "115"}
NAMESPACE = """
mount --bind "$0/crontabs" /var/spool/cron/crontabs && mount --bind "$0/nothing" /etc/cron.d &&
: >"$0/crontab" && mount --bind "$0/crontab" /etc/crontab && mount -t tmpfs tmpfs /run && exec "$@"
"""


class Crond:
    """`zone`: TZ of the daemon. `environment`: lines at the head of the crontab, beside those that fake the time."""

    def __init__(self, folder: Path, begin: Moment, zone: str = "UTC", **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nothing").mkdir()
        self._crontabs = folder / "crontabs"
        self._crontabs.mkdir(mode=0o1730)
        self._changes = 0
        self._offset = folder / "offset"
        self.set(begin)
        library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        self.faked = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self._offset)}
        head = {**self.faked, "MAILTO": "", **environment}
        self.head = "".join(f'{name}="{value}"\n' for name, value in head.items())
        cron = [str(shutil.which("cron", path="/usr/sbin:/usr/bin")), "-f"]
        variables = [f"{name}={value}" for name, value in {"PATH": "/usr/bin:/bin", "TZ": zone, **self.faked}.items()]
        self._daemon = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", NAMESPACE, str(folder), "env", "-i", *variables, *cron]
        )
        while not self._sleeps():
            time.sleep(0.01)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command where the daemon is: `crontab` is that of the daemon, the time is the machine's."""
        answer = subprocess.run(
            ["nsenter", f"--mount=/proc/{self._daemon.pid}/ns/mnt", f"--wd={Path.cwd()}", *command],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self._changes += 10
        for path in (*self._crontabs.glob("*"), self._crontabs):
            # Cron looks at whole seconds: of two changes in one it would notice the first alone.
            os.utime(path, (time.time() + self._changes,) * 2)
        return answer

    def install(self, *lines: str) -> None:
        """Make these the crontab, behind the lines that fake the time."""
        crontab = self._offset.with_name("installed")
        crontab.write_text(self.head + "".join(f"{line}\n" for line in lines))
        answer = self.run("crontab", str(crontab))
        assert answer.returncode == 0, answer.stderr

    def set(self, moment: Moment) -> None:
        """Change the time of daemon and jobs; cron does not know it before it wakes up."""
        self.now = moment
        new = self._offset.with_suffix(".new")
        new.write_text(f"{round(moment.timestamp() - time.time())}\n")
        new.replace(self._offset)

    def step(self, moment: Moment, wait: float = 60) -> None:
        """Let it be `moment`, and let the daemon start what is due then, and that end."""
        self.set(moment)
        for _ in range(2):  # a signal is lost where it meets with the end of a job
            before = self._wakings()
            self._daemon.send_signal(signal.SIGHUP)
            while not (self._wakings() > before and self._sleeps()):
                time.sleep(0.001)
        self.finish(wait)

    def finish(self, wait: float = 60) -> None:
        """Wait for the jobs, some seconds at most."""
        until = time.monotonic() + wait
        while self.jobs() and time.monotonic() < until:
            time.sleep(0.005)

    def pass_through(self, begin: Moment, end: Moment) -> None:
        """Every moment from `begin` to before `end` at which something could be started, and those around them."""
        moment = begin
        while moment < end:
            if moment.minute % 15 in (0, 1, 14):
                self.step(moment)
            moment += MINUTE

    def jobs(self) -> list[int]:
        """What the daemon has started and is not at an end."""
        children = Path(f"/proc/{self._daemon.pid}/task/{self._daemon.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        self._daemon.kill()
        self._daemon.wait()

    def _wakings(self) -> int:
        status = Path(f"/proc/{self._daemon.pid}/status").read_text()
        return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    def _sleeps(self) -> bool:
        assert self._daemon.poll() is None, "cron has ended"
        name = Path(f"/proc/{self._daemon.pid}/comm").read_text().strip()
        return name == "cron" and Path(f"/proc/{self._daemon.pid}/syscall").read_text().split()[0] in ASLEEP


def why_not() -> str:
    """What keeps a cron daemon from being tried here; empty where nothing does."""
    if os.geteuid() != 0:
        return "a cron daemon of its own needs root"
    if not shutil.which("cron", path="/usr/sbin:/usr/bin") or not shutil.which("crontab"):
        return "cron is not installed (Debian: apt install cron)"
    if not shutil.which("cc"):
        return "no C compiler, for a clock of its own (Debian: apt install build-essential)"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, text=True
    )
    if tried.returncode:
        return f"no mount namespace is to be had: {tried.stderr.strip()}"
    if not Path("/proc/self/syscall").exists():
        return "the kernel does not tell what a process waits for"
    return ""


@contextlib.contextmanager
def running(folder: Path, begin: Moment, zone: str = "UTC", **environment: str) -> Iterator[Crond]:
    daemon = Crond(folder, begin, zone, **environment)
    try:
        yield daemon
    finally:
        daemon.stop()

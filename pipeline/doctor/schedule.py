"""Who starts the slots, and what that needs of the machine."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pipeline import config
from pipeline.doctor.finding import FAILED, OK, WARNING, Finding

DAEMONS = {"cron", "crond", "fcron", "anacron", "cronie", "supercronic", "busybox"}
FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/Library/Fonts")


def cron() -> Iterator[Finding]:
    wrapper = str(config.PROJECT / "cron" / "run.sh")
    if not shutil.which("crontab"):
        yield Finding(WARNING, "the program crontab is missing", "install cron (Debian: apt install cron)")
        return
    table = subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout
    lines = [line for line in table.splitlines() if not line.lstrip().startswith("#")]
    started = sum(wrapper.replace("%", r"\%") in line for line in lines)
    if not started:
        yield Finding(
            WARNING, "your crontab does not start cron/run.sh, so nobody polls by itself", "run: make install-cron"
        )
    elif started > 1:
        yield Finding(WARNING, f"your crontab starts cron/run.sh {started} times", "leave one line: crontab -e")
    if not _cron_runs():
        yield Finding(WARNING, "no cron daemon runs", "start it (Debian: systemctl enable --now cron)")
    elif started == 1:
        yield Finding(OK, f"starts {wrapper}, and runs")


def programs() -> Iterator[Finding]:
    if not shutil.which("flock"):
        yield Finding(
            FAILED, "flock is missing: cron/run.sh runs no slot without it", "install it (Debian: util-linux)"
        )
    if not shutil.which("curl"):
        what = "curl is missing: a pipeline that cannot even be started could not be told to Slack"
        yield Finding(WARNING, what, "install it (Debian: apt install curl)")
    if shutil.which("flock") and shutil.which("curl"):
        yield Finding(OK, "flock and curl, which cron/run.sh uses")


def fonts() -> Iterator[Finding]:
    found = [path for folder in FONTS for path in Path(folder).expanduser().rglob("*.[to]t[fc]")]
    if found:
        yield Finding(OK, f"{len(found)} for the picture of Wrapped")
    else:
        what = "none: the picture of Wrapped has Latin letters alone"
        yield Finding(WARNING, what, "Debian: apt install fonts-noto-cjk fonts-noto-color-emoji")


def _cron_runs() -> bool:
    if not Path("/proc").is_dir():
        return True  # nothing to look at, as on macOS, where launchd starts cron when there is a crontab
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() in DAEMONS:
                return True
    return False

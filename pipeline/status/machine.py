"""What the machine tells: the last run under cron, the slot to come, the disk, backups, and who else is set up."""

from __future__ import annotations

import datetime
import os
import re
import shutil
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.folders import matching
from pipeline.scheduler.choice import Refused, why_silent
from pipeline.slot import next_slot
from pipeline.status.capture import moment_of

Json = dict[str, Any]
# So much of the end of a log is read: more than a run with tracebacks writes.
TAIL = 1_000_000
ENDED = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)[^\n]{0,200}?, slot (\S+) ended with exit code (\d+)")


def machine_facts(data: Path, now: datetime.datetime) -> Json:
    slack, metabase = config.slack(), config.metabase()
    size, unreadable = _size(data)
    return {
        "last_run": _last_run(config.storage().logs),
        "next_slot_at": next_slot(now).isoformat(),
        "disk": {"data_bytes": size, "free_bytes": shutil.disk_usage(_existing(data)).free, "unreadable": unreadable},
        "last_backup_at": _last_backup(config.storage().backups),
        "notify_urls": len(config.notify_urls()),
        "slack": "webhook" if slack.webhook_url else "bot" if slack.bot_token else None,
        "metabase": metabase.url or None,
        "luigid": luigid_facts(config.environment().get("LUIGI_SCHEDULER_URL")),
    }


def _last_run(logs: Path) -> Json | None:
    """How the last slot ended that cron/run.sh has started; `succeeded_at`: when one last ended with exit code 0, as
    far as the end of its log tells."""
    for path in matching(logs, "cron-????-??.log")[:-3:-1]:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            runs = [[each.decode(errors="replace") for each in found] for found in ENDED.findall(file.read())]
        if runs:
            moment, slot, code = runs[-1]
            succeeded = next((ended for ended, _, code in reversed(runs) if code == "0"), None)
            return {
                "ended_at": moment,
                "slot": slot,
                "exit_code": int(code),
                "succeeded_at": succeeded,
                "log": str(path),
            }
    return None


def _size(data: Path) -> tuple[int, list[str]]:
    """Bytes of all files, without what is deleted meanwhile; and the folders that cannot be read."""
    total, folders = 0, [str(data)]
    unreadable = []
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
        except OSError:
            unreadable.append(folder)
    return total, unreadable


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _last_backup(folder: Path) -> str | None:
    made = [path.stat().st_mtime for path in matching(folder, "listening-history-*.tar.gz")]
    return moment_of(max(made)).isoformat() if made else None


def luigid_facts(url: str | None) -> Json | None:
    if not url:
        return None
    silence = why_silent(url)
    refuses = str(silence) if isinstance(silence, Refused) else ""
    return {"url": url, "reachable": silence is None, "refuses": refuses}

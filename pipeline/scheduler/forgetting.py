"""The task list of luigid without an account: in a luigid that runs, and in the state file of one that does not."""

from __future__ import annotations

from pathlib import Path

import luigi.configuration
import luigi.rpc

from pipeline.config import environment, naming
from pipeline.folders import matching
from pipeline.scheduler.remote import RemoteScheduler
from pipeline.scheduler.state import state_path


def forget_tasks(data: Path, account: str) -> tuple[list[str], list[str]]:
    """Returns what was removed and what is left, in words."""
    removed, left = [], []
    luigi_cfg = luigi.configuration.get_config()
    url = environment().get("LUIGI_SCHEDULER_URL") or luigi_cfg.get("core", "default-scheduler-url", "")
    if url:
        try:
            if tasks := RemoteScheduler(url, connect_timeout=3.0).forget_account(account):
                removed.append(f"the task list of luigid ({tasks} {'task' if tasks == 1 else 'tasks'})")
        except (luigi.rpc.RPCError, ValueError, TypeError) as error:
            # The text of an RPCError has the URL, which can have a password.
            cause = getattr(error, "sub_exception", None) or type(error).__name__
            left.append(f"the task list of luigid, which did not answer ({cause}): if it runs, run this command again")
    folder = state_path(data).parent
    named = naming(account)
    for path in matching(folder, "*"):  # damaged states too
        if path.is_file() and named.search(path.read_bytes()):
            path.unlink()
            removed.append(str(path.relative_to(data)))
            if not url:
                left.append(
                    f"the task list of a luigid on {data} that LUIGI_SCHEDULER_URL does not name: if it runs, stop it,"
                    " and run this command again"
                )
    return removed, left

"""Who can read the files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pipeline import config
from pipeline.doctor.finding import OK, WARNING, Finding
from pipeline.file_modes import is_open, open_paths
from pipeline.folders import matching


def permissions() -> Iterator[Finding]:
    """Files of an older version, or of a copy, can have wider modes than the umask allows."""
    settings = config.storage()
    data, umask = settings.root, settings.umask
    found = [(sorted(open_paths(data, umask)) if data.is_dir() else [], shlex.quote(str(data)))]
    # Outside the data folder, only the files of the program: LOG_DIR can be a folder of other programs too.
    for folder, pattern in ((settings.logs, "cron*"), (settings.backups, "listening-history-*")):
        if not folder.is_relative_to(data):
            paths = [path for path in matching(folder, pattern) if is_open(path, umask)]
            found.append((paths, f"{shlex.quote(str(folder))}/{pattern}"))
    is_closed = umask == 0o077
    action, change = ("read", "go=") if is_closed else ("change", "go-w")
    share = "; or share them: in luigi.cfg, [storage]: readable_by = everyone" if is_closed else ""
    for paths, where in found:
        if paths:
            files = "1 file or folder" if len(paths) == 1 else f"{len(paths):,} files and folders"
            what = f"other users can {action} {files}, e.g. {paths[0]}"
            yield Finding(WARNING, what, f"run: chmod -R {change} {where}{share}")
    if not any(paths for paths, _ in found):
        yield Finding(OK, f"{'only their owner' if is_closed else 'every user'} can read the files")

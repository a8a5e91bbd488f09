"""From an archive to a data folder, a database and a page.

Everything is unpacked beside, checked, and moved into place; a restore that was killed goes on with the same command.

    data/.restoring/data/…    unpacked, not yet in place
    data/.restoring/unpacked  digest of the manifest: all is unpacked (older versions: ready, with every path)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from pipeline import config, data_format
from pipeline.backup.allowed import allowed_mode, is_allowed
from pipeline.backup.archive import SETTINGS, Tell, check_archive, zones
from pipeline.backup.contents import candidates
from pipeline.backup.manifest import MANIFEST, ArchiveRefused, Manifest
from pipeline.backup.unpacking import chunks, read_archive
from pipeline.extract.files import account_lock, make_folder, named_lock, sync_folder, write_atomic
from pipeline.folders import walk

FOLDER = ".restoring"
PREFIX = "data/"


class FolderNotEmpty(ValueError):
    """The data folder holds something that a restore would mix up with the archive."""


def restore_files(archive: Path, data: Path, tell: Tell = lambda done, total: None) -> Manifest:
    """Put the files of the archive into the data folder, which must hold none. Returns the manifest.

    Raises ArchiveRefused, FolderNotEmpty or OSError; nothing in the folder has changed then.
    """
    manifest = check_archive(archive, tell)
    make_folder(data)
    with contextlib.ExitStack() as locks:
        # A slot that cron starts meanwhile waits for its folder.
        for account in sorted({*manifest.rows, *config.spotify().account_names}):
            locks.enter_context(account_lock(data, account))
            locks.enter_context(named_lock(data, f"history-account={account}"))
        place, ready = data / FOLDER / "data", data / FOLDER / "unpacked"
        if not (ready.exists() and ready.read_text() == manifest.digest):
            _refuse_what_is_there(data)
            shutil.rmtree(data / FOLDER, ignore_errors=True)
            _refuse_what_does_not_fit(archive, manifest, data)
            _unpack(archive, manifest, place, tell)
            write_atomic(ready, manifest.digest.encode())
        for path in sorted(place.iterdir()):
            target = data / path.name
            if target.is_dir() and path.is_dir():
                _remove_empty(target)
            path.rename(target)
        sync_folder(data)
    data_format.bring_up(data, data_format.STEPS)
    return manifest


def files_not_restored(manifest: Manifest) -> list[str]:
    """Files of the archive, relative to the data folder, that pipeline/backup/allowed.py does not list."""
    names = (name.removeprefix(PREFIX) for name in manifest.files if name.startswith(PREFIX))
    return [name for name in names if not is_allowed(name)]


def end_restore(data: Path) -> None:
    """The database is made as well: nothing is left to go on with."""
    shutil.rmtree(data / FOLDER, ignore_errors=True)


def what_differs(archive: Path, manifest: Manifest) -> list[str]:
    """Sentences on settings, outside the data folder, with which the numbers come out otherwise than in the backup."""
    said = []
    if manifest.zones != zones():
        then, now = (f"{zone} {others}".strip() for zone, others in (manifest.zones, zones()))
        said.append(f"Local days were those of {then} (LISTENER_TIMEZONE, LISTENER_TIMEZONES); here they are of {now}.")
    if (then_shortest := manifest.shortest_play_seconds) != (now_shortest := config.listener().shortest_play):
        said.append(
            f"Plays shorter than {then_shortest} s were not counted (LISTENER_SHORTEST_PLAY_SECONDS);"
            f" here those shorter than {now_shortest} s are not."
        )
    for name in SETTINGS:
        path, kept = config.PROJECT / name, manifest.files.get(f"settings/{name}")
        here = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
        if kept and kept.sha256 != here:
            said.append(
                f"{name} is another here. To take that of the backup, in {config.PROJECT}:"
                f" tar -xzf {archive.absolute()} --no-same-permissions --strip-components=1 settings/{name}"
            )
    return said


def _refuse_what_is_there(data: Path) -> None:
    there = [path for path in candidates(data) if path.name != data_format.FILE]
    if there:
        raise FolderNotEmpty(
            f"{data} holds {len(there):,} files already, e.g. {there[0].relative_to(data)}; nothing was changed."
            " A backup is restored into a folder without any. Stop cron, move what is there away, for instance"
            f" mv {data} {data}.before, and run the same command again; docs/backup.md says how plays that were"
            " captured since the backup come back from there"
        )


def _unpack(archive: Path, manifest: Manifest, place: Path, tell: Tell) -> None:
    make_folder(place)
    folders = {place}
    for number, (name, _, content) in enumerate(read_archive(archive)):
        tell(number, len(manifest.files))
        relative = name.removeprefix(PREFIX)
        if name == MANIFEST or relative == name or not is_allowed(relative):
            continue
        kept = manifest.files.get(name)
        if kept is None:
            raise _changed(archive)
        path = place / relative
        if path.parent not in folders:
            make_folder(path.parent)
            folders.add(path.parent)
        mode = allowed_mode(relative, kept.mode)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            digest = hashlib.sha256()
            for chunk in chunks(content):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != kept.sha256:
            raise _changed(archive)
        # As before to the nanosecond: by it an import knows that its partitions are as it left them.
        os.utime(path, ns=(kept.modified_ns, kept.modified_ns))
    os.sync()  # once for all


def _changed(archive: Path) -> ArchiveRefused:
    return ArchiveRefused(f"{archive} has changed while it was read. Nothing was changed; run it again")


def _refuse_what_does_not_fit(archive: Path, manifest: Manifest, data: Path) -> None:
    free = shutil.disk_usage(data).free
    if manifest.size > free:
        raise ArchiveRefused(
            f"{archive} does not fit: its files have {manifest.size:,} bytes, and {free:,} are free under {data}."
            " Nothing was changed; make room, or set DATA_DIR to another disk"
        )


def _remove_empty(folder: Path) -> None:
    """A folder without files, so that one of its name can take its place. Raises OSError where there is one."""
    for each, _, _ in reversed(list(walk(folder))):
        Path(each).rmdir()

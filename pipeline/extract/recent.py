"""ExtractRecent: one poll of the last 50 plays, kept and merged into the day partitions."""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
from pathlib import Path

import luigi

from pipeline import config
from pipeline.extract import raw
from pipeline.extract.answers import utc_now
from pipeline.extract.errors import PartitionDamaged, SlotInFuture, UnexpectedAnswer
from pipeline.extract.files import account_lock, remove_torn, write_atomic
from pipeline.extract.partitions import MergedPartition, holds_older_plays, identity, merge_plays
from pipeline.extract.plays import Play, parse_page
from pipeline.extract.spotify import PAGE, SpotifyClient
from pipeline.slot import SlotTask

logger = logging.getLogger("luigi-interface")


class ExtractRecent(SlotTask):
    """Asks Spotify for the last 50 plays; keeps the answer; adds what is new to the day partitions.

    The slot names this run, not a window of time: a past slot polls what Spotify has now. The target says when the
    poll really happened and which partitions it touched.
    """

    def output(self) -> luigi.LocalTarget:
        data = config.storage().root
        folder = data / "polls" / f"account={self.account}" / f"{self.run_at:%Y/%m}"
        return luigi.LocalTarget(folder / f"{self.slot}.json")

    def run(self) -> None:
        if self.run_at.replace(tzinfo=datetime.UTC) > utc_now():
            raise SlotInFuture(f"slot {self.slot} (UTC) is in the future: there is nothing to poll yet")
        data, target = config.storage().root, Path(self.output().path)
        with account_lock(data, self.account):
            if target.exists():
                return  # a run of the same slot has done it while this one waited for the lock
            remove_torn(target.parent)
            polled = poll_recent(SpotifyClient(config.spotify(), data, self.account), data, self.account)
            poll = {"slot": f"{self.run_at:%Y-%m-%dT%H:%MZ}", "account": self.account, **polled}
            write_atomic(target, (json.dumps(poll, indent=1) + "\n").encode())
            # Only now: a response stays pending until a poll's target has named its partitions.
            for path in raw.pending(data, self.account):
                raw.archive(path)


@dataclasses.dataclass(frozen=True)
class MergedResponse:
    """What one kept response came to. `overlap`: whether it holds a play that was known before; None without a past."""

    path: Path
    plays: list[Play]
    skipped: list[dict[str, object]]
    partitions: list[MergedPartition]
    overlap: bool | None

    @property
    def items(self) -> int:
        return len(self.plays) + len(self.skipped)

    @property
    def new(self) -> int:
        return sum(partition.rows_added for partition in self.partitions)

    def record(self, data: Path) -> dict[str, object]:
        moments = [play["played_at_utc"] for play in self.plays]
        return {
            "fetched_at": raw.fetched_at(self.path).isoformat(),
            "raw": str(raw.merged_path(self.path).relative_to(data)),
            "items": self.items,
            "new_plays": self.new,
            "oldest": min(moments, default=None),
            "newest": max(moments, default=None),
            "overlap": self.overlap,
            "skipped": self.skipped,
            "partitions": [dataclasses.asdict(partition) for partition in self.partitions],
        }


def poll_recent(client: SpotifyClient, data: Path, account: str) -> dict[str, object]:
    """Fetch, keep, merge; also merges what earlier runs left pending. Returns the poll's record.

    Raises SpotifyError, PartitionDamaged: after everything that can be merged has been. Once Spotify has answered, the
    answer is on disk whatever happens next.
    """
    answer = raw.write_pending(data, account, client.fetch_recently_played(), utc_now())
    merged: dict[Path, MergedResponse] = {}
    failure: Exception | None = None
    for path in raw.pending(data, account):
        try:
            merged[path] = _merge(path, data, account)
        except (UnexpectedAnswer, PartitionDamaged) as error:
            failure = failure or error
    if failure:
        raise failure
    page = merged.pop(answer)
    logger.info("%s: %d plays returned, %d new, %d passed over", account, page.items, page.new, len(page.skipped))
    return {**page.record(data), "recovered": [response.record(data) for response in merged.values()]}


def _merge(path: Path, data: Path, account: str) -> MergedResponse:
    try:
        plays, skipped = parse_page(raw.read(path), account, raw.fetched_at(path))
    except UnexpectedAnswer as error:
        kept = raw.reject(path)
        raise UnexpectedAnswer(f"{error}. The answer is kept in {kept}; the next slot asks again") from error
    for item in skipped:
        logger.info("%s: item %s passed over: %s", path.name, item["item"], item["reason"])
    partitions = merge_plays(data, account, plays)
    added = sum(partition.rows_added for partition in partitions)
    overlap: bool | None = added < len({identity(play) for play in plays})
    if not overlap and not (plays and holds_older_plays(data, account, partitions)):
        overlap = None
    if overlap is False and len(plays) + len(skipped) >= PAGE:
        logger.warning("%s: %s holds no play that was known before; older ones may be lost", account, path.name)
    return MergedResponse(path, plays, skipped, partitions, overlap)

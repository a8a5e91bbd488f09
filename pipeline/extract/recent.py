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
from pipeline.extract.errors import SlotInFuture, UnexpectedAnswer
from pipeline.extract.files import account_lock, remove_torn, write_atomic
from pipeline.extract.partitions import MergedPartition, any_partition, merge_plays
from pipeline.extract.plays import Play, parse_page
from pipeline.extract.spotify import PAGE, SpotifyClient, utc_now

logger = logging.getLogger("luigi-interface")


class ExtractRecent(luigi.Task):
    """Asks Spotify for the last 50 plays; keeps the answer; adds what is new to the day partitions.

    The slot names this run, not a window of time: a past slot polls what Spotify has now. The target says when the
    poll really happened and which partitions it touched.
    """

    run_at: datetime.datetime = luigi.DateMinuteParameter(interval=30, description="Slot, UTC: 2026-11-22T1430")
    account: str = config.AccountParameter(default="me", description="Whose history.")

    def output(self) -> luigi.LocalTarget:
        data = config.storage().root
        slot = f"{self.run_at:%Y-%m-%dT%H%M}"
        return luigi.LocalTarget(data / "polls" / f"account={self.account}" / f"{self.run_at:%Y/%m}" / f"{slot}.json")

    def run(self) -> None:
        if self.run_at.replace(tzinfo=datetime.UTC) > utc_now():
            raise SlotInFuture(f"slot {self.run_at:%Y-%m-%dT%H%M} (UTC) is in the future: there is nothing to poll yet")
        data, target = config.storage().root, Path(self.output().path)
        with account_lock(data, self.account):
            remove_torn(target.parent)
            client = SpotifyClient(config.spotify(), data, self.account)
            poll = poll_recent(client, data, self.account)
            poll = {"slot": f"{self.run_at:%Y-%m-%dT%H:%MZ}", **poll}
            write_atomic(target, (json.dumps(poll, indent=1) + "\n").encode())
            # Only now: a response stays pending until a poll's target has named its partitions.
            for path in raw.pending(data, self.account):
                raw.archive(path)
        self.set_status_message(f"{poll['new_plays']} new of {poll['items']} plays")  # type: ignore[misc]


def poll_recent(client: SpotifyClient, data: Path, account: str) -> dict[str, object]:
    """Fetch, keep, merge; also merges what earlier runs left pending. Returns the poll's record.

    Raises SpotifyError, PartitionDamaged. Once Spotify has answered, the answer is on disk whatever happens next.
    """
    any_before = any_partition(data, account)
    answer = raw.write_pending(data, account, client.fetch_recently_played(), utc_now())
    earlier = [_merge(path, data, account) for path in raw.pending(data, account) if path != answer]
    page = _merge(answer, data, account)
    logger.info("%s: %d plays returned, %d new, %d passed over", account, page.items, page.new, len(page.skipped))
    overlap = page.new < page.items if any_before else None
    if overlap is False and page.items >= PAGE:
        logger.warning("%s: none of the %d plays was known before; older ones may be lost", account, page.items)
    return {
        "account": account,
        "fetched_at": raw.fetched_at(answer).isoformat(),
        "raw": str(raw.merged_path(answer).relative_to(data)),
        "items": page.items,
        "new_plays": page.new,
        "recovered_plays": sum(merged.new for merged in earlier),
        "oldest": min((play["played_at_utc"] for play in page.plays), default=None),
        "newest": max((play["played_at_utc"] for play in page.plays), default=None),
        "overlap": overlap,
        "skipped": page.skipped,
        "partitions": [dataclasses.asdict(partition) for merged in [*earlier, page] for partition in merged.partitions],
    }


@dataclasses.dataclass(frozen=True)
class MergedResponse:
    """What one kept response came to."""

    plays: list[Play]
    skipped: list[dict[str, object]]
    partitions: list[MergedPartition]

    @property
    def items(self) -> int:
        return len(self.plays) + len(self.skipped)

    @property
    def new(self) -> int:
        return sum(partition.rows_added for partition in self.partitions)


def _merge(path: Path, data: Path, account: str) -> MergedResponse:
    try:
        plays, skipped = parse_page(raw.read(path), account, raw.fetched_at(path))
    except UnexpectedAnswer as error:
        kept = raw.reject(path)
        raise UnexpectedAnswer(f"{error}. The answer is kept in {kept}; the next slot asks again") from error
    for item in skipped:
        logger.info("%s: item %s passed over: %s", path.name, item["item"], item["reason"])
    return MergedResponse(plays, skipped, merge_plays(data, account, plays))

"""One poll: fetch the last 50 plays, keep the answer, merge it into the day partitions. Knows nothing of Luigi."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pipeline.extract import raw
from pipeline.extract.answers import utc_now
from pipeline.extract.datasets import PLAYS, Identity
from pipeline.extract.errors import PartitionDamaged, UnexpectedAnswer
from pipeline.extract.partitions import (
    MergedPartition,
    holds_older_rows,
    merge_rows,
    partition_path,
    read_partition,
)
from pipeline.extract.plays import OTHER_KIND, Play, parse_page
from pipeline.extract.records import Record, slot_of
from pipeline.extract.spotify import PAGE, SpotifyClient
from pipeline.extract.values import format_moment
from pipeline.slot import slots_due

logger = logging.getLogger("luigi-interface")
# One slot is soon missed, by a restart for instance.
FEWEST_SLOTS_TOLD = 2
MOST_SLOTS_COUNTED = 35 * 14


@dataclasses.dataclass(frozen=True)
class MergedResponse:
    """What one kept response came to.

    `overlap`: whether it holds a play that was known before; None without a past. `late_from`: the oldest play that is
    new though a younger one was known, and so has come late.
    """

    path: Path
    plays: list[Play]
    skipped: list[dict[str, object]]
    partitions: list[MergedPartition]
    overlap: bool | None
    late_from: str | None

    @property
    def items(self) -> int:
        return len(self.plays) + len(self.skipped)

    @property
    def new(self) -> int:
        return sum(partition.rows_added for partition in self.partitions)

    def record(self, data: Path) -> Record:
        moments = [play["played_at_utc"] for play in self.plays]
        fetched_at = raw.fetched_at(self.path)
        return {
            "slot": slot_of(fetched_at),
            "outcome": "polled",
            "fetched_at": fetched_at.isoformat(),
            "raw": str(raw.merged_path(self.path).relative_to(data)),
            "items": self.items,
            "new_plays": self.new,
            "oldest": min(moments, default=None),
            "newest": max(moments, default=None),
            "overlap": self.overlap,
            "late_from": self.late_from,
            "skipped": self.skipped,
            "unreadable": sum(not _is_other_kind(entry) for entry in self.skipped),
            "partitions": [
                {"path": partition.path, "rows_added": partition.rows_added, "rows": partition.rows}
                for partition in self.partitions
            ],
        }


def poll_recent(client: SpotifyClient, data: Path, account: str) -> Record:
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
    recovered = [response.record(data) for response in merged.values()]
    return {**page.record(data), "calls": client.calls, "recovered": recovered}


def describe_silence(before: Record | None, now: datetime.datetime) -> list[str]:
    """A sentence where slots were due since the attempt `before`, and none tried to poll."""
    if before is None:
        return []
    last = datetime.datetime.fromisoformat(before["fetched_at"])
    missed = slots_due(now, MOST_SLOTS_COUNTED, since=last)[1:]
    if len(missed) < FEWEST_SLOTS_TOLD:
        return []
    number = f"{len(missed)}" if len(missed) < MOST_SLOTS_COUNTED - 1 else f"{len(missed)} or more"
    return [
        f"No poll was tried from {last:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC, though {number} slots were due: the"
        " machine was off or asleep, cron did not run, or the pipeline could not be started. What Spotify still knew"
        " has been caught up"
    ]


def count_new_unreadable(record: Record, before: Record | None) -> None:
    """Set `new_unreadable` of each page of the record: its unreadable entries that the page before it does not hold.

    The entries are compared, not their numbers: a new one can take the place of one that has left the window. `before`:
    the latest record until now; records of version 0.9 and older do not name the entries.
    """
    for page in (*record["recovered"], record):
        known = _unreadable_entries(before) if before else Counter()
        if None in known or (before and not known):
            new = page["unreadable"] - (before.get("unreadable") or 0 if before else 0)
        else:
            new = (_unreadable_entries(page) - known).total()
        page["new_unreadable"] = max(0, new)
        before = page


def _unreadable_entries(page: Record) -> Counter[str | None]:
    return Counter(entry.get("entry") for entry in page["skipped"] if not _is_other_kind(entry))


def _is_other_kind(entry: Mapping[str, object]) -> bool:
    return str(entry["reason"]).startswith(OTHER_KIND)


def describe_gaps(record: Record) -> list[str]:
    """A sentence for each page of the record that holds no play which was known before, or new entries that cannot be
    read."""
    sentences = []
    for page in (*record["recovered"], record):
        if page["new_unreadable"]:
            reasons = sorted({str(entry["reason"]) for entry in page["skipped"] if not _is_other_kind(entry)})
            sentences.append(
                f"{page['unreadable']} of the {page['items']} entries that Spotify returned cannot be read as plays"
                f" ({'; '.join(reasons)}) and are missing from the history; {page['new_unreadable']} of them are new."
                f" The answer is kept in {page['raw']}"
            )
        if page["overlap"] is False:
            full = page["items"] >= PAGE
            sentences.append(
                f"The page of {page['fetched_at'][:16]} holds no play that was known before; older ones"
                f" {'may be' if full else 'could be'} lost: before {page['oldest']},"
                f" {'Spotify keeps only the last 50' if full else 'and the page was short, which proves nothing'}."
                " Your data export can fill the gap"
            )
    return sentences


def _merge(path: Path, data: Path, account: str) -> MergedResponse:
    try:
        plays, skipped = parse_page(raw.read(path), account, raw.fetched_at(path))
    except UnexpectedAnswer as error:
        kept = raw.reject(path)
        raise UnexpectedAnswer(f"{error}. The answer is kept in {kept}; the next slot asks again") from error
    for item in skipped:
        logger.info("%s: item %s passed over: %s", path.name, item["item"], item["reason"])
    return _response(path, plays, skipped, merge_rows(PLAYS, data, account, plays), data, account)


def reread_page(path: Path, data: Path, account: str) -> Record:
    """The record of an archived page, from its response and the partitions, in which each row bears the moment of the
    response that brought it. Changes nothing. Raises UnexpectedAnswer, PartitionDamaged.
    """
    fetched_at = raw.fetched_at(path)
    plays, skipped = parse_page(raw.read(path), account, fetched_at)
    partitions = []
    for date in sorted({play[PLAYS.date] for play in plays}):
        partition = partition_path(PLAYS, data, account, date)
        rows = read_partition(PLAYS, partition) if partition.exists() else []
        earlier = {PLAYS.identity(row) for row in rows if row[PLAYS.captured] != format_moment(fetched_at)}
        added = frozenset({PLAYS.identity(play) for play in plays if play[PLAYS.date] == date} - earlier)
        partitions.append(MergedPartition(str(partition.relative_to(data)), len(added), len(rows), 0, added))
    record = _response(path, plays, skipped, partitions, data, account).record(data)
    return {**record, "raw": str(path.relative_to(data))}


def _response(
    path: Path,
    plays: list[Play],
    skipped: list[dict[str, object]],
    partitions: list[MergedPartition],
    data: Path,
    account: str,
) -> MergedResponse:
    added: set[Identity] = set().union(*(partition.added for partition in partitions))
    known = {PLAYS.identity(play) for play in plays} - added
    overlap: bool | None = bool(known)
    if not overlap and not (plays and holds_older_rows(PLAYS, data, account, partitions)):
        overlap = None
    newest_known = max((identity[0] for identity in known), default=None)
    late = [identity[0] for identity in added if newest_known and identity[0] < newest_known]
    late_from = format_moment(min(late)) if late else None
    return MergedResponse(path, plays, skipped, partitions, overlap, late_from)

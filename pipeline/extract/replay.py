"""The kept answers once more: what a partition has lost, by a backup that was older for instance, comes back."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.extract import raw
from pipeline.extract.datasets import PLAYS, Row
from pipeline.extract.errors import UnexpectedAnswer
from pipeline.extract.files import account_lock
from pipeline.extract.partitions import merge_rows
from pipeline.extract.plays import parse_page

logger = logging.getLogger("luigi-interface")


def replay_responses(data: Path, account: str) -> int:
    """Merge every archived answer of the account, oldest first. Returns how many plays its partitions have gained.

    A play keeps the moment of the answer that brought it first. Raises PartitionDamaged, after all else is merged.
    """
    plays: dict[tuple[object, ...], Row] = {}
    with account_lock(data, account):
        for path in raw.archived(data, account):
            try:
                page, _ = parse_page(raw.read(path), account, raw.fetched_at(path))
            except UnexpectedAnswer as error:
                logger.warning("%s: passed over: %s", account, error)
                continue
            for play in page:
                plays.setdefault(PLAYS.identity(play), play)
        return sum(partition.rows_gained for partition in merge_rows(PLAYS, data, account, plays.values()))

"""What the files tell of an account: polls, plays, answers that wait, the page, consent."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from pipeline.extract import raw
from pipeline.extract.datasets import HISTORY, PLAYS, Dataset
from pipeline.extract.errors import PartitionDamaged, TokenStoreError
from pipeline.extract.partitions import list_partitions, read_partition
from pipeline.extract.pause import current_pause
from pipeline.extract.plays import CLOCKS_DIFFER
from pipeline.extract.records import latest_records, outcome
from pipeline.extract.tokens import load_tokens
from pipeline.folders import matching
from pipeline.visualize.render import page_path

Json = dict[str, Any]


def capture_facts(data: Path, account: str, now: datetime.datetime) -> Json:
    return {**_polls(data, account, now), **_answers(data, account), **_consent(data, account, now)}


def _polls(data: Path, account: str, now: datetime.datetime) -> Json:
    attempt, polled = latest_records(data, account, now)
    return {
        "last_attempt_at": attempt and attempt["fetched_at"],
        "last_attempt": outcome(attempt),
        "last_attempt_reason": (attempt or {}).get("reason") or None,
        "last_poll_at": polled and polled["fetched_at"],
        "lag_minutes": polled
        and int((now - datetime.datetime.fromisoformat(polled["fetched_at"])).total_seconds() // 60),
        "last_poll_items": polled and polled["items"],
        "last_poll_new_plays": polled and polled["new_plays"],
        **_last_play(data, account, now),
    }


def _last_play(data: Path, account: str, now: datetime.datetime) -> Json:
    """The newest play, polled or imported; `damage`: of a partition that had to be read for it."""
    last: list[str] = []
    damage: str | None = None
    for dataset in (PLAYS, HISTORY):
        try:
            last += _last_of(dataset, data, account, now)
        except PartitionDamaged as error:
            damage = damage or str(error)
    newest = max(last, key=datetime.datetime.fromisoformat, default=None)
    return {"last_play_at": None if damage else newest, "damage": damage}


def _last_of(dataset: Dataset, data: Path, account: str, now: datetime.datetime) -> list[str]:
    """The moment of the newest row; none without rows. Rows in the future, which older versions of the program let in,
    are no plays; clocks may differ by a day. Raises PartitionDamaged."""
    limit = now + CLOCKS_DIFFER
    for path in reversed(list_partitions(dataset, data, account)):
        if path.stem > limit.date().isoformat():
            continue
        moments = [row[dataset.moment] for row in read_partition(dataset, path)]
        if known := [moment for moment in moments if datetime.datetime.fromisoformat(moment) <= limit]:
            return known[-1:]
    return []


def _answers(data: Path, account: str) -> Json:
    """Answers of Spotify's that are not in the partitions yet, or cannot come in; when the page was made."""
    folder, page = raw.folder(data, account), page_path(data, account)
    waiting, rejected = (
        [path for path in matching(folder / name, f"[!.]*{raw.SUFFIX}") if raw.is_response(path)]
        for name in ("pending", "rejected")
    )
    return {
        "pending_answers": len(waiting),
        "pending_since": raw.fetched_at(waiting[0]).isoformat() if waiting else None,
        "rejected_answers": len(rejected),
        "rejected_at": raw.fetched_at(rejected[-1]).isoformat() if rejected else None,
        "page_made_at": moment_of(page.stat().st_mtime).isoformat() if page.exists() else None,
    }


def moment_of(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


def _consent(data: Path, account: str, now: datetime.datetime) -> Json:
    consent: Json = {"consent": "none", "consent_ends_at": None, "token_days_left": None}
    try:
        tokens = load_tokens(data, account)
        if tokens:
            consent["consent"] = "ended" if tokens.ended else "given"
            consent["consent_ends_at"] = tokens.consent_ends_at.isoformat()
            consent["token_days_left"] = tokens.days_left(now)
    except TokenStoreError as error:
        consent["consent"] = str(error)
    pause = current_pause(data, account, now)
    return {**consent, "paused_until": pause and pause.ends_at.isoformat(), "pause_reason": pause and pause.reason}

"""Messages on their way to Slack: kept until it has taken them.

data/alerts/outbox/<moment>.json   text, account ("" for all), not_before ("" or ISO 8601, UTC)
data/alerts/outbox/<moment>.png    a picture that goes with it
"""

from __future__ import annotations

import datetime
import json
import logging
from pathlib import Path

from pipeline.alerts.slack import NotTaken, post, wants_to_be_told
from pipeline.config import naming
from pipeline.extract.files import named_lock, write_atomic

logger = logging.getLogger("luigi-interface")
# Whoever comes back after longer than this reads `python -m pipeline status`, not a hundred messages.
MOST_KEPT = 100


def outbox(data: Path) -> Path:
    return data / "alerts" / "outbox"


def put_message(data: Path, text: str, now: datetime.datetime, account: str = "", picture: bytes | None = None) -> None:
    path = outbox(data) / f"{now:%Y%m%dT%H%M%S.%fZ}.json"
    if picture:
        write_atomic(path.with_suffix(".png"), picture)
    write_atomic(path, _body(text, account, ""))


def send_messages(data: Path, now: datetime.datetime) -> None:
    """Send what is kept, the oldest first, until Slack does not take one; that and the rest stay for the next run."""
    if not wants_to_be_told() or not any(outbox(data).glob("*.json")):
        return
    with named_lock(data, "outbox").acquire(timeout=1):  # else another run is at it
        paths = sorted(outbox(data).glob("*.json"))
        for path in paths[:-MOST_KEPT]:
            logger.error("Slack has taken no message for long; %s is dropped", path.name)
            _remove(path)
        for path in paths[-MOST_KEPT:]:
            message = json.loads(path.read_bytes())
            if message["not_before"] and datetime.datetime.fromisoformat(message["not_before"]) > now:
                return
            picture = path.with_suffix(".png")
            try:
                post(message["text"], picture.read_bytes() if picture.exists() else None)
            except NotTaken as refusal:
                logger.error("%s", refusal)
                if not refusal.is_hopeless:
                    if refusal.wait:
                        until = now + refusal.wait
                        write_atomic(path, _body(message["text"], message["account"], until.isoformat()))
                    return
            _remove(path)


def forget_messages(data: Path, account: str) -> int:
    """Drop messages of the account, or that name it, of those not sent yet; returns how many."""
    paths = []
    for path in outbox(data).glob("*.json"):
        message = json.loads(path.read_bytes())
        if message["account"] == account or naming(account).search(message["text"].encode()):
            paths.append(path)
    for path in paths:
        _remove(path)
    return len(paths)


def _body(text: str, account: str, not_before: str) -> bytes:
    return json.dumps({"text": text, "account": account, "not_before": not_before}, indent=1).encode()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".png").unlink(missing_ok=True)

"""Messages on their way to Slack and other services: each service has its own queue, and none waits for another.

data/alerts/outbox/<moment>.json             for Slack: text, account ("" for all), not_before ("" or ISO 8601, UTC)
data/alerts/outbox/<moment>.png              a picture that goes with it
data/alerts/outbox/<service>/<moment>.json   the same for a URL in NOTIFY_URLS
"""

from __future__ import annotations

import datetime
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline import config
from pipeline.alerts.services import Service, services
from pipeline.alerts.slack import NotTaken
from pipeline.config import naming
from pipeline.extract.files import named_lock, write_atomic
from pipeline.folders import matching
from pipeline.state_files import SUFFIX, json_object, moment, read_state, typed

logger = logging.getLogger("luigi-interface")
# Whoever comes back after longer than this reads `python -m pipeline status`, not a hundred messages.
MOST_KEPT = 100
# Slack never asks for a longer wait (slack.py); a later moment is of a clock that was wrong, or of a damaged file.
LONGEST_WAIT = datetime.timedelta(days=1, minutes=5)


@dataclass(frozen=True)
class Message:
    text: str
    account: str
    not_before: str

    def waits_at(self, now: datetime.datetime) -> bool:
        return bool(self.not_before) and now < moment(self.not_before) <= now + LONGEST_WAIT


def outbox(data: Path) -> Path:
    return data / "alerts" / "outbox"


def put_message(data: Path, text: str, now: datetime.datetime, account: str = "", picture: bytes | None = None) -> None:
    for service in services():
        path = outbox(data) / service.name / f"{now:%Y%m%dT%H%M%S.%fZ}.json"
        if picture:
            write_atomic(path.with_suffix(".png"), picture)
        write_atomic(path, _body(config.scrub(text), account, ""))


def send_messages(data: Path, now: datetime.datetime) -> None:
    """Send what is kept, the oldest first, until the service does not take one; that and the rest stay for the next
    run. What a service that is no longer in the settings has not taken is dropped."""
    found = services()
    if not found or not _kept(data):
        return
    with named_lock(data, "outbox").acquire(timeout=1):  # else another run is at it
        for service in found:
            _send(data, service, now)
        names = {service.name for service in found}
        for path in _kept(data):
            if path.parent != outbox(data) and path.parent.name not in names:
                _remove(path)


def _kept(data: Path) -> list[Path]:
    return [*matching(outbox(data), "*.json"), *matching(outbox(data), "*/*.json")]


def _send(data: Path, service: Service, now: datetime.datetime) -> None:
    paths = matching(outbox(data) / service.name, "*.json")
    for path in paths[:-MOST_KEPT]:
        logger.error("%s has taken no message for long; %s is dropped", service.name or "Slack", path.name)
        _remove(path)
    for path in paths[-MOST_KEPT:]:
        message = _read(data, path)
        if message is None:
            continue  # damaged, or unreadable: the messages behind it do not wait
        if message.waits_at(now):
            return
        try:
            service.post(message.text, _picture(data, path))
        except NotTaken as refusal:
            logger.error("%s", refusal)
            if not refusal.is_hopeless:
                if refusal.wait:
                    until = now + refusal.wait
                    write_atomic(path, _body(message.text, message.account, until.isoformat()))
                return
        _remove(path)


def forget_messages(data: Path, account: str) -> int:
    """Drop messages of the account, or that name it, of those not sent yet; returns how many."""
    paths = []
    for path in _kept(data):
        message = read_state(data, path, parse_message)
        if message and (message.account == account or naming(account).search(message.text.encode())):
            paths.append(path)
    for path in paths:
        _remove(path)
    # What is damaged cannot tell whose it is.
    patterns = (f"*.json*{SUFFIX}", f"*/*.json*{SUFFIX}")
    damaged = [path for pattern in patterns for path in matching(outbox(data), pattern) if path.is_file()]
    for path in damaged:
        path.unlink()
        path.with_name(f"{path.name.partition('.json')[0]}.png").unlink(missing_ok=True)
    return len(paths) + len(damaged)


def parse_message(content: bytes) -> Message:
    """Raises ValueError, TypeError."""
    message = typed(Message, json_object(content))
    if message.not_before:
        moment(message.not_before)
    return message


def _read(data: Path, path: Path) -> Message | None:
    try:
        return read_state(data, path, parse_message)
    except OSError as error:
        logger.error("%s cannot be read (%s): it is skipped. Make the file readable (chown)", path, error.strerror)
        return None


def _picture(data: Path, path: Path) -> bytes | None:
    """A picture that cannot be read does not keep its message back."""
    picture = path.with_suffix(".png")
    try:
        return read_state(data, picture, bytes)
    except OSError as error:
        logger.error("%s cannot be read (%s): its message is sent without it", picture, error.strerror)
        return None


def _body(text: str, account: str, not_before: str) -> bytes:
    return json.dumps({"text": text, "account": account, "not_before": not_before}, indent=1).encode()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".png").unlink(missing_ok=True)

"""Where messages go: Slack, and each URL in NOTIFY_URLS, with the library apprise.

apprise is imported only when a message is sent to such a URL. https://appriseit.com/services lists the forms of a URL.
"""

from __future__ import annotations

import hashlib
import html
import logging
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import config
from pipeline.alerts import slack

LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)>")
SUBJECT = "Listening history"


@dataclass(frozen=True)
class Service:
    """`name`: its folder in the outbox, "" for Slack. `post`: sends a text and perhaps a PNG; raises NotTaken."""

    name: str
    post: Callable[[str, bytes | None], None]


def services() -> list[Service]:
    """The services in the settings now. A URL is a secret, so that the name of its folder is a digest of it."""
    found = [Service("", slack.post)] if slack.wants_to_be_told() else []
    for number, url in enumerate(config.notify_urls(), 1):
        found.append(Service(hashlib.sha256(url.encode()).hexdigest()[:16], _poster(url, number)))
    return found


def wants_to_be_told() -> bool:
    return bool(services())


def tell(text: str) -> bool:
    """Send one message to every service now. True if all of them took it, or there is none; never raises."""
    try:
        outcomes = [_is_taken(service, text) for service in services()]
    except config.SettingError as error:
        slack.logger.error("no message can be sent: %s", error)
        return False
    return all(outcomes)


def _is_taken(service: Service, text: str) -> bool:
    try:
        service.post(text, None)
    except (slack.NotTaken, config.SettingError) as refusal:
        slack.logger.error("%s", refusal)
        return False
    return True


def _poster(url: str, number: int) -> Callable[[str, bytes | None], None]:
    def post(text: str, picture: bytes | None) -> None:
        what = f"URL number {number} of NOTIFY_URLS"
        try:
            with slack.time_limit(slack.MOST_WAITS * config.slack().timeout):
                taken = _notify(url, plain(slack.scrub(text)), picture)
        except Exception as error:
            # By type alone: the text of the error can hold the URL, which is a secret.
            raise slack.NotTaken(f"{what} could not be reached: {type(error).__name__}. The message is kept") from None
        if taken is None:
            raise slack.NotTaken(f"{what} has a form that apprise does not know. Correct it; the message is kept")
        if not taken:
            raise slack.NotTaken(f"{what} did not take the message. It is kept and sent later. Check that URL")

    return post


def _notify(url: str, text: str, picture: bytes | None) -> bool | None:
    """Whether the service took the message; None for a URL of an unknown form."""
    from apprise import Apprise, AppriseAsset, NotifyFormat

    # What it logs about a failure holds parts of the URL.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = AppriseAsset(app_id=SUBJECT, app_desc=SUBJECT, app_url="", async_mode=False)
    recipient = Apprise(asset=asset)
    if not recipient.add(url):
        return None
    with tempfile.TemporaryDirectory() as folder:
        attachment = None
        if picture:
            attachment = Path(folder) / "wrapped.png"
            attachment.write_bytes(picture)
        taken = recipient.notify(
            body=text, title=SUBJECT, body_format=NotifyFormat.TEXT, attach=attachment and str(attachment)
        )
    return bool(taken)


def plain(text: str) -> str:
    """Slack's markup as plain text: links written out, and &, < and > no longer escaped."""
    return html.unescape(LINK.sub(r"\2: \1", text))

"""One message to Slack, by webhook or bot token. slack-sdk is imported only when there is something to say.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, …/reference/methods/chat.postMessage
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from pipeline import config

logger = logging.getLogger("luigi-interface")
CHECK = "Check SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
# So many calls that take as long as one may are all that a message gets.
MOST_WAITS = 3
# Words of Slack's for a message that it will never take; anything else can be mended in its settings or in ours.
HOPELESS = {"no_text", "msg_too_long", "invalid_blocks", "invalid_payload"}


class NotTaken(Exception):
    """Slack has not taken a message. `wait`: how long it wants to be left alone; `is_hopeless`: it never will."""

    def __init__(self, reason: str, wait: datetime.timedelta | None = None, is_hopeless: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.is_hopeless = wait, is_hopeless


def wants_to_be_told() -> bool:
    settings = config.slack()
    return bool(settings.webhook_url or settings.bot_token)


def post(text: str, picture: bytes | None = None) -> None:
    """Send `text`, and by bot token the PNG `picture` after it. Raises NotTaken."""
    settings, scrubbed = config.slack(), scrub(text)
    try:
        settings.check_address()
        with time_limit(MOST_WAITS * settings.timeout):
            if settings.webhook_url:
                _by_webhook(settings.webhook_url, scrubbed, settings.timeout)
            else:
                _by_bot(settings, scrubbed, picture)
    except NotTaken:
        raise
    except config.SettingError as error:
        raise NotTaken(f"Slack could not be told: {error}") from None
    except Exception as error:
        # By type alone: the text of the error can hold the webhook's address, which is a secret.
        raise NotTaken(f"Slack could not be told: {type(error).__name__}. {CHECK}") from None


def scrub(text: str) -> str:
    """`text` without any secret that is set now, the name of the home folder, or a mail address."""
    text = config.scrub(text)
    with contextlib.suppress(RuntimeError):  # a user without a home
        home = str(Path.home())
        text = text.replace(home, "~") if len(home) > 1 else text
    return ADDRESS.sub("***", text)


def _by_webhook(url: str, text: str, timeout: int) -> None:
    from pipeline.alerts.slack_clients import WebhookClient

    answer = WebhookClient(url, timeout=timeout).send(text=text)
    if answer.status_code != 200:
        raise _refused(answer.status_code, answer.body.strip(), answer.headers)


def _by_bot(settings: config.slack, text: str, picture: bytes | None) -> None:
    from slack_sdk.errors import SlackApiError

    from pipeline.alerts.slack_clients import WebClient

    client = WebClient(settings.bot_token, base_url=settings.api_url, timeout=settings.timeout)
    try:
        # unfurl: no previews of addresses.
        sent = client.chat_postMessage(channel=settings.channel, text=text, unfurl_links=False)
    except SlackApiError as error:
        answer: Any = error.response
        words = answer.get("error", "") if isinstance(answer.data, dict) else ""
        raise _refused(answer.status_code, words, answer.headers) from None
    if picture:
        try:
            client.files_upload_v2(channel=str(sent["channel"]), content=picture, filename="wrapped.png")
        except Exception as error:
            # The message itself has arrived: not again for the picture's sake.
            logger.warning("Slack took the message but not its picture: %s", type(error).__name__)


def _refused(status: int, words: str, headers: Any) -> NotTaken:
    if status == 429:
        seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "60")
        value = seconds[0] if isinstance(seconds, list) else seconds
        wait = datetime.timedelta(seconds=min(int(value), 86_400) if str(value).isdecimal() else 60)
        return NotTaken(f"Slack did not take the message: status 429, asked again in {wait}", wait)
    is_hopeless = words in HOPELESS
    known = f" ({config.scrub(words)})" if re.fullmatch("[a-z_]{1,40}", words) else ""
    todo = "It is dropped" if is_hopeless else f"It is kept and sent later. {CHECK}"
    return NotTaken(f"Slack did not take the message: status {status}{known}. {todo}", is_hopeless=is_hopeless)


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in the block after `seconds`: slack_sdk (3.47) has a timeout for each read only.

    slack_sdk uses its own HTTP client, not a session of pipeline/exchange.py. A signal reaches the main thread only,
    where every message is sent.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

"""Slack: what failed, in words, once per failed task. slack-sdk is imported only when there is something to say.

Telling never makes anything worse: whatever goes wrong here is logged and swallowed, and every secret that is set is
taken out of the text first.
"""

from __future__ import annotations

import html
import logging
import socket
from typing import Any

import luigi

from pipeline import config
from pipeline.slot import NOTICE

logger = logging.getLogger("luigi-interface")
LONGEST_CAUSE = 600
# Exit codes of [retcode] after which Luigi's own events have told Slack already.
# 25: Spotify was not to be asked (NOTICE, when that began).
TOLD_BY_EVENTS = {0, 25, 30}


def install() -> None:
    """Listen to Luigi's events of this process."""
    luigi.Task.event_handler(luigi.Event.FAILURE)(_on_failure)
    luigi.Task.event_handler(luigi.Event.BROKEN_TASK)(_on_failure)
    luigi.Task.event_handler(luigi.Event.PROCESS_FAILURE)(_on_process_failure)
    luigi.Task.event_handler(NOTICE)(_on_notice)


def tell_exit_code(slot: str, exit_code: int, log: str) -> bool:
    """For the wrapper: tell about an exit code that no event can have told about. True unless telling failed."""
    if exit_code in TOLD_BY_EVENTS:
        return True
    return tell(f"*Slot {slot} did not run* (exit code {exit_code}) on {socket.gethostname()}. The log is {log}")


def tell(text: str) -> bool:
    """Send one message by webhook, else by bot token. True when it was sent or nobody wants to be told."""
    settings = config.slack()
    try:
        if settings.webhook_url:
            from slack_sdk.webhook import WebhookClient

            answer = WebhookClient(settings.webhook_url, timeout=10).send(text=scrub(text))
            if answer.status_code != 200:
                logger.error("Slack did not take the message: status %s", answer.status_code)
                return False
        elif settings.bot_token:
            from slack_sdk import WebClient

            client = WebClient(settings.bot_token, base_url=settings.api_url, timeout=10)
            client.chat_postMessage(channel=settings.channel, text=scrub(text))
        return True
    except Exception as error:
        # By type alone: the text of the error can hold the webhook's address, which is a secret.
        logger.error("Slack could not be told: %s. Check SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN", type(error).__name__)
        return False


def scrub(text: str) -> str:
    """`text` without any secret that is set now."""
    for secret in config.secrets():
        text = text.replace(secret, "***")
    return text


def _on_failure(task: luigi.Task, error: BaseException) -> None:
    _tell_task(task, "failed", f"{type(error).__name__}: {error}")


def _on_process_failure(task: luigi.Task, error: str) -> None:
    _tell_task(task, "died", error)


def _on_notice(task: luigi.Task, sentence: str) -> None:
    _tell_task(task, "says", sentence)


def _tell_task(task: luigi.Task, what: str, cause: str) -> None:
    # Slack reads &, < and > as markup.
    quoted = html.escape(scrub(cause)[:LONGEST_CAUSE], quote=False)
    tell(f"*{task.task_family}* {what} on {socket.gethostname()}: {_parameters(task)}\n> {quoted}")


def _parameters(task: luigi.Task) -> str:
    values: dict[str, Any] = task.to_str_params(only_public=True)
    return ", ".join(f"{name} {value}" for name, value in values.items())

"""A sample Slack on the loopback interface: webhooks, chat.postMessage, uploads of files, as Slack documents them.

A call that Slack would refuse because of its form is refused and listed in `malformed`.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.loopback import Answer, LoopbackServer

# Web API method → (required arguments, other arguments that the pipeline may send).
METHODS: dict[str, tuple[set[str], set[str]]] = {
    "auth.test": (set(), set()),
    "chat.postMessage": ({"channel", "text"}, {"blocks", "unfurl_links", "unfurl_media", "mrkdwn", "thread_ts"}),
    "files.getUploadURLExternal": ({"filename", "length"}, {"alt_txt", "snippet_type"}),
    "files.completeUploadExternal": ({"files"}, {"channel_id", "channels", "initial_comment", "thread_ts", "blocks"}),
}
WEBHOOK = {"text", "blocks", "attachments", "unfurl_links", "unfurl_media", "mrkdwn"}
LONGEST_TEXT = 40_000


class SampleSlack(LoopbackServer):
    """`status`: what it answers with; `seconds`: how long it thinks before.

    `messages`: path and content of every call; `taken`: of those that were answered with 200; `uploads`: files.
    """

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.seconds = 0.0
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.uploads: list[bytes] = []
        self.authorization: str | None = None

    @property
    def url(self) -> str:
        return self.origin

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        path = urlsplit(target).path
        if path == "/upload":
            return None if method == "POST" else self._refused(path, "method_not_allowed")
        content = headers.get_content_type()
        if method != "POST" or (body and content not in ("application/json", "application/x-www-form-urlencoded")):
            return self._refused(path, "invalid_post_type")
        message = _read(content, body)
        if message is None:
            return self._refused(path, "invalid_payload")
        name = path.rpartition("/")[2]
        if path.startswith("/api/") and name not in METHODS:
            return self._refused(path, "unknown_method")
        required, others = METHODS[name] if path.startswith("/api/") else ({"text"}, WEBHOOK)
        for missing in sorted(required - {key for key, value in message.items() if value not in ("", None)}):
            return self._refused(path, "no_text" if missing == "text" else "invalid_arguments")
        if len(str(message.get("text", ""))) > LONGEST_TEXT:
            return self._refused(path, "msg_too_long")
        if path.startswith("/api/") and not headers.get("Authorization", "").startswith("Bearer "):
            return self._refused(path, "not_authed")
        ignored = sorted(message.keys() - required - others - {"token"})
        self.malformed += [f"POST {path}: Slack ignores the argument {key}" for key in ignored]
        return None

    def _refused(self, path: str, words: str) -> Answer:
        """The Web API says so with status 200, a webhook with 400."""
        self.malformed.append(f"{path}: {words}")
        if path.startswith("/api/"):
            return Answer(path, 200, json.dumps({"ok": False, "error": words}).encode())
        return Answer(path, 400, words.encode(), {"Content-Type": "text/plain"})

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        if path == "/upload":
            self.uploads.append(body)
            return Answer(path, 200, b"OK")
        self.authorization = headers.get("Authorization")
        message = _read(headers.get_content_type(), body) or {}
        time.sleep(self.seconds)
        self.messages.append((path, message))
        if self.status == 200:
            self.taken.append((path, message))
        said = {"ok": True, "channel": "C0SAMPLE", "upload_url": f"{self.origin}/upload", "file_id": "F0", "files": []}
        return Answer(path, self.status, json.dumps(said).encode() if "api" in path else b"ok")


def _read(content: str, body: bytes) -> dict[str, Any] | None:
    """The arguments of a call; None for a body that is no JSON object."""
    if content != "application/json" or not body:
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}
    try:
        message = json.loads(body)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None

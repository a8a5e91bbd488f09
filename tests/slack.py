"""A sample Slack on the loopback interface: webhooks, chat.postMessage, uploads of files, as Slack documents them."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.loopback import Answer, LoopbackServer


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

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        if path == "/upload":
            self.uploads.append(body)
            return Answer(path, 200, b"OK")
        self.authorization = headers.get("Authorization")
        if "json" in headers["Content-Type"]:
            message = json.loads(body)
        else:
            message = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        time.sleep(self.seconds)
        self.messages.append((path, message))
        if self.status == 200:
            self.taken.append((path, message))
        said = {"ok": True, "channel": "C0SAMPLE", "upload_url": f"{self.origin}/upload", "file_id": "F0", "files": []}
        return Answer(path, self.status, json.dumps(said).encode() if "api" in path else b"ok")

"""What the sample servers have in common: HTTP on the loopback interface, answers prepared for the next calls."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """An answer; among the prepared ones, given instead of the usual one to the next call whose path begins so.

    `pace`: seconds before each byte, headers included. `cut`: the connection is closed after so many bytes, headers
    included; a negative number counts from the end.
    """

    path: str
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    pace: float = 0.0
    cut: int | None = None


class MalformedRequests(Exception):
    """A sample server received requests that the real server refuses, or of which it ignores a part."""


class LoopbackServer:
    """`with … as server:` serves until the block ends, and raises MalformedRequests then. Subclasses return the
    response in `respond`, and check the form of a request in `refuse`.

    `malformed`: one line per request that the real server refuses because of its form, or of which it ignores a part.
    A test that sends such a request on purpose empties the list.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.calls: list[str] = []
        self.malformed: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if kind is None and self.malformed:
            raise MalformedRequests(f"{type(self).__name__}: {'; '.join(self.malformed)}. Correct the client.")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def respond(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        """`target`: path and query. One call at a time."""
        raise NotImplementedError

    def refuse(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        """The error response to a malformed request, None for any other; a prepared answer does not replace it."""
        return None

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        path = urlsplit(target).path
        with self._lock:
            self.calls.append(f"{method} {target}")
            if refused := self.refuse(method, target, headers, body):
                return refused
            for prepared in self.answers:
                if path.startswith(prepared.path):
                    self.answers.remove(prepared)
                    return prepared
            return self.respond(method, target, headers, body)


def _handler(server: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else head and body, two writes, wait 40 ms for each other

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = server.answer(self.command, self.path, self.headers, body)
            with contextlib.suppress(ConnectionError):  # whoever asked has given up waiting
                self._write(answer)

        def _write(self, answer: Answer) -> None:
            headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
            headers.setdefault("Date", self.date_time_string())
            if answer.pace or answer.cut is not None:
                self._write_badly(answer, headers)
                return
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def _write_badly(self, answer: Answer, headers: dict[str, str]) -> None:
            self.close_connection = True
            head = [f"HTTP/1.1 {answer.status} Sample", *(f"{name}: {value}" for name, value in headers.items())]
            whole = "\r\n".join([*head, "", ""]).encode() + answer.body
            for byte in whole[: answer.cut]:
                self.wfile.write(bytes([byte]))
                time.sleep(answer.pace)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler

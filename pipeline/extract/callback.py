"""Waiting for the address to which a browser is sent back: on the loopback interface, or pasted into the terminal.

    http://127.0.0.1:<port>/callback?state=…&code=…     or, instead of the code, error=…

Nothing is known here of who sends the browser. What makes an address the awaited one is its `state`, which only the
link of this attempt carries: any page can send a browser to a port of this machine (RFC 6749, 10.12; RFC 8252, 7.3).
"""

from __future__ import annotations

import contextlib
import enum
import os
import secrets
import select
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"
PATH = "/callback"
GLANCE = 0.1  # seconds between two looks at the browser's side, while the terminal is read


class Verdict(enum.Enum):
    """What an address is, and what the browser that brought it shows."""

    RECEIVED = "Received. The terminal says how it went; this page can be closed."
    REPEATED = "Already received. The terminal says how it went; this page can be closed."
    FOREIGN = "That belongs to another attempt. Open the link that the terminal shows now."
    INCOMPLETE = "That is not the address at the end of the link. Open the link that the terminal shows."


class Inbox:
    """Keeps the first address that carries `state`; whatever comes later changes nothing."""

    def __init__(self, state: str) -> None:
        self.address = ""
        self.delivered = threading.Event()
        self._state = state
        self._lock = threading.Lock()

    def offer(self, address: str) -> Verdict:
        try:
            found = dict(parse_qsl(urlsplit(address).query))
        except ValueError:
            return Verdict.INCOMPLETE
        if "state" not in found or not found.keys() & {"code", "error"}:
            return Verdict.INCOMPLETE
        if not secrets.compare_digest(found["state"].encode(errors="replace"), self._state.encode()):
            return Verdict.FOREIGN
        with self._lock:
            if self.address:
                return Verdict.REPEATED
            self.address = address
            return Verdict.RECEIVED


def redirect_uri(port: int) -> str:
    return f"http://{HOST}:{port}{PATH}"


@contextlib.contextmanager
def listening(port: int, inbox: Inbox) -> Iterator[None]:
    """Takes addresses from browsers of this machine, until the block ends. Raises OSError when the port is not free."""
    server = _Server((HOST, port), _handler(inbox))
    threading.Thread(target=server.serve_forever, args=(GLANCE,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def wait_for_address(
    inbox: Inbox, timeout: float, typed: int | None, listens: bool, refuse: Callable[[Verdict], None]
) -> str:
    """The address, from the browser or from a line that is typed.

    `typed`: file descriptor of the terminal or pipe, if there is one to read. `listens`: whether the address can come
    from a browser too. `refuse` is told of lines that are not it. Raises TimeoutError; EOFError when nothing can come.
    """
    deadline = time.monotonic() + timeout
    begun = b""
    while not inbox.delivered.is_set():
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if typed is None:
            if not listens:
                raise EOFError
            inbox.delivered.wait(left)
        elif select.select([typed], [], [], min(left, GLANCE))[0]:
            read = _read(typed)
            *lines, begun = (begun + read).split(b"\n") if read else (begun, b"")
            typed = typed if read else None
            for line in lines:
                _take(inbox, line.decode(errors="replace").strip(" \t\r'\"<>"), refuse)
    return inbox.address


def _take(inbox: Inbox, line: str, refuse: Callable[[Verdict], None]) -> None:
    if not line or inbox.address:
        return
    verdict = inbox.offer(line)
    if verdict is Verdict.RECEIVED:
        inbox.delivered.set()
    elif verdict is not Verdict.REPEATED:
        refuse(verdict)


def _read(typed: int) -> bytes:
    try:
        return os.read(typed, 65536)
    except OSError:  # the terminal has gone
        return b""


class _Server(ThreadingHTTPServer):
    # A browser opens connections that it may never use: each has a thread of its own, and none is waited for.
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that hangs up is no news for the terminal."""


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path != PATH:
                self._reply(404, "There is nothing here.")
                return
            verdict = inbox.offer(self.path)
            try:
                good = verdict in (Verdict.RECEIVED, Verdict.REPEATED)
                self._reply(200 if good else 400, verdict.value)
            finally:
                if verdict is Verdict.RECEIVED:
                    inbox.delivered.set()  # only now: the command may end at once, and the browser be left without

        def _reply(self, status: int, text: str) -> None:
            page = f'<!doctype html><meta charset="utf-8"><title>Listening history</title><p>{text}</p>\n'.encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a request that is not understood would be quoted, code and all."""

    return Handler

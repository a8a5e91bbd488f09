"""A response of http.client with one deadline, from its first byte to its last.

A socket's timeout applies to each read. A server that sends one byte per second therefore holds its caller, and every
lock of the caller, for hours.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import Any


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until `seconds` from now. Each read gets the time that is left, then TimeoutError."""

    def __init__(self, stream: Any, sock: Any, seconds: float) -> None:
        self.stream, self.sock = stream, sock
        self.deadline = time.monotonic() + seconds
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response was not complete at its deadline")
        self.sock.settimeout(left)
        count: int | None = self.stream.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self.stream.close()
        super().close()


class WholeResponse(http.client.HTTPResponse):
    """A response for which the socket's timeout is the deadline of the whole response, not of each read."""

    def __init__(self, sock: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        seconds = sock.gettimeout()
        self._reader = None if seconds is None else _DeadlineReader(self.fp.detach(), sock, seconds)
        if self._reader:
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        # http.client (Python 3.11 to 3.13) takes headers that break off for complete ones, and the body for empty.
        if self._reader and self._reader.ended:
            raise http.client.RemoteDisconnected("the response ended within its headers")

"""HTTP exchanges that end: one deadline for a whole response, and retries that are counted.

`requests` applies its timeout to each address of a host and to each read of the socket (requests 2.34, urllib3 2.8).
Here the timeout covers the connection, the headers and the body together.

Two limits remain: the name server's answer is bounded by the resolver (resolv.conf, normally 5 to 30 seconds), because
getaddrinfo has no timeout; and the body that this side sends has the timeout once for each 16 kB over TLS.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Timeout

from pipeline.config.environment import readable
from pipeline.whole_response import WholeResponse

RETRIED_STATUSES = (500, 502, 503, 504)
# No response, or not all of it. What fails before anything is sent (InvalidURL, InvalidHeader) fails again.
RETRIED_ERRORS = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
USUAL_TIMEOUT = 30.0  # seconds, for a request that names none
WAITS = (0.0, 0.6, 1.2)  # seconds before the first, second and third retry
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # as in requests, which reads them only with trust_env


class _Connection(HTTPConnection):
    response_class = WholeResponse

    def _new_conn(self) -> socket.socket:
        """Divide the timeout by the number of the host's addresses: urllib3 gives each address all of it."""
        whole = self.timeout
        try:
            if whole is not None:
                with contextlib.suppress(OSError):  # urllib3 raises its own error for a host without an address
                    found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
                    self.timeout = whole / max(1, len(found))
            return super()._new_conn()
        finally:
            self.timeout = whole


class _SecureConnection(HTTPSConnection, _Connection):
    """HTTPSConnection inherits response_class and _new_conn from _Connection here."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}


class BoundedAdapter(HTTPAdapter):
    """Sends requests, reads each response to its end, and repeats exchanges that failed.

    The timeout, in seconds, bounds each attempt; all attempts of one exchange take twice the timeout at most, plus
    WAITS. `sent`: requests sent so far, retries included.
    """

    def __init__(self, retries: int = 0) -> None:
        self.retries, self.sent = retries, 0
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The complete response, of any status. Raises RequestException; `failures_of` tells what was repeated."""
        named = {"verify": verify, "cert": cert, "proxies": proxies}
        seconds = USUAL_TIMEOUT if timeout is None else float(timeout)
        left = seconds * (2 if self.retries else 1)
        failures: list[str] = []
        while True:
            began = time.monotonic()
            self.sent += 1
            outcome: requests.Response | requests.exceptions.RequestException
            try:
                outcome = self._send_once(request, min(seconds, left), named)
                problem = f"status {outcome.status_code}" if outcome.status_code in RETRIED_STATUSES else ""
            except RETRIED_ERRORS as error:
                outcome, problem = error, type(error).__name__
            left -= time.monotonic() - began
            if not problem or len(failures) == self.retries or left <= 0:
                break
            time.sleep(WAITS[min(len(failures), len(WAITS) - 1)])
            failures.append(problem)
        vars(outcome)["failures"] = tuple(failures)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _send_once(self, request: Any, seconds: float, named: dict[str, Any]) -> requests.Response:
        response = super().send(request, stream=True, timeout=Timeout(total=seconds), **named)  # type: ignore[arg-type]
        try:
            response.content  # noqa: B018 (reads the body, to its announced length)
        except requests.exceptions.ConnectionError as error:
            if any(isinstance(cause, ReadTimeoutError) for cause in error.args):
                raise requests.exceptions.ReadTimeout(error, request=request) from None
            raise
        return response


def failures_of(outcome: requests.Response | requests.exceptions.RequestException) -> tuple[str, ...]:
    """What went wrong before each retry of the exchange that ended with `outcome`: "status 502", "ReadTimeout"."""
    failures: tuple[str, ...] = vars(outcome).get("failures", ())
    return failures


def bound_session(session: Any, retries: int = 0) -> BoundedAdapter:
    """Make every exchange of a session of `requests` end, and send what it sends to the named host only.

    A redirect (307 repeats a POST) and a `default` entry in ~/.netrc (which replaces the Authorization header) would
    both take tokens elsewhere. Without trust_env the proxies of the environment do not apply either.
    """
    adapter = BoundedAdapter(retries)
    session.trust_env = False
    session.verify = next(readable(CA_BUNDLES), True)
    session.get_redirect_target = lambda response: None
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return adapter

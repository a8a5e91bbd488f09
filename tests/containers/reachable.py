"""Sample servers that containers can reach: on every interface, not on the loopback interface alone."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import TypeVar

from pipeline.demo.loopback import LoopbackServer

Server = TypeVar("Server", bound=LoopbackServer)


def open_to_containers(server: Server, port: int = 0) -> Server:
    """Before it serves."""
    loopback = server._server
    loopback.server_close()
    server._server = ThreadingHTTPServer(("0.0.0.0", port), loopback.RequestHandlerClass)  # noqa: S104
    server._server.daemon_threads = True
    return server


def port_of(server: LoopbackServer) -> int:
    return int(server._server.server_address[1])

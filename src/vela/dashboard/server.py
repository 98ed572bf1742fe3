"""The web server, on a socket of ours, inside the running event loop."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from vela.dashboard.viewers import LONGEST_MESSAGE
from vela.domain.errors import ConfigurationError

_SECONDS_TO_SAY_GOODBYE = 2
_LAST_PORT = 65_535
_MOST_CONNECTIONS = 500


class PageServer(uvicorn.Server):
    """Uvicorn that leaves signals to whoever runs the process."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        """Serve `app` on `bound`."""
        self._bound = bound
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=LONGEST_MESSAGE,
                ws_per_message_deflate=False,  # costs more time than it saves bytes on a local network
                ws_ping_interval=None,  # Engine.IO pings by itself
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,  # addresses count login attempts: nobody may make one up
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_SECONDS_TO_SAY_GOODBYE,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signals alone."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `stop` is called."""
        await self.serve([self._bound])

    def stop(self) -> None:
        """Let `run_until_stopped` return."""
        self.should_exit = True

    def close(self) -> None:
        """Give the port back; nothing happens if it is given back already."""
        self.should_exit = True
        self._bound.close()


def bind(host: str, port: int) -> socket.socket:
    """Open the page's socket; port 0 takes any free one.

    Raises:
        ConfigurationError: the port is in use or none, or the host is not this machine's.
    """
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"port {port} does not exist; accepted: 1 to {_LAST_PORT}, or 0 for any free one")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Named, so that asyncio knows it is TCP and does not let small answers wait for more (TCP_NODELAY).
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as problem:  # unknown, or no host name at all
        raise ConfigurationError(f"host {host!r} cannot be used; accepted: an address of this machine") from problem
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
        bound.settimeout(0)
    except OSError as problem:
        bound.close()
        raise _unusable(host, port, problem) from problem
    return bound


def _unusable(host: str, port: int, problem: OSError) -> ConfigurationError:
    if problem.errno == errno.EADDRINUSE:
        return ConfigurationError(f"port {port} is in use on {host}; accepted: a free port with --port")
    if problem.errno == errno.EACCES:
        return ConfigurationError(f"port {port} needs rights that Vela lacks; accepted: --port 1024 or more")
    return ConfigurationError(f"host {host!r} cannot be used; accepted: an address of this machine")

"""Connections that can be cut while a request is under way, as a failing network cuts them."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_CUT = "vela.cut"


def cut(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection of a request or a socket without a word; `scope`: ASGI's."""
    scope["extensions"][_CUT]["abort"]()


class CuttableHttp(HttpToolsProtocol):
    """Uvicorn's protocol of requests, which hands them the means to cut their connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {_CUT: {"abort": self.transport.abort}}


class CuttableSocket(WebSocketsSansIOProtocol):
    """Uvicorn's protocol of sockets, with the same means."""

    def handle_connect(self, event: Request) -> None:
        """Begin a socket, unless the handshake failed: then there is no scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), _CUT: {"abort": self.transport.abort}}

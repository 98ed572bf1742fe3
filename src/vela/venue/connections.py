"""HTTP connections that can be cut while a request is under way, as a failing network cuts them."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "vela.cut"
"""Key of the scope's extensions: call its `abort`, and the connection is gone."""


class CuttableHttp(HttpToolsProtocol):
    """Uvicorn's protocol, which hands requests the means to cut their connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"abort": self.transport.abort}}

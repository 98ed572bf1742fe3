"""A way to a server that can be cut: what failing networks do, for tests of clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class WireCutter:
    """Forwards bytes both ways until it is told not to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.url = ""

    def cut(self) -> None:
        """Break all connections, and each new one."""
        self.is_cut = True
        self.interrupt()

    def mend(self) -> None:
        """Let new connections through."""
        self.is_cut = False

    def interrupt(self) -> None:
        """Break all connections; new ones are let through."""
        for writer in list(self._open):
            writer.transport.abort()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, there_writer}
        try:
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        finally:
            self._open -= {writer, there_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[WireCutter]:
    """A wire to the server at `url`."""
    cutter = WireCutter(urlsplit(url).port or 0)
    server = await asyncio.start_server(cutter.forward, "127.0.0.1", 0)
    cutter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cutter
    finally:
        server.close()
        cutter.interrupt()
        await asyncio.sleep(0)

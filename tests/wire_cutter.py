"""A way to a server that can be cut: what failing networks do, for tests of clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

_HOST = "127.0.0.1"


class WireCutter:
    """Forwards bytes both ways until it is told not to."""

    def __init__(self, port: int) -> None:
        """`port`: the server's; `self.port`, once it listens, is where to connect instead."""
        self._server_port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.is_cut = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    def cut(self) -> None:
        """Break all connections, and each new one."""
        self.is_cut = True
        self.interrupt()

    def silence(self) -> None:
        """Keep all connections and take new ones, and let nothing through: who waits hears nothing at all."""
        self._passing.clear()

    def mend(self) -> None:
        """Let everything through again, what was held back as well."""
        self.is_cut = False
        self._passing.set()

    def interrupt(self) -> None:
        """Break all connections; new ones are let through."""
        for writer in list(self._open):
            writer.transport.abort()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(_HOST, self._server_port)
        except OSError:  # the server is away
            writer.transport.abort()
            return
        self._open |= {writer, there_writer}
        try:
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        finally:
            self._open -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[WireCutter]:
    """A wire to the server at `url`."""
    cutter = WireCutter(urlsplit(url).port or 0)
    server = await asyncio.start_server(cutter.forward, _HOST, 0)
    cutter.port = server.sockets[0].getsockname()[1]
    try:
        yield cutter
    finally:
        server.close()
        cutter.interrupt()
        await asyncio.sleep(0)


class Wire:
    """The same for tests without an event loop: a cutter in a thread."""

    def __init__(self, cutter: WireCutter, loop: asyncio.AbstractEventLoop) -> None:
        self._cutter, self._loop = cutter, loop
        self.port = cutter.port

    def cut(self) -> None:
        """See `WireCutter.cut`."""
        self._do(self._cutter.cut)

    def silence(self) -> None:
        """See `WireCutter.silence`."""
        self._do(self._cutter.silence)

    def mend(self) -> None:
        """See `WireCutter.mend`."""
        self._do(self._cutter.mend)

    def end(self, over: asyncio.Event) -> None:
        """Set what its thread waits for."""
        self._do(over.set)

    def _do(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)


@contextmanager
def wire_in_thread(port: int) -> Iterator[Wire]:
    """A wire to the server at a port of this machine."""
    over, wires, ready = asyncio.Event(), list[Wire](), threading.Event()

    async def serve() -> None:
        async with wire_to(f"http://{_HOST}:{port}") as cutter:
            wires.append(Wire(cutter, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield wires[0]
    finally:
        wires[0].end(over)
        thread.join(10)

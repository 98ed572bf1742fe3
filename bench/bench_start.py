"""Seconds from the command to the first candle on the page: process, login, Socket.IO, first closed candle."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar

import socketio

AIM_SECONDS = 3.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def login(link: str) -> str:
    """Open the one-time link as a browser does and return the cookie."""
    jar = CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(link).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


async def first_candle(base: str, cookie: str) -> float:
    """Subscribe to a symbol and return the moment at which candles are there to be drawn."""
    client = socketio.AsyncClient()
    await client.connect(base, headers={"Cookie": cookie}, transports=["websocket"])
    snapshot = await client.call("subscribe_symbol", {"symbol": "BTC"})
    moment = time.perf_counter()
    if not snapshot.get("candles"):
        raise RuntimeError(f"no candles in {snapshot}")
    await client.disconnect()
    return moment


def measure() -> tuple[float, float]:
    """Return the seconds until the link was printed and until candles were there."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vela", "up", "--data-dir", folder, "--port", str(port)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={"COLUMNS": "300", "PATH": "/usr/bin:/bin"}
        )
        try:
            link = None
            for line in process.stderr or ():
                if found := re.search(r"http://\S+/login\?token=\S+", line):
                    link = found[0]
                    break
            if link is None:
                raise RuntimeError("no login link was printed")
            printed = time.perf_counter() - began
            moment = asyncio.run(first_candle(f"http://127.0.0.1:{port}", login(link)))
            return printed, moment - began
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    for number in range(3):
        printed, drawn = measure()
        print(f"start {number + 1}: link after {printed:.2f} s, candles after {drawn:.2f} s (aim {AIM_SECONDS:.0f} s)")


if __name__ == "__main__":
    main()

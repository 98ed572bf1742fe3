"""A client of the page's streams that does what the protocol asks of one, and writes down all it gets."""

from __future__ import annotations

import asyncio
from typing import Any

import socketio

from vela.dashboard.auth import LoginTokens

EVENTS = (
    "price_update", "regime_update", "decision", "signal", "order_update", "fill", "position_update", "trade",
    "wallet_update", "session", "health", "alert", "job_update",
)  # fmt: skip


def cookie(tokens: LoginTokens) -> str:
    value = tokens.redeem(tokens.new_link("127.0.0.1", 0).partition("token=")[2])
    return f"vela_session={value}"


class Follower:
    """Snapshot, then each event once. `missed` counts numbers that were skipped."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.account: dict[str, Any] = {}
        self.symbols: dict[str, dict[str, Any]] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.missed = 0
        self._last: dict[str, int] = {}
        self._held: list[tuple[str, dict[str, Any]]] = []
        self._greeted = asyncio.Event()
        self.socket.on("snapshot", self._snapshot)
        self.socket.on("*", self._event)

    async def connect(self, port: int, cookie: str, **headers: str) -> None:
        url = f"http://127.0.0.1:{port}"
        await self.socket.connect(url, {"Cookie": cookie, **headers}, transports=["websocket"], wait_timeout=5)
        await asyncio.wait_for(self._greeted.wait(), 5)

    async def follow(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self.socket.call("subscribe_symbol", {"symbol": name}, timeout=5)
        if "error" not in answer:
            self.symbols[name] = answer
            self._resume(answer)
        return answer

    async def until(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(found := [body for name, body in self.events if name == event]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found

    async def reach(self, snapshot: dict[str, Any]) -> None:
        """Wait until everything that `snapshot` holds has arrived."""
        async with asyncio.timeout(5):
            while self._last[snapshot["stream"]] < snapshot["seq"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.socket.disconnect()

    def numbers(self, stream: str) -> list[int]:
        return [body["seq"] for _, body in self.events if body["stream"] == stream]

    async def _snapshot(self, body: dict[str, Any]) -> None:
        self.account = body
        self._resume(body)
        self._greeted.set()

    async def _event(self, event: str, body: dict[str, Any]) -> None:
        last = self._last.get(body["stream"])
        if last is None:
            self._held.append((event, body))
        elif body["seq"] > last:
            self.missed += body["seq"] - last - 1
            self._last[body["stream"]] = body["seq"]
            self.events.append((event, body))

    def _resume(self, snapshot: dict[str, Any]) -> None:
        self._last[snapshot["stream"]] = snapshot["seq"]
        held, self._held = self._held, []
        for event, body in held:
            if body["seq"] <= snapshot["seq"] and body["stream"] == snapshot["stream"]:
                continue
            asyncio.ensure_future(self._event(event, body))  # noqa: RUF006  done at once

"""The newest word on each symbol, written beside the work that brings it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog

from vela.domain.errors import BusError
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.clock import Clock
from vela.ports.latest_values import Kind, LatestValue, LatestValues, V

_PAUSE_SECONDS: Final = 1.0

_log = structlog.get_logger("vela.latest_values")


class Noticeboard:
    """Takes notes at any speed; of each symbol the newest of a kind is written, and nobody waits for it."""

    def __init__(self, latest: LatestValues, wall_clock: Clock) -> None:
        """Begin with nothing to write."""
        self._latest = latest
        self._wall_clock = wall_clock
        self._notes: dict[Kind[Any], dict[TradingSymbol, LatestValue]] = {}
        self._active: tuple[TradingSymbol, ...] | None = None
        self._is_due = asyncio.Event()

    def note(self, kind: Kind[V], symbol: TradingSymbol, value: V) -> None:
        """Take the newest value of a symbol."""
        self._notes.setdefault(kind, {})[symbol] = value
        self._is_due.set()

    def in_use(self, symbols: Iterable[TradingSymbol]) -> None:
        """Take note of which symbols are in use."""
        self._active = tuple(symbols)
        self._is_due.set()

    async def write(self) -> None:
        """Write until cancelled. What cannot be written now is tried again, unless something newer has come."""
        is_told = False
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            try:
                await self._write_once()
                is_told = False
            except BusError as e:
                if not is_told:
                    _log.warning("latest values are not written; it is tried again", error=str(e))
                is_told = True
                self._is_due.set()
                await self._wall_clock.sleep(_PAUSE_SECONDS)

    async def _write_once(self) -> None:
        if self._active is not None:
            await self._latest.put_active(self._active)
            self._active = None
        while self._notes:
            kind, values = self._notes.popitem()
            try:
                await self._latest.put(kind, values)
            except BusError:
                self._notes[kind] = values | self._notes.get(kind, {})
                raise

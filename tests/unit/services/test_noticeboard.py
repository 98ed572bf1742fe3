from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.builders import BTC, ETH
from tests.fakes import FastClock, until

from vela.adapters.latest_values.memory import MemoryLatestValues
from vela.domain.errors import BusError
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, Kind, LatestPrice, V
from vela.services.noticeboard import Noticeboard


class SlowValues(MemoryLatestValues):
    """Takes its time, counts writes, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.writes: list[Mapping[TradingSymbol, object]] = []

    async def put(self, kind: Kind[V], values: Mapping[TradingSymbol, V]) -> None:
        self.writes.append(dict(values))
        await asyncio.sleep(0.005)
        if self.failures:
            self.failures -= 1
            raise BusError("not now")
        await super().put(kind, values)


def price(value: float, time: int) -> LatestPrice:
    return LatestPrice(time=time, price=value)


async def test_of_many_notes_the_newest_of_each_symbol_is_written() -> None:
    values = SlowValues()
    board = Noticeboard(values, FastClock())
    writing = asyncio.create_task(board.write())
    for time in range(100):
        board.note(PRICES, BTC, price(100.0 + time, time))
    board.note(PRICES, ETH, price(7.0, 1))
    await until(lambda: values.writes)
    board.note(PRICES, BTC, price(300.0, 300))
    await until(lambda: len(values.writes) == 2)
    await asyncio.sleep(0.01)
    assert await values.get(PRICES, (BTC, ETH)) == {BTC: price(300.0, 300), ETH: price(7.0, 1)}
    assert values.writes[1] == {BTC: price(300.0, 300)}
    writing.cancel()


async def test_what_cannot_be_written_is_tried_again_unless_something_newer_has_come() -> None:
    values = SlowValues(failures=2)
    board = Noticeboard(values, FastClock())
    board.note(PRICES, BTC, price(1.0, 1))
    board.note(PRICES, ETH, price(2.0, 1))
    writing = asyncio.create_task(board.write())
    await until(lambda: values.writes)
    board.note(PRICES, BTC, price(3.0, 3))
    await until(lambda: not values.failures and len(values.writes) >= 3)
    await asyncio.sleep(0.02)
    assert await values.get(PRICES, (BTC, ETH)) == {BTC: price(3.0, 3), ETH: price(2.0, 1)}
    writing.cancel()


async def test_which_symbols_are_in_use_is_written_too() -> None:
    values = MemoryLatestValues()
    board = Noticeboard(values, FastClock())
    board.in_use([ETH, BTC])
    writing = asyncio.create_task(board.write())
    await asyncio.sleep(0.01)
    assert await values.active() == (BTC, ETH)
    writing.cancel()

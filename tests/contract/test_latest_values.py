"""What every keeper of the newest values must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.redis_process import RedisProcess

from vela.adapters.clock import SystemClock
from vela.adapters.latest_values.memory import MemoryLatestValues
from vela.adapters.latest_values.redis import RedisLatestValues
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.assets import QuoteCurrency
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import (
    PRICES,
    REGIMES,
    STRATEGIES,
    LatestPrice,
    LatestRegime,
    LatestStrategy,
    LatestValues,
)

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
ETH_BTC = TradingSymbol("ETH", QuoteCurrency.BTC)


@pytest.fixture(params=["memory", "redis"])
async def values(request: pytest.FixtureRequest) -> AsyncIterator[LatestValues]:
    if request.param == "memory":
        yield MemoryLatestValues()
        return
    process: RedisProcess = request.getfixturevalue("redis_process")
    server = RedisServer(parse_address(process.url), SystemClock())
    yield RedisLatestValues(server)
    await server.close()


def price(value: float, time: int = 1) -> LatestPrice:
    return LatestPrice(time=time, price=value)


async def test_what_was_put_is_there_and_what_was_not_is_left_out(values: LatestValues) -> None:
    assert await values.get(PRICES, (BTC, ETH)) == {}
    await values.put(PRICES, {BTC: price(64_123.5), ETH_BTC: price(0.05)})
    assert await values.get(PRICES, (ETH, BTC, ETH_BTC)) == {BTC: price(64_123.5), ETH_BTC: price(0.05)}
    assert await values.get(PRICES, [BTC]) == {BTC: price(64_123.5)}
    assert await values.get(PRICES, ()) == {}
    await values.put(PRICES, {})


async def test_kinds_do_not_mix(values: LatestValues) -> None:
    regime = LatestRegime(time=2, regime=MarketRegime.BULL_TREND)
    strategy = LatestStrategy(time=3, strategy="SmaCrossover", params={"fast": 10, "slow": 30.5})
    await values.put(REGIMES, {BTC: regime})
    await values.put(STRATEGIES, {BTC: strategy})
    assert await values.get(PRICES, (BTC,)) == {}
    assert await values.get(REGIMES, (BTC,)) == {BTC: regime}
    assert await values.get(STRATEGIES, (BTC,)) == {BTC: strategy}


async def test_newer_values_replace_older_ones_and_never_the_other_way(values: LatestValues) -> None:
    await values.put(PRICES, {BTC: price(1.0, time=5)})
    await values.put(PRICES, {BTC: price(2.0, time=5), ETH: price(9.0, time=1)})
    await values.put(PRICES, {BTC: price(3.0, time=4)})
    assert await values.get(PRICES, (BTC, ETH)) == {BTC: price(2.0, time=5), ETH: price(9.0, time=1)}


async def test_many_writers_at_once_leave_the_newest(values: LatestValues) -> None:
    await asyncio.gather(*(values.put(PRICES, {BTC: price(float(n), time=n)}) for n in range(200)))
    assert await values.get(PRICES, (BTC,)) == {BTC: price(199.0, time=199)}


async def test_symbols_in_use_are_kept_in_order_once_each(values: LatestValues) -> None:
    assert await values.active() == ()
    await values.put_active([ETH_BTC, ETH, BTC, ETH])
    assert await values.active() == (BTC, ETH_BTC, ETH)
    await values.put_active([ETH])
    assert await values.active() == (ETH,)


async def test_ten_thousand_symbols_are_read_together(values: LatestValues) -> None:
    await values.put(PRICES, {BTC: price(1.0), ETH: price(2.0)})
    symbols = (BTC, ETH, ETH_BTC) * 3_333
    assert await values.get(PRICES, symbols) == {BTC: price(1.0), ETH: price(2.0)}


async def test_all_kinds_of_many_symbols_are_read_at_once(values: LatestValues) -> None:
    regime = LatestRegime(time=2, regime=MarketRegime.BULL_TREND)
    strategy = LatestStrategy(time=3, strategy="SmaCrossover", params={"fast": 10})
    await values.put(PRICES, {BTC: price(1.5), ETH: price(2.5)})
    await values.put(REGIMES, {ETH: regime})
    await values.put(STRATEGIES, {BTC: strategy})
    found = await values.snapshot((BTC, ETH, ETH_BTC))
    assert found.prices == {BTC: price(1.5), ETH: price(2.5)}
    assert found.regimes == {ETH: regime}
    assert found.strategies == {BTC: strategy}
    nothing = await values.snapshot(())
    assert (nothing.prices, nothing.regimes, nothing.strategies) == ({}, {}, {})

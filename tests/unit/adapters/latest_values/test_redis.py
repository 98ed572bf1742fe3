"""The newest values as other programs see them in Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from tests.redis_process import RedisProcess

from vela.adapters.clock import SystemClock
from vela.adapters.latest_values.redis import RedisLatestValues
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.assets import QuoteCurrency
from vela.domain.errors import BusError
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, REGIMES, STRATEGIES, LatestPrice, LatestRegime, LatestStrategy

BTC, ETH, SOL = TradingSymbol("BTC"), TradingSymbol("ETH"), TradingSymbol("SOL")


@pytest.fixture
async def values(redis_process: RedisProcess) -> AsyncIterator[RedisLatestValues]:
    server = RedisServer(parse_address(redis_process.url), SystemClock(), patience=0.2)
    yield RedisLatestValues(server)
    await server.close()


async def test_keys_have_the_promised_names_and_hold_json(
    values: RedisLatestValues, redis_process: RedisProcess
) -> None:
    pair = TradingSymbol("ETH", QuoteCurrency.BTC)
    await values.put(PRICES, {BTC: LatestPrice(time=7, price=64_123.5), pair: LatestPrice(time=8, price=0.05)})
    await values.put(REGIMES, {BTC: LatestRegime(time=7, regime=MarketRegime.SIDEWAYS_RANGE)})
    await values.put(STRATEGIES, {BTC: LatestStrategy(time=7, strategy="SmaCrossover", params={"fast": 10})})
    await values.put_active([pair, BTC])
    with redis_process.client() as client:
        found = {key.decode(): json.loads(client.get(key) or b"") for key in client.scan_iter()}
    assert found == {
        "price:BTC": {"time": 7, "price": 64_123.5},
        "price:ETH/BTC": {"time": 8, "price": 0.05},
        "market_regime:BTC": {"time": 7, "regime": "sideways_range"},
        "strategy_config:BTC": {"time": 7, "strategy": "SmaCrossover", "params": {"fast": 10}},
        "active_symbols": ["BTC", "ETH/BTC"],
    }


@pytest.mark.parametrize("text", ["", "nonsense", "[", "1,2", '{"time": 1, "price": "x"}', "null,null"])
async def test_a_value_that_cannot_be_read_hides_no_other(
    values: RedisLatestValues, redis_process: RedisProcess, text: str
) -> None:
    price = LatestPrice(time=1, price=2.0)
    await values.put(PRICES, {BTC: price, SOL: price})
    with redis_process.client() as client:
        client.set("price:ETH", text)
    assert await values.get(PRICES, (BTC, ETH, SOL)) == {BTC: price, SOL: price}


async def test_symbols_in_use_that_are_unknown_here_are_left_out(
    values: RedisLatestValues, redis_process: RedisProcess
) -> None:
    with redis_process.client() as client:
        client.set("active_symbols", '["BTC", "NOTHINGKNOWN"]')
        assert await values.active() == (BTC,)
        client.set("active_symbols", "BTC")
        with pytest.raises(BusError, match="active_symbols is no list of symbols"):
            await values.active()


async def test_reading_many_and_writing_many_take_one_round_trip_each(
    values: RedisLatestValues, redis_process: RedisProcess
) -> None:
    prices = {symbol: LatestPrice(time=1, price=2.0) for symbol in (BTC, ETH, SOL)}
    with redis_process.client() as client:
        client.config_resetstat()
        await values.put(PRICES, prices)
        assert await values.get(PRICES, tuple(prices)) == prices
        calls = {name: stats["calls"] for name, stats in client.info("commandstats").items()}
    assert (calls["cmdstat_mset"], calls["cmdstat_mget"]) == (1, 1)


async def test_prices_that_come_while_others_are_written_are_conflated(
    values: RedisLatestValues, redis_process: RedisProcess
) -> None:
    with redis_process.client() as client:
        client.config_resetstat()
        await asyncio.gather(*(values.put(PRICES, {BTC: LatestPrice(time=n, price=1.0)}) for n in range(1_000)))
        assert client.info("commandstats")["cmdstat_mset"]["calls"] == 2
    assert await values.get(PRICES, (BTC,)) == {BTC: LatestPrice(time=999, price=1.0)}


async def test_without_redis_both_say_so(tmp_path) -> None:
    server = RedisServer(parse_address(f"unix://{tmp_path}/nothing"), SystemClock(), patience=0.05)
    values = RedisLatestValues(server)
    with pytest.raises(BusError, match=r"cannot write latest values: no answer from Redis for 0.05 s"):
        await values.put(PRICES, {BTC: LatestPrice(time=1, price=1.0)})
    with pytest.raises(BusError, match=r"cannot read price: no answer from Redis for 0.05 s"):
        await values.get(PRICES, (BTC,))
    await server.close()

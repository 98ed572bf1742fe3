"""Awkward ways that exchanges really have, and how the live adapter gets along with them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.integration.live_trading import BALANCES, BNB, BTC, buy, limit, stop, trading

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import KeyRights
from vela.domain.errors import ConfigurationError, OrderNotFound, OrderRefused, OrderUnresolved, RateLimited
from vela.domain.order import OrderStatus, Side
from vela.simulation.spot_fees import SpotFees


@pytest.mark.parametrize("may_withdraw", [False, True])
async def test_what_the_key_may_do_is_told(may_withdraw):
    async with trading(key_may_withdraw=may_withdraw) as traded:
        assert await traded.connection.key_rights() == KeyRights(can_trade=True, can_withdraw=may_withdraw)


async def test_where_stops_need_a_limit_they_have_one_and_execute():
    async with trading(limit_stops_only=True) as traded:
        [report] = await traded.execution.submit(stop())
        assert report.status is OrderStatus.ACCEPTED
        traded.move(89.0)
        filled = await traded.execution.order("a")
        assert filled.status is OrderStatus.FILLED
        assert filled.fills[0].quantity == 1


async def test_fees_are_taken_in_whatever_asset():
    fees = SpotFees(Decimal("0.001"), Decimal("0.001"), asset="BNB")
    async with trading(fees=fees, balances=BALANCES | {"BNB": Decimal(1)}) as traded:
        [report] = await traded.execution.submit(buy())
        [fill] = report.fills
        assert fill.fee_asset == "BNB"
        assert (await traded.execution.balances())["BNB"].free == 1 - fill.fee


async def test_a_rebate_is_a_negative_fee():
    async with trading(fees=SpotFees(Decimal("-0.0001"), Decimal("0.001"))) as traded:
        await traded.execution.submit(limit("a", Side.SELL, "110"))
        traded.move(111.0)
        [fill] = (await traded.execution.order("a")).fills
        assert (fill.fee, fill.fee_asset) == (Decimal("-0.011"), "USDT")


async def test_an_order_that_queries_do_not_find_yet_is_not_found_yet():
    async with trading() as traded:
        traded.venue.control.post("/lag", json={"orders_ms": 60_000, "open_orders_ms": 60_000})
        await traded.execution.submit(stop())
        with pytest.raises(OrderNotFound):
            await traded.execution.order("a")
        assert await traded.execution.open_orders() == ()
        assert (await traded.execution.cancel("a")).status is OrderStatus.CANCELLED
        traded.venue.control.post("/lag", json={})
        assert (await traded.execution.order("a")).status is OrderStatus.CANCELLED


async def test_too_many_new_orders_are_a_limit():
    async with trading(order_limit=2) as traded:
        for name in "ab":
            await traded.execution.submit(stop(name))
        with pytest.raises(RateLimited, match="no new orders"):
            await traded.execution.submit(stop("c"))
        assert (await traded.execution.cancel("a")).status is OrderStatus.CANCELLED


async def test_more_open_stops_than_the_symbol_allows_are_refused():
    async with trading() as traded:
        for number in range(5):
            await traded.execution.submit(stop(f"stop{number}"))
        with pytest.raises(OrderRefused, match="MAX_NUM_ALGO_ORDERS"):
            await traded.execution.submit(stop("one-too-many"))


@pytest.mark.parametrize("state", ["HALT", "BREAK", "CANCEL_ONLY"])
async def test_a_halted_symbol_takes_no_orders_and_lets_go_of_those_it_has(state):
    async with trading() as traded:
        await traded.execution.submit(stop())
        traded.venue.control.post("/halt", json={"symbol": "BTC", "state": state})
        with pytest.raises(OrderRefused):
            await traded.execution.submit(stop("b"))
        assert (await traded.execution.cancel("a")).status is OrderStatus.CANCELLED


async def test_of_a_delisted_symbol_nothing_is_known_and_the_others_trade_on():
    async with trading() as traded:
        await traded.execution.submit(stop())
        traded.venue.control.post("/halt", json={"symbol": "BTC", "state": "DELISTED"})
        with pytest.raises(OrderRefused):
            await traded.execution.submit(stop("b"))
        with pytest.raises(OrderUnresolved):
            await traded.execution.order("a")
        [report] = await traded.execution.submit(buy("c", BNB))
        assert report.status is OrderStatus.FILLED


async def test_a_symbol_that_is_not_traded_is_told_before_anything_begins():
    async with trading() as traded:
        traded.venue.control.post("/halt", json={"symbol": "BTC", "state": "BREAK"})
        connection = await connect("binance", None, SystemClock(), base_url=traded.venue.http)
        with pytest.raises(ConfigurationError, match="BTC/USDT is listed at binance but not traded now"):
            connection.require_trading([BTC])
        await connection.close()


async def test_how_busy_each_symbol_was_for_a_day_is_told():
    async with trading() as traded:
        told = {activity.symbol: activity for activity in await traded.connection.activity()}
        assert BTC in told
        day = traded.venue.public("ticker/24hr?symbol=BTCUSDT")
        assert told[BTC].quote_volume == float(day["quoteVolume"])
        assert told[BTC].change_pct == float(day["priceChangePercent"])

"""Symbols that go, have odd names, or whose times are in another unit: rows A26, A38, A40."""

from __future__ import annotations

import pytest
from tests.builders import BTC, ETH
from tests.faults.catalogue.wire import WireDesk, bought
from tests.integration.venue_server import KEY, SECRET, RunningVenue, running_venue

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Credentials
from vela.domain.errors import VenueUnavailable
from vela.domain.money import exact
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol, register_assets

MICROSECONDS = {"X-MBX-TIME-UNIT": "MICROSECOND"}
CREDENTIALS = Credentials(KEY, SECRET)


async def test_a26_a_delisted_symbol_is_stranded_and_the_others_go_on(desk: WireDesk) -> None:
    await bought(desk)
    desk.set("/halt", symbol="BTC", state="DELISTED")
    await desk.at_rest(60.0)
    assert set(await desk.held()) == {BTC}
    assert "BTC has no stop at the venue for 5 s; it is guarded here" in desk.alerts
    tried = len(desk.sent)
    await desk.buy(ETH)
    assert set(await desk.held()) == {BTC, ETH}
    [resting] = desk.venue.call("GET", "openOrders").json()
    assert resting["symbol"] == "ETHUSDT"
    await desk.at_rest(300.0)
    assert len(desk.sent) - tried < 30, "tried again now and then, not all the time"


async def test_a38_a_name_that_is_not_ascii_is_signed_as_it_is_sent() -> None:
    name = "币安人生"
    register_assets([name])
    symbol = TradingSymbol(name)
    with running_venue({"market": "still", "symbols": f"BTC,{name}"}) as venue:
        connection = await connect("binance", CREDENTIALS, SystemClock(), base_url=venue.http)
        try:
            assert {rules.symbol for rules in connection.instruments([BTC, symbol])} == {BTC, symbol}
            execution = connection.execution([BTC, symbol])
            price = exact(venue.public("ticker/price")[1]["price"])
            [rules] = connection.instruments([symbol])
            quantity = rules.orderable_part(exact("50") / price)
            [bought] = await execution.submit(OrderRequest("one", symbol, Side.BUY, OrderType.MARKET, quantity))
            assert bought.status is OrderStatus.FILLED
            assert await execution.order("one") == bought
        finally:
            await connection.close()


async def test_a40_times_in_another_unit_keep_it_from_starting(venue: RunningVenue) -> None:
    connection = BinanceConnection(CREDENTIALS, SystemClock(), base_url=venue.http)
    connection._client.headers = MICROSECONDS
    with pytest.raises(VenueUnavailable, match="accepted: a time in ms since 1970"):
        await connection.open()


async def test_a40_times_that_change_their_unit_are_believed_by_nobody(desk: WireDesk) -> None:
    desk.connection._client.headers = MICROSECONDS  # type: ignore[attr-defined]
    desk.deafen()
    await desk.buy()
    await desk.at_rest(20.0)
    [entry] = desk.sent
    assert desk.statuses(entry)[-1] is OrderStatus.UNKNOWN
    assert await desk.held() == {}
    desk.connection._client.headers = {}  # type: ignore[attr-defined]
    await desk.at_rest(20.0)
    assert desk.statuses(entry)[-1] is OrderStatus.FILLED
    assert set(await desk.held()) == {BTC}

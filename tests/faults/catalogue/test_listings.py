"""Symbols that go, have odd names, or whose times are in another unit: rows A26, A38, A40."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import BTC, ETH, MINUTE, candle, signal
from tests.fakes import until
from tests.faults.catalogue.sessions import priced, session, settings
from tests.faults.catalogue.wire import WireDesk, bought, wire_desk
from tests.integration.venue_server import KEY, SECRET, RunningVenue, running_venue

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.domain.errors import ConfigurationError, VenueUnavailable
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    PositionChanged,
    SignalHandled,
    SignalsRaised,
    SymbolCandle,
)
from vela.domain.money import exact, plain
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.signal import Action
from vela.domain.timeframe import Timeframe
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


async def test_a26_after_a_symbol_was_delisted_the_others_are_started_again(
    venue: RunningVenue, tmp_path: Path
) -> None:
    chosen = settings(venue, tmp_path)
    async with session(chosen) as (_, application):
        pass
    async with wire_desk(venue, tmp_path / "data") as desk:
        await bought(desk)
        [held] = (await desk.held()).values()
        desk.set("/halt", symbol="BTC", state="DELISTED")
    accepted = len(venue.truth())
    async with session(chosen) as (heard, application):
        text = f"BTC is not listed any more: {plain(held)} BTC are stranded, without a stop, valued at cost"
        assert text in [alert.text for alert in heard.of(Alert)]
        [told] = [message for message in heard.of(PositionChanged) if message.position.symbol == BTC]
        assert told.stop_state == "stranded"
        await until(lambda: priced(venue, heard))
        await application._bus.publish(closed(ETH, application._wall_clock.now()))
        await until(lambda: heard.of(DecisionsMade))
        for symbol in (BTC, ETH):
            now = application._wall_clock.now()
            await application._bus.publish(SignalsRaised(time=now, signals=(signal(Action.BUY, symbol, now),)))
        await until(lambda: len(heard.of(SignalHandled)) == 2)
        assert [message.outcome.refusal for message in heard.of(SignalHandled)] == ["no_price", None]
        await until(lambda: [order["symbol"] for order in venue.call("GET", "openOrders").json()] == ["ETHUSDT"])
    assert {event["symbol"] for event in venue.truth()[accepted:]} == {"ETH/USDT"}
    with open_record(tmp_path / "data") as record:
        positions = (await record.trading.load()).positions
    assert {position.symbol for position in positions} == {BTC, ETH}
    assert positions[0].quantity == held


async def test_a26_a_symbol_that_never_was_traded_here_must_be_listed(venue: RunningVenue, tmp_path: Path) -> None:
    venue.control.post("/halt", json={"symbol": "BTC", "state": "DELISTED"}).raise_for_status()
    with pytest.raises(ConfigurationError, match="BTC/USDT is not traded at binance"):
        async with session(settings(venue, tmp_path)):
            pass


async def test_a26_with_all_symbols_gone_there_is_nothing_to_start(venue: RunningVenue, tmp_path: Path) -> None:
    chosen = settings(venue, tmp_path)
    async with session(chosen):
        pass
    for symbol in ("BTC", "ETH"):
        venue.control.post("/halt", json={"symbol": symbol, "state": "DELISTED"}).raise_for_status()
    with pytest.raises(ConfigurationError, match="BTC/USDT is not traded at binance"):
        async with session(chosen):
            pass


def closed(symbol: TradingSymbol, now: int) -> CandlesClosed:
    row = SymbolCandle(symbol, candle(now - now % MINUTE - MINUTE, 50.0))
    return CandlesClosed(time=now, timeframe=Timeframe.M1, candles=(row,))


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

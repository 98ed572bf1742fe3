"""A venue, its market and a live client of it, for tests that trade."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from tests.integration.venue_server import KEY, SECRET, RunningVenue, ScriptedMarket, scripted_venue

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.adapters.exchanges.unified.execution import LiveExecution
from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.ports.execution import EventsMissed, OrderReport

BTC, BNB = TradingSymbol("BTC"), TradingSymbol("BNB")
LISTED_LATER = "币安人生"
START = 1_700_000_040_000
BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(10)}


def symbols() -> tuple[TradingSymbol, ...]:
    """What is traded; one of them is an asset that nobody knows until an exchange lists it."""
    register_assets([LISTED_LATER])
    return BTC, BNB, TradingSymbol(LISTED_LATER)


class Traded:
    """A venue, its market and a client."""

    def __init__(self, venue: RunningVenue, market: ScriptedMarket, connection: Connection) -> None:
        self.venue = venue
        self.market = market
        self.connection = connection
        self.execution: LiveExecution = connection.execution(symbols())
        self._time = START
        self._prices: dict[TradingSymbol, float] = {}

    def move(self, price: float, symbol: TradingSymbol = BTC) -> None:
        self._time += 1000
        last = self._prices.get(symbol, price)
        self._prices[symbol] = price
        self.market.move(Tick(symbol, price, min(last, price), max(last, price)), self._time)

    def executed(self) -> int:
        return sum("fill" in event for event in self.venue.truth())


RULES = (Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.0001"))


def scripted() -> ScriptedMarket:
    return ScriptedMarket(*(Instrument(symbol, *RULES) for symbol in symbols()), volume=100_000.0)


async def connected(venue: RunningVenue, market: ScriptedMarket, *, patience=5.0, url=None) -> Traded:
    credentials = Credentials(KEY, SECRET)
    connection = await connect("binance", credentials, SystemClock(), base_url=url or venue.http, patience=patience)
    traded = Traded(venue, market, connection)
    for symbol in symbols():
        traded.move(100.0, symbol)
    return traded


@asynccontextmanager
async def trading(*, patience=5.0, **options: Any) -> AsyncIterator[Traded]:
    """A client that trades at a venue of those options."""
    market = scripted()
    with scripted_venue(market, **{"balances": BALANCES, **options}) as venue:
        traded = await connected(venue, market, patience=patience)
        try:
            yield traded
        finally:
            await traded.connection.close()


def buy(name="a", symbol=BTC) -> OrderRequest:
    return OrderRequest(name, symbol, Side.BUY, OrderType.MARKET, Decimal(1))


def stop(name="a", price="90") -> OrderRequest:
    return OrderRequest(name, BTC, Side.SELL, OrderType.STOP, Decimal(1), stop_price=Decimal(price))


def limit(name: str, side: Side, price: str, quantity: str = "1") -> OrderRequest:
    return OrderRequest(name, BTC, side, OrderType.LIMIT, Decimal(quantity), price=Decimal(price))


class Listening:
    def __init__(self, execution: LiveExecution) -> None:
        self.events: asyncio.Queue[OrderReport | EventsMissed] = asyncio.Queue()
        self._task = asyncio.create_task(self._listen(execution))

    async def _listen(self, execution: LiveExecution) -> None:
        async for event in execution.events():
            self.events.put_nowait(event)

    async def next(self) -> OrderReport | EventsMissed:
        async with asyncio.timeout(10):
            return await self.events.get()

    async def until(self, status: OrderStatus) -> OrderReport:
        while True:
            event = await self.next()
            if isinstance(event, OrderReport) and event.status is status:
                return event

    def stop(self) -> None:
        self._task.cancel()


@asynccontextmanager
async def listening_to(traded: Traded) -> AsyncIterator[Listening]:
    """What the client hears, after its first word: that all must be asked for."""
    listening = Listening(traded.execution)
    try:
        assert await listening.next() == EventsMissed()
        yield listening
    finally:
        listening.stop()

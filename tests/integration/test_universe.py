"""Symbols that are chosen anew every hour, over the wire, on a venue where some are busier than others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.builders import BTC, ETH, SOL, candle, signal
from tests.fakes import Listener
from tests.integration.venue_server import KEY, SECRET, RunningVenue, ScriptedMarket, scripted_venue

from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.application import Application
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.errors import ConfigurationError
from vela.domain.events import (
    Alert,
    CandlesClosed,
    DecisionsMade,
    PositionClosed,
    PricesMoved,
    ServiceBeat,
    ServiceState,
    SignalHandled,
    SignalsRaised,
    SymbolCandle,
    Tick,
)
from vela.domain.instrument import Instrument
from vela.domain.signal import Action
from vela.domain.trading_symbol import TradingSymbol

START = 1_700_000_040_000
SYMBOLS = (BTC, ETH, SOL)
HOUR = 3_600_000


class Market:
    """Three symbols; what each trades in a day is what its candles traded."""

    def __init__(self) -> None:
        self.script = ScriptedMarket(
            *(Instrument(one, Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.0001")) for one in SYMBOLS),
            volume=100_000.0,
        )
        self.time, self._passed = START, 0
        self.prices = dict.fromkeys(SYMBOLS, 100.0)

    def move(self, symbol: TradingSymbol, price: float) -> None:
        before, self.prices[symbol] = self.prices[symbol], price
        for tick in (Tick(symbol, before, before, before), Tick(symbol, price, min(before, price), max(before, price))):
            self._passed = min(self._passed + 100, 59_000)  # nothing is traded in no time
            self.script.move(tick, self.time + self._passed)

    def close(self, **volumes: float) -> None:
        """Close a candle of each symbol. `volumes`: traded in it, in base; else next to nothing."""
        rows = []
        for symbol, price in self.prices.items():
            self.script.move(Tick(symbol, price, price, price), self.time + 59_999)
            row = candle(self.time, price, high=price * 1.02, low=price * 0.98)
            volume = volumes.get(symbol.base, 0.001)
            rows.append(SymbolCandle(symbol, msgspec.structs.replace(row, open=price * 0.98, volume=volume)))
        self.script.close(*rows)
        self.time, self._passed = self.time + 60_000, 0


class Hours:
    """A clock on which an hour is over when the test says so."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._time, self._strikes = START, asyncio.Semaphore(0)

    def now(self) -> int:
        return self._time

    def monotonic(self) -> float:
        return 0.0

    async def sleep_until(self, time: int) -> None:
        self.asked.append(time)
        await self._strikes.acquire()
        self._time = time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("only full hours are waited for")

    def strike(self) -> None:
        self._strikes.release()


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, market: Market) -> Iterator[RunningVenue]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with scripted_venue(market.script, balances={"USDT": Decimal(10_000)}) as server:
        market.close(BTC=30_000, ETH=20_000, SOL=10_000)
        yield server


def settings(venue: RunningVenue, folder: Path, **options) -> Settings:
    chosen = {"exchange": "binance", "exchange_url": venue.http, "universe": 2, "universe_min_volume": 500_000}
    others = {"page": False, "live": True, "cooldown": "0", "strategy": "SmaCrossover", "data_dir": str(folder / "data")}
    return load_settings({**chosen, **others, **options}, {}, folder / "vela.toml")


class Session:
    def __init__(self, application: Application, hours: Hours, market: Market, venue: RunningVenue) -> None:
        self.application, self.hours, self.market, self.venue = application, hours, market, venue
        self.heard = Listener(application._bus)

    @property
    def symbols(self) -> set[TradingSymbol]:
        return set(self.application._market.symbols)

    def alerts(self) -> list[str]:
        return [alert.text for alert in self.heard.of(Alert)]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  any condition will do
                await asyncio.sleep(0.01)

    async def decided_on(self, *symbols: TradingSymbol) -> None:
        """Let candles close until brains decide on just these symbols."""
        known = len(self.heard.of(DecisionsMade))

        def came() -> bool:
            newest = self.heard.of(DecisionsMade)[known:]
            return any({one.symbol for one in made.decisions} == set(symbols) for made in newest)

        async with asyncio.timeout(20):
            while not came():
                await asyncio.to_thread(self.market.close)
                await asyncio.sleep(0.1)

    async def priced(self, symbol: TradingSymbol) -> None:
        """Let prices come until one of the symbol was heard of after this."""
        known = len(self.heard.of(PricesMoved))
        async with asyncio.timeout(20):
            while not any(tick.symbol == symbol for p in self.heard.of(PricesMoved)[known:] for tick in p.ticks):
                await asyncio.to_thread(self.market.move, symbol, self.market.prices[symbol])
                await asyncio.sleep(0.05)

    async def signal(self, action: Action, symbol: TradingSymbol) -> str | None:
        """Have a strategy say something, and return the refusal."""
        await self.priced(symbol)
        known, now = len(self.heard.of(SignalHandled)), self.application._wall_clock.now()
        await self.application._bus.publish(SignalsRaised(time=now, signals=(signal(action, symbol, now),)))
        await self.until(lambda: len(self.heard.of(SignalHandled)) > known)
        return self.heard.of(SignalHandled)[known].outcome.refusal

    async def strike(self, text: str) -> None:
        """Let an hour pass, and wait for the alert."""
        asked, known = len(self.hours.asked), len(self.alerts())
        self.hours.strike()
        await self.until(lambda: any(text in one for one in self.alerts()[known:]))
        await self.until(lambda: len(self.hours.asked) > asked)  # all is built anew by then

    def resting(self) -> list[str]:
        return [order["symbol"] for order in self.venue.call("GET", "openOrders").json()]


@asynccontextmanager
async def session(chosen: Settings, market: Market, venue: RunningVenue) -> AsyncIterator[Session]:
    hours = Hours()
    credentials = Credentials(KEY, SECRET) if chosen.live else None
    place = ExchangeMarketplace(chosen, credentials, hours=hours)
    application = Application(chosen, until_end=False, marketplace=place)
    running, stop, ready = Session(application, hours, market, venue), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(application.run(stop, lambda _: ready.set()))
    try:
        await running.until(lambda: ready.is_set() or task.done())
        if task.done():
            task.result()
        yield running
    finally:
        stop.set()
        await asyncio.wait([task])
    task.result()


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_symbol_that_drops_out_is_sold_by_its_stop_and_not_entered_again(
    venue: RunningVenue, market: Market, tmp_path: Path, is_live: bool
) -> None:
    chosen = settings(venue, tmp_path, live=is_live)
    async with session(chosen, market, venue) as running:
        assert running.symbols == {BTC, ETH}
        await running.until(lambda: "the symbols change: BTC, ETH come" in running.alerts())
        await running.decided_on(BTC, ETH)
        assert await running.signal(Action.BUY, BTC) is None
        await running.until(lambda: not is_live or running.resting() == ["BTCUSDT"])

        await asyncio.to_thread(market.close, SOL=90_000, ETH=50_000)
        await running.strike("the symbols change: SOL come, BTC go")
        assert running.hours.asked[0] % HOUR == 0
        assert running.hours.asked[0] > START
        assert running.symbols == {SOL, ETH, BTC}
        await running.decided_on(SOL, ETH, BTC)
        assert not is_live or running.resting() == ["BTCUSDT"], "protected as before"
        assert await running.signal(Action.BUY, SOL) is None

        await asyncio.to_thread(market.move, BTC, 97.0)
        await running.until(lambda: running.heard.of(PositionClosed))
        [trade] = [message.trade for message in running.heard.of(PositionClosed)]
        assert (trade.symbol, trade.exit_reason) == (BTC, "stop_loss")
        assert await running.signal(Action.BUY, BTC) == "symbol_not_allowed"

        asked = len(running.hours.asked)
        running.hours.strike()
        await running.until(lambda: len(running.hours.asked) > asked)
        assert running.symbols == {SOL, ETH}, "sold, and not looked at any more"
        await running.decided_on(SOL, ETH)
        assert not [beat for beat in running.heard.of(ServiceBeat) if beat.state is ServiceState.FAILED]
        assert not [row for message in running.heard.of(CandlesClosed) for row in message.refused]
    # The same account goes on, its other position with it, though another symbol would have been its first choice.
    await asyncio.to_thread(market.move, BTC, 100.0)
    await asyncio.to_thread(market.close, BTC=900_000, ETH=800_000)
    async with session(chosen, market, venue) as running:
        assert running.symbols == {BTC, ETH, SOL}
        assert running.application._market.enterable == {BTC, ETH}
        assert await running.signal(Action.SELL, SOL) is None
        await running.until(lambda: [message.trade.symbol for message in running.heard.of(PositionClosed)] == [SOL])
    with open_record(tmp_path / "data") as record:
        assert record.identity()["symbols"] == "universe"
        assert [trade.symbol for trade in record.reader.trades(limit=9)] == [SOL, BTC]


async def test_a_look_that_fails_or_finds_nothing_leaves_things_as_they_are(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    async with session(settings(venue, tmp_path, live=False), market, venue) as running:
        built = running.application._market_data
        venue.fault("/api/v3/ticker/24hr", "reject", args={"status": 503})
        await running.strike("the symbols stay as they were: ")
        venue.control.delete("/faults").raise_for_status()
        for symbol in ("BTC", "ETH", "SOL"):
            venue.control.post("/halt", json={"symbol": symbol, "state": "BREAK"}).raise_for_status()
        await running.strike("the symbols stay as they were: no symbol at binance has what the universe asks for")
        assert running.symbols == {BTC, ETH}
        assert running.application._market_data is built, "nothing was built anew"


async def test_what_is_delisted_while_it_is_held_is_stranded_at_the_next_look(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    async with session(settings(venue, tmp_path), market, venue) as running:
        await running.decided_on(BTC, ETH)
        assert await running.signal(Action.BUY, BTC) is None
        await running.until(lambda: running.resting() == ["BTCUSDT"])
        venue.control.post("/halt", json={"symbol": "BTC", "state": "DELISTED"}).raise_for_status()
        await running.strike("the symbols change: SOL come, BTC go")
        await running.until(lambda: any("BTC is not listed any more" in one for one in running.alerts()))
        assert running.symbols == {ETH, SOL, BTC}
        await running.decided_on(ETH, SOL)
        assert await running.signal(Action.BUY, SOL) is None


async def test_nothing_that_is_busy_enough_is_told_before_anything_begins(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    with pytest.raises(
        ConfigurationError, match="no symbol at binance has what the universe asks for, 50,000,000 USDT"
    ):
        async with session(settings(venue, tmp_path, universe_min_volume=None), market, venue):
            pass


async def test_an_account_of_set_symbols_is_not_taken_for_one_of_a_universe(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    fixed = {"universe": None, "universe_min_volume": None, "symbols": "BTC"}
    async with session(settings(venue, tmp_path, **fixed), market, venue):
        pass
    with pytest.raises(ConfigurationError, match="symbols was 'BTC', now 'universe'"):
        async with session(settings(venue, tmp_path), market, venue):
            pass

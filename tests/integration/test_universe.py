"""Symbols that are chosen anew every hour, over the wire, on a venue where some are busier than others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr
from tests.builders import BTC, ETH, SOL, candle, signal
from tests.fakes import Listener
from tests.integration.venue_server import KEY, SECRET, RunningVenue, ScriptedMarket, scripted_venue
from tests.places import PostgresPlace
from tests.redis_process import RedisProcess

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.application import Application
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.service_process import ServiceProcess
from vela.bootstrap.settings import Settings, load_settings
from vela.bootstrap.transport import on_redis
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
from vela.ports.bus import Bus

START = 1_700_000_040_000
SYMBOLS = (BTC, ETH, SOL)
MINUTE, HOUR = 60_000, 3_600_000
_LONGEST_SECONDS = 60  # a busy machine takes its time


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
    others = {
        "page": False,
        "live": True,
        "cooldown": "0",
        "strategy": "SmaCrossover",
        "data_dir": str(folder / "data"),
    }
    return load_settings({**chosen, **others, **options}, {}, folder / "vela.toml")


class Session:
    """All services, and what they say. `places`: what each knows of the exchange."""

    def __init__(self, bus: Bus, places: Sequence[ExchangeMarketplace], hours: Hours, market: Market) -> None:
        self.bus, self.places, self.hours, self.market = bus, places, hours, market
        self.heard = Listener(bus)

    @property
    def symbols(self) -> set[TradingSymbol]:
        [symbols] = {frozenset(place.symbols) for place in self.places}
        return set(symbols)

    def alerts(self) -> list[str]:
        return [alert.text for alert in self.heard.of(Alert)]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(_LONGEST_SECONDS):
            while not condition():  # noqa: ASYNC110  any condition will do
                await asyncio.sleep(0.01)

    async def decided_on(self, *symbols: TradingSymbol) -> None:
        """Let candles close until brains decide on just these symbols."""
        known = len(self.heard.of(DecisionsMade))

        def came() -> bool:
            newest = self.heard.of(DecisionsMade)[known:]
            return any({one.symbol for one in made.decisions} == set(symbols) for made in newest)

        async with asyncio.timeout(_LONGEST_SECONDS):
            while not came():
                await asyncio.to_thread(self.market.close)
                await asyncio.sleep(0.1)

    async def priced(self, symbol: TradingSymbol) -> None:
        """Let prices come until one of the symbol was heard of after this."""
        known = len(self.heard.of(PricesMoved))
        async with asyncio.timeout(_LONGEST_SECONDS):
            while not any(tick.symbol == symbol for p in self.heard.of(PricesMoved)[known:] for tick in p.ticks):
                await asyncio.to_thread(self.market.move, symbol, self.market.prices[symbol])
                await asyncio.sleep(0.05)

    async def signal(self, action: Action, symbol: TradingSymbol) -> str | None:
        """Have a strategy say something, and return the refusal."""
        await self.priced(symbol)
        known, now = len(self.heard.of(SignalHandled)), time.time_ns() // 1_000_000
        await self.bus.publish(SignalsRaised(time=now, signals=(signal(action, symbol, now),)))
        await self.until(lambda: len(self.heard.of(SignalHandled)) > known)
        return self.heard.of(SignalHandled)[known].outcome.refusal

    async def strike(self, text: str | None = None) -> None:
        """Let the time that is waited for come, and wait for the alert, if there is one."""
        asked, known = len(self.hours.asked), len(self.alerts())
        self.hours.strike()
        await self.until(lambda: text is None or any(text in one for one in self.alerts()[known:]))
        await self.until(lambda: len(self.hours.asked) > asked)  # all is built anew by then


def resting(venue: RunningVenue) -> list[str]:
    return [order["symbol"] for order in venue.call("GET", "openOrders").json()]


@asynccontextmanager
async def session(chosen: Settings, market: Market) -> AsyncIterator[Session]:
    hours = Hours()
    credentials = Credentials(KEY, SECRET) if chosen.live else None
    place = ExchangeMarketplace(chosen, credentials, hours=hours)
    application = Application(chosen, until_end=False, marketplace=place)
    running, stop, ready = Session(application._bus, [place], hours, market), asyncio.Event(), asyncio.Event()
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
    async with session(chosen, market) as running:
        assert running.symbols == {BTC, ETH}
        await running.until(lambda: "the symbols change: BTC, ETH come" in running.alerts())
        await running.decided_on(BTC, ETH)
        assert await running.signal(Action.BUY, BTC) is None
        await running.until(lambda: not is_live or resting(venue) == ["BTCUSDT"])

        await asyncio.to_thread(market.close, SOL=90_000, ETH=50_000)
        await running.strike("the symbols change: SOL come, BTC go")
        assert running.hours.asked[0] % HOUR == 0
        assert running.hours.asked[0] > START
        assert running.symbols == {SOL, ETH, BTC}
        await running.decided_on(SOL, ETH, BTC)
        assert not is_live or resting(venue) == ["BTCUSDT"], "protected as before"
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
    async with session(chosen, market) as running:
        assert running.symbols == {BTC, ETH, SOL}
        assert running.places[0].enterable == frozenset({BTC, ETH})
        assert await running.signal(Action.SELL, SOL) is None
        await running.until(lambda: [message.trade.symbol for message in running.heard.of(PositionClosed)] == [SOL])
    with open_record(tmp_path / "data") as record:
        assert record.identity()["symbols"] == "universe"
        assert [trade.symbol for trade in record.reader.trades(limit=9)] == [SOL, BTC]


async def test_a_look_that_fails_or_finds_nothing_leaves_things_as_they_are(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    async with session(settings(venue, tmp_path, live=False), market) as running:
        venue.fault("/api/v3/ticker/24hr", "reject", args={"status": 503})
        await running.strike("the symbols stay as they were: ")
        assert running.hours.asked[-1] == running.hours.now() + 5 * MINUTE, "it is asked again before the next hour"
        alerts = running.alerts()
        await running.strike()
        assert running.alerts() == alerts, "the same trouble is told once"
        venue.control.delete("/faults").raise_for_status()
        for symbol in ("BTC", "ETH", "SOL"):
            venue.control.post("/halt", json={"symbol": symbol, "state": "BREAK"}).raise_for_status()
        await running.strike("the symbols stay as they were: no symbol at binance has what the universe asks for")
        assert running.hours.asked[-1] % HOUR == 0
        assert running.hours.asked[-1] > running.hours.now() + 5 * MINUTE
        assert running.symbols == {BTC, ETH}
        starting = [beat for beat in running.heard.of(ServiceBeat) if beat.state is ServiceState.STARTING]
        assert [beat.service for beat in starting].count("market-data") == 1, "nothing was built anew"


async def test_what_is_delisted_while_it_is_held_is_stranded_at_the_next_look(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    async with session(settings(venue, tmp_path), market) as running:
        await running.decided_on(BTC, ETH)
        assert await running.signal(Action.BUY, BTC) is None
        await running.until(lambda: resting(venue) == ["BTCUSDT"])
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
        async with session(settings(venue, tmp_path, universe_min_volume=None), market):
            pass


async def test_an_account_of_set_symbols_is_not_taken_for_one_of_a_universe(
    venue: RunningVenue, market: Market, tmp_path: Path
) -> None:
    fixed = {"universe": None, "universe_min_volume": None, "symbols": "BTC"}
    async with session(settings(venue, tmp_path, **fixed), market):
        pass
    with pytest.raises(ConfigurationError, match="symbols was 'BTC', now 'universe'"):
        async with session(settings(venue, tmp_path), market):
            pass


class Processes(Session):
    """Services that share nothing but Redis and PostgreSQL, each wired as in a process of its own."""

    def __init__(self, bus: Bus, settings: Settings, market: Market) -> None:
        super().__init__(bus, [], Hours(), market)
        self.settings = settings
        self.told: list[str] = []
        self.running: dict[str, tuple[ExchangeMarketplace, asyncio.Task[None], asyncio.Event]] = {}

    def start(self, service: str) -> None:
        place = ExchangeMarketplace(self.settings, None, hours=self.hours)
        process = ServiceProcess(service, self.settings, self.told.append, marketplace=place)
        stop = asyncio.Event()
        task = asyncio.create_task(process.run(stop, lambda _: None))
        self.running[service] = (place, task, stop)
        self.places = [place for place, *_ in self.running.values()]

    async def end(self, service: str) -> None:
        _, task, stop = self.running.pop(service)
        stop.set()
        await task

    async def agree_on(self, *symbols: TradingSymbol) -> None:
        def they_do() -> bool:
            for _, task, _ in self.running.values():
                if task.done():
                    task.result()
            return all(set(place.symbols) == set(symbols) for place in self.places)

        await self.until(they_do)


async def test_services_in_processes_of_their_own_follow_the_one_that_trades(
    venue: RunningVenue, market: Market, tmp_path: Path, postgresql_place: PostgresPlace, redis_process: RedisProcess
) -> None:
    address = postgresql_place.server.network_url(postgresql_place.name).render_as_string(hide_password=False)
    chosen = settings(venue, tmp_path, live=False, bus=redis_process.url, database=address)
    async with AsyncExitStack() as stack:
        transport = on_redis(SecretStr(redis_process.url), SystemClock(), source="test")
        stack.push_async_callback(transport.close)
        running = Processes(transport.bus, chosen, market)
        for service in ("market-data", "brain", "persistence", "historical"):
            running.start(service)
            stack.push_async_callback(running.end, service)
        await running.until(lambda: "waiting for orders, which chooses the symbols" in running.told)
        running.start("orders")
        stack.push_async_callback(running.end, "orders")
        await running.agree_on(BTC, ETH)
        await running.decided_on(BTC, ETH)
        assert await running.signal(Action.BUY, BTC) is None

        await asyncio.to_thread(market.close, SOL=90_000, ETH=50_000)
        await running.strike("the symbols change: SOL come, BTC go")
        await running.agree_on(SOL, ETH, BTC)
        await running.decided_on(SOL, ETH, BTC)
        await running.end("brain")
        running.start("brain")
        await running.agree_on(SOL, ETH, BTC)
        await running.decided_on(SOL, ETH, BTC)

        await running.priced(BTC)
        await asyncio.to_thread(market.move, BTC, 97.0)
        await running.until(lambda: running.heard.of(PositionClosed))
        assert await running.signal(Action.BUY, BTC) == "symbol_not_allowed"
        await running.end("orders")
        await asyncio.to_thread(market.move, BTC, 100.0)
        running.start("orders")
        await running.agree_on(SOL, ETH)
        await running.decided_on(SOL, ETH)
        assert not [beat for beat in running.heard.of(ServiceBeat) if beat.state is ServiceState.FAILED]

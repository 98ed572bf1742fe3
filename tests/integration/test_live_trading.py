"""Orders over the wire, from the candle to the stop that rests, on a venue that speaks like Binance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.builders import BTC, candle
from tests.fakes import Listener, until
from tests.integration.venue_server import KEY, SECRET, RunningVenue, ScriptedMarket, scripted_venue

from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.application import Application, Ready
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.settings import Settings, load_settings
from vela.bootstrap.strategies import find_strategy, make
from vela.domain.errors import ConfigurationError, StorageLocked, VelaError, VenueUnavailable
from vela.domain.events import DecisionsMade, SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.simulation.spot_fees import SpotFees

START = 1_700_000_040_000
RULES = Instrument(BTC, Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal("0.00001"))
BALANCES = {"USDT": Decimal(10_000), "BTC": Decimal(1)}


class Market:
    """Closes a candle each time it is told a price, minutes of long ago."""

    def __init__(self, script: ScriptedMarket) -> None:
        self.script, self.time, self.price = script, START, 100.0

    def next(self, price: float) -> None:
        tick = Tick(BTC, price, min(self.price, price), max(self.price, price))
        self.script.move(tick, self.time + 59_999)
        row = candle(self.time, price, high=tick.high, low=tick.low)
        self.script.close(SymbolCandle(BTC, row))
        self.time, self.price = self.time + 60_000, price


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def script() -> ScriptedMarket:
    return ScriptedMarket(RULES, volume=100_000.0)


@pytest.fixture
def venue(state: Path, script: ScriptedMarket) -> Iterator[RunningVenue]:
    with scripted_venue(script, balances=BALANCES, fees=SpotFees(Decimal("0.001"), Decimal("0.001"))) as server:
        yield server


def settings(state: Path, venue: RunningVenue, **options) -> Settings:
    chosen = {"exchange": "binance", "exchange_url": venue.http, "symbols": "BTC", "page": False, **options}
    return load_settings({"data_dir": str(state / "data"), "cooldown": "0", **chosen}, {}, state / "vela.toml")


@asynccontextmanager
async def session(chosen: Settings, credentials: Credentials | None) -> AsyncIterator[tuple[Ready, Listener]]:
    strategy = make(find_strategy("SmaCrossover"), {"fast": 5, "slow": 20})
    place = ExchangeMarketplace(chosen, credentials)
    application = Application(chosen, until_end=False, marketplace=place, strategies={BTC: strategy})
    greeted: list[Ready] = []
    heard, stop = Listener(application._bus), asyncio.Event()
    running = asyncio.create_task(application.run(stop, greeted.append))
    try:
        # The first one of a process imports all that talks to exchanges.
        await until(lambda: greeted or running.done(), seconds=30.0)
        if running.done():
            running.result()
        yield greeted[0], heard
    finally:
        stop.set()
        await asyncio.wait([running])


def rows(state: Path, query: str) -> list[Any]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(state / "data" / "vela.sqlite")) as connection:
        return connection.execute(query).fetchall()


async def play(market: Market, heard: Listener, *prices: float) -> None:
    for price in prices:
        time = market.time
        await asyncio.to_thread(market.next, price)
        await until(lambda: heard.of(DecisionsMade) and heard.of(DecisionsMade)[-1].decisions[0].candle_time == time)  # noqa: B023


@pytest.mark.parametrize("is_live", [True, False])
async def test_from_the_candle_to_the_stop_and_out_again(
    state: Path, venue: RunningVenue, script: ScriptedMarket, is_live: bool
) -> None:
    chosen, market = settings(state, venue, live=is_live), Market(script)
    credentials = Credentials(KEY, SECRET) if is_live else None
    async with session(chosen, credentials) as (ready, heard):
        assert ready.mode == ("live" if is_live else "paper")
        while not heard.of(DecisionsMade):  # until the streams are there
            await asyncio.to_thread(market.next, 100.0)
            await asyncio.sleep(0.05)
        await play(market, heard, *[100.0] * 25, 101.0, 102.0, 103.0)
        await until(lambda: rows(state, "SELECT 1 FROM orders WHERE purpose = 'stop' AND status = 'ACCEPTED'"))
        [(quantity,)] = rows(state, "SELECT quantity FROM positions")
        await play(market, heard, *[99.0 - step for step in range(6)])
        await until(lambda: rows(state, "SELECT 1 FROM trades"))
    fills = rows(state, "SELECT fill_id, price, quantity, fee, fee_asset FROM fills ORDER BY time, fill_id")
    told = [event["fill"] for event in venue.truth() if "fill" in event]
    if is_live:
        amounts = ("price", "quantity", "fee")
        theirs = [(f"BTCUSDT:{f['fill_id']}", *(Decimal(f[name]) for name in amounts), f["fee_asset"]) for f in told]
        assert theirs == [(fill_id, *map(Decimal, numbers), asset) for fill_id, *numbers, asset in fills]
        assert Decimal(quantity) == Decimal(fills[0][2]) - Decimal(fills[0][3]), "the fee came out of what was bought"
    else:
        assert told == []
        assert len(fills) == 2


@pytest.mark.parametrize(
    ("break_it", "error", "words"),
    [
        ({"credentials": Credentials(KEY, "wrong")}, ConfigurationError, "does not accept the key"),
        ({"offset": 5000}, ConfigurationError, "clock is off by"),
        ({"capital": "99999"}, ConfigurationError, "capital is 99999 USDT and the account has 10000 free"),
        ({"symbols": "ETH"}, ConfigurationError, "ETH"),
        ({"exchange_url": "http://127.0.0.1:9"}, VenueUnavailable, "binance cannot be used"),
    ],
    ids=["secret", "clock", "capital", "symbol", "address"],
)
async def test_what_keeps_it_from_starting(state: Path, venue: RunningVenue, break_it, error, words) -> None:
    if "offset" in break_it:
        venue.control.post("/clock", json={"offset_ms": break_it.pop("offset")})
    credentials = break_it.pop("credentials", Credentials(KEY, SECRET))
    with pytest.raises(error, match=words):
        async with session(settings(state, venue, live=True, **break_it), credentials):
            pass
    assert venue.truth() == []


async def test_an_account_is_traded_on_by_one_instance(state: Path, venue: RunningVenue) -> None:
    first = settings(state, venue, live=True)
    with open_record(state / "data"), pytest.raises(StorageLocked, match="in use by another running Vela"):
        async with session(first, Credentials(KEY, SECRET)):
            pass
    async with session(first, Credentials(KEY, SECRET)):
        with pytest.raises(VelaError, match="trades on this account"):
            async with session(settings(state, venue, live=True, data_dir=str(state / "b")), Credentials(KEY, SECRET)):
                pass


async def test_a_record_of_one_account_is_not_taken_to_another(state: Path, venue: RunningVenue) -> None:
    async with session(settings(state, venue), None):
        pass
    with pytest.raises(ConfigurationError, match="holds an account on another market: account was 'paper'"):
        async with session(settings(state, venue, live=True), Credentials(KEY, SECRET)):
            pass

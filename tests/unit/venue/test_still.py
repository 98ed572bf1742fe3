from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC, ETH, INSTRUMENTS, MINUTE

from vela.domain.candles import Candle
from vela.domain.errors import ConfigurationError, OrderRefused
from vela.domain.events import MarketEnded, PricesMoved, SymbolCandle, Tick
from vela.domain.timeframe import Timeframe
from vela.venue.still import VOLUME, StillMarket

START = 1000 * MINUTE


def market() -> StillMarket:
    return StillMarket(INSTRUMENTS, {BTC: Decimal(100), ETH: Decimal("2.5")}, Timeframe.M1, START)


def prices(time: int, *ticks: Tick) -> PricesMoved:
    return PricesMoved(time=time, ticks=ticks)


async def test_it_begins_and_then_nothing_happens() -> None:
    begun, ended = [event async for event in market().stream()]
    assert begun == prices(START, jump(BTC, 100.0), jump(ETH, 2.5))
    assert ended == MarketEnded(time=START)


def jump(symbol, price: float, volume: float = VOLUME) -> Tick:
    return Tick(symbol, price, price, price, jump=True, volume=volume)


async def test_its_past_is_as_still() -> None:
    rows = await market().history(BTC, START + 1, 2)
    assert rows == [Candle(START - back * MINUTE, 100.0, 100.0, 100.0, 100.0, VOLUME) for back in (2, 1)]


def test_a_move_goes_through_all_prices_from_the_old_one() -> None:
    still = market()
    assert still.moved(BTC, Decimal(110)) == [prices(START, Tick(BTC, 110.0, 100.0, 110.0, volume=VOLUME))]
    assert still.moved(BTC, Decimal(90), volume=0.5) == [prices(START, Tick(BTC, 90.0, 90.0, 110.0, volume=0.5))]


def test_a_jump_leaves_out_what_lies_between_and_then_trades() -> None:
    traded = Tick(BTC, 90.0, 90.0, 90.0, volume=VOLUME)
    assert market().moved(BTC, Decimal(90), jump=True) == [prices(START, jump(BTC, 90.0)), prices(START, traded)]


def test_a_candle_ends_and_the_next_one_opens_where_it_stood() -> None:
    still = market()
    still.moved(BTC, Decimal(90))
    forming = (SymbolCandle(BTC, Candle(START, 100.0, 100.0, 90.0, 90.0, 1.0)),)
    later = START + MINUTE
    assert still.candle_ended(forming) == (prices(later, jump(BTC, 90.0), jump(ETH, 2.5)), forming)
    assert still.time == later


def test_what_a_move_offers_is_offered_in_the_next_candle_too() -> None:
    still = market()
    still.moved(BTC, Decimal(90), volume=0.5)
    opened, _ = still.candle_ended(())
    assert opened == prices(START + MINUTE, jump(BTC, 90.0, 0.5), jump(ETH, 2.5))


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "1E+10"])
def test_what_is_no_price_changes_nothing(price) -> None:
    still = market()
    with pytest.raises(ConfigurationError, match="accepted: above 0, up to "):
        still.moved(BTC, Decimal(price))
    with pytest.raises(OrderRefused, match=r"^tick: "):
        still.moved(BTC, Decimal("100.05"))
    assert still.moved(BTC, Decimal(100))[0].ticks[0].low == 100.0

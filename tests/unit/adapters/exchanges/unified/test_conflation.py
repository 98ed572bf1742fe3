from __future__ import annotations

import math

import pytest

from vela.adapters.exchanges.unified.conflation import Conflation
from vela.domain.events import PricesMoved, Tick
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")


def test_the_newest_price_is_told_with_the_range_since_the_last():
    prices = Conflation()
    for price, time in ((100.0, 1), (90.0, 2), (110.0, 3), (105.0, 4)):
        prices.take(BTC, price, time)
    prices.take(ETH, 10.0, 3)
    assert prices.tell(()) == PricesMoved(time=4, ticks=(Tick(BTC, 105.0, 90.0, 110.0), Tick(ETH, 10.0, 10.0, 10.0)))
    assert not prices
    assert prices.tell(()) is None
    prices.take(BTC, 106.0, 5)
    assert prices.tell(()) == PricesMoved(time=5, ticks=(Tick(BTC, 106.0, 106.0, 106.0),))


@pytest.mark.parametrize("price", [math.nan, math.inf, -1.0, 0.0])
def test_what_is_no_price_is_passed_over(price):
    prices = Conflation()
    prices.take(BTC, price, 1)
    assert not prices


def test_a_late_trade_moves_the_range_and_not_the_price():
    prices = Conflation()
    prices.take(BTC, 100.0, 10)
    prices.take(BTC, 90.0, 9)
    assert prices.tell(()) == PricesMoved(time=10, ticks=(Tick(BTC, 100.0, 90.0, 100.0),))
    prices.take(BTC, 80.0, 8)
    assert prices.tell(()) is None


def test_time_never_goes_back():
    prices = Conflation()
    prices.take(BTC, 100.0, 10)
    prices.tell(())
    prices.take(ETH, 10.0, 5)
    moved = prices.tell(())
    assert moved is not None
    assert moved.time == 10


def test_old_prices_of_silent_symbols_are_told_to_nobody():
    prices = Conflation()
    prices.take(BTC, 100.0, 1)
    prices.take(ETH, 10.0, 1)
    assert prices.tell({BTC}) == PricesMoved(time=1, ticks=(Tick(ETH, 10.0, 10.0, 10.0),))
    assert prices.tell(()) is None


def test_a_tick_bears_the_volume_of_the_newest_closed_candle():
    prices = Conflation()
    prices.closed(BTC, 7.5)
    prices.take(BTC, 100.0, 1)
    assert prices.tell(()) == PricesMoved(time=1, ticks=(Tick(BTC, 100.0, 100.0, 100.0, volume=7.5),))

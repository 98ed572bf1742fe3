from __future__ import annotations

from vela.adapters.exchanges.unified.closing import ClosedCandles
from vela.domain.candles import Candle
from vela.domain.events import SymbolCandle
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")
MINUTE = 60_000
NOW = 10 * MINUTE + 5_000  # the candle of minute 10 is forming


def candle(minute: int, close: float = 100.0) -> Candle:
    return Candle(minute * MINUTE, 100.0, 110.0, 90.0, close, 1.0)


def closed(*symbols: TradingSymbol) -> ClosedCandles:
    return ClosedCandles(symbols, MINUTE, NOW, gather_seconds=0.25, patience=3.0)


def after(minute: int, seconds: float = 0.0) -> int:
    """The time, so many seconds after the close of that minute's candle."""
    return (minute + 1) * MINUTE + int(seconds * 1000)


def test_candles_of_one_close_come_together_at_once():
    candles = closed(BTC, ETH)
    assert candles.wait(NOW, 0.0) is None
    assert candles.take(BTC, candle(10), after(10), 0.0, by_stream=True)
    assert candles.due(after(10), 0.0) == ()
    assert candles.take(ETH, candle(10), after(10), 0.1, by_stream=True)
    assert candles.due(after(10), 0.1) == (SymbolCandle(BTC, candle(10)), SymbolCandle(ETH, candle(10)))
    assert candles.due(after(10), 0.1) == ()


def test_they_do_not_wait_long_for_each_other():
    candles = closed(BTC, ETH)
    candles.take(BTC, candle(10), after(10), 1.0, by_stream=True)
    assert candles.wait(after(10), 1.0) == 0.25
    assert candles.due(after(10), 1.2) == ()
    assert candles.due(after(10), 1.25) == (SymbolCandle(BTC, candle(10)),)
    candles.take(ETH, candle(10), after(10), 1.5, by_stream=True)
    assert candles.due(after(10), 1.5) == (SymbolCandle(ETH, candle(10)),)


def test_the_clock_must_be_past_the_close():
    candles = closed(BTC)
    candles.take(BTC, candle(10), after(10, -2), 0.0, by_stream=True)
    assert candles.due(after(10, -2), 9.0) == ()
    assert candles.wait(after(10, -2), 9.0) == 2.0
    assert candles.due(after(10), 9.0) == (SymbolCandle(BTC, candle(10)),)


def test_a_candle_that_is_known_is_told_once_and_a_changed_one_again():
    candles = closed(BTC)
    assert candles.take(BTC, candle(10), after(10), 0.0, by_stream=True)
    assert not candles.take(BTC, candle(10), after(10), 0.0, by_stream=False)
    candles.due(after(10), 0.0)
    assert not candles.take(BTC, candle(10), after(10), 0.1, by_stream=True)
    assert candles.take(BTC, candle(10, close=101.0), after(10), 0.2, by_stream=True)
    assert candles.due(after(10), 0.2) == (SymbolCandle(BTC, candle(10, close=101.0)),)


def test_candles_that_come_in_the_wrong_order_are_told_in_the_right_one():
    candles = closed(BTC, ETH)
    candles.take(BTC, candle(11), after(11), 0.0, by_stream=True)
    candles.take(BTC, candle(10), after(11), 0.1, by_stream=True)
    told = [candles.due(after(11), 1.0), candles.due(after(11), 1.0)]
    assert told == [(SymbolCandle(BTC, candle(10)),), (SymbolCandle(BTC, candle(11)),)]
    assert not candles.take(BTC, candle(9), after(11), 1.1, by_stream=True)


def test_a_candle_that_does_not_come_is_missed_less_and_less_often():
    candles = closed(BTC, ETH)
    candles.take(ETH, candle(10), after(10), 0.0, by_stream=True)
    assert candles.overdue(after(10, 2.9), 2.9) == []
    assert candles.overdue(after(10, 3), 3.0) == [BTC]
    assert [at for at in range(4, 30) if candles.overdue(after(10, at), float(at))] == [6, 12, 24]
    candles.take(BTC, candle(10), after(10, 30), 30.0, by_stream=False)
    assert candles.overdue(after(10, 31), 31.0) == []
    assert candles.newest(BTC) == 10 * MINUTE


def test_a_market_that_lags_behind_the_clock_is_given_that_time():
    candles = closed(BTC)
    candles.begin(BTC, candle(8))
    candles.take(BTC, candle(9), after(9, 40), 0.0, by_stream=True)
    assert candles.overdue(after(10, 42), 62.0) == []
    assert candles.overdue(after(10, 43), 63.0) == [BTC]


def test_the_candle_before_the_first_is_known_and_not_told():
    candles = closed(BTC)
    assert candles.begin(BTC, candle(9))
    assert not candles.take(BTC, candle(9), NOW, 0.0, by_stream=False)
    assert candles.due(NOW, 0.0) == ()
    candles.take(BTC, candle(10), after(10), 0.0, by_stream=True)
    assert not candles.begin(BTC, candle(10))


def test_an_older_market_than_the_clock_s_is_taken_as_it_is():
    candles = closed(BTC)
    assert candles.take(BTC, candle(3), NOW, 0.0, by_stream=True)
    assert candles.due(NOW, 0.0) == (SymbolCandle(BTC, candle(3)),)
    assert candles.newest(BTC) == 3 * MINUTE

from __future__ import annotations

import pytest
from tests.unit.simulation.market import BTC, INSTRUMENTS

from vela.domain.candles import Candle
from vela.domain.events import SymbolCandle, Tick
from vela.domain.timeframe import Timeframe
from vela.venue.tape import Tape, Tapes, quote_volume

MINUTE = 60_000


def candle(minute: int, close: float = 100.0, volume: float = 6.0) -> Candle:
    return Candle(minute * MINUTE, 100.0, max(100.0, close), min(100.0, close), close, volume)


def tape(*history: Candle) -> Tape:
    return Tape(INSTRUMENTS[0], Timeframe.M1, history)


def move(price: float, low: float | None = None, high: float | None = None, *, jump: bool = False) -> Tick:
    return Tick(BTC, price, price if low is None else low, price if high is None else high, jump=jump, volume=6.0)


def test_a_candle_forms_from_moves_and_gives_way_to_the_closed_one() -> None:
    record = tape(candle(0))
    record.move(move(101.0, jump=True), MINUTE)
    record.move(move(103.0, 99.0, 104.0), MINUTE + 30_000)
    assert record.newest(MINUTE) == Candle(MINUTE, 101.0, 104.0, 99.0, 103.0, 3.0)
    assert record.close(candle(1, 105.0, 9.0))
    assert record.newest(MINUTE) == candle(1, 105.0, 9.0)


def test_a_move_is_worth_the_part_of_the_candle_that_has_passed() -> None:
    record = tape(candle(0))
    assert record.move(move(100.0, jump=True), MINUTE) == (0.0, [])
    share, trades = record.move(move(102.0, 99.0, 102.0), MINUTE + 15_000)
    assert share == 0.25
    assert [(trade.number, trade.price, trade.buyer_is_maker) for trade in trades] == [
        (1, 99.0, True),
        (2, 102.0, False),
    ]
    assert sum(trade.quantity for trade in trades) == pytest.approx(1.5)
    assert record.move(move(102.0), MINUTE + 59_999)[0] == pytest.approx(0.75, abs=1e-4)


def test_a_market_that_stands_still_says_itself_what_it_traded() -> None:
    record = tape(candle(0))
    share, trades = record.move(move(102.0, 100.0, 102.0), MINUTE, share=1.0)
    assert share == 1.0
    assert sum(trade.quantity for trade in trades) == pytest.approx(6.0)
    assert record.move(move(102.0, jump=True), MINUTE, share=1.0) == (0.0, [])


def test_a_market_that_trades_nothing_makes_no_trades() -> None:
    record = tape()
    assert record.move(Tick(BTC, 100.0, 99.0, 101.0), 30_000) == (0.5, [])


def test_a_tick_without_volume_gets_that_of_the_newest_candle() -> None:
    record = tape(candle(0, volume=7.0))
    assert record.measured(Tick(BTC, 1.0, 1.0, 1.0)).volume == 7.0
    assert record.measured(move(1.0)).volume == 6.0
    assert tape().measured(Tick(BTC, 1.0, 1.0, 1.0)).volume == 0.0


@pytest.mark.parametrize(
    "bad", [candle(1), candle(0), Candle(3 * MINUTE, 1.0, float("nan"), 1.0, 1.0, 1.0), Candle(125_000, 1, 1, 1, 1, 1)]
)
def test_a_candle_that_cannot_be_used_or_came_before_is_left_out(bad) -> None:
    record = tape(candle(0), candle(1))
    assert not record.close(bad)
    assert record.candles(MINUTE) == [candle(0), candle(1)]


def test_candles_are_merged_into_longer_ones() -> None:
    record = tape(*(candle(minute, 90.0 + minute) for minute in range(3, 12)))
    five = record.candles(5 * MINUTE, since=5 * MINUTE)
    assert [row.open_time // MINUTE for row in five] == [5, 10]
    assert (five[0].low, five[0].close, five[0].volume) == (95.0, 99.0, 30.0)
    assert record.candles(5 * MINUTE, until=4 * MINUTE)[0].open_time == 0
    assert record.newest(5 * MINUTE) == five[-1]


def test_the_day_is_the_newest_24_hours() -> None:
    record = tape(*(candle(minute, 100.0 + minute, 1.0) for minute in range(1500)))
    day = record.day()
    assert day is not None
    assert day.candle.open_time == 60 * MINUTE
    assert day.candle.volume == 1440
    assert day.quote_volume == pytest.approx(sum(quote_volume(row) for row in record.candles(MINUTE)[60:]))
    assert tape().day() is None


def test_the_tapes_say_which_closed_candles_can_be_used() -> None:
    tapes = Tapes([tape(candle(0))], Timeframe.M1)
    rows = [SymbolCandle(BTC, candle(0)), SymbolCandle(BTC, candle(1))]
    assert tapes.close(rows) == rows[1:]
    assert tapes[BTC].candles(MINUTE) == [candle(0), candle(1)]
    assert tapes.forming() == ()
    tapes[BTC].move(move(100.0), 2 * MINUTE)
    assert tapes.forming() == (SymbolCandle(BTC, Candle(2 * MINUTE, 100.0, 100.0, 100.0, 100.0, 0.0)),)

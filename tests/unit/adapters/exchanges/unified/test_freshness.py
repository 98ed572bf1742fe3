from __future__ import annotations

import pytest

from vela.adapters.exchanges.unified.freshness import Freshness, Remedy, Silence
from vela.domain.trading_symbol import TradingSymbol

BTC, ETH = TradingSymbol("BTC"), TradingSymbol("ETH")


@pytest.fixture
def freshness() -> Freshness:
    freshness = Freshness(10.0)
    freshness.expect("prices", [BTC, ETH], 0.0)
    return freshness


def busy(freshness: Freshness, symbol: TradingSymbol, every: float = 1.0, count: int = 25) -> float:
    """Let news come regularly; returns when the last of it came."""
    for number in range(1, count + 1):
        freshness.seen("prices", symbol, number, number * every)
    return count * every


def test_what_never_said_anything_is_old_after_three_times_what_was_expected(freshness):
    assert freshness.stale(30.0) == frozenset()
    assert freshness.stale(30.1) == {BTC, ETH}


def test_nothing_is_old_before_the_floor(freshness):
    last = busy(freshness, BTC)
    busy(freshness, ETH)
    assert freshness.stale(last + 10.0) == frozenset()
    assert freshness.stale(last + 10.1) == {BTC, ETH}


def test_one_symbol_of_many_goes_quiet(freshness):
    last = busy(freshness, BTC, count=100)
    busy(freshness, ETH, count=25)
    assert freshness.stale(last) == {ETH}


def test_a_symbol_that_seldom_trades_is_given_more_time(freshness):
    last = busy(freshness, BTC, every=30.0)
    assert BTC not in freshness.stale(last + 89.0)
    assert BTC in freshness.stale(last + 91.0)


def test_the_same_message_again_is_no_progress(freshness):
    last = busy(freshness, BTC)
    for second in range(1, 12):
        freshness.seen("prices", BTC, 25, last + second)
    assert BTC in freshness.stale(last + 11.0)
    freshness.seen("prices", BTC, 26, last + 12.0)
    assert BTC not in freshness.stale(last + 12.0)


def test_a_new_connection_does_not_make_old_news_new(freshness):
    last = busy(freshness, BTC)
    freshness.expect("prices", [BTC], last + 20.0)
    assert BTC in freshness.stale(last + 20.0)


def test_channels_are_told_apart(freshness):
    freshness.expect("candles", [BTC], 0.0)
    last = busy(freshness, BTC, count=40)
    busy(freshness, ETH, count=40)
    assert freshness.stale(last) == {BTC}
    assert freshness.stale(last, "prices") == frozenset()
    assert freshness.stale(last, "candles") == {BTC}


def test_messages_nobody_expects_are_passed_over(freshness):
    freshness.seen("depth", BTC, 1, 1.0)
    assert freshness.stale(1.0) == frozenset()


def test_against_silence_it_is_asked_anew_then_connected_anew_with_growing_pauses(freshness):
    tries = [(second, silence) for second in range(600) for silence in freshness.silences(float(second))]
    assert tries[0] == (31, Silence("prices", (BTC, ETH), Remedy.RESUBSCRIBE))
    assert {silence.remedy for _, silence in tries[1:]} == {Remedy.RECONNECT}
    assert [second for second, _ in tries] == [31, 41, 61, 101, 181, 341]


def test_a_symbol_that_does_not_trade_costs_the_others_one_new_connection_only(freshness):
    remedies = []
    for second in range(600):
        freshness.seen("prices", ETH, second + 1, float(second))
        remedies += [silence.remedy for silence in freshness.silences(float(second))]
    assert remedies == [Remedy.RESUBSCRIBE, Remedy.RECONNECT] + 4 * [Remedy.RESUBSCRIBE]


def test_after_progress_it_begins_again(freshness):
    freshness.silences(31.0)
    freshness.silences(41.0)
    for symbol in (BTC, ETH):
        freshness.seen("prices", symbol, 1, 50.0)
    assert freshness.silences(50.0) == []
    assert [silence.remedy for silence in freshness.silences(1000.0)] == [Remedy.RESUBSCRIBE]

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from tests.builders import BTC, ETH, MINUTE, SOL
from tests.parity.records import ReferenceConfig, ReferenceResult
from tests.parity.reference import simulate

from vela.domain.candles import Candle, Candles
from vela.domain.instrument import Instrument
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals

D = Decimal
Row = float | tuple[float, float, float, float]

# No costs and no levels: each test turns on what it is about. 100 quote a trade, prices in tenths.
PLAIN = ReferenceConfig(
    stake="100", max_positions=9, cooldown_ms=0, stop_loss=D(0), fee=D(0), slippage=D(0), capital=D(1000)
)


def candles(*rows: Row, minutes=None) -> Candles:
    """Rows are open, high, low, close; one number stands for all four."""
    times = range(len(rows)) if minutes is None else minutes
    filled = [row if isinstance(row, tuple) else (row, row, row, row) for row in rows]
    return Candles.from_rows([Candle(int(t * MINUTE), *row, 1.0) for t, row in zip(times, filled, strict=True)])


def says(count: int, buy=(), sell=(), confidence: float | None = None) -> Signals:
    numbers = range(count)
    buys, sells = (np.array([row in chosen for row in numbers], dtype=np.bool_) for chosen in (buy, sell))
    return Signals(buys, sells, None if confidence is None else np.full(count, confidence))


def grid(symbol, notional="0") -> Instrument:
    return Instrument(symbol, D("0.1"), D("0.001"), D(notional))


def run(rows: Candles, buy=(), sell=(), *, notional="0", regimes=None, detail=None, **options) -> ReferenceResult:
    return simulate(
        {BTC: (rows, says(len(rows), buy, sell))},
        replace(PLAIN, **options),
        {BTC: grid(BTC, notional)},
        None if regimes is None else {BTC: regimes},
        None if detail is None else {BTC: detail},
    )


def run_many(series, **options) -> ReferenceResult:
    return simulate(series, replace(PLAIN, **options), {symbol: grid(symbol) for symbol in series})


def exits(result: ReferenceResult) -> list[tuple[str, Decimal, int]]:
    return [(trade.exit_reason, trade.exit_price, trade.exit_row) for trade in result.trades]


def refusals(result: ReferenceResult) -> dict[str, int]:
    return {reason: count for reason, count in result.refused.items() if count}


# ---------------------------------------------------------------------------------------------------------------- open


def test_round_trip_pays_slippage_rounding_and_both_fees():
    # Signal at row 0: buys at open(1) 100 x 1.0005 = 100.05, up to 100.1; 50 / 100.1 = 0.4995, down to 0.499.
    # Paid 0.499 x 100.1 = 49.9499, fee 0.0499499. Sold at open(3) 110 x 0.9995 = 109.945, down to 109.9:
    # 54.8401, fee 0.0548401. Profit 54.8401 - 49.9499 - 0.10479 = 4.78541.
    rows = candles(99, 100, 105, (110, 120, 90, 90), 90)
    result = run(rows, [0], [2], stake="50", fee=D("0.001"), slippage=D("0.0005"))
    (trade,) = result.trades
    assert (trade.symbol, trade.side, trade.entry_reason, trade.exit_reason) == (BTC, "LONG", "signal", "signal")
    assert (trade.entry_time, trade.entry_price) == (MINUTE, D("100.1"))
    assert (trade.exit_time, trade.exit_price) == (3 * MINUTE, D("109.9"))
    assert (trade.quantity, trade.fees, trade.pnl) == (D("0.499"), D("0.10479"), D("4.78541"))
    assert trade.return_pct == pytest.approx(100 * 4.78541 / 49.9499)
    assert (trade.signal_row, trade.entry_row, trade.exit_row) == (0, 1, 3)
    assert (result.final_equity, result.fees_paid) == (D("1004.78541"), D("0.10479"))
    # Marked at each close: the entry candle 0.499 x 100 - 49.9998499, then 0.499 x 105.
    assert [value for _, value in result.equity[:3]] == [D(1000), D("999.9001501"), D("1002.3951501")]


def test_signals_without_use_are_counted_or_ignored():
    # Row 0 sells nothing; row 1 buys at open(2); row 2 wants to buy again; row 3 says both, which says nothing.
    result = run(candles(100, 100, 100, 100, 100), [1, 2, 3], [0, 3])
    assert refusals(result) == {"no_position": 1, "position_open": 1}
    assert (result.trades, len(result.open_positions)) == ([], 1)


def test_all_spends_the_balance_fee_included():
    # 1000 / (100 x 1.001) = 9.99001, down to 9.990: 999 and a fee of 0.999 leave 0.001.
    result = run(candles(100, 100, 100), [0], stake="all", fee=D("0.001"))
    assert result.open_positions[0].quantity == D("9.990")
    assert result.cash == D("0.001")


def test_percent_stake_is_of_equity_at_the_last_closes():
    # BTC: 50 % of 1000 = 5 at 100; closes at 120, so equity is 500 + 600 = 1100.
    # ETH: 50 % of 1100 = 550, but only 500 are free.
    btc = (candles(100, (100, 120, 100, 120), 120, 120), says(4, [0]))
    eth = (candles(10, 10, 10, 10), says(4, [1]))
    assert refusals(run_many({BTC: btc, ETH: eth}, stake="50%")) == {"balance": 1}
    # With 40 %: BTC 4 at 100, equity 600 + 480 = 1080, ETH 432 / 10.
    assert run_many({BTC: btc, ETH: eth}, stake="40%").open_positions[1].quantity == D("43.2")


def test_orders_below_the_minimum_are_refused():
    # 9.99 and 10 quote at a price of 100 against a minimum of 10; and 0.05 buys no step of 0.001, which costs 0.1.
    assert refusals(run(candles(100, 100), [0], stake="9.99", notional="10")) == {"min_notional": 1}
    assert refusals(run(candles(100, 100), [0], stake="10", notional="10")) == {}
    assert refusals(run(candles(100, 100), [0], stake="0.05")) == {"min_notional": 1}
    # Sold at a stop at 95, 10.5 are 9.975 and 10.6 are 10.07; with a fee of 1 % 9.97 of these are left.
    assert refusals(run(candles(100, 100), [0], stake="10.5", notional="10", stop_loss=D(5))) == {"min_notional": 1}
    assert refusals(run(candles(100, 100), [0], stake="10.6", notional="10", stop_loss=D(5))) == {}
    rules = {"stop_loss": D(5), "fee": D("0.01")}
    assert refusals(run(candles(100, 100), [0], stake="10.6", notional="10", **rules)) == {"min_notional": 1}


def test_orders_over_the_balance_are_refused():
    # 100 are free and wanted: fits without a fee, not with one. With 0.05 free, `all` comes to no quantity at all.
    assert refusals(run(candles(100, 100), [0], capital=D(100))) == {}
    assert refusals(run(candles(100, 100), [0], capital=D(100), fee=D("0.001"))) == {"balance": 1}
    assert refusals(run(candles(100, 100), [0], capital=D("0.05"), stake="all")) == {"balance": 1}
    # The smallest quantity costs 0.1: with just that free it was the stake that was too small.
    assert refusals(run(candles(100, 100), [0], capital=D("0.1"), stake="0.05")) == {"min_notional": 1}


def test_cooldown_runs_from_entry_to_entry_and_ends_at_its_boundary():
    # In at open(1), out at open(2); the signal of row 3 would fill at open(4), three minutes after the entry.
    rows = candles(100, 100, 100, 100, 100)
    assert len(run(rows, [0, 3], [1], cooldown_ms=3 * MINUTE).open_positions) == 1
    assert refusals(run(rows, [0, 3], [1], cooldown_ms=3 * MINUTE + 1)) == {"cooldown": 1}


def test_cooldown_is_each_symbols_own_and_not_started_by_refusals():
    # BTC enters at 1; ETH is refused there (one position) and yet free to enter at 3, after BTC left at 2.
    btc, eth = (candles(100, 100, 100, 100), says(4, [0], [1])), (candles(10, 10, 10, 10), says(4, [0, 2]))
    result = run_many({BTC: btc, ETH: eth}, max_positions=1, cooldown_ms=9 * MINUTE)
    assert refusals(result) == {"max_positions": 1}
    assert [position.symbol for position in result.open_positions] == [ETH]


def test_exits_free_their_place_before_entries_take_it():
    # At open(2) SOL leaves and BTC, first by name, enters: one position at a time, and the capital of one.
    btc, sol = (candles(100, 100, 100), says(3, [1])), (candles(50, 50, 50), says(3, [0], [1]))
    result = run_many({BTC: btc, SOL: sol}, max_positions=1, capital=D(100))
    assert refusals(result) == {}
    assert (result.trades[0].symbol, result.open_positions[0].symbol) == (SOL, BTC)


@pytest.mark.parametrize(("confidence", "winner"), [(0.9, BTC), (0.5, BTC), (0.4, ETH)])
def test_the_most_confident_entry_comes_first_and_names_break_ties(confidence, winner):
    rows = candles(100, 100)
    series = {ETH: (rows, says(2, [0], confidence=0.5)), BTC: (rows, says(2, [0], confidence=confidence))}
    result = run_many(series, max_positions=1)
    assert [position.symbol for position in result.open_positions] == [winner]
    assert refusals(result) == {"max_positions": 1}


def test_earlier_entries_of_an_open_use_up_the_balance():
    # 150 free, 100 each: the second of the two comes too late.
    rows = candles(100, 100)
    result = run_many({BTC: (rows, says(2, [0])), ETH: (rows, says(2, [0], confidence=0.9))}, capital=D(150))
    assert [position.symbol for position in result.open_positions] == [BTC]
    assert refusals(result) == {"balance": 1}


def test_regime_filter_stops_entries_only():
    bear, bull, wild, side = MarketRegime.BEAR_TREND, MarketRegime.BULL_TREND, MarketRegime.HIGH_VOLATILITY, "unknown"
    rows = candles(100, 100, 100)
    for regime, refused in ((bear, 1), (wild, 1), (bull, 0), (side, 0)):
        # The regime of the signal's row counts, not that of the fill's, and leaving is always allowed.
        result = run(rows, [0], [1], regimes=[regime, wild, wild], regime_filter=True)
        assert result.refused["regime"] == refused
        assert [trade.regime for trade in result.trades] == [regime] * (1 - refused)
    for regime, refused in ((bull, 1), (wild, 1), (bear, 0)):
        result = run(rows, [], [0], regimes=[regime] * 3, regime_filter=True, allow_short=True)
        assert refusals(result) == ({"regime": 1} if refused else {})
    assert refusals(run(rows, [0], regimes=[bear] * 3)) == {}


def test_reasons_to_refuse_have_an_order():
    # At open(3): held, falling market, cooling down, no place, too small, too dear. One reason after the other falls.
    rows, bear = candles(100, 100, 100, 100), [MarketRegime.BEAR_TREND] * 4
    full = {"cooldown_ms": 9 * MINUTE, "max_positions": 1, "stake": "100", "capital": D(100), "notional": "50"}
    again = run(rows, [0, 2], regimes=["unknown", *bear[1:]], regime_filter=True, **full)
    assert refusals(again) == {"position_open": 1}
    left = run(rows, [0, 2], [1], regimes=["unknown", *bear[1:]], regime_filter=True, **full)
    assert refusals(left) == {"regime": 1}
    assert refusals(run(rows, [0, 2], [1], **full)) == {"cooldown": 1}
    assert refusals(run(rows, [0], **{**full, "max_positions": 0, "stake": "1"})) == {"max_positions": 1}
    assert refusals(run(rows, [0], **{**full, "stake": "1", "capital": D("0.5")})) == {"min_notional": 1}
    assert refusals(run(rows, [0], **{**full, "stake": "101"})) == {"balance": 1}


# -------------------------------------------------------------------------------------------------------------- inside


def test_stop_fills_at_its_level_when_touched_exactly():
    # In at 100, stop 2 % below at 98.0: a low of 98.1 misses, 98.0 touches.
    rows = candles(100, 100, (99, 99, 98.1, 99), (99, 99, 98, 99), 99)
    assert exits(run(rows, [0], stop_loss=D(2))) == [("stop_loss", D("98.0"), 3)]


def test_stop_level_is_below_the_fill_price_on_the_grid_and_slips():
    # 1 %: in at 100 x 1.01 = 101; stop 101 x 0.99 = 99.99, down to 99.9; sold at 99.9 x 0.99 = 98.901, down to 98.9.
    rows = candles(100, (100, 101, 100, 101), (100, 100, 90, 95))
    assert exits(run(rows, [0], stop_loss=D(1), slippage=D("0.01"))) == [("stop_loss", D("98.9"), 2)]


def test_gap_over_the_stop_fills_at_the_open_with_slippage():
    # The stop stands at 98 and the candle opens at 95: 95 x 0.99 = 94.05, down to 94.0.
    gap = candles(100, 100, (95, 99, 94, 97), 97)
    assert exits(run(gap, [0], stop_loss=D(2))) == [("stop_loss", D("95.0"), 2)]
    # With slippage the entry is 101 and the stop 98.98, down to 98.9.
    assert exits(run(gap, [0], stop_loss=D(2), slippage=D("0.01"))) == [("stop_loss", D("94.0"), 2)]


def test_target_fills_at_its_level_without_slippage_and_at_a_gap_at_the_open():
    # In at 100 x 1.0005, up to 100.1; target 10 % above at 110.11, up to 110.2.
    options = {"take_profit": D(10), "slippage": D("0.0005")}
    assert exits(run(candles(100, 100, (105, 110.1, 105, 110)), [0], **options)) == []
    assert exits(run(candles(100, 100, (105, 110.2, 105, 110)), [0], **options)) == [("take_profit", D("110.2"), 2)]
    assert exits(run(candles(100, 100, (115, 116, 114, 115)), [0], **options)) == [("take_profit", D("115.0"), 2)]


def test_a_target_may_close_a_part_and_leave_the_rest_to_its_stop():
    # In at 100: 1.000. The target of 1 % is 101 and takes a third, 0.333; the stop of 2 % is 98 and closes 0.667:
    # 0.333 x 101 + 0.667 x 98 = 98.999.
    rows = candles(100, 100, (100, 102, 100, 102), (102, 103, 101, 101), (101, 101, 97, 97))
    result = run(rows, [0], stop_loss=D(2), take_profit=D(1), take_profit_part=D("33.3"))
    (trade,) = result.trades
    assert (trade.quantity, trade.pnl, trade.exit_price) == (D("1.000"), D("-1.001"), D("98.999"))
    assert (trade.exit_reason, trade.exit_row) == ("stop_loss", 4)
    # From the target on only the rest is held: 1000 - 100 + 33.633 + 0.667 x the close.
    assert [value for _, value in result.equity[2:4]] == [D("1001.667"), D("1001.000")]


def test_a_part_is_closed_once_and_pays_its_fee():
    # 100.1 paid with the fee, 0.5 sold at 101 for 50.5 and a fee of 0.0505; later targets are none.
    rows = candles(100, 100, (100, 102, 100, 102), (102, 105, 102, 105))
    result = run(rows, [0], stop_loss=D(0), take_profit=D(1), take_profit_part=D(50), fee=D("0.001"))
    assert (result.trades, result.fees_paid) == ([], D("0.1505"))
    assert (result.open_positions[0].quantity, result.cash) == (D("0.500"), D("950.3495"))


@pytest.mark.parametrize(("notional", "closed"), [("49", 0), ("49.5", 1), ("50.6", 1)])
def test_a_part_that_leaves_too_little_takes_all(notional, closed):
    # Half of 1.000: 50.5 at the target of 101, and 49 at the stop of 98.
    rows = candles(100, 100, (100, 102, 100, 102), 102)
    result = run(rows, [0], notional=notional, stop_loss=D(2), take_profit=D(1), take_profit_part=D(50))
    assert len(result.trades) == closed


@pytest.mark.parametrize(("notional", "closed"), [("45", 0), ("45.5", 1)])
def test_a_part_that_leaves_too_little_for_its_trailing_stop_takes_all(notional, closed):
    # Half of 1.000 is 45 at the trailing stop of 90.
    rows = candles(100, 100, (100, 102, 100, 102), 102)
    result = run(rows, [0], notional=notional, trailing=D(10), take_profit=D(1), take_profit_part=D(50))
    assert len(result.trades) == closed


def test_both_inside_closes_the_whole_at_the_stop_whatever_the_part():
    rows = candles(100, 100, (100, 103, 97, 100))
    result = run(rows, [0], stop_loss=D(2), take_profit=D(1), take_profit_part=D(50))
    assert exits(result) == [("stop_loss", D("98"), 2)]


def test_finer_candles_show_the_part_before_the_stop():
    # The target first, then the stop: 0.5 x 101 + 0.5 x 98 = 99.5. The other way round all goes at 98.
    rows = candles(100, 100, (100, 103, 97, 100))
    up, down = (100, 103, 100, 102), (102, 102, 97, 98)
    part = {"stop_loss": D(2), "take_profit": D(1), "take_profit_part": D(50)}
    first_up = candles(100, 100, up, down, minutes=[0, 1, 2, 2.5])
    first_down = candles(100, 100, (100, 100, 97, 98), (98, 103, 98, 100), minutes=[0, 1, 2, 2.5])
    assert exits(run(rows, [0], detail=first_up, **part)) == [("stop_loss", D("99.5"), 2)]
    assert exits(run(rows, [0], detail=first_down, **part)) == [("stop_loss", D("98"), 2)]
    # They end after the target: that the stop was touched the coarse candle says.
    assert exits(run(rows, [0], detail=first_up.slice(0, 3), **part)) == [("stop_loss", D("99.5"), 2)]


def test_a_large_order_moves_the_price_by_the_root_of_its_share():
    # 1.000 of the 100 traded in the candle before: a share of 0.01, its root 0.1 of 2 %, so 0.2 %: 100.2, and for that
    # price 0.998. Out again 0.998 of 25 (share 0.03992, root 0.1998): 0.3997 %, 99.6003, down to 99.6.
    rows = candles(100, 100, 100, 100)
    rows.volume.setflags(write=True)
    rows.volume[:] = [100, 25, 7, 7]
    result = run(rows, [0], [1], impact=D("0.02"))
    (trade,) = result.trades
    assert (trade.entry_price, trade.quantity, trade.exit_price) == (D("100.2"), D("0.998"), D("99.6"))


def test_an_order_larger_than_all_that_is_traded_pays_the_whole_impact():
    rows = candles(100, 100, 100)
    rows.volume.setflags(write=True)
    rows.volume[0] = 0
    assert run(rows, [0], impact=D("0.02")).open_positions[0].entry_price == D("102.0")


def test_both_inside_means_the_stop():
    # Stop 90, target 110; the second candle reaches both, whatever it opens at.
    for first in (100, 110, 111):
        rows = candles(100, 100, (first, 112, 89, 100))
        assert exits(run(rows, [0], stop_loss=D(10), take_profit=D(10))) == [("stop_loss", D("90.0"), 2)]


def test_levels_hold_in_the_candle_of_the_entry():
    rows = candles(100, (100, 111, 95, 100), 100)
    assert exits(run(rows, [0], stop_loss=D(5))) == [("stop_loss", D("95.0"), 1)]
    assert exits(run(rows, [0], take_profit=D(10))) == [("take_profit", D("110.0"), 1)]
    # A stop tighter than the slippage is already passed at the open: in at 101, stop 100.9, out at 100 x 0.99.
    tight = run(rows, [0], stop_loss=D("0.1"), slippage=D("0.01"))
    assert exits(tight) == [("stop_loss", D("99.0"), 1)]


def test_an_exit_inside_and_a_signal_at_the_same_close_enter_again_at_the_next_open():
    # Stopped inside candle 2, whose close says buy: in again at open(3). Its sell would find nothing.
    rows = candles(100, 100, (100, 100, 97, 97), 97)
    again = run(rows, [0, 2], stop_loss=D(2))
    assert (exits(again), again.open_positions[0].entry_row) == ([("stop_loss", D("98.0"), 2)], 3)
    assert refusals(run(rows, [0], [2], stop_loss=D(2))) == {"no_position": 1}


def test_trailing_starts_at_its_gain_and_only_after_that_candle():
    # 10 % behind once 20 % up: a high of 119.9 starts nothing. The 120 of candle 3 sets 108 for candle 4 on, although
    # candle 3 itself fell to 100; candle 4's 130 sets 117, which candle 5 touches.
    early: list[Row] = [100, 100, (100, 119.9, 100, 110), (110, 120, 100, 115), (115, 130, 109, 120)]
    options = {"trailing": D(10), "trailing_after": D(20)}
    assert exits(run(candles(*early, (118, 118, 117, 118)), [0], **options)) == [("trailing", D("117.0"), 5)]
    assert exits(run(candles(*early, (118, 118, 117.1, 118)), [0], **options)) == []
    assert exits(run(candles(*early[:4], (110, 130, 108, 120)), [0], **options)) == [("trailing", D("108.0"), 4)]


def test_trailing_without_a_threshold_stands_from_the_entry_and_counts_its_candle():
    # In at 100: 90 stands at once. The entry candle's high of 110 sets 99 for the next one.
    assert exits(run(candles(100, (100, 110, 90, 100)), [0], trailing=D(10))) == [("trailing", D("90.0"), 1)]
    rows = candles(100, (100, 110, 91, 100), (100, 100, 99, 100))
    assert exits(run(rows, [0], trailing=D(10))) == [("trailing", D("99.0"), 2)]


def test_break_even_stands_at_the_entry_price_after_its_gain():
    # 5 % up once: the stop of 10 % below gives way to the entry price. A gain a tick short leaves it where it was.
    rows = candles(100, 100, (100, 105, 100, 104), (104, 104, 100, 101))
    options = {"stop_loss": D(10), "break_even_after": D(5)}
    assert exits(run(rows, [0], **options)) == [("break_even", D("100.0"), 3)]
    short_of_it = candles(100, 100, (100, 104.9, 100, 104), (104, 104, 90, 101))
    assert exits(run(short_of_it, [0], **options)) == [("stop_loss", D("90.0"), 3)]


def test_the_tightest_stop_stands_and_equals_do_not_rename_it():
    # Stop and trailing both at 98 at first: it is the stop's. The 110 of candle 2 moves trailing to 107.8.
    options = {"stop_loss": D(2), "trailing": D(2)}
    assert exits(run(candles(100, 100, (100, 100, 98, 98)), [0], **options)) == [("stop_loss", D("98.0"), 2)]
    up = candles(100, 100, (100, 110, 100, 110), (110, 110, 105, 105))
    assert exits(run(up, [0], **options)) == [("trailing", D("107.8"), 3)]
    # Trailing at 88 after 110 is behind the break-even at 100.
    assert exits(run(candles(100, 100, (100, 110, 100, 110), 100), [0], trailing=D(20), break_even_after=D(5))) == [
        ("break_even", D("100.0"), 3)
    ]


def test_finer_candles_tell_which_level_came_first():
    # Stop 90, target 110, both inside candle 2: the finer ones reach 110 first, then 90.
    rows = candles(100, 100, (100, 112, 88, 100))
    half = (2, 2.25, 2.5, 2.75)
    up_first = candles((100, 105, 99, 105), (105, 112, 105, 108), (108, 108, 88, 90), (90, 100, 90, 100), minutes=half)
    options = {"stop_loss": D(10), "take_profit": D(10)}
    assert exits(run(rows, [0], **options)) == [("stop_loss", D("90.0"), 2)]
    assert exits(run(rows, [0], detail=up_first, **options)) == [("take_profit", D("110.0"), 2)]
    # Both in one finer candle, none there, or none that reaches a level: the stop, as without them.
    both = candles((100, 112, 88, 100), 100, minutes=(2, 2.25))
    nothing = candles(100, 100, minutes=(2, 2.25))
    elsewhere = candles((100, 112, 100, 112), (100, 112, 100, 112), minutes=(1.75, 3))
    for detail in (both, nothing, elsewhere):
        assert exits(run(rows, [0], detail=detail, **options)) == [("stop_loss", D("90.0"), 2)]


def test_finer_candles_do_not_move_levels():
    # Trailing 10 %: 90 stands. The finer 120 would set 108, but not before the coarse close; the target of 125 is
    # reached, before the fall to 89.
    rows = candles(100, 100, (100, 126, 89, 100))
    fine = candles((100, 120, 100, 108), (108, 126, 100, 100), (100, 100, 89, 89), minutes=(2, 2.25, 2.5))
    result = run(rows, [0], detail=fine, trailing=D(10), take_profit=D(25))
    assert exits(result) == [("take_profit", D("125.0"), 2)]


# --------------------------------------------------------------------------------------------------------------- short


def test_short_pays_its_costs_and_is_bought_back_by_a_signal():
    # Sold at 100 x 0.9995 = 99.95, down to 99.9: 100 / 99.9 = 1.001 pieces, 99.9999 less a fee of 0.0999999.
    # Bought at open(3) 90 x 1.0005 = 90.045, up to 90.1: 90.1901, fee 0.0901901. 99.9999 - 90.1901 - 0.19019 = 9.61961.
    result = run(
        candles(100, 100, (100, 100, 80, 80), 90), [2], [0], allow_short=True, fee=D("0.001"), slippage=D("0.0005")
    )
    (trade,) = result.trades
    assert (trade.side, trade.entry_price, trade.exit_price) == ("SHORT", D("99.9"), D("90.1"))
    assert (trade.quantity, trade.fees, trade.pnl) == (D("1.001"), D("0.19019"), D("9.61961"))
    assert result.final_equity == D("1009.61961")
    # While short: 1000 + 99.9999 - 0.0999999 in cash, 1.001 x 80 owed.
    assert result.equity[2][1] == D("1099.8999001") - D("80.08")


def test_short_has_its_stop_above_and_its_target_below():
    # Short at 100: the stop 5 % above at 105.0, the target 10 % below at 90.0; missed by a tick, reached exactly,
    # passed at the open, and both inside one candle.
    options = {"allow_short": True, "stop_loss": D(5), "take_profit": D(10)}

    def outcome(row, **more):
        return exits(run(candles(100, 100, row), [], [0], **options, **more))

    assert outcome((100, 104.9, 90.1, 100)) == []
    assert outcome((100, 105, 91, 100)) == [("stop_loss", D("105.0"), 2)]
    assert outcome((107, 108, 100, 100)) == [("stop_loss", D("107.0"), 2)]
    assert outcome((100, 101, 90, 100)) == [("take_profit", D("90.0"), 2)]
    assert outcome((85, 86, 84, 85)) == [("take_profit", D("85.0"), 2)]
    assert outcome((100, 106, 89, 100)) == [("stop_loss", D("105.0"), 2)]
    # The stop slips, the target does not. At 1 %: short at 99; stop 103.95 up to 104.0, filled at 105.04 up to 105.1;
    # target 89.1, filled there.
    assert outcome((100, 106, 95, 100), slippage=D("0.01")) == [("stop_loss", D("105.1"), 2)]
    assert outcome((95, 95, 89, 90), slippage=D("0.01")) == [("take_profit", D("89.1"), 2)]
    # In at 99.5: the target of 89.55 is rounded away, down to 89.5.
    assert outcome((99, 99, 89, 90), slippage=D("0.005")) == [("take_profit", D("89.5"), 2)]


def test_short_trails_the_lowest_low_and_breaks_even():
    # 10 % behind once 20 % down: the 80 of candle 2 sets 88.
    fall = candles(100, 100, (100, 100, 80, 85), (85, 88, 85, 88))
    trailing = run(fall, [], [0], allow_short=True, trailing=D(10), trailing_after=D(20))
    assert exits(trailing) == [("trailing", D("88.0"), 3)]
    back = candles(100, 100, (100, 100, 80, 85), (85, 101, 85, 88))
    even = run(back, [], [0], allow_short=True, stop_loss=D(10), break_even_after=D(20))
    assert exits(even) == [("break_even", D("100.0"), 3)]
    same = run(candles(100, 100, (100, 110, 100, 110)), [], [0], allow_short=True, stop_loss=D(10), trailing=D(10))
    assert exits(same) == [("stop_loss", D("110.0"), 2)]


def test_short_needs_its_value_and_fee_in_free_balance():
    rows = candles(100, 100)
    assert refusals(run(rows, [], [0], allow_short=True, capital=D(100))) == {}
    assert refusals(run(rows, [], [0], allow_short=True, capital=D(100), fee=D("0.001"))) == {"balance": 1}


def test_opposite_signals_close_and_do_not_turn_round():
    # Row 1 sells the long at open(2), no more; row 2 sells short at open(3); row 3 buys it back at open(4), no more.
    rows = candles(100, 100, 110, 110, 100, 100)
    result = run(rows, [0, 3], [1, 2], allow_short=True)
    assert [(trade.side, trade.entry_row, trade.exit_row) for trade in result.trades] == [
        ("LONG", 1, 2),
        ("SHORT", 3, 4),
    ]
    assert result.open_positions == []


# --------------------------------------------------------------------------------------------------------------- close


def test_positions_stay_open_at_the_end_and_the_last_signal_is_no_order():
    # 1 piece at 100, marked at 103; the sell of the last row has no open to fill at.
    result = run(candles(100, 100, (101, 104, 101, 103)), [0], [2])
    assert (result.trades, result.final_equity, result.cash) == ([], D(1003), D(900))
    (held,) = result.open_positions
    assert (held.symbol, held.quantity, held.entry_price, held.entry_row) == (BTC, D(1), D(100), 1)
    assert refusals(run(candles(100, 100), [], [1])) == {}


def test_a_symbol_with_gaps_goes_by_its_own_rows():
    # ETH has candles at minutes 0, 3 and 5 only. Its buy at minute 0 fills at 3, after BTC has taken 600 of the 1000
    # at minute 1; its sell at 3 fills at 5. In between it is marked at its last close of 12.
    btc = (candles(100, 100, 100, 100, 90, 90), says(6, [0]))
    eth = (candles(10, (10, 12, 10, 12), 11, minutes=(0, 3, 5)), says(3, [0], [1]))
    result = run_many({BTC: btc, ETH: eth}, stake="60%", cooldown_ms=0)
    assert refusals(result) == {"balance": 1, "no_position": 1}
    result = run_many({BTC: btc, ETH: eth}, stake="40%")
    (trade,) = result.trades
    assert (trade.entry_time, trade.exit_time, trade.quantity) == (3 * MINUTE, 5 * MINUTE, D(40))
    assert (trade.signal_row, trade.entry_row, trade.exit_row) == (0, 1, 2)
    # 200 in cash, 4 BTC, 40 ETH: 200 + 400 + 480, then BTC at 90, then ETH sold for 440.
    assert result.equity[3:] == [(3 * MINUTE, D(1080)), (4 * MINUTE, D(1040)), (5 * MINUTE, D(1000))]
    assert len(result.equity) == 6


def test_cooldown_across_a_gap_is_time_not_rows():
    rows = candles(100, 100, 100, 100, minutes=(0, 1, 2, 30))
    assert len(run(rows, [0, 2], [1], cooldown_ms=10 * MINUTE).open_positions) == 1


def test_window_shows_the_run_nothing_outside():
    # From minute 1 to before minute 4: the buy of row 0 and the candle of row 4 do not exist.
    rows = candles(100, 100, 100, 100, 200)
    result = run(rows, [0, 1], [3], from_ms=MINUTE, to_ms=4 * MINUTE)
    assert [position.entry_row for position in result.open_positions] == [2]
    assert (refusals(result), len(result.equity), result.final_equity) == ({}, 3, D(1000))

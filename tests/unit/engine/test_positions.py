# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import fill, instrument, order, position

from vela.domain.order import OrderPurpose, Side
from vela.domain.position import ExitReason, PositionSide
from vela.domain.regime import MarketRegime
from vela.engine import positions as booking
from vela.engine.rules import TradingRules

BARE = TradingRules(stop_loss_ppm=0)
FEE = Decimal("0.05")
EXIT = OrderPurpose.EXIT
amounts = st.decimals("0.00000001", "1e6", places=8)


def rules(**changes: Any) -> TradingRules:
    return TradingRules(**{"stop_loss_ppm": 20_000, **changes})


def opened(price: str = "100", side: Side = Side.BUY, **changes: int):
    return booking.opened(fill(price, side=side), order(), FEE, rules(**changes), instrument())


def after(held, high: int, low: int, **changes: int):
    return booking.after_candle(held, high, low, rules(**changes), instrument())


def test_the_first_fill_makes_a_position():
    sent = order(strategy="S", reason="signal", regime=MarketRegime.BULL_TREND)
    held = booking.opened(fill("100", "0.5"), sent, FEE, rules(take_profit_ppm=30_000), instrument())
    assert held == position(
        strategy="S", regime=MarketRegime.BULL_TREND, stop_ticks=9_800, target_ticks=10_300, best_ticks=10_000
    )


def test_a_sale_opens_a_short_with_its_levels_mirrored():
    short = opened(side=Side.SELL, take_profit_ppm=30_000)
    assert (short.side, short.stop_ticks, short.target_ticks) == (PositionSide.SHORT, 10_200, 9_700)


def test_rules_that_are_off_leave_no_level():
    held = booking.opened(fill(), order(), FEE, BARE, instrument())
    assert (held.stop_ticks, held.target_ticks) == (None, None)


def test_trailing_without_a_threshold_stands_from_the_entry_on():
    assert (opened(trailing_ppm=5_000).stop_ticks, opened(trailing_ppm=5_000).stop_reason) == (
        9_950,
        ExitReason.TRAILING,
    )
    assert opened(trailing_ppm=30_000).stop_reason is ExitReason.STOP_LOSS
    assert opened(stop_loss_ppm=0, trailing_ppm=30_000).stop_ticks == 9_700
    assert opened(stop_loss_ppm=0, trailing_ppm=30_000, trailing_after_ppm=1).stop_ticks is None


def test_a_further_fill_moves_the_levels_to_the_average():
    held = booking.grown(opened("100"), fill("110", "1.5"), FEE, rules(), instrument())
    assert (held.quantity, held.cost, held.fees) == (2, 215, Decimal("0.10"))
    assert (held.entry_quantity, held.entry_value, held.entry_price) == (2, 215, 107.5)
    assert (held.stop_ticks, held.best_ticks, held.entry_time) == (10_535, 11_000, 1_000)


def test_growing_does_not_loosen_a_stop_that_has_trailed():
    moved = after(opened("100", trailing_ppm=10_000), 12_000, 10_000, trailing_ppm=10_000)
    held = booking.grown(moved, fill("100", "0.5"), FEE, rules(trailing_ppm=10_000), instrument())
    assert moved.stop_ticks == held.stop_ticks == 11_880
    assert held.best_ticks == 12_000


def test_a_reduction_relieves_cost_in_proportion():
    held = booking.reduced(position(), fill("110", "0.2", Side.SELL), FEE, EXIT)
    assert (held.quantity, held.cost, held.realised_pnl) == (Decimal("0.3"), 30, 2)
    assert (held.exit_quantity, held.exit_value, held.fees) == (Decimal("0.2"), 22, Decimal("0.10"))
    assert (held.entry_quantity, held.entry_value) == (Decimal("0.5"), 50)


def test_a_short_gains_when_it_buys_back_lower():
    short = position(side=PositionSide.SHORT)
    assert booking.reduced(short, fill("90", "0.5"), FEE, EXIT).realised_pnl == 5
    assert booking.reduced(short, fill("110", "0.5"), FEE, EXIT).realised_pnl == -5


@given(amounts, amounts, st.lists(st.fractions(0, 1), max_size=5))
def test_parts_relieve_the_whole_cost_exactly(price: Decimal, quantity: Decimal, shares: list[Fraction]):
    held = booking.opened(fill(str(price), str(quantity)), order(), FEE, BARE, instrument())
    whole, relieved = Fraction(held.cost), Fraction(0)
    for share in shares:
        part = Decimal(int(Fraction(held.quantity) * share * 10**8)).scaleb(-8)
        if 0 < part < held.quantity:
            cost = booking.relieved_cost(held, part)
            assert abs(Fraction(cost) - Fraction(held.cost) * Fraction(part) / Fraction(held.quantity)) < Fraction(
                1, 10**18
            )
            relieved += Fraction(cost)
            held = booking.reduced(held, fill("1", str(part), Side.SELL), FEE, EXIT)
            assert 0 <= Fraction(held.cost) == whole - relieved
    last = booking.reduced(held, fill("1", str(held.quantity), Side.SELL), FEE, EXIT)
    assert (last.cost, last.quantity) == (0, 0)


def test_a_large_cost_can_be_relieved():
    rich = position(quantity=Decimal(3), cost=Decimal("12345678901234.5"))
    assert booking.relieved_cost(rich, Decimal(1)) == Decimal("4115226300411.5")


def parted(percent: str, notional: str = "0"):
    part = rules(take_profit_ppm=100_000, take_profit_part_ppm=int(Decimal(percent) * 10_000))
    return booking.opened(fill("100", "0.5"), order(), FEE, part, instrument(notional=notional))


def test_a_target_may_be_for_a_part_rounded_down_to_step():
    assert (parted("33.333").target_ticks, parted("33.333").target_quantity) == (11_000, Decimal("0.16666"))
    assert parted("100").target_quantity == Decimal("0.5")


@pytest.mark.parametrize(("notional", "quantity"), [("24.5", "0.25"), ("24.51", "0.5")])
def test_a_part_that_would_leave_too_little_is_the_whole(notional: str, quantity: str):
    # Half is worth 27.50 at the target and 24.50 at the stop.
    assert parted("50", notional).target_quantity == Decimal(quantity)


@pytest.mark.parametrize(("notional", "quantity"), [("22.5", "0.25"), ("22.51", "0.5")])
def test_a_part_and_its_rest_must_be_tradable_at_a_trailing_stop_too(notional: str, quantity: str):
    part = rules(
        stop_loss_ppm=0, trailing_ppm=100_000, take_profit_ppm=100_000, take_profit_part_ppm=500_000
    )  # half is worth 22.50 at the trailing stop of the entry
    held = booking.opened(fill("100", "0.5"), order(), FEE, part, instrument(notional=notional))
    assert (held.stop_ticks, held.target_quantity) == (9_000, Decimal(quantity))


def test_the_target_is_gone_when_its_part_is():
    half = booking.reduced(parted("50"), fill("110", "0.15", Side.SELL), FEE, OrderPurpose.TAKE_PROFIT)
    assert (half.target_ticks, half.target_quantity) == (11_000, Decimal("0.10"))
    rest = booking.reduced(half, fill("110", "0.10", Side.SELL), FEE, OrderPurpose.TAKE_PROFIT)
    assert (rest.target_ticks, rest.target_quantity, rest.quantity) == (None, 0, Decimal("0.25"))
    assert rest.stop_ticks == half.stop_ticks == 9_800


def test_what_a_stop_leaves_follows_by_its_own_stop():
    left = booking.reduced(parted("50"), fill("98", "0.25", Side.SELL), FEE, OrderPurpose.STOP)
    assert (left.quantity, left.target_ticks, left.stop_ticks) == (Decimal("0.25"), None, 9_800)


def test_a_further_fill_of_the_entry_does_not_close_a_part_twice():
    part = rules(take_profit_ppm=100_000, take_profit_part_ppm=500_000)
    taken = booking.reduced(parted("50"), fill("110", "0.25", Side.SELL), FEE, OrderPurpose.TAKE_PROFIT)
    grown = booking.grown(taken, fill("100", "0.1"), FEE, part, instrument())
    # Half of 0.6 is 0.3, of which 0.25 are closed.
    assert (grown.quantity, grown.target_quantity) == (Decimal("0.35"), Decimal("0.05"))


def test_the_round_trip_that_is_left():
    held = booking.reduced(position(), fill("110", "0.2", Side.SELL), FEE, EXIT)
    done = booking.reduced(held, fill("105", "0.3", Side.SELL, time=9_000), FEE, EXIT)
    trade = booking.closed_trade(done, 9_000, ExitReason.TRAILING)
    # Gain 22 + 31.50 - 50 = 3.50, fees 3 × 0.05.
    assert (trade.pnl, trade.fees, trade.quantity) == (Decimal("3.35"), Decimal("0.15"), Decimal("0.5"))
    assert (trade.entry_price, trade.exit_price, trade.return_pct) == (100, 107, pytest.approx(6.7))
    assert (trade.entry_time, trade.exit_time, trade.exit_reason) == (1_000, 9_000, ExitReason.TRAILING)


def test_a_candle_moves_nothing_without_trailing_or_break_even():
    held = opened()
    assert after(held, 20_000, 5_000) is held


def test_a_candle_without_a_new_best_price_moves_nothing():
    held = opened(trailing_ppm=10_000)
    assert after(held, 10_000, 9_901, trailing_ppm=10_000) is held


def test_trailing_follows_the_best_price_and_never_goes_back():
    held = after(opened(trailing_ppm=10_000), 11_001, 10_000, trailing_ppm=10_000)
    assert (held.best_ticks, held.stop_ticks, held.stop_reason) == (11_001, 10_890, ExitReason.TRAILING)
    assert after(held, 11_000, 9_000, trailing_ppm=10_000) is held


@pytest.mark.parametrize(("high", "stop"), [(10_099, 9_800), (10_100, 10_000)])
def test_break_even_at_both_sides_of_its_threshold(high: int, stop: int):
    held = after(opened(break_even_after_ppm=10_000), high, 10_000, break_even_after_ppm=10_000)
    assert held.stop_ticks == stop
    assert held.stop_reason is (ExitReason.BREAK_EVEN if stop == 10_000 else ExitReason.STOP_LOSS)
    assert held.best_ticks == high


@pytest.mark.parametrize(("high", "stop"), [(10_199, 9_800), (10_200, 10_098)])
def test_trailing_at_both_sides_of_its_threshold(high: int, stop: int):
    after_two: dict[str, Any] = {"trailing_ppm": 10_000, "trailing_after_ppm": 20_000}
    assert after(opened(**after_two), high, 10_000, **after_two).stop_ticks == stop


def test_of_two_levels_the_tighter_one_counts():
    both: dict[str, Any] = {"break_even_after_ppm": 10_000, "trailing_ppm": 30_000}
    held = after(opened(**both), 10_200, 10_000, **both)
    assert (held.stop_ticks, held.stop_reason) == (10_000, ExitReason.BREAK_EVEN)
    held = after(held, 11_000, 10_000, **both)
    assert (held.stop_ticks, held.stop_reason) == (10_670, ExitReason.TRAILING)


def test_a_short_trails_downwards():
    short = opened(side=Side.SELL, trailing_ppm=10_000)
    moved = after(short, 10_100, 9_000, trailing_ppm=10_000)
    assert (moved.best_ticks, moved.stop_ticks, moved.stop_reason) == (9_000, 9_090, ExitReason.TRAILING)
    assert after(moved, 12_000, 9_000, trailing_ppm=10_000) is moved


candles = st.lists(st.tuples(st.integers(9_000, 12_000), st.integers(0, 500)), max_size=10)


@given(candles, st.integers(1, 50_000), st.integers(0, 50_000), st.integers(0, 50_000), st.sampled_from(Side))
def test_stops_only_ever_tighten(moves, trailing: int, after_ppm: int, even: int, side: Side):
    chosen: dict[str, Any] = {"trailing_ppm": trailing, "trailing_after_ppm": after_ppm, "break_even_after_ppm": even}
    held = opened(side=side, **chosen)
    for low, width in moves:
        moved = after(held, low + width, low, **chosen)
        if held.side is PositionSide.LONG:
            assert moved.stop_ticks >= held.stop_ticks
            assert moved.best_ticks == max(held.best_ticks, low + width)
        else:
            assert moved.stop_ticks <= held.stop_ticks
            assert moved.best_ticks == min(held.best_ticks, low)
        assert msgspec.structs.replace(moved, best_ticks=0, stop_ticks=0, stop_reason=held.stop_reason) == (
            msgspec.structs.replace(held, best_ticks=0, stop_ticks=0)
        )
        held = moved


def test_the_last_part_relieves_a_cost_of_any_number_of_decimals():
    fine = position(cost=Decimal("50.00000000000000000000123"))
    assert booking.relieved_cost(fine, Decimal("0.5")) == fine.cost
    assert booking.relieved_cost(fine, Decimal("0.25")) == 25


@pytest.mark.parametrize(("late", "entered"), [(0, 1), (4_999, 1), (5_000, 5_001), (60_000, 60_001)])
def test_an_entry_counts_from_its_candle_unless_it_was_filled_much_later(late: int, entered: int):
    assert booking.time_of_entry(order(created_time=1), fill(time=1 + late)) == entered

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.builders import BTC, ETH, SOL, candle, instrument
from tests.unit.engine.desk import buy, close, desk, hit, kinds, live, refusals, sell, send
from tests.unit.engine.venue import Desk, protective

from vela.domain.errors import OrderError
from vela.domain.events import (
    OrderChanged,
    OrderFilled,
    PositionChanged,
    PositionClosed,
    SignalHandled,
    SymbolCandle,
    Tick,
)
from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.domain.position import ExitReason
from vela.domain.signal import Action
from vela.engine.rules import Stake, TradingRules
from vela.engine.step import NOTHING

S = OrderStatus
MINUTE = 60_000


def test_the_capital_is_paid_in_once():
    at = desk(initial_capital=Decimal(500))
    assert at.manager.is_funded
    assert at.manager.wallet(0).cash == at.manager.wallet(0).initial_capital == at.manager.wallet(0).equity == 500


def test_an_entry_is_committed_before_it_is_sent():
    step = buy(desk())
    planned, sent = step.changes.orders
    assert (planned.status, sent.status, planned.purpose) == (S.PLANNED, S.SENT, OrderPurpose.ENTRY)
    assert planned.reserved == Decimal("100.1")
    assert (
        step.changes.outcomes[0].client_order_id == planned.client_order_id == step.plans[0].requests[0].client_order_id
    )
    assert step.plans[0].cancel == ()
    assert kinds(step) == ["OrderChanged PLANNED", "OrderChanged SENT", "SignalHandled"]
    assert planned.client_order_id == f"BTCUSDT-{planned.created_time}-E"


def test_the_stop_is_planned_in_the_same_step_as_the_fill():
    at = desk()
    buy(at)
    filled = next(step for step in at.steps if step.changes.fills)
    (plan,) = filled.plans
    (stop,) = plan.requests
    assert (stop.type, stop.stop_price, stop.quantity, stop.group) == (
        OrderType.STOP,
        Decimal("98.00"),
        Decimal(1),
        None,
    )
    assert kinds(filled) == [
        "OrderFilled",
        "OrderChanged FILLED",
        "OrderChanged PLANNED",
        "OrderChanged SENT",
        "PositionChanged",
    ]
    told = [message for step in at.steps for message in step.messages if isinstance(message, PositionChanged)]
    assert [message.stop_state for message in told] == ["planned", "resting"]
    assert {message.stop_price for message in told} == {Decimal("98.00")}


def test_a_stop_that_was_hit_ends_the_round_trip_with_exact_figures():
    at = desk()
    buy(at)
    hit(at, OrderType.STOP, "97.95")
    step = at.poll()
    (trade,) = at.trades
    # 97.95 − 100 = −2.05; fees 0.1 + 0.09795.
    assert (trade.exit_reason, trade.pnl, trade.fees) == (ExitReason.STOP_LOSS, Decimal("-2.24795"), Decimal("0.19795"))
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (Decimal(100), Decimal("97.95"), Decimal(1))
    assert (at.manager.positions, at.manager.live_orders) == ((), ())
    assert at.manager.wallet(0).cash == Decimal("997.75205")
    assert kinds(step) == ["OrderFilled", "PositionClosed", "OrderChanged FILLED"]
    assert step.changes.closed == (BTC,)


def test_stop_and_take_profit_are_one_group_and_one_ends_the_other():
    at = desk(take_profit_ppm=50_000)
    buy(at)
    stop, target = protective(at.manager.live_orders, BTC)
    assert stop.request.group == target.request.group is not None
    assert (target.request.type, target.request.price) == (OrderType.LIMIT, Decimal("105.00"))
    hit(at, OrderType.LIMIT, "105")
    at.poll()
    assert (at.trades[0].exit_reason, at.trades[0].pnl) == (ExitReason.TAKE_PROFIT, Decimal("4.795"))
    assert at.orders[stop.client_order_id].status is S.CANCELLED
    assert at.manager.live_orders == ()


@pytest.mark.parametrize(
    ("rules", "stop", "reason"),
    [
        ({"trailing_ppm": 10_000}, "108.90", ExitReason.TRAILING),
        ({"break_even_after_ppm": 10_000}, "100.00", ExitReason.BREAK_EVEN),
    ],
)
def test_a_stop_that_moves_is_replaced_by_the_next_revision(rules, stop: str, reason: ExitReason):
    at = desk(**rules)
    buy(at)
    first = live(at, OrderPurpose.STOP)
    step = close(at, 109, high=110.0)
    (plan,) = step.plans
    assert plan.cancel == (first.client_order_id,)
    assert first.client_order_id.endswith("-S1")
    assert plan.requests[0].client_order_id.endswith("-S2")
    assert plan.requests[0].stop_price == Decimal(stop)
    assert at.orders[first.client_order_id].status is S.CANCELLED
    hit(at, OrderType.STOP, stop)
    at.poll()
    assert at.trades[0].exit_reason is reason


def test_a_candle_that_moves_no_stop_asks_for_nothing_and_marks_the_position():
    at = desk()
    buy(at)
    assert close(at, 109, high=110.0) is NOTHING
    assert at.manager.wallet(0).market_value == 109
    assert at.manager.wallet(0).unrealised_pnl == 9


def test_a_candle_that_closed_before_the_entry_moves_nothing():
    at = desk(trailing_ppm=10_000)
    buy(at)
    row = SymbolCandle(BTC, candle(0, 150.0))
    assert at.manager.on_candles([row], at.time) is NOTHING
    assert at.manager.positions[0].best_ticks == 10_000
    assert at.manager.wallet(0).market_value == 150


def test_an_exit_cancels_the_stops_in_the_same_plan():
    at = desk(take_profit_ppm=50_000)
    buy(at)
    resting = tuple(order.client_order_id for order in protective(at.manager.live_orders, BTC))
    at.venue.prices[BTC] = Decimal(103)
    step = sell(at)
    (plan,) = step.plans
    assert plan.cancel == resting
    assert (plan.requests[0].type, plan.requests[0].quantity) == (OrderType.MARKET, Decimal(1))
    assert (at.trades[0].exit_reason, at.trades[0].pnl) == (ExitReason.SIGNAL, Decimal("2.797"))
    assert at.manager.live_orders == ()


def test_an_exit_that_comes_after_its_stop_books_the_stop():
    at = desk()
    buy(at)
    hit(at, OrderType.STOP, "98")
    sell(at)
    exits = [order for order in at.orders.values() if order.purpose is OrderPurpose.EXIT]
    assert [order.status for order in exits] == [S.REJECTED]
    assert at.trades[0].exit_reason is ExitReason.STOP_LOSS
    assert at.manager.live_orders == ()


def test_an_exit_waits_for_the_one_under_way():
    at = desk()
    buy(at)
    sell(at, answer="accept")
    sell(at)
    assert refusals(at)[-1] == "exit_pending"


def test_a_partial_exit_leaves_the_stop_resized_once_it_is_over():
    at = desk()
    buy(at)
    sell(at, answer="partial")
    assert protective(at.manager.live_orders, BTC) == []
    at.venue.end(live(at, OrderPurpose.EXIT).client_order_id, S.EXPIRED)
    at.poll()
    stop = live(at, OrderPurpose.STOP)
    assert stop.request.quantity == at.manager.positions[0].quantity == Decimal("0.6")
    assert at.trades == []


def test_a_further_fill_of_the_entry_replaces_the_stop():
    at = desk()
    buy(at, answer="partial")
    assert live(at, OrderPurpose.STOP).request.quantity == Decimal("0.4")
    at.advance()
    at.venue.execute(live(at, OrderPurpose.ENTRY).client_order_id, Decimal("0.6"))
    at.poll()
    assert live(at, OrderPurpose.STOP).request.quantity == 1
    assert live(at, OrderPurpose.STOP).client_order_id.endswith("-S2")


def test_a_further_fill_is_written_with_the_order_that_it_belongs_to():
    at = desk()
    buy(at, answer="partial")
    at.advance()
    entry = live(at, OrderPurpose.ENTRY)
    at.venue.execute(entry.client_order_id, Decimal("0.3"))
    step = at.poll()
    assert [
        (o.status, o.filled_quantity) for o in step.changes.orders if o.client_order_id == entry.client_order_id
    ] == [(S.PARTIALLY_FILLED, Decimal("0.7"))]
    at.restart()
    assert at.manager.positions[0].quantity == Decimal("0.7")


def test_a_fill_reported_twice_is_booked_once():
    at = desk()
    buy(at, answer="partial")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    before = at.manager.wallet(0)
    assert at.manager.on_reports([at.venue.report(entry)]) is NOTHING
    assert at.manager.on_reports([at.venue.report(entry), at.venue.report(entry)]) is NOTHING
    assert at.manager.wallet(0) == before
    assert len(at.fills) == 1


def test_the_same_report_twice_in_one_batch_is_taken_once():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal(1))
    report = at.venue.report(entry)
    at.follow(at.manager.on_reports([report, report]))
    assert len(at.fills) == 1


def test_a_report_on_an_order_that_is_over_or_of_others_is_nothing():
    at = desk()
    buy(at)
    report = at.venue.report(at.ordered(0))
    assert at.manager.on_reports([report, msgspec.structs.replace(report, client_order_id="other")]) is NOTHING
    assert at.manager.on_reports([]) is NOTHING


def test_an_exit_that_fills_more_than_is_held_is_an_error():
    at = desk()
    buy(at)
    sell(at, answer="accept")
    exit_order = live(at, OrderPurpose.EXIT)
    at.venue.execute(exit_order.client_order_id, Decimal(1))
    report = at.venue.report(exit_order.client_order_id)
    more = msgspec.structs.replace(report.fills[0], quantity=Decimal(2))
    with pytest.raises(OrderError, match="closes more than is held"):
        at.manager.on_reports([msgspec.structs.replace(report, fills=(more,))])
    assert at.manager.positions[0].quantity == 1


def test_a_stop_at_the_venue_is_left_to_the_venue():
    at = desk()
    buy(at)
    at.advance()
    assert at.quote(BTC, "50") is NOTHING


def test_a_refused_stop_that_moves_keeps_the_old_one():
    at = desk(trailing_ppm=10_000)
    buy(at)
    first = live(at, OrderPurpose.STOP)
    at.venue.protective = "refuse"
    close(at, 109, high=110.0)
    assert live(at, OrderPurpose.STOP).client_order_id == first.client_order_id
    at.venue.protective = "accept"
    close(at, 110, high=111.0)
    assert live(at, OrderPurpose.STOP).request.stop_price == Decimal("109.89")


def test_without_a_stop_loss_nothing_is_protected():
    at = desk(stop_loss_ppm=0)
    buy(at)
    assert at.manager.live_orders == ()
    assert at.manager.stop_state(at.manager.positions[0]) == "none"
    assert at.steps[-1].plans == ()


def test_the_gate_counts_entries_under_way():
    at = desk(max_positions=2)
    buy(at, BTC, answer="accept")
    buy(at, BTC)
    buy(at, ETH)
    buy(at, SOL)
    assert refusals(at) == [None, "position_open", None, "max_positions"]


def test_a_cooldown_runs_from_entry_to_entry():
    at = desk(cooldown_ms=600_000)
    buy(at)
    sell(at)
    entry = at.fills[0].time
    at.advance(entry + 600_000 - at.time - 1_001)
    buy(at)
    assert refusals(at)[-1] == "cooldown"
    at.advance(entry + 600_000 - at.time - 1_000)
    buy(at)
    assert refusals(at)[-1] is None


def test_an_entry_refused_by_the_venue_frees_what_it_reserved():
    at = desk()
    buy(at, answer="refuse")
    assert at.manager.wallet(0).reserved == 0
    assert [order.status for order in at.orders.values()] == [S.REJECTED]
    buy(at)
    assert len(at.manager.positions) == 1


def test_what_is_reserved_shrinks_with_each_fill_fee_included():
    at = desk(stake=Stake.from_str("all"), stop_loss_ppm=0)
    buy(at, answer="accept")
    wallet = at.manager.wallet(0)
    assert wallet.reserved == at.orders[at.ordered(0)].reserved <= 1000
    at.venue.execute(at.ordered(0), Decimal(4))
    at.poll()
    assert at.manager.wallet(0).reserved == wallet.reserved - Decimal("400.4")
    assert at.manager.wallet(0).reserved <= at.manager.wallet(0).cash
    buy(at, ETH)
    assert refusals(at)[-1] in {"balance", "min_notional"}


def test_all_is_spent_with_the_expected_slippage():
    at = desk(stake=Stake.from_str("all"), slippage_ppm=500)
    step = buy(at, answer="accept")
    # 1000 / (100.05 × 1.001) = 9.98502… in steps of 0.00001.
    assert step.plans[0].requests[0].quantity == Decimal("9.98501")


@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_signals_that_cannot_be_acted_on(action: Action):
    at = desk()
    unknown = Desk(at.rules, [instrument(BTC)])
    send(unknown, action, BTC)
    send(unknown, action, ETH)
    assert refusals(unknown) == ["no_price", "no_price"]
    at.manager.on_market_ended()
    step = send(at, action)
    assert refusals(at) == ["market_ended"]
    assert kinds(step) == ["SignalHandled"]
    assert step.plans == ()


def test_selling_what_is_not_held_is_refused():
    at = desk()
    sell(at)
    assert refusals(at) == ["no_position"]


def test_a_price_under_half_a_tick_is_one_tick():
    at = desk()
    at.quote(BTC, "0.001")
    step = buy(at, answer="accept")
    assert step.plans[0].requests[0].quantity == Decimal(10_000)


def test_symbols_that_are_not_traded_here_do_no_harm():
    at = Desk(TradingRules(), [instrument(BTC)])
    assert at.manager.on_ticks([Tick(ETH, 1.0, 1.0, 1.0)], 1) is NOTHING
    assert at.manager.on_candles([SymbolCandle(ETH, candle())], 1) is NOTHING


def test_messages_of_a_closing_exit_come_in_their_order():
    at = desk()
    buy(at)
    sell(at)
    last = next(step for step in reversed(at.steps) if step.changes.trades)
    told = [type(message) for message in last.messages]
    assert told == [OrderChanged, OrderFilled, PositionClosed, OrderChanged]
    assert SignalHandled in {type(message) for step in at.steps for message in step.messages}
    assert PositionChanged not in told


def test_a_position_counts_at_its_symbols_newest_close_even_if_that_was_before_its_entry():
    at = desk()
    buy(at)
    assert at.manager.wallet(0).market_value == at.manager.positions[0].cost == 100
    close(at, 150)
    sell(at)
    buy(at)
    assert at.manager.wallet(0).market_value == 150

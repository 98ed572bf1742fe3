"""The order manager under limits and the kill switch: entries are held back, whatever reduces goes its way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH, SOL
from tests.unit.engine.desk import MINUTE, buy, close, desk, hit, live, refusals, sell
from tests.unit.engine.venue import Desk, protective

from vela.domain.events import Alert, Tick
from vela.domain.order import OrderPurpose, OrderStatus, OrderType, Side
from vela.domain.position import ExitReason
from vela.engine.limits import DAY_MS, Limits
from vela.engine.rules import Stake

S = OrderStatus
LARGE = Stake.from_str("900")
DAY_LOSS = Limits(max_daily_loss_ppm=20_000)


def close_all(at: Desk, price: float) -> None:
    for symbol in (BTC, ETH, SOL):
        close(at, price, symbol=symbol)


def alerts(at: Desk) -> list[str]:
    return [message.text for step in at.steps for message in step.messages if isinstance(message, Alert)]


# -------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_order=Decimal(100)), None),
        (Limits(max_order=Decimal("99.99")), "limit_order"),
        (Limits(max_exposure=Decimal(100)), None),
        (Limits(max_exposure=Decimal("99.99")), "limit_total"),
        (Limits(allowed_symbols=frozenset({BTC})), None),
        (Limits(allowed_symbols=frozenset({ETH})), "symbol_not_allowed"),
        (Limits(reduce_only=True), "reduce_only"),
        (Limits(price_band_ppm=1), "price_band"),  # no candle has closed yet
    ],
)
def test_an_entry_passes_the_limits_after_its_rules(limits: Limits, reason: str | None):
    at = desk(limits)
    buy(at)
    assert refusals(at) == [reason]
    assert [order.purpose for order in at.orders.values()] == (
        [OrderPurpose.ENTRY, OrderPurpose.STOP] if not reason else []
    )


def test_what_the_rules_refuse_is_refused_by_the_rules():
    at = desk(Limits(reduce_only=True), stake=Stake.from_str("1"))
    buy(at)
    assert refusals(at) == ["min_notional"]


def test_positions_count_at_the_newest_close_and_entries_under_way_with_what_they_reserve():
    at = desk(Limits(max_exposure=Decimal(210)), max_positions=3)
    buy(at)
    close(at, 111.0)
    buy(at, ETH)
    assert refusals(at)[-1] == "limit_total"
    close(at, 105.0)
    buy(at, ETH, answer="accept")
    assert refusals(at)[-1] is None
    close(at, 1.0)
    buy(at, SOL)  # 1 + 100.1 + 100
    assert refusals(at)[-1] is None


def test_a_position_of_unknown_worth_holds_entries_back():
    at = desk(Limits(max_exposure=Decimal(10_000)), max_positions=3)
    buy(at)
    buy(at, ETH)
    assert refusals(at) == [None, "limit_total"]
    close(at, 100.0)
    buy(at, ETH)
    assert refusals(at)[-1] is None


def test_stops_and_exits_count_as_orders_and_are_never_held_back():
    at = desk(Limits(max_orders_per_minute=3), max_positions=3)
    buy(at)  # with its stop: two
    sell(at)  # the third
    buy(at)
    assert refusals(at) == [None, None, "limit_rate"]
    at.advance(MINUTE)
    buy(at)
    buy(at, ETH)
    sell(at)
    sell(at, ETH)
    assert refusals(at)[3:] == [None, None, None, None]
    assert at.positions == {}


def test_the_price_is_held_against_the_newest_close():
    at = desk(Limits(price_band_ppm=20_000), stop_loss_ppm=0)
    close(at, 97.0)
    buy(at)
    close(at, 99.0)
    buy(at)
    assert refusals(at) == ["price_band", None]


# -------------------------------------------------------------------------------------------------------------- losses


def test_the_day_begins_with_its_first_close_and_ends_its_entries_where_too_much_is_lost():
    at = desk(DAY_LOSS, stop_loss_ppm=0, stake=LARGE)
    buy(at)
    close(at, 100.0)
    step = close(at, 97.0)
    assert step.changes.limit_marks is not None
    assert step.changes.limit_marks.day_lost
    assert "more than 2 % in a day" in alerts(at)[-1]
    sell(at)
    buy(at, ETH)
    assert refusals(at) == [None, None, "daily_loss"]
    at.advance(DAY_MS)
    buy(at, ETH)
    assert refusals(at)[-1] is None


def test_a_loss_that_a_stop_made_between_candles_counts_at_the_next_entry():
    at = desk(DAY_LOSS, stake=LARGE)
    buy(at)
    close(at, 100.0)
    hit(at, OrderType.STOP, "97")
    at.poll()
    step = buy(at)
    assert refusals(at)[-1] == "daily_loss"
    assert step.changes.limit_marks == at.limit_marks


def test_what_was_lost_is_on_record_with_the_entry_that_relies_on_it():
    step = buy(desk(DAY_LOSS))
    assert step.changes.limit_marks is not None
    assert step.changes.limit_marks.day_equity == 1000
    assert step.plans


def test_a_drawdown_outlives_days_and_restarts_until_it_is_lifted():
    at = desk(Limits(max_drawdown_ppm=20_000), stop_loss_ppm=0, stake=LARGE)
    buy(at)
    close(at, 120.0)
    close(at, 115.0)
    sell(at)
    at.advance(3 * DAY_MS)
    at.restart()
    buy_after_prices(at)
    assert refusals(at)[-1] == "drawdown"
    at.turn(on=False, reset=True)
    at.restart()
    buy_after_prices(at)
    assert refusals(at)[-1] is None


def buy_after_prices(at: Desk) -> None:
    at.quote(BTC, "100")
    buy(at)


def test_the_rate_outlives_a_restart():
    at = desk(Limits(max_orders_per_minute=2), max_positions=3)
    buy(at)
    at.restart()
    at.quote(ETH, "100")
    buy(at, ETH)
    assert refusals(at)[-1] == "limit_rate"


# ---------------------------------------------------------------------------------------------------------- the switch


def test_the_switch_holds_entries_back_and_lets_everything_else_pass():
    at = desk(max_positions=3)
    buy(at)
    at.turn(on=True, reason="away")
    buy(at, ETH)
    assert refusals(at) == [None, "kill_switch"]
    assert at.venue.is_open(live(at, OrderPurpose.STOP).client_order_id)
    hit(at, OrderType.STOP, "98")
    at.poll()
    assert at.positions == {}
    at.turn(on=False)
    buy(at, ETH)
    assert refusals(at)[-1] is None


def test_a_stop_still_moves_while_the_switch_is_on():
    at = desk(trailing_ppm=10_000)
    buy(at)
    at.turn(on=True)
    close(at, 109, high=110.0)
    assert live(at, OrderPurpose.STOP).request.stop_price == Decimal("108.90")


@pytest.mark.parametrize("answer", ["accept", "partial", "answer_lost"])
def test_an_entry_under_way_is_taken_back(answer: str):
    at = desk()
    buy(at, answer=answer)
    at.turn(on=True)
    [entry] = [order for order in at.orders.values() if order.purpose is OrderPurpose.ENTRY]
    assert entry.status is S.CANCELLED
    assert [position.quantity for position in at.positions.values()] == (
        [Decimal("0.4")] if answer == "partial" else []
    )
    assert len(protective(at.manager.live_orders, BTC)) == (answer == "partial")


def test_an_entry_that_the_venue_does_not_know_is_left_to_be_asked_for():
    at = desk()
    buy(at, answer="lost")
    at.turn(on=True)
    assert live(at, OrderPurpose.ENTRY).status is S.UNKNOWN
    at.ask_unknown()
    assert at.manager.live_orders == ()


def test_an_entry_that_never_arrived_is_not_sent_again_while_the_switch_is_on():
    at = desk()
    buy(at, answer="lost")
    order_id = at.ordered()
    at.ask_unknown()
    at.turn(on=True)
    at.follow(at.manager.resume(order_id))
    assert (at.orders[order_id].status, at.orders[order_id].reason) == (S.EXPIRED, "kill_switch")
    assert order_id not in at.venue.orders


def test_an_entry_that_never_arrived_and_is_within_the_limits_is_sent_again():
    at = desk(Limits(max_orders_per_minute=1, max_order=Decimal(100)))
    buy(at, answer="lost")
    at.ask_unknown()
    at.venue.market = "fill"
    at.follow(at.manager.resume(at.ordered()))
    assert set(at.positions) == {BTC}


def test_after_a_restart_without_a_price_a_limited_entry_is_not_sent_again():
    at = desk(Limits(max_order=Decimal(100)))
    buy(at, answer="lost")
    at.restart()
    at.follow(at.manager.resume(at.ordered()))
    assert at.orders[at.ordered()].reason == "limit_order"


def test_flatten_closes_every_position_with_its_stop_cancelled_in_the_same_plan():
    at = desk(max_positions=3, take_profit_ppm=50_000)
    buy(at)
    buy(at, ETH)
    resting = {symbol: {o.client_order_id for o in protective(at.manager.live_orders, symbol)} for symbol in (BTC, ETH)}
    step = at.turn(on=True, flatten=True)
    assert [set(plan.cancel) for plan in step.plans] == [resting[BTC], resting[ETH]]
    assert all(r.type is OrderType.MARKET and r.side is Side.SELL for plan in step.plans for r in plan.requests)
    assert at.positions == {}
    assert {trade.exit_reason for trade in at.trades} == {ExitReason.KILL_SWITCH}
    assert at.heed().plans == ()


def test_without_flatten_positions_are_left_alone():
    at = desk()
    buy(at)
    at.turn(on=True)
    assert set(at.positions) == {BTC}


def test_flatten_sells_nothing_where_too_little_is_left():
    at = desk(stake=Stake.from_str("100.01"), trailing_ppm=10_000)
    at.venue.takes_fee_in_base = True
    buy(at)
    stop = live(at, OrderPurpose.STOP).client_order_id
    at.venue.protective = "lost"
    close(at, 101.0, high=101.0)
    hit(at, OrderType.STOP, "98")
    at.ask(stop)
    [held] = at.manager.positions
    assert held.quantity == Decimal("0.0000099"), "an order that may still be there keeps it"
    assert at.turn(on=True, flatten=True).plans == ()


def test_a_position_that_is_being_closed_is_not_closed_twice():
    at = desk()
    buy(at)
    sell(at, answer="accept")
    assert at.turn(on=True, flatten=True).plans == ()


def test_a_refused_exit_is_tried_again_with_whatever_else_positions_lack():
    at = desk()
    buy(at)
    at.venue.market = "refuse"
    at.turn(on=True, flatten=True)
    at.venue.market = "fill"
    assert at.heed().plans == ()
    at.follow(at.manager.protect_all(at.time))
    exits = [order for order in at.orders.values() if order.purpose is OrderPurpose.EXIT]
    assert [(order.client_order_id[-2:], order.status) for order in exits] == [("X2", S.REJECTED), ("X3", S.FILLED)]
    assert at.positions == {}


def test_what_was_bought_by_an_entry_that_the_cancel_missed_is_closed_too():
    at = desk()
    buy(at, answer="accept")
    at.venue.execute(live(at, OrderPurpose.ENTRY).client_order_id, Decimal(1))
    at.venue.market = "fill"
    at.turn(on=True, flatten=True)
    at.heed()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.KILL_SWITCH]


def test_after_the_markets_end_nothing_can_be_closed():
    at = desk()
    buy(at)
    at.manager.on_market_ended()
    assert at.turn(on=True, flatten=True).plans == ()


# ----------------------------------------------------------------------------------------------------------- generated

actions = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "buy", "sell", "close", "restart", "on", "off"]),
        st.sampled_from([BTC, ETH, SOL]),
        st.integers(80, 120),
        st.integers(1, 2 * MINUTE),
    ),
    max_size=40,
)
stakes = st.sampled_from(["50", "20%", "all"])


@given(actions, stakes, st.integers(0, 400), st.integers(0, 1_000), st.integers(0, 6), st.sampled_from([0, 20_000]))
def test_whatever_happens_entries_stay_within_the_limits_and_exits_pass(todo, stake, most, total, rate, band):
    limits = Limits(
        max_order=Decimal(most), max_exposure=Decimal(total), max_orders_per_minute=rate, price_band_ppm=band
    )
    at = desk(limits, stake=Stake.from_str(stake), max_positions=3)
    closes: dict[object, int] = {}
    for action, symbol, price, pause in todo:
        at.advance(pause)
        sent_before = list(at.orders.values())
        held = {s: p.quantity for s, p in at.positions.items()}
        if action == "buy":
            at.quote(symbol, str(price))
            step = buy(at, symbol)
            for order in (o for o in step.changes.orders if o.status is S.PLANNED):
                value = order.request.quantity * price
                now = order.created_time
                assert not at.switch.is_on
                assert not most or value <= most
                assert not total or sum(q * closes[s] for s, q in held.items()) + value <= total
                assert not rate or sum(now - o.created_time < MINUTE for o in sent_before) < rate
                assert not band or abs(price - closes[symbol]) * 10**6 <= closes[symbol] * band
        elif action == "sell":
            sell(at, symbol)
            assert symbol not in at.positions
            assert refusals(at)[-1] == (None if symbol in held else "no_position")
        elif action == "close":
            closes[symbol] = price
            close(at, float(price), symbol=symbol)
        elif action == "restart":
            at.restart()
            for each, quoted in at.venue.prices.items():
                at.follow(at.manager.on_ticks([Tick(each, float(quoted), float(quoted), float(quoted))], at.time))
            closes.clear()
        else:
            at.turn(on=action == "on")

"""What was refused, lost or unknown: guarded, asked for, sent once more, protected anew."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.builders import BTC, ETH
from tests.unit.engine.desk import buy, desk, hit, live, refusals, sell
from tests.unit.engine.venue import protective

from vela.domain.events import (
    Alert,
    PositionChanged,
    Tick,
)
from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.domain.position import ExitReason
from vela.engine.limits import Limits
from vela.engine.order_manager import OrderManager
from vela.engine.restraints import Restraints
from vela.engine.step import NOTHING
from vela.ports.record import AccountState

S = OrderStatus
MINUTE = 60_000


def test_a_stop_that_was_refused_is_guarded_here_and_says_so():
    at = desk(take_profit_ppm=50_000)
    at.venue.protective = "refuse"
    buy(at)
    assert at.manager.live_orders == ()
    assert at.manager.stop_state(at.manager.positions[0]) == "guarded"
    told = at.steps[-1].messages[-1]
    assert isinstance(told, PositionChanged)
    assert told.stop_state == "guarded"
    at.advance()
    at.venue.market = "fill"
    assert at.quote(BTC, "98.01") is NOTHING
    at.quote(BTC, "98")
    assert (at.trades[0].exit_reason, at.trades[0].exit_price) == (ExitReason.STOP_LOSS, Decimal(98))


def test_a_guard_refused_tries_again_under_an_id_of_its_own():
    at = desk()
    at.venue.protective = "refuse"
    buy(at)
    at.venue.market = "refuse"
    for price in ("97", "96"):
        at.advance()
        at.quote(BTC, price)
    at.venue.market = "fill"
    at.advance()
    at.quote(BTC, "95")
    exits = [order for order in at.orders.values() if order.purpose is OrderPurpose.EXIT]
    assert [order.status for order in exits] == [S.REJECTED, S.REJECTED, S.FILLED]
    assert at.trades[0].exit_price == 95


def test_a_guard_acts_once_on_several_prices_of_one_moment():
    at = desk()
    at.venue.protective = "refuse"
    buy(at)
    low = Tick(BTC, 99.0, 97.0, 99.5)
    step = at.manager.on_ticks([low, low], at.advance())
    assert len(step.plans) == 1


def test_a_stop_for_a_part_alone_is_guarded_for_the_rest():
    at = desk(take_profit_ppm=50_000, take_profit_part_ppm=500_000)
    buy(at)
    stops = [o for o in at.manager.live_orders if o.purpose is OrderPurpose.STOP]
    assert len(stops) == 2
    at.venue.protective = "refuse"
    at.venue.end(stops[1].client_order_id, S.EXPIRED)
    at.poll()
    at.advance()
    at.quote(BTC, "97")
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.STOP_LOSS]


def test_a_resting_target_does_not_keep_the_guard_from_its_stop():
    at = desk(take_profit_ppm=50_000)
    buy(at)
    stop = next(o for o in at.manager.live_orders if o.purpose is OrderPurpose.STOP)
    at.venue.protective = "refuse"
    at.venue.end(stop.client_order_id, S.EXPIRED)
    at.poll()
    assert live(at, OrderPurpose.TAKE_PROFIT).status is S.ACCEPTED
    at.advance()
    at.quote(BTC, "97")
    assert at.trades[0].exit_reason is ExitReason.STOP_LOSS
    assert at.manager.live_orders == ()


def test_an_answer_that_never_came_is_asked_for_and_not_sent_again():
    at = desk()
    buy(at, answer="answer_lost")
    entry = live(at, OrderPurpose.ENTRY)
    assert entry.status is S.UNKNOWN
    assert any(isinstance(message, Alert) for message in at.steps[-1].messages)
    at.venue.execute(entry.client_order_id, Decimal(1))
    at.ask_unknown()
    assert at.manager.positions[0].entry_reason == "signal"


@pytest.mark.parametrize("answer", ["lost", "answer_lost"])
def test_an_exit_that_was_unknown_for_a_while_keeps_its_reason(answer: str):
    at = desk()
    buy(at)
    sell(at, answer=answer)
    assert live(at, OrderPurpose.EXIT).status is S.UNKNOWN
    at.ask_unknown()
    at.venue.market = "fill"
    at.follow(at.manager.resume(at.ordered()))
    for resting in at.venue.open_orders(BTC, OrderType.MARKET):
        at.venue.execute(resting.request.client_order_id, resting.left)
    at.poll()
    assert at.trades[0].exit_reason is ExitReason.SIGNAL


def test_a_stop_that_was_unknown_for_a_while_keeps_its_reason():
    at = desk()
    at.venue.protective = "answer_lost"
    buy(at)
    assert at.manager.stop_state(at.manager.positions[0]) == "planned"
    hit(at, OrderType.STOP, "98")
    at.ask_unknown()
    assert at.trades[0].exit_reason is ExitReason.STOP_LOSS


def test_what_the_venue_says_of_a_working_order_does_not_become_its_reason():
    at = desk()
    buy(at)
    stop = live(at, OrderPurpose.STOP)
    report = msgspec.structs.replace(at.venue.report(stop.client_order_id), venue_order_id="other", reason="triggered")
    at.follow(at.manager.on_reports([report]))
    assert live(at, OrderPurpose.STOP).reason == "stop_loss"


def test_an_entry_that_never_arrived_is_sent_once_more_and_no_more():
    at = desk()
    buy(at, answer="lost")
    order_id = at.ordered(0)
    at.ask_unknown()
    assert at.manager.live_orders == ()
    at.venue.market = "fill"
    step = at.follow(at.manager.resume(order_id))
    assert [plan.requests[0].client_order_id for plan in step.plans] == [order_id]
    assert at.manager.positions[0].quantity == 1
    assert at.manager.resume(order_id) is NOTHING


def test_an_entry_that_never_arrived_expires_with_its_candle():
    at = desk()
    buy(at, answer="lost")
    order_id, time = at.ordered(0), at.time
    at.ask_unknown()
    assert at.manager.expire_absent(time, time) is NOTHING
    step = at.follow(at.manager.expire_absent(time + 1, time + 1))
    assert [(o.client_order_id, o.status, o.reason) for o in step.changes.orders] == [
        (order_id, S.EXPIRED, "never_arrived")
    ]
    assert at.manager.resume(order_id) is NOTHING
    assert at.manager.wallet(0).reserved == 0


def test_an_exit_that_never_arrived_is_given_up_when_its_position_has_gone():
    at = desk()
    buy(at)
    sell(at, answer="lost")
    at.ask_unknown()
    hit(at, OrderType.STOP, "98")
    at.poll()
    step = at.follow(at.manager.resume(at.ordered()))
    assert step.plans == ()
    assert [order.status for order in step.changes.orders] == [S.EXPIRED]


def test_protective_orders_that_never_arrived_are_sent_again_as_they_were():
    at = desk(take_profit_ppm=50_000)
    at.venue.protective = "lost"
    buy(at)
    at.venue.protective = "accept"
    at.ask_unknown()
    resting = protective(at.manager.live_orders, BTC)
    assert {(o.status, o.client_order_id[-2:]) for o in resting} == {(S.ACCEPTED, "S1"), (S.ACCEPTED, "T1")}
    assert at.manager.absent(["no such order"], 0) is NOTHING


def test_what_is_proven_absent_is_not_sent_again_while_of_others_beside_it_nobody_knows():
    at = desk(take_profit_ppm=50_000, take_profit_part_ppm=500_000)
    at.venue.protective = "lost"
    buy(at)
    at.venue.protective = "accept"
    known_absent, unknown = [o.client_order_id for o in protective(at.manager.live_orders, BTC)][:2], 1
    step = at.follow(at.manager.absent(known_absent, at.time))
    assert [plan.requests for plan in step.plans] == []
    left = protective(at.manager.live_orders, BTC)
    assert [order.status for order in left] == [S.UNKNOWN] * unknown
    at.ask_unknown()
    resting = protective(at.manager.live_orders, BTC)
    assert {(o.status, o.client_order_id[-2:]) for o in resting} == {(S.ACCEPTED, f"{mark}2") for mark in "SRT"}


def test_when_some_of_the_protective_orders_arrived_all_are_placed_anew_under_ids_of_their_own():
    at = desk(take_profit_ppm=50_000, take_profit_part_ppm=500_000)
    at.venue.protective = "answer_lost"
    buy(at)
    at.venue.protective = "accept"
    lost = next(o.client_order_id for o in at.manager.live_orders if o.client_order_id.endswith("R1"))
    del at.venue.orders[lost]
    at.ask_unknown()
    assert at.orders[lost].status is S.EXPIRED
    resting = protective(at.manager.live_orders, BTC)
    assert {(o.status, o.client_order_id[-2:]) for o in resting} == {(S.ACCEPTED, f"{kind}2") for kind in "SRT"}
    assert {o.client_order_id for o in resting} == {name for name in at.venue.orders if at.venue.is_open(name)}


def test_a_restart_protects_what_is_held():
    at = desk()
    at.venue.protective = "refuse"
    buy(at)
    at.venue.protective = "accept"
    at.restart()
    assert at.manager.stop_state(at.manager.positions[0]) == "resting"
    at.restart()
    assert at.manager.protect_all(0) is NOTHING


def test_a_restart_remembers_the_cooldown():
    at = desk(cooldown_ms=600_000)
    buy(at)
    sell(at)
    at.restart()
    at.quote(BTC, "100")
    buy(at)
    assert at.outcomes[-1].refusal == "cooldown"


def test_an_exit_that_never_arrived_is_given_up_when_its_position_has_shrunk():
    at = desk()
    buy(at)
    sell(at, answer="lost")
    at.ask_unknown()
    hit(at, OrderType.STOP, "98", share="0.5")
    at.poll()
    step = at.follow(at.manager.resume(at.ordered()))
    assert step.plans == ()
    assert at.manager.positions[0].quantity == Decimal("0.5")


# ------------------------------------------------------------------------------------------------ what cannot be traded


def strand(at, symbol=BTC) -> None:
    """Go on from what was committed, with a symbol that is not listed any more and of whose orders nobody knows."""
    lost = [order.client_order_id for order in at.orders.values() if order.is_live and order.request.symbol == symbol]
    live = tuple(order for order in at.orders.values() if order.is_live)
    state = AccountState(live, tuple(at.positions.values()), dict(at.balances), dict(at.entries))
    at.manager = OrderManager(at.rules, at.instruments, state, Restraints(at.limits), {symbol})
    at.follow(at.manager.absent(lost, at.advance()))
    at.follow(at.manager.protect_all(at.time))


def test_what_is_stranded_stays_as_it_is_and_nothing_is_sent_for_it():
    at = desk(limits=Limits(max_daily_loss_ppm=100_000))
    buy(at)
    sent = len(at.orders)
    strand(at)
    at.turn(on=True, flatten=True)
    sell(at)
    [held] = at.manager.positions
    assert (held.quantity, held.leaving, len(at.orders)) == (Decimal(1), None, sent)
    assert at.manager.stop_state(held) == "stranded"
    assert refusals(at)[-1] == "no_price"
    assert at.manager.live_orders == ()
    alert, told = at.manager.tell_stranded(9).messages
    assert isinstance(alert, Alert)
    assert alert.text == "BTC is not listed any more: 1 BTC are stranded, without a stop, valued at cost"
    assert isinstance(told, PositionChanged)
    assert told.stop_state == "stranded"


def test_beside_what_is_stranded_others_are_entered_and_their_losses_measured():
    at = desk(limits=Limits(max_daily_loss_ppm=100_000))
    buy(at)
    strand(at)
    at.quote(ETH, "100")
    buy(at, ETH)
    assert refusals(at)[-1] is None
    assert {position.symbol for position in at.manager.positions} == {BTC, ETH}
    assert at.manager.wallet(0).market_value == 200


def test_an_exit_that_was_wanted_before_its_symbol_was_stranded_is_not_sent_again():
    at = desk()
    buy(at)
    sell(at, answer="refuse")
    sent = len(at.orders)
    strand(at)
    assert len(at.orders) == sent
    assert [position.symbol for position in at.manager.positions] == [BTC]

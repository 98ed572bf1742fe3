# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
"""What real exchanges add: fees in any asset, dust, reports that come in parts, late or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.builders import BTC
from tests.unit.engine.desk import buy, close, desk, hit, live, resting, sell

from vela.domain.events import Alert
from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.domain.position import ExitReason
from vela.engine.protection import protective_requests
from vela.engine.rules import Stake
from vela.engine.step import NOTHING

S = OrderStatus


def test_what_is_below_a_step_is_written_off_and_frees_the_place():
    at = desk(stake=Stake.from_str("100.01"))
    at.venue.takes_fee_in_base = True
    buy(at)
    [held] = at.manager.positions
    assert held.quantity == Decimal("0.9990999")
    assert live(at, OrderPurpose.STOP).request.quantity == Decimal("0.99909")
    sell(at)
    assert at.manager.positions == ()
    [trade] = at.trades
    assert trade.exit_reason is ExitReason.SIGNAL
    assert at.balances["holdings", "BTC"] == at.venue.holdings[BTC] == Decimal("0.0000099")
    wallet = at.manager.wallet(0)
    assert wallet.cost == 0
    assert trade.pnl == wallet.realised_pnl - wallet.fees


def test_what_a_stop_left_is_written_off_once_the_order_in_its_place_is_known_to_be_lost():
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
    sell(at)
    assert at.outcomes[-1].refusal == "no_position"
    at.follow(at.manager.protect_all(at.advance()))
    at.ask_unknown()
    assert at.manager.positions == ()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.TRAILING]


def test_a_part_too_small_to_be_sold_is_given_up_and_said_so():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal("0.01"))
    at.venue.end(entry, S.EXPIRED)
    step = at.poll()
    assert at.manager.positions == ()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.DUST]
    assert [m.text for m in step.messages if isinstance(m, Alert)] == [
        "0.01 BTC are too little to be sold: written off, they stay on the account"
    ]
    assert at.venue.open_orders(BTC, *OrderType) == []


@pytest.mark.parametrize(("bought", "is_sold"), [("0.05", True), ("0.05102", True), ("0.05103", False)])
def test_a_part_that_could_be_sold_now_but_not_at_its_stop_is_sold_at_once(bought: str, is_sold: bool):
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal(bought))  # at 100 the minimum of 5 can be reached, at 98 it takes 0.05103
    at.venue.end(entry, S.EXPIRED)
    at.venue.market = "fill"
    at.poll()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.DUST] * is_sold
    assert [o.type for o in resting(at)] == ([] if is_sold else [OrderType.STOP])
    assert at.venue.holdings[BTC] == (0 if is_sold else Decimal(bought))


def test_what_cannot_stand_behind_a_stop_is_sold_once_that_was_refused_and_later():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal("0.05"))
    at.venue.end(entry, S.EXPIRED)
    at.venue.market = "refuse"
    at.poll()
    assert [position.leaving for position in at.manager.positions] == [ExitReason.DUST]
    at.venue.market = "fill"
    at.restart()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.DUST]


def test_what_a_target_left_and_no_stop_could_hold_is_sold_for_the_targets_reason():
    at = desk(take_profit_ppm=20_000)
    buy(at)
    hit(at, OrderType.LIMIT, "102", share="0.949")
    at.venue.end(live(at, OrderPurpose.TAKE_PROFIT).client_order_id, S.EXPIRED)
    at.venue.end(live(at, OrderPurpose.STOP).client_order_id, S.EXPIRED)
    at.quote(BTC, "102")
    at.poll()
    [trade] = at.trades
    assert (trade.exit_reason, trade.exit_price) == (ExitReason.TAKE_PROFIT, 102)
    assert at.balances["holdings", "BTC"] == 0


def test_a_report_that_lacks_fills_ends_nothing_and_is_asked_for():
    at = desk()
    buy(at, answer="partial")
    entry = live(at, OrderPurpose.ENTRY)
    at.venue.execute(entry.client_order_id, Decimal("0.3"))
    at.venue.execute(entry.client_order_id, Decimal("0.3"))
    whole = at.venue.report(entry.client_order_id)
    newest = replace(whole, fills=whole.fills[-1:], filled_quantity=Decimal(1))
    step = at.follow(at.manager.on_reports([newest]))
    assert step.asks == (entry.client_order_id,)
    assert live(at, OrderPurpose.ENTRY).status is S.PARTIALLY_FILLED
    at.follow(at.manager.on_reports([replace(whole, filled_quantity=Decimal(1))]))
    assert at.manager.positions[0].quantity == 1
    assert len(at.fills) == 3


@pytest.mark.parametrize("late", [S.ACCEPTED, S.PARTIALLY_FILLED])
def test_a_report_that_comes_late_moves_nothing_back(late: OrderStatus):
    at = desk()
    buy(at, answer="partial")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    old = replace(at.venue.report(entry), status=late)
    assert at.manager.on_reports([replace(old, fills=())]) is NOTHING
    at.venue.execute(entry, Decimal("0.6"))
    at.poll()
    assert at.manager.on_reports([old]) is NOTHING
    assert at.manager.positions[0].quantity == 1


def test_a_target_executed_in_part_leaves_a_stop_while_the_price_stays_there():
    at = desk(take_profit_ppm=20_000)
    buy(at)
    at.quote(BTC, "102")
    hit(at, OrderType.LIMIT, "102", share="0.4")
    at.venue.end(live(at, OrderPurpose.STOP).client_order_id, S.EXPIRED)
    at.poll()
    [held] = at.manager.positions
    assert [(o.type, o.quantity) for o in resting(at)] == [(OrderType.STOP, held.quantity)]
    at.quote(BTC, "101.99")
    at.follow(at.manager.protect_all(at.advance()))
    assert [o.type for o in resting(at)] == [OrderType.STOP, OrderType.LIMIT]


def test_an_exit_that_was_wanted_is_planned_anew():
    at = desk()
    buy(at)
    sell(at, answer="lost")
    at.ask_unknown()
    at.venue.market = "fill"
    at.follow(at.manager.protect_all(at.advance()))
    assert at.manager.positions, "its signal may come again"
    at.follow(at.manager.expire_absent(at.time + 1, at.time + 1))
    assert at.manager.positions == ()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.SIGNAL]


def test_what_the_venue_says_of_an_ended_order_is_no_reason_of_a_trade():
    at = desk(stake=Stake.from_str("100.01"))
    at.venue.takes_fee_in_base = True
    buy(at)
    sell(at, answer="accept")
    leaving = live(at, OrderPurpose.EXIT)
    at.venue.execute(leaving.client_order_id, Decimal("0.99908"))
    at.venue.orders[leaving.client_order_id].reason = "the venue's own words"
    at.venue.end(leaving.client_order_id, S.EXPIRED)
    at.poll()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.SIGNAL]


@pytest.mark.parametrize("left", ["0.51", "0.95"])
def test_a_plan_of_which_one_order_would_be_too_small_is_a_stop_alone(left: str):
    # At 100 the minimum is 5: the half at the target, or the rest behind its own stop, has become too little.
    at = desk(take_profit_ppm=50_000, take_profit_part_ppm=500_000)
    buy(at)
    [held] = at.manager.positions
    part = {"0.51": Decimal("0.04"), "0.95": Decimal("0.91")}[left]
    smaller = replace(held, quantity=Decimal(left), target_quantity=part)
    requests = protective_requests(smaller, at.instruments[0])
    assert [(r.type, r.quantity) for r in requests] == [(OrderType.STOP, Decimal(left))]
    assert len(protective_requests(held, at.instruments[0])) == 3


def test_an_exit_that_was_refused_is_wanted_after_a_restart_too():
    at = desk()
    buy(at)
    sell(at, answer="refuse")
    assert at.manager.positions != ()
    at.venue.market = "fill"
    at.restart()
    assert at.manager.positions == ()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.SIGNAL]


# ------------------------------------------------------------------------------------------------------ what is missing

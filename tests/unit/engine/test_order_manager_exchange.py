# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
"""What real exchanges add: fees in any asset, dust, reports that come in parts, late or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.builders import BTC, ETH
from tests.unit.engine.desk import buy, close, desk, hit, live, sell

from vela.domain.events import Alert
from vela.domain.order import OrderPurpose, OrderRequest, OrderStatus, OrderType
from vela.domain.position import ExitReason
from vela.engine.protection import protective_requests
from vela.engine.rules import Stake
from vela.engine.step import NOTHING

S = OrderStatus


def test_a_fee_taken_from_the_purchase_leaves_less_to_protect_and_to_sell():
    at = desk()
    at.venue.takes_fee_in_base = True
    buy(at)
    [held] = at.manager.positions
    assert (held.quantity, held.fees, held.entry_value) == (Decimal("0.999"), Decimal("0.1"), Decimal("99.9"))
    assert live(at, OrderPurpose.STOP).request.quantity == Decimal("0.999")
    sell(at)
    assert at.manager.positions == ()
    assert at.trades[0].pnl == Decimal("-0.1") - at.fills[1].fee
    assert at.venue.holdings[BTC] == 0


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


def resting(at) -> list[OrderRequest]:
    return [order.request for order in at.venue.open_orders(BTC, *OrderType)]


def test_an_exit_that_was_wanted_is_planned_anew():
    at = desk()
    buy(at)
    sell(at, answer="lost")
    at.ask_unknown()
    at.venue.market = "fill"
    at.follow(at.manager.expire_absent(at.time + 1, at.time + 1))
    at.follow(at.manager.protect_all(at.advance()))
    assert at.manager.positions == ()
    assert [trade.exit_reason for trade in at.trades] == [ExitReason.SIGNAL]


def test_a_fee_in_another_asset_counts_at_its_price_and_is_paid_in_by_the_owner():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal(1))
    whole = at.venue.report(entry)
    paid = replace(whole.fills[0], fee=Decimal("0.001"), fee_asset="SOL")
    at.follow(at.manager.on_reports([replace(whole, fills=(paid,))]))
    wallet = at.manager.wallet(0)
    assert (wallet.fees, wallet.initial_capital, wallet.cash) == (Decimal("0.1"), Decimal("1000.1"), 900)
    assert at.manager.positions[0].fees == Decimal("0.1")


def test_a_fee_in_an_asset_without_a_price_is_said_so():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal(1))
    whole = at.venue.report(entry)
    paid = replace(whole.fills[0], fee=Decimal("0.001"), fee_asset="BNB")
    step = at.follow(at.manager.on_reports([replace(whole, fills=(paid,))]))
    assert [m.text for m in step.messages if isinstance(m, Alert)] == [
        "fee of 0.001 BNB for fill f1 has no price in USDT here"
    ]
    assert at.manager.wallet(0).fees == 0


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


def test_a_part_of_an_entry_that_comes_after_the_first_was_sold_is_a_position_of_its_own():
    at = desk()
    buy(at, answer="accept")
    entry = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(entry, Decimal("0.5"))
    second = at.venue.time
    at.poll()
    hit(at, OrderType.STOP, "98")
    at.poll()
    assert len(at.trades) == 1
    at.venue.time = second  # told late: both parts bear one time
    at.venue.prices[BTC] = Decimal(100)
    at.venue.execute(entry, Decimal("0.5"))
    at.advance()
    at.poll()
    [held] = at.manager.positions
    assert held.quantity == Decimal("0.5")
    assert [(o.type, o.quantity) for o in resting(at)] == [(OrderType.STOP, held.quantity)]
    sell(at)
    assert [trade.entry_time for trade in at.trades] == [second, second + 1]


def test_a_sale_told_together_with_a_purchase_that_it_paid_for_comes_first():
    at = desk(initial_capital=Decimal(200), fee_rate=Decimal(0))
    buy(at)
    buy(at, ETH, answer="accept")
    purchase = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(purchase, Decimal(1), Decimal(110))  # ten more than there was
    sale = live(at, OrderPurpose.STOP).client_order_id
    at.venue.execute(sale, Decimal(1), Decimal(98))
    at.advance()
    step = at.follow(at.manager.on_reports([at.venue.report(purchase), at.venue.report(sale)]))
    assert [m.text for m in step.messages if isinstance(m, Alert)] == []
    assert at.balances["cash", "USDT"] == 200 - 100 - 110 + 98


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


def missing(at, left: str):
    return at.follow(at.manager.on_missing({BTC: Decimal(left)}, at.advance()))


def test_what_the_venue_holds_no_more_is_lost_and_the_rest_can_be_sold():
    at = desk(stop_loss_ppm=0)
    buy(at)
    step = missing(at, "0.6")
    [held] = at.manager.positions
    assert (held.quantity, held.cost, held.realised_pnl) == (Decimal("0.6"), Decimal(60), Decimal(-40))
    assert at.balances["holdings", "BTC"] == Decimal("0.6")
    [alert] = [message for message in step.messages if isinstance(message, Alert)]
    assert alert.text == "0.4 BTC of 1 are not at the venue any more: written off"
    missing(at, "0.5")
    at.venue.holdings[BTC] = Decimal("0.5")
    sell(at)
    assert at.manager.positions == ()
    wallet = at.manager.wallet(0)
    assert at.trades[0].pnl == wallet.realised_pnl - wallet.fees
    assert wallet.cash == 1000 + wallet.realised_pnl - wallet.fees


@pytest.mark.parametrize("left", ["0", "0.00001"])
def test_a_position_of_which_nothing_sellable_is_left_is_over(left: str):
    at = desk(stop_loss_ppm=0)
    buy(at)
    missing(at, left)
    assert at.manager.positions == ()
    [trade] = at.trades
    assert (trade.exit_reason, trade.pnl) == (ExitReason.DUST, Decimal("-100.1"))
    assert at.balances["holdings", "BTC"] == Decimal(left)
    assert at.manager.wallet(0).cost == 0


@pytest.mark.parametrize("left", ["1", "1.5"])
def test_where_nothing_is_missing_nothing_is_lost(left: str):
    at = desk(stop_loss_ppm=0)
    buy(at)
    assert missing(at, left) is NOTHING


def test_while_an_order_is_under_way_nothing_is_lost():
    at = desk()
    buy(at)
    assert missing(at, "0.5") is NOTHING
    assert at.manager.on_missing({ETH: Decimal(0)}, 1) is NOTHING

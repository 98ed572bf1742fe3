# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
"""Fees in any asset, purchases beyond the cash, and what has gone: their way into the books."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.builders import BTC, ETH
from tests.unit.engine.desk import buy, desk, hit, live, resting, sell

from vela.domain.events import Alert
from vela.domain.order import OrderPurpose, OrderType
from vela.domain.position import ExitReason
from vela.engine.rules import Stake
from vela.engine.step import NOTHING


def missing(at, left: str):
    return at.follow(at.manager.on_missing({BTC: Decimal(left)}, at.advance()))


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


@pytest.mark.parametrize("restarted", [False, True])
def test_a_sale_told_after_the_purchase_that_it_paid_for_brings_back_what_was_missing(restarted: bool):
    at = desk(initial_capital=Decimal(200), fee_rate=Decimal(0))
    buy(at)
    buy(at, ETH, answer="accept")
    purchase = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(purchase, Decimal(1), Decimal(110))  # ten more than there was
    sale = live(at, OrderPurpose.STOP).client_order_id
    at.venue.execute(sale, Decimal(1), Decimal(98))
    at.advance()
    step = at.follow(at.manager.on_reports([at.venue.report(purchase)]))
    [alert] = [m.text for m in step.messages if isinstance(m, Alert)]
    assert alert.endswith("10 USDT below zero until a sale brings them back")
    between = at.manager.wallet(0)
    assert (between.cash, between.initial_capital) == (-10, 200)
    assert {o.symbol for o in at.manager.live_orders if o.purpose is OrderPurpose.STOP} == {BTC, ETH}
    if restarted:
        at.restart()
    else:
        at.poll()
    after = at.manager.wallet(0)
    assert (after.cash, after.initial_capital) == (200 - 100 - 110 + 98, 200)


def test_nothing_is_bought_while_cash_is_below_zero():
    at = desk(initial_capital=Decimal(200), fee_rate=Decimal(0), stake=Stake.from_str("all"))
    buy(at, answer="accept")
    purchase = live(at, OrderPurpose.ENTRY).client_order_id
    at.venue.execute(purchase, Decimal(2), Decimal(400))
    at.poll()
    assert at.manager.wallet(0).cash == -600
    buy(at, ETH)
    assert at.outcomes[-1].refusal == "balance"


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

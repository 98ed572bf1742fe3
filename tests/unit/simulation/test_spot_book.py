from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC, ETH
from tests.unit.simulation.venue import SELL, request

from vela.domain.errors import ConfigurationError, LedgerError, OrderNotFound
from vela.domain.order import OrderStatus, Side
from vela.simulation.spot_book import SpotBook, SpotFees
from vela.simulation.spot_orders import SpotEventKind

RECEIVED = SpotFees(Decimal("0.001"), Decimal("0.002"))
QUOTE = SpotFees(Decimal("0.001"), Decimal("0.002"), in_quote=True)


def book(fees: SpotFees = RECEIVED) -> SpotBook:
    return SpotBook({"USDT": Decimal(1000), "BTC": Decimal(2)}, fees)


def held(state: SpotBook, asset: str) -> tuple[object, object]:
    return state.account.balances()[asset].free, state.account.balances()[asset].locked


@pytest.mark.parametrize(
    ("maker", "taker", "words"),
    [("-1", "0", "maker fee was -1"), ("1", "0", "maker fee"), ("NaN", "0", "maker fee"), ("0", "-0.1", "taker fee")],
)
def test_a_fee_out_of_range_is_refused(maker, taker, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SpotFees(Decimal(maker), Decimal(taker))


def test_a_rebate_is_a_negative_fee_and_needs_no_lock() -> None:
    rebate = SpotFees(Decimal("-0.0005"), Decimal(0), in_quote=True)
    sale = request("a", "LIMIT", "1", "100", side=SELL)
    assert rebate.of(sale, Decimal(100), Decimal(1), is_maker=True) == (Decimal("-0.05"), "USDT")
    assert rebate.on_top == 0
    state = book(rebate)
    order = state.accept(sale, 1)
    state.trade(order, Decimal(100), Decimal(1), 2, is_maker=True)
    assert held(state, "USDT") == (Decimal("1100.05"), 0)


def test_a_fee_in_a_third_asset_is_a_quarter_less_and_rebates_are_none() -> None:
    fees = SpotFees(Decimal("-0.001"), Decimal("0.002"), asset="BNB")
    price, quantity, of_bnb = Decimal(100), Decimal(1), Decimal(600)
    assert fees.discounted(price, quantity, of_bnb, is_maker=False) == Decimal("0.00025")
    assert fees.discounted(price, quantity, of_bnb, is_maker=True) == 0


@pytest.mark.parametrize(("side", "fee"), [("BUY", (Decimal("0.0015"), "BTC")), ("SELL", (Decimal("0.2"), "USDT"))])
def test_what_is_sold_pays_no_fee(side, fee) -> None:
    state = SpotBook({"USDT": Decimal(1000), "BTC": Decimal(1)}, SpotFees(Decimal(0), Decimal("0.002"), asset="BTC"))
    order = state.accept(request("a", "MARKET", "1", side=Side(side)), 1)
    order = state.trade(order, Decimal(100), Decimal(1), 2, is_maker=False, fee_asset_price=Decimal(100))
    assert (order.trades[0].fill.fee, order.trades[0].fill.fee_asset) == fee


def test_a_purchase_pays_its_fee_in_what_it_receives_or_in_quote() -> None:
    buy, sell = request("a", "LIMIT", "1", "100"), request("b", "LIMIT", "1", "100", side=SELL)
    price, quantity = Decimal(100), Decimal("0.5")
    assert RECEIVED.of(buy, price, quantity, is_maker=True) == (Decimal("0.0005"), "BTC")
    assert RECEIVED.of(sell, price, quantity, is_maker=False) == (Decimal("0.1"), "USDT")
    assert QUOTE.of(buy, price, quantity, is_maker=False) == (Decimal("0.1"), "USDT")


def test_a_fee_is_cut_to_eight_decimals() -> None:
    amount, _ = RECEIVED.of(request("a", "LIMIT", "1", "100"), Decimal(100), Decimal("0.00001999"), is_maker=True)
    assert amount == Decimal("0.00000001")


def test_a_resting_order_locks_and_a_partial_fill_gives_back_its_share() -> None:
    state = book()
    order = state.accept(request("a", "LIMIT", "2", "100"), 1)
    assert held(state, "USDT") == (800, 200)
    order = state.trade(order, Decimal(90), Decimal("0.5"), 2, is_maker=True)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert held(state, "USDT") == (805, 150)
    assert held(state, "BTC") == (Decimal("2.4995"), 0)
    state.cancel(order, 3, "c")
    assert held(state, "USDT") == (955, 0)
    assert [event.kind for event in state.log] == [SpotEventKind.NEW, SpotEventKind.TRADE, SpotEventKind.CANCELLED]
    assert [event.sequence for event in state.log] == [1, 2, 3]


def test_fees_in_quote_are_locked_with_the_order() -> None:
    state = book(QUOTE)
    state.accept(request("a", "LIMIT", "2", "100"), 1)
    assert held(state, "USDT")[1] == Decimal("200.4")


def test_an_order_that_cannot_be_paid_leaves_no_trace() -> None:
    state = book()
    with pytest.raises(LedgerError):
        state.accept(request("a", "LIMIT", "11", "100"), 1)
    assert not state.log
    assert not state.orders
    assert held(state, "USDT") == (1000, 0)


def test_a_pair_shares_one_lock_and_knows_its_other_order() -> None:
    state = book()
    pair = state.pair("both", BTC, 1)
    first = state.accept(request("a", "LIMIT_MAKER", "2", "110", side=SELL), 1, list_id=pair.list_id)
    second = state.accept(request("b", "STOP_LOSS", "2", stop="90", side=SELL), 1, list_id=pair.list_id)
    assert held(state, "BTC") == (0, 2)
    assert state.sibling(first) == second
    state.expire(second, 2, "pair")
    assert state.sibling(first) is None
    assert held(state, "BTC") == (0, 2)


def test_an_order_is_found_by_either_id_and_by_its_symbol_only() -> None:
    state = book()
    old = state.accept(request("a", "LIMIT", "1", "100"), 1)
    state.cancel(old, 1, "c")
    new = state.accept(request("a", "LIMIT", "1", "90"), 2)
    assert state.find(BTC, client_order_id="a") == new
    assert state.find(BTC, old.order_id).status is OrderStatus.CANCELLED
    for symbol, order_id in ((ETH, 1), (BTC, 3)):
        with pytest.raises(OrderNotFound):
            state.find(symbol, order_id)
    assert (state.has_open("a"), state.has_open("b")) == (True, False)

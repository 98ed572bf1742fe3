from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC
from tests.unit.simulation.venue import SELL, request

from vela.domain.errors import LedgerError, OrderNotFound
from vela.domain.fill import Fill
from vela.domain.order import OrderStatus, Side
from vela.simulation.accounts import Account
from vela.simulation.book import Book
from vela.simulation.exchange_events import ExchangeEvent, OrderAccepted, OrderCancelled
from vela.simulation.spot_orders import Prevention, SpotOrder

STOP = request("stop", "STOP_LOSS", "2", stop="90", side=SELL, group="g")
TARGET = request("target", "LIMIT", "2", "110", side=SELL, group="g")
TWO, NOTHING = Decimal(2), Decimal(0)


class Heard:
    """A book and all that it told."""

    def __init__(self) -> None:
        self.told: list[tuple[ExchangeEvent, SpotOrder]] = []
        self.book = Book(Account({"USDT": Decimal(1000), "BTC": TWO}), lambda *told: self.told.append(told))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def book(heard: Heard) -> Book:
    return heard.book


def held(book: Book, asset: str) -> tuple[Decimal, Decimal]:
    balance = book.account.balances()[asset]
    return balance.free, balance.locked


def fill(name: str, side: Side, price: str, quantity: str, fee: str = "0", asset: str = "USDT") -> Fill:
    return Fill("1", name, BTC, side, Decimal(price), Decimal(quantity), Decimal(fee), asset, 6)


def test_every_event_is_told_with_the_order_afterwards(heard, book) -> None:
    order = book.accept(STOP, 5, TWO)
    assert (order.order_id, order.status, order.working_time) == (1, OrderStatus.ACCEPTED, None)
    cancelled = book.cancel(order, 6, "client")
    assert (cancelled.status, cancelled.updated_time) == (OrderStatus.CANCELLED, 6)
    assert heard.told == [
        (OrderAccepted(1, 5, STOP, "BTC", TWO), order),
        (OrderCancelled(2, 6, "stop", "client"), cancelled),
    ]
    assert book.sequence == 2


def test_a_fork_leaves_the_book_alone(heard, book) -> None:
    kept = book.accept(TARGET, 5, TWO)
    events: list[ExchangeEvent] = []
    fork = book.fork(lambda event, _: events.append(event))
    fork.cancel(kept, 6, "client")
    fork.accept(request("new", "LIMIT", "1", "100"), 6, Decimal(100))
    assert [event.sequence for event in events] == [2, 3]
    assert (list(fork.orders), held(fork, "BTC")) == (["new"], (TWO, NOTHING))
    assert (list(book.orders), held(book, "BTC"), book.sequence) == (["target"], (NOTHING, TWO), 1)
    for event in events:
        book.apply(event)
    assert list(book.orders) == ["new"]
    assert len(heard.told) == 3


def test_a_group_shares_its_lock(book) -> None:
    book.accept(STOP, 5, TWO)
    book.accept(TARGET, 5, TWO)
    assert [order.request for order in book.of_symbol(BTC)] == [STOP, TARGET]
    assert [order.request for order in book.others_of_group(STOP)] == [TARGET]
    assert held(book, "BTC") == (NOTHING, TWO)
    assert (book.available(STOP, "BTC"), book.available(STOP, "USDT")) == (TWO, Decimal(1000))


def test_a_group_named_like_an_order_does_not_share_its_lock(book) -> None:
    book.accept(request("g", "LIMIT", "1", "110", side=SELL), 5, Decimal(1))
    book.accept(request("x", "LIMIT", "1", "110", side=SELL, group="g"), 5, Decimal(1))
    assert book.account.free("BTC") == 0


def test_a_partial_fill_gives_back_its_share_and_a_last_one_all(book) -> None:
    book.accept(request("a", "LIMIT", "2", "100"), 1, Decimal(200))
    order = book.fill(fill("a", Side.BUY, "90", "0.5", "0.0005", "BTC"), 2, Decimal(150), is_maker=True)
    assert (order.status, order.filled_quantity, order.filled_value) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.5"),
        Decimal(45),
    )
    assert (held(book, "USDT"), held(book, "BTC")) == ((Decimal(805), Decimal(150)), (Decimal("2.4995"), NOTHING))
    order = book.fill(fill("a", Side.BUY, "100", "1.5"), 3, NOTHING)
    assert (order.status, [trade.is_maker for trade in order.trades]) == (OrderStatus.FILLED, [True, False])
    assert held(book, "USDT") == (Decimal(805), NOTHING)
    assert book.orders == {}


def test_the_last_trade_ends_an_order_given_by_its_value(book) -> None:
    book.accept(request("a", "MARKET", worth="100"), 1, NOTHING)
    assert book.fill(fill("a", Side.BUY, "100", "0.4"), 2, NOTHING).is_open
    assert book.fill(fill("a", Side.BUY, "100", "0.5"), 2, NOTHING, is_last=True).status is OrderStatus.FILLED


def test_a_fee_in_a_third_asset_and_a_rebate_change_its_balance() -> None:
    book = Book(Account({"BTC": TWO, "BNB": Decimal(1)}), lambda *_: None)
    book.accept(request("a", "LIMIT", "2", "100", side=SELL), 1, TWO)
    book.fill(fill("a", SELL, "100", "1", "0.25", "BNB"), 2, Decimal(1))
    book.fill(fill("a", SELL, "100", "1", "-0.5", "USDT"), 2, NOTHING)
    assert (held(book, "BNB")[0], held(book, "USDT")[0]) == (Decimal("0.75"), Decimal("200.5"))


def test_a_triggered_stop_keeps_what_it_still_needs(book) -> None:
    order = book.accept(request("a", "STOP_LOSS", "1", stop="110"), 1, Decimal(110))
    order = book.trigger(order, 2, NOTHING)
    assert (order.is_open, order.working_time, held(book, "USDT")[1]) == (True, 2, NOTHING)


def test_an_order_that_met_another_of_the_account_knows_which(book) -> None:
    order = book.accept(TARGET, 1, TWO)
    prevention = Prevention(2, 7, Decimal(110), TWO)
    order = book.expire(order, 2, "self_trade", prevention)
    assert (order.status, order.prevention) == (OrderStatus.EXPIRED, prevention)


def test_an_order_that_cannot_be_paid_leaves_no_trace(heard, book) -> None:
    with pytest.raises(LedgerError):
        book.accept(request("a", "LIMIT", "11", "100"), 1, Decimal(1100))
    assert (heard.told, book.orders, book.sequence) == ([], {}, 0)
    assert held(book, "USDT") == (Decimal(1000), NOTHING)


def test_an_event_about_an_order_that_is_not_open_or_out_of_turn_is_refused(book) -> None:
    with pytest.raises(OrderNotFound, match="'ghost' is not open"):
        book.apply(OrderCancelled(1, 5, "ghost", "client"))
    with pytest.raises(LedgerError, match="event 3 cannot follow event 0"):
        book.apply(OrderCancelled(3, 5, "ghost", "client"))

from __future__ import annotations

from decimal import Decimal

import pytest

from vela.domain.errors import OrderNotFound
from vela.domain.fill import Fill
from vela.domain.order import OrderRequest, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.accounts import Account
from vela.simulation.book import Book, Draft
from vela.simulation.exchange_events import OrderAccepted, OrderCancelled, OrderFilled

BTC = TradingSymbol("BTC")
STOP = OrderRequest("stop", BTC, Side.SELL, OrderType.STOP, Decimal(2), stop_price=Decimal(90), group="g")
TARGET = OrderRequest("target", BTC, Side.SELL, OrderType.LIMIT, Decimal(2), price=Decimal(110), group="g")


@pytest.fixture
def draft() -> Draft:
    return Draft(Book(Account({"BTC": Decimal(2)})), sequence=0, time=5)


def accept(draft: Draft, request: OrderRequest) -> None:
    draft.add(OrderAccepted(draft.sequence, draft.time, request, "BTC", request.quantity))


def test_a_draft_leaves_the_book_it_began_with_alone(draft):
    book = draft.book
    accept(draft, STOP)
    assert draft.sequence == 2
    assert book.orders == {}
    assert book.account.free("BTC") == 2
    assert draft.book.account.free("BTC") == 0


def test_a_group_shares_its_lock_and_stops_take_their_turn_first(draft):
    accept(draft, TARGET)
    accept(draft, STOP)
    assert [order.request.client_order_id for order in draft.book.of_symbol(BTC)] == ["stop", "target"]
    assert [order.request for order in draft.book.others_of_group(STOP)] == [TARGET]
    assert draft.book.available(STOP, "BTC") == 2


def test_a_group_named_like_an_order_does_not_share_its_lock(draft):
    accept(draft, OrderRequest("g", BTC, Side.SELL, OrderType.MARKET, Decimal(1)))
    accept(draft, OrderRequest("x", BTC, Side.SELL, OrderType.MARKET, Decimal(1), group="g"))
    assert draft.book.account.free("BTC") == 0


def test_a_fill_moves_both_assets_and_the_fee(draft):
    accept(draft, STOP)
    fill = Fill("2", "stop", BTC, Side.SELL, Decimal(90), Decimal(2), Decimal("0.18"), "USDT", 6)
    draft.add(OrderFilled(draft.sequence, 6, fill))
    assert draft.book.orders == {}
    assert draft.book.account.free("BTC") == 0
    assert draft.book.account.free("USDT") == Decimal("179.82")


def test_an_event_about_an_order_that_is_not_open_is_refused(draft):
    with pytest.raises(OrderNotFound, match="'ghost' is not open"):
        draft.add(OrderCancelled(1, 5, "ghost", "client"))
    assert draft.events == []

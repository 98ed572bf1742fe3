"""Orders of one account that would trade with each other: what ends, and what trades before."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.market import BTC
from tests.unit.simulation.venue import SELL, Venue, request

from vela.domain.errors import OrderRefused
from vela.domain.order import OrderStatus
from vela.simulation.spot_orders import SpotEventKind

NEW, TRADE, EXPIRED = SpotEventKind.NEW, SpotEventKind.TRADE, SpotEventKind.EXPIRED
EDGE = Decimal("100.3")  # two levels of the book lie before it


def venue_with_a_resting_sale() -> tuple[Venue, Decimal]:
    """Return a venue and how much is offered there before the account's own order."""
    venue = Venue()
    venue.place("own", "LIMIT", "1", str(EDGE), side=SELL)
    return venue, sum((quantity for price, quantity in venue.exchange.depth(BTC, SELL) if price < EDGE), Decimal(0))


def test_what_does_not_reach_the_other_order_just_trades() -> None:
    venue, before = venue_with_a_resting_sale()
    assert venue.place("a", "MARKET", str(before)).status is OrderStatus.FILLED
    assert venue.kinds("own") == [NEW]


def test_the_resting_order_ends_and_the_new_one_goes_on() -> None:
    venue, before = venue_with_a_resting_sale()
    order = venue.place("a", "MARKET", str(before + 1), own="EXPIRE_MAKER")
    assert order.status is OrderStatus.FILLED
    assert venue.kinds("own") == [NEW, EXPIRED]
    prevention = venue.order("own").prevention
    assert prevention is not None
    assert (prevention.other_id, prevention.price, prevention.quantity) == (order.order_id, EDGE, Decimal(1))
    assert venue.held("BTC")[1] == "0"


@pytest.mark.parametrize(("mode", "own"), [("EXPIRE_TAKER", [NEW]), ("EXPIRE_BOTH", [NEW, EXPIRED])])
def test_the_new_order_takes_what_lies_before_and_ends(mode, own) -> None:
    venue, before = venue_with_a_resting_sale()
    order = venue.place("a", "LIMIT", str(before + 1), "110", own=mode)
    assert (order.status, order.filled_quantity) == (OrderStatus.EXPIRED, before)
    assert order.prevention is not None
    assert (order.prevention.other_id, order.prevention.quantity) == (1, Decimal(1))
    assert venue.kinds("own") == own
    assert venue.held("USDT")[1] == "0"


def test_an_order_that_must_be_filled_whole_trades_nothing_then() -> None:
    venue, before = venue_with_a_resting_sale()
    order = venue.place("a", "LIMIT", str(before + 1), "110", own="EXPIRE_TAKER", lasts="FOK")
    assert (order.filled_quantity, order.prevention is None) == (Decimal(0), False)


def test_an_order_by_value_meets_others_as_far_as_it_reaches() -> None:
    venue, _ = venue_with_a_resting_sale()
    venue.place("a", "MARKET", worth="50")
    assert venue.kinds("own") == [NEW]
    venue.place("b", "MARKET", worth="900")
    assert venue.kinds("own") == [NEW, EXPIRED]


def test_a_limit_that_only_makes_does_not_cross_another_of_the_account() -> None:
    venue, before = venue_with_a_resting_sale()
    venue.place("taken", "MARKET", str(before))
    rest = sum(quantity for price, quantity in venue.exchange.depth(BTC, SELL) if price == EDGE)
    venue.place("other", "LIMIT", "1", "100.2", side=SELL)
    assert rest
    with pytest.raises(OrderRefused, match=r"^would_take: "):
        venue.place("a", "LIMIT_MAKER", "1", "100.2")


def test_of_a_pair_that_is_met_both_end() -> None:
    venue = Venue()
    pair = (
        request("up", "LIMIT_MAKER", "1", str(EDGE), side=SELL),
        request("down", "STOP_LOSS", "1", stop="90", side=SELL),
    )
    venue.exchange.place_pair("pair", *pair, venue.time)
    venue.place("a", "MARKET", "10")
    assert (venue.kinds("up"), venue.kinds("down")) == ([NEW, EXPIRED], [NEW, EXPIRED])

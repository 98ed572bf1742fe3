from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.venue import SELL, Venue, request

from vela.venue.binance.shapes import amount, execution_report, pair_of_orders, queried


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "0.00000000"),
        (Decimal(0), "0.00000000"),
        (Decimal("1E+3"), "1000.00000000"),
        (Decimal("0.1"), "0.10000000"),
        (Decimal("1E-9"), "0.000000001"),
        (0.1, "0.10000000"),
        (1e-05, "0.00001000"),
        (97000.01, "97000.01000000"),
    ],
)
def test_amounts_lose_no_digit(value, text) -> None:
    assert amount(value) == text


def test_a_stop_works_only_once_it_was_triggered() -> None:
    venue = Venue()
    venue.place("a", "STOP_LOSS_LIMIT", "1", "94", stop="95", side=SELL)
    assert queried(venue.order("a"))["isWorking"] is False
    assert execution_report(venue.exchange.log[0], 5)["w"] is False
    venue.move(90.0, jump=True)
    assert queried(venue.order("a"))["isWorking"] is True
    assert execution_report(venue.exchange.log[1], 5)["w"] is True


def test_a_cancel_tells_both_ids() -> None:
    venue = Venue()
    venue.place("a", "LIMIT", "1", "90")
    venue.cancel("a")
    report = execution_report(venue.exchange.log[-1], 5)
    assert (report["c"], report["C"], report["x"], report["X"]) == ("cancel", "a", "CANCELED", "CANCELED")


def test_a_pair_is_done_when_both_orders_are() -> None:
    venue = Venue()
    legs = (
        request("up", "LIMIT_MAKER", "1", "110", side=SELL),
        request("down", "STOP_LOSS", "1", stop="90", side=SELL),
    )
    pair = venue.exchange.place_pair("p", *legs, venue.time)
    assert pair_of_orders(pair, venue.exchange.orders)["listOrderStatus"] == "EXECUTING"
    venue.move(111.0, 100.0, 111.0)
    assert pair_of_orders(pair, venue.exchange.orders)["listOrderStatus"] == "ALL_DONE"


def test_a_trade_with_itself_that_was_prevented_is_told_as_that() -> None:
    venue = Venue()
    venue.place("own", "LIMIT", "1", "100.3", side=SELL)
    taker = venue.place("a", "MARKET", "10")
    order = queried(venue.order("own"))
    assert (order["status"], order["preventedMatchId"], order["preventedQuantity"]) == (
        "EXPIRED_IN_MATCH",
        3,
        "1.00000000",
    )
    [report] = [execution_report(event, 5) for event in venue.exchange.log if event.order.prevention is not None]
    assert (report["x"], report["X"], report["U"], report["pL"]) == (
        "TRADE_PREVENTION",
        "EXPIRED_IN_MATCH",
        taker.order_id,
        "100.30000000",
    )
    assert "v" not in execution_report(venue.exchange.log[0], 5)

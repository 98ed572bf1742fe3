from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.simulation.venue import request

from vela.domain.errors import OrderError
from vela.domain.order import OrderStatus
from vela.simulation.spot_orders import SpotOrder, SpotOrderType


def test_types_know_what_they_need() -> None:
    assert {kind for kind in SpotOrderType if kind.is_stop and kind.has_limit} == {
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT_LIMIT",
    }
    assert {kind for kind in SpotOrderType if kind.is_stop_loss} == {"STOP_LOSS", "STOP_LOSS_LIMIT"}
    assert {kind for kind in SpotOrderType if not kind.has_limit} == {"MARKET", "STOP_LOSS", "TAKE_PROFIT"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("MARKET", {}),
        ("MARKET", {"quantity": "1", "worth": "5"}),
        ("MARKET", {"quantity": "1", "price": "5"}),
        ("LIMIT", {"worth": "5", "price": "5"}),
        ("LIMIT", {"quantity": "1"}),
        ("LIMIT", {"quantity": "1", "price": "NaN"}),
        ("LIMIT", {"quantity": "-1", "price": "5"}),
        ("LIMIT", {"quantity": "1", "price": "5", "stop": "4"}),
        ("STOP_LOSS", {"quantity": "1"}),
        ("STOP_LOSS_LIMIT", {"quantity": "1", "stop": "0", "price": "5"}),
    ],
)
def test_a_request_that_makes_no_sense_cannot_be_made(kind, values) -> None:
    with pytest.raises(OrderError):
        request("a", kind, **values)


def test_an_order_given_by_its_value_is_as_large_as_what_it_traded() -> None:
    order = SpotOrder(
        order_id=1,
        request=request("a", "MARKET", worth="50"),
        status=OrderStatus.FILLED,
        created_time=0,
        updated_time=0,
        filled_quantity=Decimal("0.5"),
    )
    assert order.quantity == Decimal("0.5")
    assert order.open_quantity == 0
    assert not order.is_open

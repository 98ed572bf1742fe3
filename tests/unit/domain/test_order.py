from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import pytest
from tests.builders import order, request

from vela.domain.errors import OrderError
from vela.domain.order import TRANSITIONS, OrderStatus, OrderType, Side

S = OrderStatus
FINAL = {S.FILLED, S.REJECTED, S.CANCELLED, S.EXPIRED}
PROGRESS = {S.PLANNED: 0, S.SENT: 1, S.UNKNOWN: 2, S.ACCEPTED: 3, S.PARTIALLY_FILLED: 4, **dict.fromkeys(FINAL, 5)}
ALLOWED = {
    (S.PLANNED, S.SENT),
    (S.PLANNED, S.EXPIRED),
    *((S.SENT, after) for after in (S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED, *FINAL)),
    *((S.UNKNOWN, after) for after in (S.ACCEPTED, S.PARTIALLY_FILLED, *FINAL)),
    *((S.ACCEPTED, after) for after in (S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED)),
    *((S.PARTIALLY_FILLED, after) for after in (S.FILLED, S.CANCELLED, S.EXPIRED)),
}


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_every_pair_of_states(before: OrderStatus, after: OrderStatus):
    stays = before is after and before not in FINAL
    if stays or (before, after) in ALLOWED:
        moved = order(before).moved(after, 9, reason="because")
        assert (moved.status, moved.updated_time, moved.created_time, moved.reason) == (after, 9, 1, "because")
    else:
        with pytest.raises(OrderError, match=f"cannot go from {before.value} to {after.value}"):
            order(before).moved(after, 9)


def test_the_table_holds_every_state_and_only_leads_forward():
    assert set(TRANSITIONS) == set(S) == set(PROGRESS)
    assert all(PROGRESS[before] < PROGRESS[after] for before, afters in TRANSITIONS.items() for after in afters)


@pytest.mark.parametrize("status", S)
def test_final_states_lead_nowhere(status: OrderStatus):
    assert status.is_final is (status in FINAL)
    assert bool(TRANSITIONS[status]) is (status not in FINAL)
    assert order(status).is_live is (status not in FINAL)


def test_a_filled_order_is_never_rejected_nor_an_accepted_one():
    assert S.REJECTED not in TRANSITIONS[S.ACCEPTED] | TRANSITIONS[S.PARTIALLY_FILLED]


def test_moving_makes_a_new_order():
    sent = order(S.SENT)
    assert sent.moved(S.ACCEPTED, 9, venue_order_id="7").venue_order_id == "7"
    assert (sent.status, sent.venue_order_id) == (S.SENT, None)


def test_sides_are_each_others_opposite():
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


@pytest.mark.parametrize("quantity", ["0", "-0.1", "NaN", "sNaN", "Infinity"])
def test_a_quantity_must_be_above_zero(quantity: str):
    with pytest.raises(OrderError, match=r"quantity of .* accepted: a number above 0"):
        request(quantity=quantity)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
@pytest.mark.parametrize(("kind", "name"), [(OrderType.LIMIT, "price"), (OrderType.STOP, "stop_price")])
def test_a_level_must_be_above_zero(kind: OrderType, name: str, value: str):
    levels: dict[str, Any] = {name: Decimal(value)}
    with pytest.raises(OrderError, match=f"{name} of .* accepted: a number above 0"):
        request(type=kind, **levels)


@pytest.mark.parametrize(
    ("kind", "price", "stop_price", "problem"),
    [
        (OrderType.MARKET, None, None, None),
        (OrderType.MARKET, 1, None, "a MARKET order takes no price"),
        (OrderType.MARKET, None, 1, "a MARKET order takes no stop_price"),
        (OrderType.LIMIT, 1, None, None),
        (OrderType.LIMIT, None, None, "a LIMIT order needs a price"),
        (OrderType.LIMIT, 1, 1, "a LIMIT order takes no stop_price"),
        (OrderType.STOP, None, 1, None),
        (OrderType.STOP, None, None, "a STOP order needs a stop_price"),
        (OrderType.STOP, 1, 1, "a STOP order takes no price"),
    ],
)
def test_each_type_has_its_levels_and_no_others(kind: OrderType, price, stop_price, problem: str | None):
    levels: dict[str, Any] = {"price": price and Decimal(price), "stop_price": stop_price and Decimal(stop_price)}
    if problem is None:
        assert request(type=kind, **levels).type is kind
    else:
        with pytest.raises(OrderError, match=problem):
            request(type=kind, **levels)


def test_an_order_shows_what_its_request_says():
    sent = order()
    assert (sent.client_order_id, sent.symbol) == (sent.request.client_order_id, sent.request.symbol)
    with pytest.raises(AttributeError):
        sent.status = S.FILLED  # type: ignore[misc]
    assert msgspec.structs.replace(sent) == sent

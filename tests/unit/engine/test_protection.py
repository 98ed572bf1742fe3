from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.builders import instrument, order, position

from vela.domain.events import Tick
from vela.domain.order import Order, OrderPurpose, OrderRequest, OrderStatus, OrderType, Side
from vela.domain.position import PositionSide
from vela.engine.protection import (
    can_be_stopped,
    covers,
    is_overrun,
    is_settling,
    protective_requests,
    stop_state,
    stopped_quantity,
)

S = OrderStatus
HELD = position(stop_ticks=9_800, target_ticks=11_000, revision=3)


def resting(held=HELD, status: OrderStatus = S.ACCEPTED) -> list[Order]:
    purpose = {OrderType.STOP: OrderPurpose.STOP, OrderType.LIMIT: OrderPurpose.TAKE_PROFIT}
    return [order(status, purpose[r.type], request=r) for r in protective_requests(held, instrument())]


def test_stop_and_target_form_one_group():
    stop, target = protective_requests(HELD, instrument())
    common: dict[str, Any] = {
        "symbol": HELD.symbol,
        "side": Side.SELL,
        "quantity": Decimal("0.5"),
        "group": "BTCUSDT-1000-G3",
    }
    assert stop == OrderRequest("BTCUSDT-1000-S3", type=OrderType.STOP, stop_price=Decimal("98.00"), **common)
    assert target == OrderRequest("BTCUSDT-1000-T3", type=OrderType.LIMIT, price=Decimal("110.00"), **common)


def test_a_part_has_its_pair_and_the_rest_a_stop_of_its_own():
    held = position(stop_ticks=9_800, target_ticks=11_000, target_quantity=Decimal("0.2"), revision=3)
    stop, rest, target = protective_requests(held, instrument())
    assert [(r.type, r.quantity, r.group is None) for r in (stop, rest, target)] == [
        (OrderType.STOP, Decimal("0.2"), False),
        (OrderType.STOP, Decimal("0.3"), True),
        (OrderType.LIMIT, Decimal("0.2"), False),
    ]
    assert stop.group == target.group
    assert stop.stop_price == rest.stop_price
    assert len({stop.client_order_id, rest.client_order_id, target.client_order_id}) == 3
    assert stopped_quantity(resting(held)) == Decimal("0.5")


@pytest.mark.parametrize(
    ("quantity", "level", "expected"),
    [("0.05102", 9_800, False), ("0.051029", 9_800, False), ("0.05103", 9_800, True), ("0.05102", None, True)],
)
def test_a_position_may_be_too_little_for_its_stop(quantity: str, level: int | None, expected: bool):
    held = position(quantity=Decimal(quantity), stop_ticks=level)
    assert can_be_stopped(held, instrument()) is expected


def test_no_more_is_protected_than_can_be_ordered():
    held = position(quantity=Decimal("0.499995"), target_ticks=11_000, target_quantity=Decimal("0.2"))
    assert [r.quantity for r in protective_requests(held, instrument())] == [
        Decimal("0.2"),
        Decimal("0.29999"),
        Decimal("0.2"),
    ]
    assert protective_requests(position(quantity=Decimal("0.000009")), instrument()) == ()


def test_when_the_part_is_closed_the_stop_of_the_rest_covers_it():
    held = position(stop_ticks=9_800, target_ticks=11_000, target_quantity=Decimal("0.2"), revision=3)
    rest = resting(held)[1]
    left = position(quantity=Decimal("0.3"), stop_ticks=9_800, revision=3)
    assert covers([rest], left, instrument())


def test_one_alone_has_no_group():
    (stop,) = protective_requests(position(stop_ticks=9_800), instrument())
    (target,) = protective_requests(position(stop_ticks=None, target_ticks=11_000), instrument())
    assert (stop.type, stop.group, target.type, target.group) == (OrderType.STOP, None, OrderType.LIMIT, None)
    assert protective_requests(position(stop_ticks=None), instrument()) == ()


@pytest.mark.parametrize(("quote", "kinds"), [(109.99, 2), (110.0, 1), (120.0, 1), (None, 2)])
def test_a_target_that_the_price_has_reached_waits_and_leaves_the_stop_alone(quote: float | None, kinds: int):
    stop, *target = protective_requests(HELD, instrument(), quote)
    assert (stop.type, stop.quantity, stop.group is None) == (OrderType.STOP, HELD.quantity, kinds == 1)
    assert len(target) == kinds - 1


def test_a_short_s_target_is_reached_from_above():
    short = position(side=PositionSide.SHORT, stop_ticks=11_000, target_ticks=9_000)
    assert [r.type for r in protective_requests(short, instrument(), 90.0)] == [OrderType.STOP]
    assert len(protective_requests(short, instrument(), 90.01)) == 2


def test_a_target_that_rests_is_left_alone_when_the_price_reaches_it():
    alone = [order(S.ACCEPTED, OrderPurpose.STOP, request=protective_requests(HELD, instrument(), 110.0)[0])]
    assert covers(resting(), HELD, instrument(), 110.0)
    assert covers(alone, HELD, instrument(), 110.0)
    assert not covers(alone, HELD, instrument(), 109.0)


def test_a_short_is_protected_by_buying():
    short = position(side=PositionSide.SHORT, stop_ticks=10_200, target_ticks=9_000)
    assert {r.side for r in protective_requests(short, instrument())} == {Side.BUY}


def test_what_rests_covers_the_position_it_was_made_for_whatever_its_revision():
    assert covers(resting(), HELD, instrument())
    assert covers(resting(), msgspec.structs.replace(HELD, revision=9), instrument())
    assert covers([], position(stop_ticks=None), instrument())


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("0.4")},
        {"stop_ticks": 9_801},
        {"target_ticks": 10_999},
        {"stop_ticks": None},
        {"target_ticks": None},
    ],
)
def test_another_size_or_level_is_not_covered(changes):
    assert not covers(resting(), msgspec.structs.replace(HELD, **changes), instrument())


def test_one_missing_or_one_too_many_does_not_cover():
    assert not covers(resting()[:1], HELD, instrument())
    assert not covers(resting()[1:], HELD, instrument())
    assert not covers([*resting(), resting()[0]], HELD, instrument())
    assert not covers([], HELD, instrument())


def test_what_is_left_of_an_order_counts():
    stop_only = position(quantity=Decimal("0.3"))
    (stop,) = resting(position())
    partly = msgspec.structs.replace(stop, status=S.PARTIALLY_FILLED, filled_quantity=Decimal("0.2"))
    assert covers([partly], stop_only, instrument())
    assert not covers([partly], position(), instrument())


@pytest.mark.parametrize(
    ("side", "low", "high", "is_overrun_there"),
    [
        (PositionSide.LONG, 98.0, 110.0, True),
        (PositionSide.LONG, 98.01, 110.0, False),
        (PositionSide.SHORT, 90.0, 98.0, True),
        (PositionSide.SHORT, 90.0, 97.99, False),
    ],
)
def test_a_stop_that_does_not_rest_is_overrun_where_the_price_reaches_it(
    side: PositionSide, low: float, high: float, is_overrun_there: bool
):
    held, tick = position(side=side, stop_ticks=9_800), Tick(HELD.symbol, high, low, high)
    assert is_overrun(held, [], tick, instrument()) is is_overrun_there
    assert not is_overrun(held, resting(held), tick, instrument())
    assert not is_overrun(position(stop_ticks=None), [], tick, instrument())


@pytest.mark.parametrize(
    ("status", "state"),
    [(S.SENT, "planned"), (S.UNKNOWN, "planned"), (S.ACCEPTED, "resting"), (S.PARTIALLY_FILLED, "resting")],
)
def test_the_stop_says_how_a_position_is_protected(status: OrderStatus, state: str):
    assert stop_state(HELD, resting(status=status)) == state
    assert stop_state(HELD, resting()[1:]) == stop_state(HELD, []) == "guarded"
    assert stop_state(position(stop_ticks=None), []) == "none"


@pytest.mark.parametrize(
    ("stop", "target", "settling"),
    [
        (S.ACCEPTED, S.ACCEPTED, False),
        (S.SENT, S.ACCEPTED, True),
        (S.ACCEPTED, S.SENT, True),
        (S.UNKNOWN, S.ACCEPTED, True),
        (S.ACCEPTED, S.UNKNOWN, True),
        (S.PARTIALLY_FILLED, S.ACCEPTED, True),
        (S.ACCEPTED, S.PARTIALLY_FILLED, False),
    ],
)
def test_orders_are_left_alone_while_the_venue_is_at_work(stop: OrderStatus, target: OrderStatus, settling: bool):
    orders = [msgspec.structs.replace(o, status=s) for o, s in zip(resting(), (stop, target), strict=True)]
    assert is_settling(orders) is settling


def test_nothing_is_settled():
    assert not is_settling([])

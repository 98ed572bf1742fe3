from __future__ import annotations

from tests.builders import instrument, order, position, request

from vela.domain.order import OrderPurpose, OrderStatus, OrderType
from vela.engine.absent_orders import AbsentOrders, give_up, sent_again
from vela.engine.protection import protective_requests
from vela.engine.step import StepBuilder

HELD = position(stop_ticks=9_800, target_ticks=11_000, revision=3)
STOP, TARGET = (
    order(purpose=OrderPurpose.STOP if one.type is OrderType.STOP else OrderPurpose.TAKE_PROFIT, request=one)
    for one in protective_requests(HELD, instrument())
)


def test_what_answers_a_signal_waits_until_it_is_taken():
    waiting, entry = AbsentOrders(), order()
    waiting.keep([entry, STOP])
    assert waiting.take(STOP.client_order_id) is None
    assert waiting.take(entry.client_order_id) is entry
    assert waiting.take(entry.client_order_id) is None


def test_what_is_older_than_its_candle_is_given_up():
    waiting, step = AbsentOrders(), StepBuilder(9)
    old, new = order(created_time=4), order(created_time=5, request=request("BTCUSDT-5-E"))
    waiting.keep([old, new])
    waiting.expire(5, step)
    [given_up] = step.build().changes.orders
    assert (given_up.client_order_id, given_up.status) == (old.client_order_id, OrderStatus.EXPIRED)
    assert waiting.take(new.client_order_id) is new


def test_what_is_given_up_says_why():
    step = StepBuilder(9)
    give_up(STOP, step)
    give_up(TARGET, step, "kill_switch")
    assert [(one.updated_time, one.reason) for one in step.build().changes.orders] == [
        (9, "never_arrived"),
        (9, "kill_switch"),
    ]


def test_protective_orders_are_sent_again_as_a_whole_or_not_at_all():
    assert sent_again([STOP, TARGET], HELD, instrument()) == (STOP.request, TARGET.request)
    assert sent_again([STOP], HELD, instrument()) == ()
    assert sent_again([STOP, TARGET], position(stop_ticks=9_900, target_ticks=11_000), instrument()) == ()
    assert sent_again([STOP, TARGET], None, instrument()) == ()

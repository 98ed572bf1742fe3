from __future__ import annotations

from decimal import Decimal

from tests.builders import BTC, fill, order, position, request, signal, trade

from vela.domain import events as e
from vela.domain.order import OrderPurpose, OrderStatus
from vela.engine.ledger import fill_transaction, opening
from vela.engine.risk import Refusal
from vela.engine.step import NOTHING, Plan, StepBuilder
from vela.ports.record import LimitMarks


def test_a_step_that_collected_nothing_is_nothing_itself():
    assert StepBuilder(5).build() is NOTHING


def test_writing_alone_is_something():
    step = StepBuilder(5)
    step.book(opening("USDT", Decimal(1), 5))
    assert step.build() is not NOTHING
    assert step.build().messages == ()


def test_marks_are_written():
    step, marks = StepBuilder(5), LimitMarks(0, Decimal(1), False, Decimal(1), False, 0)
    step.limit_marks(marks)
    assert step.build().changes.limit_marks == marks


def test_sending_alone_is_something():
    step = StepBuilder(5)
    step.plan(OrderPurpose.STOP, ("S1",), (request(),))
    assert step.build().plans == (Plan(OrderPurpose.STOP, ("S1",), (request(),)),)


def test_orders_keep_every_state_in_order_and_are_told():
    step = StepBuilder(5)
    planned = order(OrderStatus.PLANNED, updated_time=3)
    sent = planned.moved(OrderStatus.SENT, 4)
    step.order(planned)
    step.order(sent)
    assert step.build().changes.orders == (planned, sent)
    assert step.build().messages == (e.OrderChanged(time=3, order=planned), e.OrderChanged(time=4, order=sent))


def test_a_fill_comes_with_its_transaction():
    step, booked = StepBuilder(5), fill_transaction(fill(), None)
    step.fill(fill(), order(purpose=OrderPurpose.STOP, reason="trailing"), booked)
    assert (step.build().changes.fills, step.build().changes.ledger) == ((fill(),), (booked,))
    told = e.OrderFilled(time=1_000, fill=fill(), purpose=OrderPurpose.STOP, reason="trailing")
    assert step.build().messages == (told,)


def test_the_last_state_of_a_position_counts():
    step = StepBuilder(5)
    step.position(position(revision=1))
    step.position(position(revision=2))
    assert step.changed_positions() == step.build().changes.positions == (position(revision=2),)


def test_a_position_that_ended_is_closed_and_not_open():
    step = StepBuilder(5)
    step.position(position())
    step.trade(trade())
    changes = step.build().changes
    assert (changes.positions, changes.closed, changes.trades) == ((), (BTC,), (trade(),))
    assert step.build().messages == (e.PositionClosed(time=2_000, trade=trade()),)


def test_a_position_opened_again_is_open_and_not_closed():
    step = StepBuilder(5)
    step.trade(trade())
    step.position(position())
    changes = step.build().changes
    assert (changes.positions, changes.closed, changes.trades) == ((position(),), (), (trade(),))


def test_outcomes_of_signals():
    step = StepBuilder(5)
    step.outcome(signal(), order_id="E")
    step.outcome(signal(), refusal=Refusal.COOLDOWN)
    outcomes = step.build().changes.outcomes
    assert [(o.client_order_id, o.refusal) for o in outcomes] == [("E", None), (None, "cooldown")]
    assert step.build().messages == tuple(e.SignalHandled(time=5, outcome=outcome) for outcome in outcomes)


def test_the_newest_entry_per_symbol_and_a_position_shown():
    step = StepBuilder(5)
    step.entry(BTC, 3)
    step.entry(BTC, 4)
    step.tell_position(position(), Decimal(98), None, "resting")
    assert step.build().changes.entries == ((BTC, 4),)
    shown = e.PositionChanged(
        time=5, position=position(), stop_price=Decimal(98), target_price=None, stop_state="resting"
    )
    assert step.build().messages == (shown,)


def test_what_a_person_should_know_bears_the_steps_time():
    step = StepBuilder(5)
    step.alert("warning", "look")
    assert step.build().messages == (e.Alert(time=5, level="warning", text="look"),)

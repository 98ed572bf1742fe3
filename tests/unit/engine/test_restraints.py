from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.builders import BTC, order, request, wallet

from vela.domain.events import Alert
from vela.domain.order import OrderPurpose
from vela.engine.limits import DAY_MS, Entry, Limits
from vela.engine.restraints import AGAIN_MS, MINUTE_MS, Restraints
from vela.engine.risk import Refusal
from vela.engine.step import NOTHING, Plan, StepBuilder
from vela.ports.kill_switch import NEVER_SET, SwitchState
from vela.ports.record import AccountState, LimitMarks

LOSSES = Limits(max_daily_loss_ppm=30_000, max_drawdown_ppm=100_000)
ON = SwitchState(1, is_on=True, reason="away")


def worth(equity: str):
    return wallet(cash=Decimal(equity), market_value=Decimal(0))


def entry(equity: str | None = "1000", **changes) -> Entry:
    return Entry(BTC, Decimal(100), Decimal("0.5"), 100.0, None if equity is None else worth(equity), **changes)


def alerts(step: StepBuilder) -> list[tuple[str, str]]:
    return [(m.level, m.text) for m in step.build().messages if isinstance(m, Alert)]


# ------------------------------------------------------------------------------------------------------------ the rate


def test_orders_count_for_a_minute():
    restraints = Restraints(Limits(max_orders_per_minute=2))
    for time in (0, 1_000):
        assert restraints.refusal(entry(), StepBuilder(time)) is None
        restraints.sent(time)
    assert restraints.refusal(entry(), StepBuilder(MINUTE_MS - 1)) is Refusal.LIMIT_RATE
    assert restraints.refusal(entry(), StepBuilder(MINUTE_MS)) is None
    restraints.sent(MINUTE_MS)
    assert restraints.refusal(entry(), StepBuilder(MINUTE_MS + 999)) is Refusal.LIMIT_RATE


def test_orders_from_before_a_restart_count():
    state = AccountState((), (), {}, {}, sent=(0, 10, 20))
    restraints = Restraints(Limits(max_orders_per_minute=2), state)
    assert restraints.refusal(entry(), StepBuilder(MINUTE_MS + 9)) is Refusal.LIMIT_RATE
    assert restraints.refusal(entry(), StepBuilder(MINUTE_MS + 10)) is None


def test_an_order_that_is_sent_again_does_not_stand_in_its_own_way():
    restraints = Restraints(Limits(max_orders_per_minute=1), AccountState((), (), {}, {}, sent=(5,)))
    assert restraints.refusal(entry(), StepBuilder(6)) is Refusal.LIMIT_RATE
    assert restraints.refusal(entry(is_counted=True), StepBuilder(6)) is None


# ------------------------------------------------------------------------------------------------------------- losses


def test_without_a_limit_on_losses_nothing_is_measured_or_written():
    restraints, step = Restraints(Limits(max_order=Decimal(1000))), StepBuilder(0)
    assert not restraints.watch_equity
    assert not restraints.mark(worth("1000"), step)
    assert restraints.refusal(entry(None), step) is None
    assert step.build() is NOTHING


def test_what_was_measured_is_written_when_it_changes():
    restraints, first, same, higher = Restraints(LOSSES), StepBuilder(0), StepBuilder(1), StepBuilder(2)
    assert restraints.mark(worth("1000"), first)
    assert first.build().changes.limit_marks == LimitMarks(0, Decimal(1000), False, Decimal(1000), False, 0)
    assert restraints.mark(worth("990"), same)
    assert same.build() is NOTHING
    restraints.mark(worth("1001"), higher)
    assert higher.build().changes.limit_marks == LimitMarks(0, Decimal(1000), False, Decimal(1001), False, 0)


def test_an_entry_is_judged_by_what_the_account_is_worth_now():
    restraints = Restraints(LOSSES)
    assert restraints.refusal(entry("1000"), StepBuilder(0)) is None
    step = StepBuilder(1)
    assert restraints.refusal(entry("969"), step) is Refusal.DAILY_LOSS
    assert restraints.refusal(entry("1000"), StepBuilder(2)) is Refusal.DAILY_LOSS
    marks = step.build().changes.limit_marks
    assert marks is not None
    assert marks.day_lost
    text = "equity fell from 1000 to 969, more than 3 % in a day: no entries until the next (UTC)"
    assert alerts(step) == [("critical", text)]
    assert restraints.refusal(entry("1000"), StepBuilder(DAY_MS)) is None


def test_a_drawdown_is_told_once_and_outlives_a_restart():
    restraints, step, later = Restraints(Limits(max_drawdown_ppm=100_000)), StepBuilder(1), StepBuilder(2)
    restraints.mark(worth("1000"), StepBuilder(0))
    restraints.mark(worth("899.5"), step)
    restraints.mark(worth("800"), later)
    text = "equity fell from 1000 to 899.5, more than 10 %: no entries until a person lifts that"
    assert (alerts(step), alerts(later)) == ([("critical", text)], [])
    state = AccountState((), (), {}, {}, limit_marks=step.build().changes.limit_marks)
    again = Restraints(Limits(max_drawdown_ppm=100_000), state)
    assert again.summary == restraints.summary == "no entries: drawdown"
    assert again.refusal(entry("5000"), StepBuilder(DAY_MS)) is Refusal.DRAWDOWN


@pytest.mark.parametrize("account", [None, wallet(market_value=Decimal("NaN"))])
def test_losses_that_nobody_knows_refuse_and_change_no_mark(account):
    restraints, step = Restraints(LOSSES), StepBuilder(1)
    restraints.mark(worth("1000"), StepBuilder(0))
    assert not restraints.mark(account, step)
    assert restraints.refusal(msgspec.structs.replace(entry(), wallet=account), step) is Refusal.DAILY_LOSS
    assert step.build() is NOTHING
    assert restraints.refusal(entry("1000"), StepBuilder(2)) is None


# --------------------------------------------------------------------------------------------------------- the switch


def test_while_the_switch_is_on_no_entry_passes():
    restraints = Restraints()
    restraints.heed(ON, None, (), StepBuilder(0))
    assert restraints.refusal(entry(), StepBuilder(1)) is Refusal.KILL_SWITCH
    restraints.heed(SwitchState(2), None, (), StepBuilder(2))
    assert restraints.refusal(entry(), StepBuilder(3)) is None


def test_a_change_is_told_once():
    restraints = Restraints()
    told = []
    for switch in (NEVER_SET, ON, ON, SwitchState(2, is_on=True, flatten=True), SwitchState(3), SwitchState(4)):
        step = StepBuilder(0)
        restraints.heed(switch, None, (), step)
        told.append(alerts(step))
    assert told == [
        [],
        [("critical", "kill switch on: away; no entries")],
        [],
        [("critical", "kill switch on; no entries, positions are closed")],
        [("info", "kill switch off: entries may pass")],
        [],
    ]


def test_entries_under_way_are_taken_back_one_by_one_and_again_after_a_while():
    other = order(request=request("b"))
    restraints, first, both = Restraints(), ["BTCUSDT-0-E"], ["BTCUSDT-0-E", "b"]
    for time, switch, entering, taken_back in (
        (0, NEVER_SET, [order(), other], []),
        (1, ON, [order()], first),
        (AGAIN_MS, ON, [order(), other], ["b"]),
        (AGAIN_MS + 1, ON, [order(), other], first),
        (AGAIN_MS + 2, NEVER_SET, [order(), other], []),
        (AGAIN_MS + 3, ON, [order(), other], both),
    ):
        step = StepBuilder(time)
        restraints.heed(switch, None, entering, step)
        assert step.build().plans == tuple(Plan(OrderPurpose.ENTRY, (name,), ()) for name in taken_back)


def test_a_request_to_count_anew_lifts_what_was_crossed():
    restraints, step = Restraints(LOSSES), StepBuilder(2)
    restraints.mark(worth("1000"), StepBuilder(0))
    restraints.mark(worth("800"), StepBuilder(1))
    anew = SwitchState(1, resets=1)
    restraints.heed(anew, None, (), step)
    assert step.build() is NOTHING, "what the account is worth is not known yet"
    restraints.heed(anew, worth("800"), (), step)
    assert step.build().changes.limit_marks == LimitMarks(0, Decimal(800), False, Decimal(800), False, 1)
    assert restraints.refusal(entry("800"), StepBuilder(3)) is None
    repeated = StepBuilder(4)
    restraints.heed(anew, worth("900"), (), repeated)
    assert repeated.build() is NOTHING


def test_a_look_at_the_switch_measures_nothing_by_itself():
    restraints, step = Restraints(LOSSES), StepBuilder(1)
    restraints.heed(NEVER_SET, worth("1000"), (), step)
    restraints.mark(worth("1000"), StepBuilder(0))
    restraints.heed(NEVER_SET, worth("2000"), (), step)
    assert step.build() is NOTHING


def test_the_summary_says_what_keeps_entries_back():
    assert Restraints().summary == ""
    restraints = Restraints(Limits(reduce_only=True))
    assert restraints.summary == "no entries: reduce_only"
    restraints.heed(ON, None, (), StepBuilder(0))
    assert restraints.summary == "kill switch on: away"
    restraints.heed(SwitchState(2, is_on=True), None, (), StepBuilder(0))
    assert restraints.summary == "kill switch on"
    lost = Restraints(LOSSES)
    lost.mark(worth("1000"), StepBuilder(0))
    lost.mark(worth("960"), StepBuilder(1))
    assert lost.summary == "no entries: daily_loss"

"""What holds entries back, whatever strategies want: limits and the kill switch, of one account."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from vela.domain.money import plain
from vela.domain.order import Order, OrderPurpose
from vela.domain.position import Wallet
from vela.domain.timeframe import Timeframe
from vela.engine.limits import Entry, Limits, entry_refusal, measured
from vela.engine.risk import Refusal
from vela.engine.rules import ppm_to_percent
from vela.engine.step import StepBuilder
from vela.ports.kill_switch import NEVER_SET, SwitchState
from vela.ports.record import AccountState, LimitMarks

MINUTE_MS = Timeframe.M1.milliseconds
AGAIN_MS = 5_000
"""After this time an entry that is still under way is taken back once more."""
_NO_LIMITS = Limits()


class Restraints:
    """Limits and kill switch in force, and what they are measured by.

    What changes goes into the caller's step, so that it is on disk before an order that relies on it is sent.
    """

    def __init__(self, limits: Limits = _NO_LIMITS, state: AccountState | None = None) -> None:
        """Go on from `state`, as it was last committed; the switch counts as off until it is heeded."""
        self._limits = limits
        self._marks: LimitMarks | None = None if state is None else state.limit_marks
        # More than the limit need not be known.
        self._sent = deque(() if state is None else state.sent, maxlen=limits.max_orders_per_minute)
        self._switch = NEVER_SET
        self._taken_back: dict[str, int] = {}

    @property
    def watch_equity(self) -> bool:
        """Whether there is a limit on losses, which `mark` has to be told of."""
        return self._limits.watch_equity

    @property
    def summary(self) -> str:
        """What keeps all entries back, in a few words; empty: nothing."""
        if self._switch.is_on:
            return f"kill switch on: {self._switch.reason}".removesuffix(": ")
        marks, limits = self._marks, self._limits
        causes = {
            "reduce_only": limits.reduce_only,
            "daily_loss": limits.max_daily_loss_ppm and marks is not None and marks.day_lost,
            "drawdown": limits.max_drawdown_ppm and marks is not None and marks.drawn_down,
        }
        return next((f"no entries: {cause}" for cause, holds in causes.items() if holds), "")

    def sent(self, time: int) -> None:
        """Count an order, of any kind, that is sent at `time` (ms UTC)."""
        self._sent.append(time)

    def refusal(self, entry: Entry, step: StepBuilder) -> Refusal | None:
        """Return what holds the entry back, or None."""
        is_measured = self.mark(entry.wallet, step)
        if self._switch.is_on:
            return Refusal.KILL_SWITCH
        newest = sum(step.time - time < MINUTE_MS for time in self._sent) - entry.is_counted
        return entry_refusal(entry, self._limits, newest, self._marks if is_measured else None)

    def mark(self, wallet: Wallet | None, step: StepBuilder) -> bool:
        """Measure what was gained and lost; say whether that could be done.

        Args:
            wallet: the account; None: nobody knows what its positions are worth.
            step: takes what changed.
        """
        if not self.watch_equity or wallet is None or not wallet.equity.is_finite():
            return False
        before = self._marks
        self._marks = measured(before, self._limits, step.time, wallet.equity, self._switch.resets)
        if self._marks != before:
            step.limit_marks(self._marks)
            self._tell_losses(before, self._marks, wallet, step)
        return True

    def heed(self, switch: SwitchState, wallet: Wallet | None, entering: Iterable[Order], step: StepBuilder) -> None:
        """Take note of the kill switch; while it is on, take back what would enter, again and again until it is gone.

        Args:
            switch: as it is now.
            wallet: see `mark`.
            entering: entries under way.
            step: takes what is to be done.
        """
        if switch != self._switch:
            self._tell_switch(switch, step)
        self._switch = switch
        if self._marks is not None and switch.resets > self._marks.resets:
            self.mark(wallet, step)
        if not switch.is_on:
            self._taken_back.clear()
            return
        for name in (order.client_order_id for order in entering):
            if step.time - self._taken_back.get(name, -AGAIN_MS) >= AGAIN_MS:
                self._taken_back[name] = step.time
                step.plan(OrderPurpose.ENTRY, (name,), ())

    def _tell_switch(self, switch: SwitchState, step: StepBuilder) -> None:
        if switch.is_on:
            also = ", positions are closed" if switch.flatten else ""
            why = f": {switch.reason}" if switch.reason else ""
            step.alert("critical", f"kill switch on{why}; no entries{also}")
        elif self._switch.is_on:
            step.alert("info", "kill switch off: entries may pass")

    def _tell_losses(self, before: LimitMarks | None, now: LimitMarks, wallet: Wallet, step: StepBuilder) -> None:
        equity, limits = plain(wallet.equity), self._limits
        if now.day_lost and not (before and before.day_lost):
            most, start = ppm_to_percent(limits.max_daily_loss_ppm), plain(now.day_equity)
            text = f"equity fell from {start} to {equity}, more than {most} % in a day: no entries until the next (UTC)"
            step.alert("critical", text)
        if now.drawn_down and not (before and before.drawn_down):
            most, highest = ppm_to_percent(limits.max_drawdown_ppm), plain(now.highest)
            text = f"equity fell from {highest} to {equity}, more than {most} %: no entries until a person lifts that"
            step.alert("critical", text)

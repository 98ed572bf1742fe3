"""The gate every order passes: approved, or refused with the reason, as types."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from vela.domain.instrument import Instrument
from vela.domain.money import add, multiply, subtract
from vela.domain.regime import MarketRegime
from vela.engine import gate
from vela.engine.exits import lowest_exit
from vela.engine.rules import TradingRules

T = TypeVar("T")

UNSUITABLE_FOR_LONG = frozenset({MarketRegime.BEAR_TREND, MarketRegime.HIGH_VOLATILITY})
UNSUITABLE_FOR_SHORT = frozenset({MarketRegime.BULL_TREND, MarketRegime.HIGH_VOLATILITY})


class Refusal(StrEnum):
    """Why the gate let something not pass."""

    COOLDOWN = "cooldown"
    MAX_POSITIONS = "max_positions"
    BALANCE = "balance"
    MIN_NOTIONAL = "min_notional"
    REGIME = "regime"
    POSITION_OPEN = "position_open"
    NO_POSITION = "no_position"
    EXIT_PENDING = "exit_pending"
    NO_PRICE = "no_price"
    LATE = "late"
    MARKET_ENDED = "market_ended"
    VENUE = "venue"
    KILL_SWITCH = "kill_switch"
    REDUCE_ONLY = "reduce_only"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    LIMIT_ORDER = "limit_order"
    LIMIT_TOTAL = "limit_total"
    LIMIT_RATE = "limit_rate"
    PRICE_BAND = "price_band"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"


class Approved(msgspec.Struct, Generic[T], frozen=True):
    """Something that passed the gate."""

    value: T


class Refused(msgspec.Struct, frozen=True):
    """Something that did not, and why."""

    reason: Refusal


class EntryContext(msgspec.Struct, frozen=True):
    """What the gate looks at for an entry.

    Attributes:
        now: ms UTC.
        last_entry: time of the symbol's newest entry, ms UTC; None: never.
        has_position: whether the symbol is held already, or an order to enter it is under way.
        open_positions: positions held and entries under way, over all symbols.
        regime: the symbol's market.
        free: quote that can be spent.
        price: expected fill price.
        quantity: wanted, in base.
    """

    now: int
    last_entry: int | None
    has_position: bool
    open_positions: int
    regime: MarketRegime
    free: Decimal
    price: Decimal
    quantity: Decimal


def entry_cost(price: Decimal, quantity: Decimal, fee_rate: Decimal) -> Decimal:
    """Return what buying `quantity` takes from the account, fee included, in quote."""
    value = multiply(price, quantity)
    return add(value, multiply(value, fee_rate))


def _can_be_left(context: EntryContext, rules: TradingRules, instrument: Instrument) -> bool:
    # The fee may be taken out of what is bought, and the stop sells for less than was paid: the venue's minimums hold
    # for what is left, at that price. What could be bought but not sold would stand without a stop.
    ticks = instrument.price_ticks(context.price)
    price = instrument.price(lowest_exit(ticks, rules.stop_loss_ppm, rules.trailing_ppm, True))  # noqa: FBT003  is_long
    return instrument.is_orderable(price, multiply(context.quantity, subtract(Decimal(1), rules.fee_rate)))


def gate_entry(context: EntryContext, rules: TradingRules, instrument: Instrument) -> Approved[Decimal] | Refused:
    """Let an entry pass or name the first rule against it, in the order of `gate.entry_refusal`.

    Returns:
        Approved with the quote to reserve, or Refused.
    """
    cost = entry_cost(context.price, context.quantity, rules.fee_rate)
    last_entry = gate.NEVER if context.last_entry is None else context.last_entry
    refusal = gate.entry_refusal(
        context.has_position,
        not (rules.regime_filter and context.regime in UNSUITABLE_FOR_LONG),
        context.now - last_entry,
        rules.cooldown_ms,
        context.open_positions,
        rules.max_positions,
        _can_be_left(context, rules, instrument),
        context.quantity == 0 and context.free < multiply(context.price, instrument.step),
        cost <= context.free,
    )
    return Approved(cost) if refusal == gate.PASSED else Refused(_REFUSALS[refusal])


_REFUSALS = {
    gate.POSITION_OPEN: Refusal.POSITION_OPEN,
    gate.REGIME: Refusal.REGIME,
    gate.COOLDOWN: Refusal.COOLDOWN,
    gate.MAX_POSITIONS: Refusal.MAX_POSITIONS,
    gate.MIN_NOTIONAL: Refusal.MIN_NOTIONAL,
    gate.BALANCE: Refusal.BALANCE,
}

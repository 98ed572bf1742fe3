"""The gate every order passes: approved, or refused with the reason, as types."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from vela.domain.instrument import Instrument
from vela.domain.money import add, multiply
from vela.domain.regime import MarketRegime
from vela.engine.rules import TradingRules

T = TypeVar("T")

UNSUITABLE_FOR_LONG = frozenset({MarketRegime.BEAR_TREND, MarketRegime.HIGH_VOLATILITY})


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
    MARKET_ENDED = "market_ended"
    VENUE = "venue"


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


def gate_entry(  # noqa: PLR0911  one return per rule
    context: EntryContext, rules: TradingRules, instrument: Instrument
) -> Approved[Decimal] | Refused:
    """Let an entry pass or name the first rule against it.

    The order of the rules is part of the contract: position, regime, cool-down, position limit, minimum, balance.

    Returns:
        Approved with the quote to reserve, or Refused.
    """
    if context.has_position:
        return Refused(Refusal.POSITION_OPEN)
    if rules.regime_filter and context.regime in UNSUITABLE_FOR_LONG:
        return Refused(Refusal.REGIME)
    if context.last_entry is not None and context.now - context.last_entry < rules.cooldown_ms:
        return Refused(Refusal.COOLDOWN)
    if context.open_positions >= rules.max_positions:
        return Refused(Refusal.MAX_POSITIONS)
    if not instrument.is_orderable(context.price, context.quantity):
        # Nothing left to spend shows as a quantity of zero: that is the balance, not the venue's minimum.
        too_poor = context.quantity == 0 and context.free < multiply(context.price, instrument.step)
        return Refused(Refusal.BALANCE if too_poor else Refusal.MIN_NOTIONAL)
    cost = entry_cost(context.price, context.quantity, rules.fee_rate)
    if cost > context.free:
        return Refused(Refusal.BALANCE)
    return Approved(cost)

"""The rules in force for an account."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.errors import ConfigurationError
from vela.domain.execution_rules import PPM
from vela.domain.money import ZERO, exact, plain


def percent_to_ppm(percent: Decimal) -> int:
    """Return percent as millionths: 2 % is 20,000.

    Raises:
        ConfigurationError: more than four decimals.
    """
    ppm = percent * 10_000
    if ppm != int(ppm):
        raise ConfigurationError(f"{percent} % is too fine; accepted: at most four decimals")
    return int(ppm)


def ppm_to_percent(ppm: int) -> str:
    """Write millionths as percent: 20,000 is `2`."""
    return plain(Decimal(ppm).scaleb(-4))


class StakeKind(StrEnum):
    """How the size of an entry is given."""

    FIXED = "fixed"
    PERCENT = "percent"
    ALL = "all"


class Stake(msgspec.Struct, frozen=True):
    """How much an entry spends: a fixed amount of quote (fee on top), a percentage of equity, or all that is free.

    Only `all` pays the fee out of the stake.
    """

    kind: StakeKind
    amount: Decimal = ZERO

    @classmethod
    def from_str(cls, text: str) -> Stake:
        """Read `50`, `5%` or `all`.

        Raises:
            ConfigurationError: none of these, or out of range.
        """
        cleaned = text.strip().lower()
        if cleaned == "all":
            return cls(StakeKind.ALL)
        kind = StakeKind.PERCENT if cleaned.endswith("%") else StakeKind.FIXED
        try:
            amount = exact(cleaned.removesuffix("%").strip())
        except ValueError:
            raise ConfigurationError(
                f"stake was {text[:40]!r}; accepted: an amount (50), a percentage (5%) or all"
            ) from None
        if amount <= 0 or (kind is StakeKind.PERCENT and amount > 100):
            raise ConfigurationError(f"stake was {text[:40]!r}; accepted: above 0, and up to 100 for a percentage")
        return cls(kind, amount)

    def __str__(self) -> str:
        if self.kind is StakeKind.ALL:
            return "all"
        return f"{self.amount:f}{'%' if self.kind is StakeKind.PERCENT else ''}"


class TradingRules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the gate, the exits and the paper venue go by. Fractions in millionths (ppm), 0 switches a rule off.

    Attributes:
        quote: currency of the account.
        initial_capital: in quote.
        stake: size of an entry.
        max_positions: how many may be open at once.
        cooldown_ms: shortest time from entry to entry in one symbol.
        stop_loss_ppm, take_profit_ppm: distance from the entry price.
        take_profit_part_ppm: how much of the position the take-profit closes, 1 to 1,000,000; the rest runs on under
            its stop.
        trailing_ppm: distance of the stop from the best price since the entry.
        trailing_after_ppm: gain from which trailing begins.
        break_even_after_ppm: gain from which the stop stands at the entry price.
        fee_rate: fraction of an order's value, per side.
        slippage_ppm: what a market order is expected to lose against the quote.
        impact_ppm: what a market order as large as the newest candle's volume is expected to lose beyond that; smaller
            ones lose less, see `execution_rules.order_slippage_ppm`.
        regime_filter: let only entries pass that suit the regime (none in a bear trend or high volatility).
    """

    quote: str = "USDT"
    initial_capital: Decimal = Decimal(1000)
    stake: Stake = Stake(StakeKind.FIXED, Decimal(50))
    max_positions: int = 2
    cooldown_ms: int = 600_000
    stop_loss_ppm: int = 20_000
    take_profit_ppm: int = 0
    take_profit_part_ppm: int = PPM
    trailing_ppm: int = 0
    trailing_after_ppm: int = 0
    break_even_after_ppm: int = 0
    fee_rate: Decimal = Decimal("0.001")
    slippage_ppm: int = 500
    impact_ppm: int = 0
    regime_filter: bool = False

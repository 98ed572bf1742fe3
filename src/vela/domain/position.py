"""What is held, and what a round trip brought."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from vela.domain.money import ZERO, add, subtract
from vela.domain.order import Side
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol


class PositionSide(StrEnum):
    """Direction of a position."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is PositionSide.LONG else -1

    @property
    def entry_side(self) -> Side:
        """The side of the order that opens it."""
        return Side.BUY if self is PositionSide.LONG else Side.SELL


class ExitReason(StrEnum):
    """Why a position was closed."""

    SIGNAL = "signal"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING = "trailing"
    BREAK_EVEN = "break_even"
    END = "end"
    DUST = "dust"
    KILL_SWITCH = "kill_switch"


class Position(msgspec.Struct, frozen=True):
    """An open position. One per symbol.

    `cost` is a total, never average × quantity: a reduction relieves it pro rata and the last one relieves all that
    is left, so cash + cost stays exact.

    Attributes:
        symbol, side: what is held.
        quantity: base still held, above 0.
        cost: what the held quantity cost, in quote, fees not included.
        entry_quantity, entry_value: sums over the entry's fills (base, quote).
        entry_time: ms UTC of the first fill.
        fees: paid so far for this position, in quote.
        realised_pnl: of the parts already closed, fees not included, in quote.
        exit_quantity, exit_value: sums over the exits' fills so far.
        strategy, entry_reason, regime: what led to it.
        stop_ticks: the protective level in force, in ticks; None: no stop wanted.
        stop_reason: which rule set the level (stop_loss, trailing, break_even).
        target_ticks: the take-profit level, in ticks; None: no target.
        target_quantity: base that is still to be closed at the target; 0: no target.
        best_ticks: best price since the entry (highest for long), in ticks.
        revision: how often protective orders were planned for it; part of their ids.
        leaving: why it is to be closed, once that was decided; None: it is not. Whatever becomes of the order that
            should close it, another one is sent until one does.
    """

    symbol: TradingSymbol
    side: PositionSide
    quantity: Decimal
    cost: Decimal
    entry_quantity: Decimal
    entry_value: Decimal
    entry_time: int
    fees: Decimal
    strategy: str
    entry_reason: str
    regime: MarketRegime
    stop_ticks: int | None
    stop_reason: ExitReason
    target_ticks: int | None
    best_ticks: int
    target_quantity: Decimal = ZERO
    realised_pnl: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_value: Decimal = ZERO
    revision: int = 0
    leaving: ExitReason | None = None

    @property
    def entry_price(self) -> float:
        """Average entry price, for display and levels' reports."""
        return float(self.entry_value) / float(self.entry_quantity)


class Trade(msgspec.Struct, frozen=True):
    """A closed round trip.

    Attributes:
        entry_price, exit_price: quote per base (value-weighted where there were several fills, exact for one).
        fees: both sides, in quote.
        pnl: net of fees, in quote.
        return_pct: pnl in percent of the entry's value.
    """

    symbol: TradingSymbol
    side: PositionSide
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    quantity: Decimal
    fees: Decimal
    pnl: Decimal
    return_pct: float
    entry_reason: str
    exit_reason: ExitReason
    regime: MarketRegime
    strategy: str


class Wallet(msgspec.Struct, frozen=True):
    """The account in one quote currency at one moment; all amounts in quote.

    `cash + cost == initial_capital + realised_pnl - fees`, exactly, where `realised_pnl` is before fees.
    """

    quote: str
    time: int
    initial_capital: Decimal
    cash: Decimal
    reserved: Decimal
    cost: Decimal
    market_value: Decimal
    realised_pnl: Decimal
    fees: Decimal

    @property
    def equity(self) -> Decimal:
        """Cash plus the market value of what is held."""
        return add(self.cash, self.market_value)

    @property
    def unrealised_pnl(self) -> Decimal:
        """Market value less cost."""
        return subtract(self.market_value, self.cost)

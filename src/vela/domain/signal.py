"""What a strategy says, and what the brain decided and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """A strategy's answer for every candle at once; row i depends on rows up to i only.

    Attributes:
        buy, sell: bool, shape `(n,)`.
        confidence: float64 in 0–1, shape `(n,)`; None means 1 everywhere.
        series: named indicator values for the chart and the decision record, each shape `(n,)`, NaN where undefined.
    """

    buy: NDArray[np.bool_]
    sell: NDArray[np.bool_]
    confidence: NDArray[np.float64] | None = None
    series: dict[str, NDArray[np.float64]] = field(default_factory=dict)


class Action(StrEnum):
    """What a decision asks for."""

    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"


class Decision(msgspec.Struct, frozen=True):
    """What was decided at the close of one candle of one symbol, and why.

    Attributes:
        candle_time: open time of the closed candle, ms UTC.
        confidence: 0–1; 0 for hold.
        reason: short code, with detail where it helps: `no_signal`, `warming_up 120/200`, `not_applicable`,
            `contradictory`, `signal`, `failed …`.
        indicators: the strategy's series at this candle, finite values only.
    """

    symbol: TradingSymbol
    candle_time: int
    action: Action
    strategy: str
    regime: MarketRegime
    confidence: float
    reason: str
    indicators: dict[str, float]


class Signal(msgspec.Struct, frozen=True):
    """A decision that asks for a trade; at most one per strategy, symbol and candle."""

    symbol: TradingSymbol
    candle_time: int
    action: Action
    strategy: str
    regime: MarketRegime
    confidence: float


class SignalOutcome(msgspec.Struct, frozen=True):
    """What became of a signal: an order (its client id) or a refusal (its reason)."""

    signal: Signal
    client_order_id: str | None
    refusal: str | None

"""What goes into the reference backtest and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vela.domain.candles import Candles
from vela.domain.instrument import Instrument
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol

LONG: Final = "LONG"
SHORT: Final = "SHORT"
Side = Literal["LONG", "SHORT"]


class SignalColumns(Protocol):
    """What a strategy said at the close of each row; no confidence means 1 everywhere."""

    @property
    def buy(self) -> NDArray[np.bool_]: ...
    @property
    def sell(self) -> NDArray[np.bool_]: ...
    @property
    def confidence(self) -> NDArray[np.float64] | None: ...


Series = Mapping[TradingSymbol, tuple[Candles, SignalColumns]]
Instruments = Mapping[TradingSymbol, Instrument]
Regimes = Mapping[TradingSymbol, Sequence[MarketRegime]]
Details = Mapping[TradingSymbol, Candles]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceConfig:
    """Options of §3 with its defaults.

    Attributes:
        stake: "50" in quote, "5%" of equity, or "all".
        stop_loss, take_profit, trailing, trailing_after, break_even_after: per cent; 0 = none.
        take_profit_part: per cent of the position that the take-profit closes.
        fee, slippage: rates.
        impact: rate that an order as large as the last closed candle's volume loses on top.
        from_ms, to_ms: rows with from_ms <= open_time < to_ms take part; the others do not exist.
        timeframe_ms: length of one candle; finds the detail rows inside it and does nothing else.
    """

    capital: Decimal = Decimal(1000)
    stake: str = "50"
    max_positions: int = 2
    cooldown_ms: int = 600_000
    stop_loss: Decimal = Decimal(2)
    take_profit: Decimal = Decimal(0)
    take_profit_part: Decimal = Decimal(100)
    trailing: Decimal = Decimal(0)
    trailing_after: Decimal = Decimal(0)
    break_even_after: Decimal = Decimal(0)
    fee: Decimal = Decimal("0.001")
    slippage: Decimal = Decimal("0.0005")
    impact: Decimal = Decimal(0)
    allow_short: bool = False
    regime_filter: bool = False
    from_ms: int | None = None
    to_ms: int | None = None
    timeframe_ms: int = 60_000


@dataclass(slots=True)
class ReferencePosition:
    """An open position; `stop` and `best` move, and a target may take a part of the quantity."""

    symbol: TradingSymbol
    side: Side
    quantity: Decimal
    entry_price: Decimal
    entry_time: int
    fees: Decimal
    regime: MarketRegime
    signal_row: int
    entry_row: int
    best: Decimal
    target: Decimal | None = None
    stop: Decimal | None = None
    stop_reason: str = ""
    at_target: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)
    taken_value: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReferenceTrade:
    """A closed round trip: the contract's fields, and the rows of signal, entry and exit."""

    symbol: TradingSymbol
    side: Side
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    quantity: Decimal
    fees: Decimal
    pnl: Decimal
    return_pct: float
    entry_reason: str
    exit_reason: str
    regime: MarketRegime
    signal_row: int
    entry_row: int
    exit_row: int


@dataclass(frozen=True, slots=True)
class ReferenceResult:
    """What a run came to. `equity` holds (open time, cash and positions at that step's closes) per step."""

    trades: list[ReferenceTrade]
    refused: dict[str, int]
    open_positions: list[ReferencePosition]
    final_equity: Decimal
    cash: Decimal
    fees_paid: Decimal
    equity: list[tuple[int, Decimal]]

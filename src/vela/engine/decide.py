"""From a strategy's signals to one decision with its reason."""

from __future__ import annotations

import math

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy


def action_of(buy: bool, sell: bool) -> Action:  # noqa: FBT001  plain flags, for compiled loops too
    """Return what a row of signals asks for; a row that asks for both asks for nothing."""
    if buy == sell:
        return Action.HOLD
    return Action.BUY if buy else Action.SELL


def decide(strategy: Strategy, symbol: TradingSymbol, candles: Candles, regime: MarketRegime) -> Decision:
    """Return the decision at the close of the newest candle.

    Raises:
        StrategyError: the strategy's answer has the wrong shape or a confidence outside 0–1.
        Exception: whatever the strategy raises.
    """
    candle_time = int(candles.open_time[-1])
    if not strategy.is_applicable(symbol):
        return Decision(symbol, candle_time, Action.HOLD, strategy.name, regime, 0.0, "not_applicable", {})
    signals = strategy.analyze(symbol, candles)
    _check(strategy, signals, len(candles))
    buy, sell = bool(signals.buy[-1]), bool(signals.sell[-1])
    action = action_of(buy, sell)
    indicators = _newest(signals)
    if action is not Action.HOLD:
        confidence = 1.0 if signals.confidence is None else float(signals.confidence[-1])
        if not 0.0 <= confidence <= 1.0:
            raise StrategyError(f"{strategy.name} gave a confidence of {confidence}; accepted: 0 to 1")
        return Decision(symbol, candle_time, action, strategy.name, regime, confidence, "signal", indicators)
    reason = _reason_for_none(strategy, signals, len(candles), contradictory=buy)
    return Decision(symbol, candle_time, Action.HOLD, strategy.name, regime, 0.0, reason, indicators)


def _check(strategy: Strategy, signals: Signals, length: int) -> None:
    columns = {"buy": signals.buy, "sell": signals.sell, **signals.series}
    if signals.confidence is not None:
        columns["confidence"] = signals.confidence
    for name, column in columns.items():
        if column.shape != (length,):
            raise StrategyError(f"{strategy.name} gave {name} of shape {column.shape}; accepted: ({length},)")


def _newest(signals: Signals) -> dict[str, float]:
    values = {name: float(series[-1]) for name, series in signals.series.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _reason_for_none(strategy: Strategy, signals: Signals, length: int, *, contradictory: bool) -> str:
    if contradictory:
        return "contradictory"
    undefined = any(math.isnan(series[-1]) for series in signals.series.values())
    return f"warming_up {length}/{strategy.warmup}" if undefined else "no_signal"

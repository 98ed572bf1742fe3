"""Indicators as the books define them, in plain loops, for strategies to be compared with."""

from __future__ import annotations

from collections.abc import Sequence

from vela.domain.candles import Candles
from vela.domain.signal import Signals

NAN = float("nan")
Line = Sequence[float]


def crossings(first: Line, second: Line) -> list[bool]:
    """Where `first` crosses `second` up; a comparison with NaN is never true."""
    return [t > 0 and first[t] > second[t] and first[t - 1] <= second[t - 1] for t in range(len(first))]


def ema(values: Line, period: int) -> list[float]:
    average = [NAN] * len(values)
    for t in range(period - 1, len(values)):
        if t == period - 1:
            average[t] = sum(values[:period]) / period
        else:
            average[t] = average[t - 1] + (values[t] - average[t - 1]) * 2 / (period + 1)
    return average


def movements(candles: Candles) -> list[tuple[float, float, float]]:
    """Upward movement, downward movement and true range of each candle but the first."""
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    found = []
    for t in range(1, len(close)):
        up, down = high[t] - high[t - 1], low[t - 1] - low[t]
        plus, minus = up if up > max(down, 0.0) else 0.0, down if down > max(up, 0.0) else 0.0
        found.append((plus, minus, max(high[t], close[t - 1]) - min(low[t], close[t - 1])))
    return found


def atr(candles: Candles, period: int) -> list[float]:
    ranges = [true_range for _, _, true_range in movements(candles)]
    average = [NAN] * len(candles)
    for t in range(period, len(candles)):
        if t == period:
            average[t] = sum(ranges[:period]) / period
        else:
            average[t] = (average[t - 1] * (period - 1) + ranges[t - 1]) / period
    return average


def directional(candles: Candles, period: int) -> tuple[list[float], list[float], list[float]]:
    """Wilder's ADX, DI+ and DI-."""
    moves, sums = movements(candles), [0.0, 0.0, 0.0]
    adx, plus, minus, strengths = [NAN] * len(candles), [NAN] * len(candles), [NAN] * len(candles), []
    for t in range(1, len(candles)):
        kept = 1 - 1 / period if t >= period else 1.0
        sums = [kept * total + new for total, new in zip(sums, moves[t - 1], strict=True)]
        if t < period:
            continue
        plus[t], minus[t] = 100 * sums[0] / sums[2], 100 * sums[1] / sums[2]
        strengths.append(100 * abs(plus[t] - minus[t]) / (plus[t] + minus[t]))
        if len(strengths) == period:
            adx[t] = sum(strengths) / period
        elif len(strengths) > period:
            adx[t] = (adx[t - 1] * (period - 1) + strengths[-1]) / period
    return adx, plus, minus


def assert_signals(signals: Signals, buy: list[bool], sell: list[bool]) -> None:
    """Compare with what a reference found, which must be something."""
    assert any(buy)
    assert any(sell)
    assert signals.buy.tolist() == buy
    assert signals.sell.tolist() == sell

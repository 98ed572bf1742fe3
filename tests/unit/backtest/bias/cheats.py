"""Strategies that cheat, each in its own way."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.strategies.base import Strategy, param

FIFTEEN_MINUTES = 900_000


class Simple(Strategy):
    """A strategy whose flags follow from the columns alone. `memory`: candles that a row depends on."""

    memory = 1

    @property
    def warmup(self) -> int:
        return self.memory

    def analyze(self, symbol, candles):
        return Signals(*self.flags(candles))

    def flags(self, candles: Candles):
        """Return where to buy and where to sell: nowhere, until a strategy says otherwise."""
        never = np.zeros(len(candles), dtype=bool)
        return never, never


def shifted(values, rows: int):
    """Move values down by `rows`, NaN where nothing is known; up, where `rows` is negative."""
    result = np.full(len(values), np.nan)
    if 0 < rows < len(values):
        result[rows:] = values[:-rows]
    if 0 < -rows < len(values):
        result[:rows] = values[-rows:]
    return result


def rolling(values, period: int, statistic=np.mean):
    """Return the statistic of the newest `period` values, NaN where there are fewer."""
    result = np.full(len(values), np.nan)
    if len(values) >= period:
        result[period - 1 :] = statistic(sliding_window_view(values, period), axis=1)
    return result


def last_finished(times, values, length: int):
    """Return for each row the value at the end of the newest span of `length` ms that was over by then."""
    span = times // length
    earlier = np.searchsorted(span, span) - 1
    return np.where(earlier >= 0, values[earlier], np.nan)


# ------------------------------------------------------------------------------------------------------ of the future


class NextClose(Simple):
    def flags(self, candles):
        following = shifted(candles.close, -1)
        return following > candles.close, following < candles.close


class FarClose(Simple):
    def flags(self, candles):
        later = shifted(candles.close, -50)
        return later > 1.01 * candles.close, later < 0.99 * candles.close


class CentredMean(Simple):
    memory = 11

    def flags(self, candles):
        mean = shifted(rolling(candles.close, 11), -5)
        return candles.close < 0.999 * mean, candles.close > 1.001 * mean


class ScaledByExtremes(Simple):
    def flags(self, candles):
        close = candles.close
        place = (close - close.min()) / (close.max() - close.min()) if len(close) else close
        return place < 0.2, place > 0.8


class ComparedWithMean(Simple):
    def flags(self, candles):
        mean = candles.close.mean() if len(candles) else 0.0
        return candles.close < 0.99 * mean, candles.close > 1.01 * mean


class ZScoreOverAll(Simple):
    def flags(self, candles):
        if not len(candles):
            return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
        score = (candles.volume - candles.volume.mean()) / candles.volume.std()
        return score > 2, score < -1


class BestOfTheFuture(Simple):
    def flags(self, candles):
        best = shifted(rolling(candles.close, 10, np.argmax), -9)
        return best == 9, best == 0


class LastRow(Simple):
    def flags(self, candles):
        last = candles.close[-1] if len(candles) else 0.0
        return candles.close < 0.99 * last, candles.close > 1.01 * last


class BackwardFill(Simple):
    memory = 2

    def flags(self, candles):
        filled = np.where(candles.volume > np.roll(candles.volume, 1), candles.close, np.nan)
        for row in range(len(filled) - 2, -1, -1):
            if np.isnan(filled[row]):
                filled[row] = filled[row + 1]
        return filled > candles.close, filled < candles.close


class Sorted(Simple):
    def flags(self, candles):
        middle = np.sort(candles.close)[len(candles) // 2] if len(candles) else 0.0
        return candles.close < middle, candles.close > middle


class GlobalPercentile(Simple):
    def flags(self, candles):
        low, high = np.percentile(candles.close, (5, 95)) if len(candles) else (0.0, 0.0)
        return candles.close < low, candles.close > high


class UnfinishedHigherCandle(Simple):
    memory = 15

    def flags(self, candles):
        span = candles.open_time // FIFTEEN_MINUTES
        ends = np.searchsorted(span, span, side="right") - 1
        closes = candles.close[ends]
        return closes > candles.close, closes < candles.close


class HigherCandleOneTooEarly(Simple):
    """The higher candle counts as finished one candle before it is."""

    memory = 32

    def flags(self, candles):
        finished = last_finished(candles.open_time + 120_000, shifted(candles.close, -2), FIFTEEN_MINUTES)
        return finished > candles.close, finished < candles.close


class RarePeek(Simple):
    """Looks one candle ahead at one row of some hundreds, and never where there was a signal."""

    memory = 30

    def flags(self, candles):
        mean = rolling(candles.close, 30)
        falls = shifted(candles.close, -1) < candles.close
        rare = candles.open_time // 60_000 % 397 == 5
        return (candles.close > mean) & ~(rare & falls), candles.close < mean


class RarePeekByRow(Simple):
    def flags(self, candles):
        rises = shifted(candles.close, -1) > candles.close
        return rises & (np.arange(len(candles)) % 499 == 498), np.zeros(len(candles), dtype=bool)


class SeriesOfTheFuture(Simple):
    def analyze(self, symbol, candles):
        rising = candles.close > candles.open
        return Signals(rising, ~rising, series={"next": shifted(candles.close, -1)})


class ConfidenceOfTheFuture(Simple):
    def analyze(self, symbol, candles):
        rising = candles.close > candles.open
        confidence = np.where(shifted(candles.close, -1) > candles.close, 1.0, 0.5)
        return Signals(rising, ~rising, confidence)


class OnlyWhereNothingFollows(Simple):
    """Live sees a signal that no backtest has."""

    def flags(self, candles):
        buy = np.zeros(len(candles), dtype=bool)
        buy[-1:] = candles.close[-1:] > candles.open[-1:]
        return buy, np.zeros(len(candles), dtype=bool)


class Smoothed(Simple):
    """Filters forward and backward, as some libraries do."""

    memory = 60

    def flags(self, candles):
        smooth = np.convolve(candles.close, np.ones(9) / 9, mode="same") if len(candles) >= 9 else candles.close
        return smooth > candles.close, smooth < candles.close


OF_THE_FUTURE = [
    NextClose,
    FarClose,
    CentredMean,
    ScaledByExtremes,
    ComparedWithMean,
    ZScoreOverAll,
    BestOfTheFuture,
    LastRow,
    BackwardFill,
    Sorted,
    GlobalPercentile,
    UnfinishedHigherCandle,
    HigherCandleOneTooEarly,
    RarePeek,
    RarePeekByRow,
    SeriesOfTheFuture,
    ConfidenceOfTheFuture,
    OnlyWhereNothingFollows,
    Smoothed,
]


# ----------------------------------------------------------------------------------------------------------- of state


class Counting(Simple):
    calls = 0

    def flags(self, candles):
        self.calls += 1
        return candles.close > candles.open * (1 + 0.0001 * self.calls), candles.close < candles.open


class ByInstance(Simple):
    made = 0

    def __init__(self, **values):
        super().__init__(**values)
        ByInstance.made += 1
        self.number = 1 + ByInstance.made % 2

    def flags(self, candles):
        return candles.close > candles.open * (1 + 0.001 * self.number), candles.close < candles.open


class RemembersPrices(Simple):
    """The highest close that it has ever seen, of whichever symbol."""

    highest = 0.0

    def flags(self, candles):
        self.highest = max(self.highest, float(candles.high.max(initial=0.0)))
        return candles.close > 0.999 * self.highest, candles.close < 0.9 * self.highest


class KeepsTheFirstAnswer(Simple):
    """A cache that takes candles of the same times for the same candles."""

    def __init__(self, **values):
        super().__init__(**values)
        self.known = {}

    def flags(self, candles):
        key = candles.open_time.tobytes()
        if key not in self.known:
            self.known[key] = (candles.close > candles.open, candles.close < candles.open)
        return self.known[key]


class Dice(Simple):
    def flags(self, candles):
        buy = np.random.default_rng().random(len(candles)) < 0.01
        return buy, ~buy


class WritesToItsCandles(Simple):
    def flags(self, candles):
        candles.close[:] = 1.0
        return candles.close > candles.open, candles.close < candles.open


class SortsItsCandles(Simple):
    def flags(self, candles):
        candles.close.sort()
        return candles.close > candles.open, candles.close < candles.open


class UnlocksItsCandles(Simple):
    def flags(self, candles):
        buy, sell = candles.close > candles.open, candles.close < candles.open
        owner = candles.close if candles.close.base is None else candles.close.base
        owner.flags.writeable = True
        owner *= 1.0 + 1e-6
        return buy, sell


class ReusesItsArrays(Simple):
    def __init__(self, **values):
        super().__init__(**values)
        self.buffer = np.zeros(100_000, dtype=bool)

    def flags(self, candles):
        buy = self.buffer[: len(candles)]
        buy[:] = candles.close > candles.open
        return buy, candles.close < candles.open


OF_STATE = [
    Counting,
    ByInstance,
    RemembersPrices,
    KeepsTheFirstAnswer,
    Dice,
    WritesToItsCandles,
    SortsItsCandles,
    UnlocksItsCandles,
    ReusesItsArrays,
]


# ------------------------------------------------------------------------------------------------------- of the start


def exponential(values, period: int):
    result, weight = values.copy(), 2 / (period + 1)
    for row in range(1, len(result)):
        result[row] = weight * values[row] + (1 - weight) * result[row - 1]
    return result


class ColdAverage(Simple):
    """Declares the period of an exponential average as all it remembers."""

    period: int = param(20, low=5, high=100)

    @property
    def warmup(self) -> int:
        return self.period

    def analyze(self, symbol, candles):
        mean = exponential(candles.close, self.period)
        return Signals(candles.close > mean, candles.close < mean, series={"mean": mean})


class SilentColdAverage(ColdAverage):
    """The same, without a series that would show it."""

    def analyze(self, symbol, candles):
        signals = super().analyze(symbol, candles)
        return Signals(signals.buy, signals.sell)


class OneCandleTooFew(Simple):
    memory = 29

    def flags(self, candles):
        mean = rolling(candles.close, 30)
        return candles.close > mean, candles.close < mean


class SinceTheStart(Simple):
    """Compares with the highest close since the candles begin."""

    memory = 100

    def flags(self, candles):
        highest = np.maximum.accumulate(candles.close)
        return candles.close >= highest, candles.close < 0.9 * highest


class EveryTenthRow(Simple):
    memory = 10

    def flags(self, candles):
        turn = np.arange(len(candles)) % 10
        return turn == 0, turn == 5


class KnowsItsPosition(Simple):
    """Buys and sells in turn, as if it had filled what it asked for."""

    memory = 40

    def flags(self, candles):
        rising, falling = candles.close > candles.open * 1.001, candles.close < candles.open * 0.998
        buy, sell = np.zeros(len(candles), dtype=bool), np.zeros(len(candles), dtype=bool)
        bought = -1
        for row in range(len(candles)):
            if bought < 0 and rising[row]:
                buy[row], bought = True, row
            elif bought >= 0 and falling[row] and row - bought > 7:
                sell[row], bought = True, -1
        return buy, sell


OF_THE_START = [ColdAverage, SilentColdAverage, OneCandleTooFew, SinceTheStart, EveryTenthRow, KnowsItsPosition]

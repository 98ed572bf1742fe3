"""Strategies that are as they should be, though they look much like those that cheat."""

from __future__ import annotations

import numpy as np
from tests.unit.backtest.bias.cheats import (
    FIFTEEN_MINUTES,
    ColdAverage,
    Simple,
    last_finished,
    rolling,
    shifted,
)

from vela.domain.signal import Signals


class HonestAverage(ColdAverage):
    @property
    def warmup(self) -> int:
        return 20 * self.period


class HonestHigherCandle(Simple):
    memory = 31

    def flags(self, candles):
        finished = last_finished(candles.open_time, candles.close, FIFTEEN_MINUTES)
        return finished > candles.close, finished < candles.close


class HonestHigherCandleAtItsClose(Simple):
    memory = 31

    def flags(self, candles):
        finished = last_finished(candles.open_time + 60_000, shifted(candles.close, -1), FIFTEEN_MINUTES)
        return finished > candles.close, finished < candles.close


class HonestLag(Simple):
    memory = 6

    def flags(self, candles):
        earlier = shifted(candles.close, 5)
        return candles.close > earlier, candles.close < earlier


class HonestScale(Simple):
    memory = 100

    def flags(self, candles):
        low, high = rolling(candles.close, 100, np.min), rolling(candles.close, 100, np.max)
        return candles.close <= low, candles.close >= high


class HonestShortAnswer(Simple):
    """Says nothing, and shows nothing, until there are candles enough."""

    memory = 30

    def analyze(self, symbol, candles):
        if len(candles) < 30:
            return Signals(np.zeros(len(candles), dtype=bool), np.zeros(len(candles), dtype=bool))
        mean = rolling(candles.close, 30)
        return Signals(candles.close > mean, candles.close < mean, np.full(len(candles), 0.5), {"mean": mean})


class LateRiser(Simple):
    """Says nothing until there are candles enough, then also about those before."""

    memory = 60

    def flags(self, candles):
        mean = rolling(candles.close, 10 if len(candles) >= 60 else 60)
        return candles.close > mean, candles.close < mean


class HonestTime(Simple):
    """Buys at the full hour."""

    def flags(self, candles):
        minute = candles.open_time // 60_000 % 60
        return minute == 0, minute == 30


class HonestMarks(Simple):
    """A series that is undefined but where something happened."""

    def analyze(self, symbol, candles):
        rising = candles.close > 1.005 * candles.open
        return Signals(rising, candles.close < candles.open, series={"mark": np.where(rising, candles.low, np.nan)})


class HonestView(Simple):
    """Shows a column of its candles as it is."""

    def analyze(self, symbol, candles):
        rising = candles.close > candles.open
        return Signals(rising, ~rising, np.full(len(candles), 0.5), {"close": candles.close})


class HonestSilence(Simple):
    def flags(self, candles):
        return np.zeros(len(candles), dtype=bool), np.zeros(len(candles), dtype=bool)


class HonestRunningSum(Simple):
    """Two averages by running sums: where they are equal, the last digits decide, and no window knows those."""

    memory = 31

    def flags(self, candles):
        fast, slow = running_mean(candles.close, 10), running_mean(candles.close, 30)
        return fast > slow, fast < slow


def running_mean(values, period: int):
    result = np.full(len(values), np.nan)
    if len(values) >= period:
        sums = np.cumsum(np.concatenate(([0.0], values)))
        result[period - 1 :] = (sums[period:] - sums[:-period]) / period
    return result


HONEST = [
    HonestAverage,
    HonestHigherCandle,
    HonestHigherCandleAtItsClose,
    HonestLag,
    HonestScale,
    HonestShortAnswer,
    HonestTime,
    HonestMarks,
    HonestView,
    HonestSilence,
    HonestRunningSum,
]

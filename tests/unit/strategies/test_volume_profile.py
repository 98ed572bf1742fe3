from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, MINUTE, random_walk
from tests.unit.strategies.reference import NAN, assert_signals

from vela.domain.candles import Candles
from vela.strategies.volume_profile import VolumeProfile

Levels = tuple[float, float, float]


def levels(low: list[float], high: list[float], volume: list[float], bins: int) -> Levels:
    bottom, top, total = min(low), max(high), sum(volume)
    if top == bottom or total == 0:
        return NAN, NAN, NAN
    height, filled = (top - bottom) / bins, [0.0] * bins
    for lowest, highest, traded in zip(low, high, volume, strict=True):
        first, last = (min(int((price - bottom) / height + 1e-9), bins - 1) for price in (lowest, highest))
        for place in range(first, last + 1):
            filled[place] += traded / (last - first + 1)
    poc = low_bin = high_bin = filled.index(max(filled))
    while sum(filled[low_bin : high_bin + 1]) < 0.7 * total:
        below = filled[low_bin - 1] if low_bin > 0 else -1.0
        above = filled[high_bin + 1] if high_bin < bins - 1 else -1.0
        low_bin, high_bin = (low_bin - 1, high_bin) if below >= above else (low_bin, high_bin + 1)
    return bottom + (poc + 0.5) * height, bottom + low_bin * height, bottom + (high_bin + 1) * height


def expected(candles: Candles, lookback: int, bins: int, proximity: float) -> tuple[list[bool], list[bool]]:
    low, high, volume = candles.low.tolist(), candles.high.tolist(), candles.volume.tolist()
    close, profile = candles.close.tolist(), [(NAN, NAN, NAN)] * len(candles)
    buy, sell = [False] * len(candles), [False] * len(candles)
    for t in range(lookback - 1, len(candles)):
        window = slice(t - lookback + 1, t + 1)
        profile[t] = levels(low[window], high[window], volume[window], bins)
        (poc, bottom, top), (poc_before, bottom_before, top_before) = profile[t], profile[t - 1]
        near = abs(close[t] - poc) <= proximity / 100 * poc
        inside_before = bottom_before <= close[t - 1] <= top_before
        up, down = close[t] > poc and close[t - 1] <= poc_before, close[t] < poc and close[t - 1] >= poc_before
        buy[t] = (up and near) or (inside_before and close[t] > top)
        sell[t] = (down and near) or (inside_before and close[t] < bottom)
    return buy, sell


@pytest.mark.parametrize(("lookback", "bins", "proximity"), [(100, 20, 0.5), (20, 7, 0.1), (60, 50, 5.0)])
def test_signals_are_the_contracts(candles: Candles, lookback: int, bins: int, proximity: float):
    strategy = VolumeProfile(lookback_period=lookback, num_bins=bins, poc_proximity_pct=proximity)
    assert_signals(strategy.analyze(BTC, candles), *expected(candles, lookback, bins, proximity))


def market(before: float, after: float) -> Candles:
    """Candles within 90 to 110, nearly all traded at 100, then two without volume."""
    close = np.array([*[100.0] * 28, 90.0, 110.0, *[100.0] * 18, before, after])
    volume = np.array([*[10.0] * 28, 1.0, 1.0, *[10.0] * 18, 0.0, 0.0])
    return Candles.from_columns(np.arange(50) * MINUTE, close, close, close, close, volume)


@pytest.mark.parametrize(
    ("before", "after", "proximity", "buy", "sell"),
    [
        (99.5, 100.8, 0.5, True, False),  # crossed up and near
        (100.8, 99.9, 0.7, False, True),  # crossed down and near, and left
        (99.5, 100.8, 0.2, False, False),  # crossed, but not near
        (100.8, 101.5, 0.5, True, False),  # left upwards
        (100.8, 99.5, 0.5, False, True),  # left downwards
        (99.0, 102.0, 0.5, False, False),  # crossed far away, and was not inside
        (102.0, 103.0, 0.5, False, False),  # was outside already
    ],
)
def test_by_hand(before: float, after: float, proximity: float, buy: bool, sell: bool):
    # Bins of 1: the point of control is 100.5, the value area 100 to 101.
    strategy = VolumeProfile(lookback_period=40, num_bins=20, poc_proximity_pct=proximity)
    signals = strategy.analyze(BTC, market(before, after))
    assert [line[-1] for line in signals.series.values()] == [100.5, 100.0, 101.0]
    assert (bool(signals.buy[-1]), bool(signals.sell[-1])) == (buy, sell)


def test_a_market_without_volume_gives_no_signal():
    c = random_walk(400, seed=3)
    signals = VolumeProfile().analyze(
        BTC, Candles.from_columns(c.open_time, c.open, c.high, c.low, c.close, 0.0 * c.close)
    )
    assert not signals.buy.any()
    assert not signals.sell.any()
    assert np.isnan(signals.series["poc"]).all()


def test_series_are_the_levels():
    signals = VolumeProfile(lookback_period=20).analyze(BTC, random_walk(40, seed=4))
    assert list(signals.series) == ["poc", "value_area_low", "value_area_high"]
    assert [int(np.isnan(line).sum()) for line in signals.series.values()] == [19, 19, 19]

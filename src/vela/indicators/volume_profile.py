"""The volume profile: at which prices a market traded most."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import talib
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vela.indicators.averages import Series

_VALUE_AREA = 0.7
# Bins' shares are compared to this many decimals: bins that are equal on paper shall be equal here.
_DECIMALS = 12
# A price so close below a bin's edge, as a part of the bin, lies on it, as prices on a tick grid often do; so little
# missing from the value area's share of the volume does not count.
_MISSING = 1e-9
# Candles' places in profiles that are worked on at once; more would not stay in the processor's cache.
_AT_ONCE = 32_768

Rows = NDArray[np.int64]


class VolumeProfile(NamedTuple):
    """What the profile of the last candles says at each candle, in price units, each shape `(n,)`, NaN where undefined.

    Attributes:
        poc: point of control, the middle of the fullest bin.
        value_area_low, value_area_high: the range around it in which 70 % of the volume was traded.
    """

    poc: Series
    value_area_low: Series
    value_area_high: Series


def volume_profile(high: Series, low: Series, volume: Series, lookback: int, bins: int) -> VolumeProfile:
    """Return the rolling volume profile of the last `lookback` candles, the current one included.

    `bins` bins of equal height lie between the lowest low and the highest high. A bin holds its lower edge and not
    its upper one, but for the last, which holds both. A candle's volume is spread evenly over the bins that its range
    touches. The point of control is the middle of the fullest bin, of equals the lowest. The value area begins with
    that bin and takes the fuller of its two neighbours, of equals the lower, until it holds 70 % of the volume.

    Undefined, besides the first `lookback - 1` rows, where the range has no height or nothing was traded.

    Source: J. Peter Steidlmayer's Market Profile with volume in place of time; James Dalton, Mind over Markets (1990).

    Args:
        high: shape `(n,)`, finite.
        low: shape `(n,)`, finite.
        volume: shape `(n,)`, finite, not negative.
        lookback: candles, at least 2.
        bins: at least 1.
    """
    profile = VolumeProfile(*np.full((3, len(high)), np.nan))
    if len(high) < lookback:
        return profile
    bottom, top = talib.MIN(low, timeperiod=lookback), talib.MAX(high, timeperiod=lookback)
    height = (top - bottom) / bins
    windows = [sliding_window_view(column, lookback) for column in (high, low, volume)]
    at_once = max(1, _AT_ONCE // lookback)
    for start in range(lookback - 1, len(high), at_once):
        rows = np.arange(start, min(start + at_once, len(high)))
        rows = rows[height[rows] > 0.0]
        highs, lows, volumes = (window[rows - lookback + 1] for window in windows)
        base, step = bottom[rows, np.newaxis], height[rows, np.newaxis]
        first, last = (_bin_of((prices - base) / step, bins) for prices in (lows, highs))
        filled = _fill(first, last, volumes, bins)
        total = filled.sum(axis=1)
        traded = total > 0.0
        rows, share = rows[traded], np.round(filled[traded] / total[traded, np.newaxis], _DECIMALS)
        fullest = share.argmax(axis=1)
        lowest, highest = _value_area(share, fullest)
        for series, edge in zip(profile, (fullest + 0.5, lowest, highest + 1), strict=True):
            series[rows] = bottom[rows] + edge * height[rows]
    return profile


def _bin_of(heights: NDArray[np.float64], bins: int) -> Rows:
    return np.minimum((heights + _MISSING).astype(np.int64), bins - 1)


def _fill(first: Rows, last: Rows, volumes: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    # Each candle's share rises at its first bin and falls behind its last one; adding up gives the bins' volumes.
    count, width = len(first), bins + 1
    share = (volumes / (last - first + 1)).ravel()
    start = np.arange(count)[:, np.newaxis] * width
    rise = np.bincount((start + first).ravel(), share, minlength=count * width)
    fall = np.bincount((start + last + 1).ravel(), share, minlength=count * width)
    filled: NDArray[np.float64] = np.cumsum((rise - fall).reshape(count, width), axis=1)[:, :bins]
    return filled


def _value_area(share: NDArray[np.float64], fullest: Rows) -> tuple[Rows, Rows]:
    row, padded = np.arange(len(share)), np.pad(share, ((0, 0), (1, 1)), constant_values=-1.0)
    lowest, highest, inside = fullest.copy(), fullest.copy(), share[row, fullest]
    while (growing := inside < _VALUE_AREA - _MISSING).any():
        below, above = padded[row, lowest], padded[row, highest + 2]  # the padding moves every bin up by one
        down = growing & (below >= above)
        up = growing & ~down
        inside += np.where(growing, np.maximum(below, above), 0.0)
        lowest -= down
        highest += up
    return lowest, highest

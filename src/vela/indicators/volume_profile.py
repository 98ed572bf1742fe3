"""The volume profile: at which prices a market traded most."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202, PLR0913, PLR0917  compiled functions are typed by their arguments

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import talib

from vela.indicators.averages import Series

# Bins' shares of the volume are compared in these parts: bins that are equal on paper shall be equal here.
_PARTS = 1e12
_VALUE_AREA = 0.7 * _PARTS
# So little missing from the value area does not count.
_SPARE = 1e-9 * _PARTS
# A price so close below a bin's edge, as a part of the bin, lies on it, as prices on a tick grid often do.
_MISSING = 1e-9
# The largest volume of a window is counted in about 2**50 units: 8,000 of them still add up within 64 bits.
_BITS = 50


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
    if len(high) >= lookback:
        bottom, top = talib.MIN(low, timeperiod=lookback), talib.MAX(high, timeperiod=lookback)
        height, most = (top - bottom) / bins, talib.MAX(volume, timeperiod=lookback)
        _fill_profile(high, low, volume, bottom, height, most, lookback, bins, *profile)
    return profile


@numba.njit(cache=True)
def _fill_profile(high, low, volume, bottom, height, most, lookback, bins, poc, area_low, area_high):
    # Volumes are counted in whole units, whose sums do not depend on their order: a window that differs from the one
    # before by a candle in and a candle out gives, to the last bit, what it would give by itself.
    edges, shares = np.zeros(bins + 1, dtype=np.int64), np.zeros(bins)
    grid = (np.nan, np.nan, np.nan)  # lowest price, bins per price and units per volume of the profile at hand
    for i in range(lookback - 1, high.shape[0]):
        if not (height[i] > 0.0 and most[i] > 0.0):
            grid = (np.nan, np.nan, np.nan)
            continue
        wanted = (bottom[i], 1.0 / height[i], 2.0 ** (_BITS - np.ceil(np.log2(most[i]))))
        if wanted == grid:
            gone = i - lookback
            _add(edges, low[gone], high[gone], -volume[gone], grid, bins)
            _add(edges, low[i], high[i], volume[i], grid, bins)
        else:
            grid = wanted
            edges[:] = 0
            for k in range(i - lookback + 1, i + 1):
                _add(edges, low[k], high[k], volume[k], grid, bins)
        fullest = _share_out(edges, shares)
        lowest, highest = _value_area(shares, fullest)
        poc[i] = bottom[i] + (fullest + 0.5) * height[i]
        area_low[i] = bottom[i] + lowest * height[i]
        area_high[i] = bottom[i] + (highest + 1) * height[i]


@numba.njit(cache=True)
def _add(edges, low, high, volume, grid, bins):
    # A candle's share rises at its first bin and falls behind its last one.
    base, per_price, units = grid
    first = min(np.int64((low - base) * per_price + _MISSING), bins - 1)
    last = min(np.int64((high - base) * per_price + _MISSING), bins - 1)
    share = np.int64(np.rint(volume * units / (last - first + 1)))
    edges[first] += share
    edges[last + 1] -= share


@numba.njit(cache=True)
def _share_out(edges, shares):
    """Work out the bins' shares of the volume, and return the fullest bin, of equals the lowest."""
    total, held = np.int64(0), np.int64(0)
    for k in range(shares.shape[0]):
        held += edges[k]
        shares[k] = held
        total += held
    fullest, parts = 0, _PARTS / total
    for k in range(shares.shape[0]):
        shares[k] = np.rint(shares[k] * parts)
        if shares[k] > shares[fullest]:
            fullest = k
    return fullest


@numba.njit(cache=True)
def _value_area(shares, fullest):
    lowest = highest = fullest
    inside = shares[fullest]
    while inside < _VALUE_AREA - _SPARE:
        below = shares[lowest - 1] if lowest > 0 else -1.0
        above = shares[highest + 1] if highest + 1 < shares.shape[0] else -1.0
        if below >= above:
            lowest -= 1
        else:
            highest += 1
        inside += max(below, above)
    return lowest, highest

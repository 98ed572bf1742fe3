"""The Ichimoku cloud."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import talib

from vela.indicators.averages import Series

DISPLACEMENT = 26


class Ichimoku(NamedTuple):
    """The lines as they are known at each candle, each shape `(n,)`, NaN where undefined.

    Attributes:
        tenkan, kijun: midpoints of the highest high and the lowest low of their periods.
        cloud_top, cloud_bottom: the higher and the lower of the two spans computed `DISPLACEMENT` candles earlier.
    """

    tenkan: Series
    kijun: Series
    cloud_top: Series
    cloud_bottom: Series


def ichimoku(high: Series, low: Series, tenkan_period: int, kijun_period: int, senkou_b_period: int) -> Ichimoku:
    """Return the lines and the cloud under which, or above which, each candle stands.

    Span A is the mean of tenkan and kijun, span B the midpoint of `senkou_b_period` candles. Charts draw both 26
    candles ahead; so the cloud at candle t is made of the spans computed at t - 26 and knows nothing newer. The
    lagging span, the close drawn 26 candles back, is left out: at the time it is drawn at it is the future.

    Source: Goichi Hosoda, Ichimoku Kinko Hyo (1969).

    Args:
        high: shape `(n,)`, finite.
        low: shape `(n,)`, finite.
        tenkan_period: candles of the fast midpoint, at least 2.
        kijun_period: candles of the slow midpoint, at least 2.
        senkou_b_period: candles of span B's midpoint, at least 2.
    """
    tenkan, kijun = talib.MIDPRICE(high, low, tenkan_period), talib.MIDPRICE(high, low, kijun_period)
    span_a, span_b = (tenkan + kijun) / 2, talib.MIDPRICE(high, low, senkou_b_period)
    top, bottom = np.maximum(span_a, span_b), np.minimum(span_a, span_b)
    return Ichimoku(tenkan, kijun, _displaced(top), _displaced(bottom))


def _displaced(values: Series) -> Series:
    later = np.full(len(values), np.nan)
    later[DISPLACEMENT:] = values[:-DISPLACEMENT]
    return later

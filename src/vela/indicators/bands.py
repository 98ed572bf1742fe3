"""Bands that widen with volatility."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vela.indicators.averages import Series, deviation, ema, sma
from vela.indicators.crossing import ROUNDING, crosses_above, crosses_below
from vela.indicators.trend import atr


class Bands(NamedTuple):
    """An average with a band below and one above, each shape `(n,)`, NaN where undefined."""

    lower: Series
    middle: Series
    upper: Series


def bollinger_bands(values: Series, period: int, num_std: float) -> Bands:
    """Return the SMA and the bands `num_std` population standard deviations from it; the first `period - 1` are NaN.

    Each value depends on the `period` values it covers and on nothing before them.

    Source: John Bollinger, Bollinger on Bollinger Bands (2001).
    """
    middle, reach = sma(values, period), num_std * deviation(values, period)
    return Bands(middle - reach, middle, middle + reach)


def keltner_channels(
    high: Series, low: Series, close: Series, ema_period: int, atr_period: int, atr_multiplier: float
) -> Bands:
    """Return the EMA of the close and the channels `atr_multiplier` of Wilder's average true ranges from it.

    The first `max(ema_period - 1, atr_period)` channels are NaN. TA-Lib's KC differs: it averages the typical price.

    Source: Chester W. Keltner, How to Make Money in Commodities (1960), in the form that Linda Bradford Raschke gave
    it: exponential average and true range.
    """
    middle, reach = ema(close, ema_period), atr_multiplier * atr(high, low, close, atr_period)
    return Bands(middle - reach, middle, middle + reach)


def reentries(values: Series, bands: Bands) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say for each row whether `values` crosses the lower band up, and whether it crosses the upper band down.

    Bands without width, as a market that stands still has them, enclose nothing: no value comes back into them.
    """
    open_ = bands.upper - bands.lower > ROUNDING * bands.middle
    lower, upper = (np.where(open_, band, np.nan) for band in (bands.lower, bands.upper))
    return crosses_above(values, lower), crosses_below(values, upper)

"""Prices at which much was traded, and leaving them."""

from __future__ import annotations

import numpy as np

from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.crossing import crosses_above, crosses_below
from vela.indicators.volume_profile import volume_profile
from vela.strategies.base import RANGES, Strategy, param


class VolumeProfile(Strategy):
    """Buy when the close crosses the point of control up, nearby, or leaves the value area upwards; sell mirrored.

    Nearby is within `poc_proximity_pct` per cent of the point of control. The value area holds 70 % of the volume of
    the last `lookback_period` candles; to leave it is to be outside now and to have been inside one candle earlier.
    Source: J. Peter Steidlmayer's Market Profile with volume in place of time; James Dalton, Mind over Markets (1990).
    """

    suits = RANGES

    lookback_period: int = param(100, low=20, high=500)
    num_bins: int = param(20, low=5, high=100)
    poc_proximity_pct: float = param(0.5, low=0.05, high=5.0)

    @property
    def warmup(self) -> int:
        """One candle more than the profile covers: a crossing compares two rows."""
        return self.lookback_period + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return crossings and departures; series `poc`, `value_area_low` and `value_area_high`."""
        close = candles.close
        profile = volume_profile(candles.high, candles.low, candles.volume, self.lookback_period, self.num_bins)
        poc, bottom, top = profile
        near = np.abs(close - poc) <= self.poc_proximity_pct / 100 * poc
        was_inside = np.zeros(len(close), dtype=np.bool_)
        np.logical_and(close[:-1] >= bottom[:-1], close[:-1] <= top[:-1], out=was_inside[1:])
        buy = (crosses_above(close, poc) & near) | (was_inside & (close > top))
        sell = (crosses_below(close, poc) & near) | (was_inside & (close < bottom))
        return Signals(buy, sell, series=profile._asdict())

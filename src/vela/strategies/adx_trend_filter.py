"""Following a trend while it is strong."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.crossing import ROUNDING
from vela.indicators.trend import adx, atr, directional_indicators
from vela.strategies.base import TRENDS, Strategy, param
from vela.strategies.memory import candles_to_forget, wilder_keeps


class AdxTrendFilter(Strategy):
    """Buy while the ADX is at least the threshold and DI+ above DI-, sell while it is and DI- is above DI+.

    The levels may hold for many candles; the risk gate, not the strategy, prevents a second entry. In a market that
    has stood still for so long that no range is left, Wilder's ratios keep their last values; that is no signal.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).
    """

    suits = TRENDS

    adx_period: int = param(14, low=5, high=50)
    adx_threshold: float = param(25.0, low=5.0, high=60.0)

    @property
    def warmup(self) -> int:
        """The seeds of both smoothings, one of which smooths the other, and as many candles as make them vanish.

        Candles without any range do not count: they leave Wilder's ratios as they were.
        """
        kept = wilder_keeps(self.adx_period)
        return 2 * self.adx_period + candles_to_forget(kept, kept)

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return where the trend is strong, by its direction; series `adx`, `plus_di` and `minus_di`."""
        prices, period = (candles.high, candles.low, candles.close), self.adx_period
        strength, (plus, minus) = adx(*prices, period), directional_indicators(*prices, period)
        strong = (strength >= self.adx_threshold) & (atr(*prices, period) > ROUNDING * candles.close)
        series = {"adx": strength, "plus_di": plus, "minus_di": minus}
        return Signals(strong & (plus > minus), strong & (minus > plus), series=series)

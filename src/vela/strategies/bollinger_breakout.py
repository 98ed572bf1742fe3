"""The return into the Bollinger bands."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.bands import bollinger_bands, reentries
from vela.strategies.base import RANGES, Strategy, param


class BollingerBreakout(Strategy):
    """Buy when the close crosses the lower band up, sell when it crosses the upper band down.

    A market that stands still has bands without width; leaving them is no signal.
    Source: John Bollinger, Bollinger on Bollinger Bands (2001).
    """

    suits = RANGES

    period: int = param(20, low=5, high=200)
    num_std: float = param(2.0, low=0.5, high=5.0)

    @property
    def warmup(self) -> int:
        """One candle more than the bands need: a crossing compares two rows."""
        return self.period + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return where the close comes back into the bands; series `lower`, `middle` and `upper`."""
        bands = bollinger_bands(candles.close, self.period, self.num_std)
        return Signals(*reentries(candles.close, bands), series=bands._asdict())

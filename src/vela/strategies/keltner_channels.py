"""The return into the Keltner channels."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.bands import keltner_channels, reentries
from vela.strategies.base import RANGES, Strategy, param
from vela.strategies.memory import candles_to_forget, ema_keeps, wilder_keeps


class KeltnerChannels(Strategy):
    """Buy when the close crosses the lower channel up, sell when it crosses the upper one down.

    A market that stands still has channels without width; leaving them is no signal.
    Source: Chester W. Keltner, How to Make Money in Commodities (1960), with Linda Bradford Raschke's exponential
    average and average true range.
    """

    suits = RANGES

    ema_period: int = param(20, low=5, high=200)
    atr_period: int = param(10, low=5, high=100)
    atr_multiplier: float = param(2.0, low=0.5, high=5.0)

    @property
    def warmup(self) -> int:
        """The seeds of average and range, as many candles as make both vanish, and one: a crossing compares two rows.

        The first candle has no true range, so the range's seed is one candle longer.
        """
        average = self.ema_period + candles_to_forget(ema_keeps(self.ema_period))
        true_range = self.atr_period + 1 + candles_to_forget(wilder_keeps(self.atr_period))
        return max(average, true_range) + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return where the close comes back into the channels; series `lower`, `middle` and `upper`."""
        prices = candles.high, candles.low, candles.close
        bands = keltner_channels(*prices, self.ema_period, self.atr_period, self.atr_multiplier)
        return Signals(*reentries(candles.close, bands), series=bands._asdict())

"""Three exponential moving averages falling into line."""

from __future__ import annotations

import numpy as np

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.averages import ema
from vela.indicators.crossing import begins, snap
from vela.strategies.base import TRENDS, Strategy, param
from vela.strategies.memory import candles_to_forget, ema_keeps


class EmaTripleCross(Strategy):
    """Buy when the averages become ordered fast > medium > slow, sell when they become ordered fast < medium < slow.

    Source: the triple crossover method; see John J. Murphy, Technical Analysis of the Financial Markets (1999).
    """

    suits = TRENDS

    fast: int = param(5, low=2, high=50)
    medium: int = param(20, low=5, high=100)
    slow: int = param(50, low=10, high=200)

    @property
    def warmup(self) -> int:
        """The slow average's seed, as many candles as make it vanish, and one: an order begins between two rows."""
        return self.slow + candles_to_forget(ema_keeps(self.slow)) + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return where an order begins; series `fast`, `medium` and `slow`."""
        close = candles.close
        averages = {name: ema(close, getattr(self, name)) for name in ("fast", "medium", "slow")}
        medium, slow = averages["medium"], averages["slow"]
        fast, known = snap(averages["fast"], medium, close), np.isfinite(slow)
        rising, falling = (fast > medium) & (medium > slow), (fast < medium) & (medium < slow)
        return Signals(begins(rising, known), begins(falling, known), series=averages)

    def validate(self) -> None:
        """Refuse averages that are not one slower than the other."""
        if not self.fast < self.medium < self.slow:
            raise StrategyError(
                f"EmaTripleCross.fast was {self.fast}, medium {self.medium} and slow {self.slow}; "
                "accepted: fast below medium below slow"
            )

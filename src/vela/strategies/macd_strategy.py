"""The crossing of the MACD and its signal line."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.crossing import crosses_above, crosses_below, snap
from vela.indicators.momentum import macd
from vela.strategies.base import TRENDS, Strategy, param
from vela.strategies.memory import candles_to_forget, ema_keeps


class MacdStrategy(Strategy):
    """Buy when the MACD crosses its signal line up, sell when it crosses it down.

    Source: Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1979).
    """

    suits = TRENDS

    fast: int = param(12, low=2, high=50)
    slow: int = param(26, low=5, high=200)
    signal: int = param(9, low=2, high=50)

    @property
    def warmup(self) -> int:
        """The seeds, as many candles as make them vanish from average and signal line, and one for the crossing."""
        return self.slow + self.signal + candles_to_forget(ema_keeps(self.slow), ema_keeps(self.signal))

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return the crossings; series `macd` and `signal`."""
        line, signal = macd(candles.close, self.fast, self.slow, self.signal)
        settled = snap(line, signal, candles.close)
        buy, sell = crosses_above(settled, signal), crosses_below(settled, signal)
        return Signals(buy, sell, series={"macd": line, "signal": signal})

    def validate(self) -> None:
        """Refuse a fast average that is not faster."""
        if self.fast >= self.slow:
            raise StrategyError(f"MacdStrategy.fast was {self.fast} and slow {self.slow}; accepted: fast below slow")

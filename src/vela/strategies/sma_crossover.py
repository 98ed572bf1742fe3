"""The crossing of two simple moving averages."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.averages import sma
from vela.indicators.crossing import crosses_above, crosses_below
from vela.strategies.base import TRENDS, Strategy, param


class SmaCrossover(Strategy):
    """Buy when the fast average crosses above the slow one, sell when it crosses below.

    Source: the classic two-average rule; see Brock, Lakonishok and LeBaron, Simple Technical Trading Rules and the
    Stochastic Properties of Stock Returns, Journal of Finance 47 (1992).
    """

    suits = TRENDS

    fast: int = param(10, low=5, high=50)
    slow: int = param(30, low=20, high=200)

    @property
    def warmup(self) -> int:
        """One candle more than the slow average needs: a crossing compares two rows."""
        return self.slow + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return the crossings; series `fast` and `slow`."""
        fast, slow = sma(candles.close, self.fast), sma(candles.close, self.slow)
        return Signals(crosses_above(fast, slow), crosses_below(fast, slow), series={"fast": fast, "slow": slow})

    def validate(self) -> None:
        """Refuse a fast average that is not faster."""
        if self.fast >= self.slow:
            raise StrategyError(f"SmaCrossover.fast was {self.fast} and slow {self.slow}; accepted: fast below slow")

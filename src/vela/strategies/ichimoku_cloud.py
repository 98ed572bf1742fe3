"""The break out of the Ichimoku cloud."""

from __future__ import annotations

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.indicators.crossing import crosses_above, crosses_below
from vela.indicators.ichimoku import DISPLACEMENT, ichimoku
from vela.strategies.base import TRENDS, Strategy, param


class IchimokuCloud(Strategy):
    """Buy when the close crosses the top of the cloud up, sell when it crosses its bottom down.

    The cloud at a candle is the one known 26 candles earlier and drawn ahead to it.
    Source: Goichi Hosoda, Ichimoku Kinko Hyo (1969).
    """

    suits = TRENDS

    tenkan_period: int = param(9, low=3, high=50)
    kijun_period: int = param(26, low=5, high=100)
    senkou_b_period: int = param(52, low=10, high=200)

    @property
    def warmup(self) -> int:
        """What the displaced span B reaches back to, and one candle: a crossing compares two rows."""
        return self.senkou_b_period + DISPLACEMENT + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:  # noqa: ARG002  the same for every symbol
        """Return the breaks; series `tenkan`, `kijun`, `cloud_top` and `cloud_bottom`."""
        close, periods = candles.close, (self.tenkan_period, self.kijun_period, self.senkou_b_period)
        lines = ichimoku(candles.high, candles.low, *periods)
        buy, sell = crosses_above(close, lines.cloud_top), crosses_below(close, lines.cloud_bottom)
        return Signals(buy, sell, series=lines._asdict())

    def validate(self) -> None:
        """Refuse periods that are not one longer than the other."""
        if not self.tenkan_period < self.kijun_period < self.senkou_b_period:
            raise StrategyError(
                f"IchimokuCloud.tenkan_period was {self.tenkan_period}, kijun_period {self.kijun_period} and "
                f"senkou_b_period {self.senkou_b_period}; accepted: tenkan below kijun below senkou_b"
            )

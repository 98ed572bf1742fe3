"""What a backtest is asked for."""

from __future__ import annotations

import msgspec

from vela.domain.errors import ConfigurationError
from vela.engine.rules import TradingRules


class BacktestConfig(msgspec.Struct, frozen=True):
    """The rules, and the window of time.

    Attributes:
        rules: as for paper and live trading.
        allow_short: whether a sell without a position opens a short one.
        start: candles that open earlier are left out, ms UTC; None: from the first.
        end: candles that open at or after it are left out, ms UTC; None: to the last.
        decide_from: what a strategy asks for at candles that open earlier is not done, ms UTC: they only warm it up;
            None: everything is done.
    """

    rules: TradingRules = TradingRules()
    allow_short: bool = False
    start: int | None = None
    end: int | None = None
    decide_from: int | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ConfigurationError(f"from was {self.start} and to {self.end}; accepted: from before to")

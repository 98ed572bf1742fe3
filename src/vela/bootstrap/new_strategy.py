"""A strategy to begin with, and its test, written into the user's directory."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from vela.bootstrap.strategies import DIRECTORY
from vela.domain.errors import ConfigurationError, StrategyError
from vela.strategies.registry import SHIPPED

_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_STRATEGY = '''\
"""NAME: trades breakouts. Change it as you like, then: vela check NAME"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from vela.domain.candles import Candles
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy, param


class NAME(Strategy):
    """Buy when the close rises above the highs before it, sell when it falls below the lows before it."""

    # Parameters: a default and the range in which a search may move it. Try one with: vela check NAME --set entry=30
    entry: int = param(20, low=5, high=100)
    leave: int = param(10, low=5, high=100)

    @property
    def warmup(self) -> int:
        """How many candles the newest row depends on. Live keeps this many, so too few would change its decisions."""
        return max(self.entry, self.leave) + 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        """Answer for all candles at once. Row i may use the candles up to i only: later ones are not known yet."""
        top = before(candles.high, self.entry, np.max)
        bottom = before(candles.low, self.leave, np.min)
        # A comparison with NaN, where there are too few candles, is False: no signal.
        return Signals(
            buy=candles.close > top,
            sell=candles.close < bottom,
            series={"top": top, "bottom": bottom},  # shown in the chart and kept with every decision
        )


def before(values, period, statistic):
    """Return for each row the statistic of the `period` values before it, NaN where there are fewer."""
    result = np.full(len(values), np.nan)
    if len(values) > period:
        result[period:] = statistic(sliding_window_view(values[:-1], period), axis=1)
    return result
'''

_TEST = '''\
"""Run with: pytest"""

from __future__ import annotations

from pathlib import Path

from vela.bootstrap.strategies import load_strategy
from vela.bootstrap.strategy_checks import check_thoroughly, synthetic_candles
from vela.domain.trading_symbol import TradingSymbol

BTC = TradingSymbol("BTC")
STRATEGIES = Path(__file__).resolve().parents[1] / "strategies"


def test_it_neither_knows_the_future_nor_depends_on_where_candles_begin():
    report = check_thoroughly(load_strategy("NAME", directory=STRATEGIES))
    assert [finding.sentence for finding in report.findings] == []


def test_it_buys_and_sells():
    signals = load_strategy("NAME", directory=STRATEGIES).analyze(BTC, synthetic_candles(BTC, 2_000))
    assert signals.buy.any()
    assert signals.sell.any()
'''


def write_strategy(name: str, home: Path = Path()) -> tuple[Path, Path]:
    """Write `strategies/<snake_name>.py` and `tests/test_<snake_name>.py`.

    Args:
        name: of the class, such as `MyBreakout`.
        home: the directory in which both are written.

    Returns:
        The two files' paths.

    Raises:
        StrategyError: the name cannot be used.
        ConfigurationError: a file is there already, or cannot be written.
    """
    _check_name(name)
    module = _WORD.sub("_", name).lower()
    files = {home / DIRECTORY / f"{module}.py": _STRATEGY, home / "tests" / f"test_{module}.py": _TEST}
    for path in files:
        if path.exists() or path.is_symlink():
            raise ConfigurationError(f"{path} is there already; accepted: another name, or moving that file away")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text.replace("NAME", name))
        except OSError as e:
            raise ConfigurationError(f"{path} cannot be written: {e.strerror}; accepted: a writable folder") from None
    strategy, test = files
    return strategy, test


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise StrategyError(
            f"strategy name was {name[:60]!r}; accepted: letters and digits, a capital first, such as MyBreakout"
        )
    if name in SHIPPED or name == "Strategy":
        taken = "is the name of a shipped strategy" if name in SHIPPED else "is the name of what strategies derive from"
        raise StrategyError(f"strategy name {name} {taken}; accepted: another one, such as My{name}")

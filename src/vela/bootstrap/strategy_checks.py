"""Checks of strategies, on candles that suit them: thorough ones when asked for, quick ones before anything trades."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from vela.backtest.bias import QUICK, Effort, Report, check_strategy
from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.synthetic import SyntheticMarket
from vela.strategies.base import Strategy

SEED = 12
MOST_CANDLES = 20_000

_BTC = TradingSymbol("BTC")
_FEWEST = 10_000
_QUICK_FEWEST = 1_500
_LONGEST_WARMUP = 20_000  # beyond it, longer candles show no more
_WINDOWS = 4  # history in warm-ups: windows in the last quarter need room before them
_SLICE_SECONDS = 0.08  # for cuts, and again for windows, in the quick form


def synthetic_candles(symbol: TradingSymbol, count: int) -> Candles:
    """Return candles of the synthetic market, the same every time."""
    return SyntheticMarket(SEED, (symbol,)).candles(0, count)[symbol]


def check_thoroughly(strategy: Strategy, symbol: TradingSymbol = _BTC, candles: Candles | None = None) -> Report:
    """Make all checks.

    Args:
        strategy: with its parameters.
        symbol: whose candles they are.
        candles: the newest 20,000 of them are used (more, if the warm-up is long); None: the synthetic market's.

    Raises:
        StrategyError: the strategy fails on these candles, so that nothing could be checked; the message names the
            user's file and line.
    """
    wanted = _WINDOWS * _warmup(strategy)
    if candles is None:
        candles = synthetic_candles(symbol, max(_FEWEST, wanted))
    else:
        candles = candles.slice(max(0, len(candles) - max(MOST_CANDLES, wanted)), len(candles))
    return _whole(check_strategy(strategy, candles, symbol=symbol))


def require_unbiased(strategies: Mapping[TradingSymbol, Strategy]) -> None:
    """Refuse strategies in which the quick form of the checks finds an error; each is checked once.

    Raises:
        StrategyError: one line that names the finding.
    """
    seen = set()
    for symbol, strategy in strategies.items():
        key = (type(strategy), tuple(strategy.settings.items()))
        if key in seen:
            continue
        seen.add(key)
        report = _whole(_check_quickly(strategy, symbol))
        if report.errors:
            finding = report.errors[0]
            raise StrategyError(
                f"{strategy.name} may not trade: {finding.check.replace('_', '-')}: {finding.sentence}; "
                f"accepted: a strategy that vela check finds nothing in"
            )


def _check_quickly(strategy: Strategy, symbol: TradingSymbol) -> Report:
    candles = synthetic_candles(symbol, max(_QUICK_FEWEST, _WINDOWS * _warmup(strategy)))
    return check_strategy(strategy, candles, symbol=symbol, effort=_affordable(strategy, symbol, candles))


def _affordable(strategy: Strategy, symbol: TradingSymbol, candles: Candles) -> Effort:
    """Return the quick form's effort, less for a slow strategy: a start must not wait."""
    window = candles.slice(0, _warmup(strategy))
    try:
        with np.errstate(all="ignore"):
            whole, part = _seconds(strategy, symbol, candles), _seconds(strategy, symbol, window)
    except Exception:  # noqa: BLE001  the check says what is wrong, and where
        return QUICK
    cuts = min(QUICK.cuts, max(4, int(_SLICE_SECONDS / whole)))
    return Effort(cuts=cuts, work=min(QUICK.work, int(_SLICE_SECONDS / part * len(window))))


def _seconds(strategy: Strategy, symbol: TradingSymbol, candles: Candles) -> float:
    began = perf_counter()
    strategy.analyze(symbol, candles)
    return max(perf_counter() - began, 1e-6)


def _warmup(strategy: Strategy) -> int:
    try:
        warmup: object = strategy.warmup
    except Exception:  # noqa: BLE001  the check says what is wrong, and where
        return 1
    return max(1, min(warmup, _LONGEST_WARMUP)) if isinstance(warmup, int) else 1


def _whole(report: Report) -> Report:
    if not report.checked:
        raise StrategyError(report.findings[0].sentence)
    return report

"""Nanoseconds a candle of the backtest, through the public call, beside a plain C loop in the same run."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import numpy as np
from bench.c_loop import compiled

from vela.backtest import BacktestConfig, backtest
from vela.domain.candles import Candles
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.engine.rules import Stake, TradingRules
from vela.strategies.registry import SHIPPED, create_strategy

CANDLES = 525_600
MANY_SYMBOLS, MANY_CANDLES = 50, 100_000
ROUNDS = 7


def market(seed: int, count: int) -> Candles:
    """Return a random walk of minutes on a grid of cents."""
    chance = np.random.default_rng(seed)
    close = np.round(50_000 * np.exp(np.cumsum(chance.normal(0, 6e-4, count))), 2)
    open_ = np.concatenate(([close[0]], close[:-1]))
    high = np.round(np.maximum(open_, close) * (1 + np.abs(chance.normal(0, 2e-4, count))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(chance.normal(0, 2e-4, count))), 2)
    times = 1_735_689_600_000 + 60_000 * np.arange(count)
    return Candles.from_columns(times, open_, high, low, close, chance.exponential(2.0, count))


def best(work: Callable[[], object]) -> float:
    """Return the shortest of several runs, in seconds, after one that does not count."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def c_loop(candles: Candles) -> tuple[float, int] | None:
    """Return nanoseconds a candle and entries of the C loop, or None where there is no compiler."""
    try:
        run = compiled().crossover
    except FileNotFoundError:
        return None
    equity, entered = np.empty(len(candles)), np.empty(len(candles), dtype=np.int64)
    prices = [column.ctypes.data_as(ctypes.c_void_p) for column in (candles.open, candles.close)]
    numbers = [ctypes.c_int64(len(candles)), 10, 30, *(ctypes.c_double(value) for value in (0.0, 0.0, 1000.0))]
    arguments = [*prices, *numbers, *(column.ctypes.data_as(ctypes.c_void_p) for column in (equity, entered))]
    return 1e9 * best(lambda: run(*arguments)) / len(candles), int(run(*arguments))


def main() -> None:
    candles = market(1, CANDLES)
    # Without costs, or so many trades would leave nothing to trade with.
    rules = TradingRules(
        stake=Stake.from_str("all"),
        stop_loss_ppm=0,
        cooldown_ms=0,
        max_positions=1,
        fee_rate=Decimal(0),
        slippage_ppm=0,
    )
    all_in = BacktestConfig(rules)
    yardstick = c_loop(candles)
    crossover = create_strategy("SmaCrossover")
    ours = 1e9 * best(lambda: backtest(crossover, candles, all_in)) / CANDLES
    entries = len(backtest(crossover, candles, all_in))
    if yardstick is None:
        print("C loop: no compiler here")
    else:
        print(f"{'C loop, crossover all in':<32}{yardstick[0]:>8.1f} ns a candle {yardstick[1]:>8,} entries")
        times = f"{ours / yardstick[0]:.1f} ×"
        print(f"{'the same through backtest()':<32}{ours:>8.1f} ns a candle {entries:>8,} trades, {times}")
    for name in SHIPPED:
        strategy = create_strategy(name)
        alone = 1e9 * best(partial(strategy.analyze, TradingSymbol("BTC"), candles)) / CANDLES
        whole = 1e9 * best(partial(backtest, strategy, candles)) / CANDLES
        print(f"{name:<32}{whole:>8.1f} ns a candle, of which the signals {alone:.1f}")
    bases = [f"Q{chr(65 + index // 26)}{chr(65 + index % 26)}Z" for index in range(MANY_SYMBOLS)]
    many = {symbol: market(seed, MANY_CANDLES) for seed, symbol in enumerate(_symbols(bases))}
    total = MANY_SYMBOLS * MANY_CANDLES
    shared = 1e9 * best(lambda: backtest(crossover, many)) / total
    print(f"{'50 symbols, shared capital':<32}{shared:>8.1f} ns a candle")


def _symbols(bases: list[str]) -> list[TradingSymbol]:
    register_assets(bases)
    return [TradingSymbol(base) for base in bases]


if __name__ == "__main__":
    main()

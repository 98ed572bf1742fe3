"""The plain C loop's sums in Numba: what a patient quant writes who needs nothing but the figure."""

from __future__ import annotations

import numpy as np
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from numba import njit


@njit
def crossover_loop(open_, close, fast, slow, capital, equity, entered):
    cash, held, entries, wish = capital, 0.0, 0, 0
    fast_sum = slow_sum = f0 = s0 = 0.0
    for t in range(len(close)):
        if wish > 0 and held == 0.0:
            held, cash = cash / open_[t], 0.0
            entered[entries] = t
            entries += 1
        elif wish < 0 and held > 0.0:
            cash, held = held * open_[t], 0.0
        fast_sum += close[t] - (close[t - fast] if t >= fast else 0.0)
        slow_sum += close[t] - (close[t - slow] if t >= slow else 0.0)
        f, s = fast_sum / fast, slow_sum / slow
        wish = 0
        if t >= slow:
            wish = int(f > s and f0 <= s0) - int(f < s and f0 >= s0)
        f0, s0 = f, s
        equity[t] = cash + held * close[t]
    return entries


@njit
def reversion_loop(open_, high, low, close, rules, capital, equity, entered):
    period, oversold, overbought, stop_loss, take_profit, stake = rules
    cash, held, entries, wish = capital, 0.0, 0, 0
    stop = target = gain = loss = 0.0
    for t in range(len(close)):
        if wish > 0 and held == 0.0 and cash >= stake:
            cash, held = cash - stake, stake / open_[t]
            stop, target = open_[t] * (1.0 - stop_loss), open_[t] * (1.0 + take_profit)
            entered[entries] = t
            entries += 1
        elif wish < 0 and held > 0.0:
            cash, held = cash + held * open_[t], 0.0
        if held > 0.0 and (low[t] <= stop or high[t] >= target):
            cash += held * (min(open_[t], stop) if low[t] <= stop else max(open_[t], target))
            held = 0.0
        wish = 0
        if t > 0:
            change, keep = close[t] - close[t - 1], 1.0 if t <= period else (period - 1.0) / period
            gain = gain * keep + max(change, 0.0) / period
            loss = loss * keep + max(-change, 0.0) / period
        if t >= period:
            index = 100.0 * gain / (gain + loss)
            wish = int(index < oversold) - int(index > overbought)
        equity[t] = cash + held * close[t]
    return entries


@njit
def shared_loop(open_, close, fast, slow, stake, capital, equity, entered):
    symbols, length = close.shape
    held, fast_sum, slow_sum, f0, s0 = np.zeros((5, symbols))
    wish = np.zeros(symbols, np.int64)
    cash, entries = capital, 0
    for t in range(length):
        for i in range(symbols):
            if wish[i] < 0 and held[i] > 0.0:
                cash += held[i] * open_[i, t]
                held[i] = 0.0
        value = 0.0
        for i in range(symbols):
            if wish[i] > 0 and held[i] == 0.0 and cash >= stake:
                held[i] = stake / open_[i, t]
                cash -= stake
                entered[entries] = i * length + t
                entries += 1
            fast_sum[i] += close[i, t] - (close[i, t - fast] if t >= fast else 0.0)
            slow_sum[i] += close[i, t] - (close[i, t - slow] if t >= slow else 0.0)
            f, s = fast_sum[i] / fast, slow_sum[i] / slow
            wish[i] = int(f > s and f0[i] <= s0[i]) - int(f < s and f0[i] >= s0[i]) if t >= slow else 0
            f0[i], s0[i] = f, s
            value += held[i] * close[i, t]
        equity[t] = cash + value
    return entries


def answering(loop, market: Market, *arguments) -> Run:
    equity, entered = np.empty(market.length), np.empty(market.open.size // 2 + 1, dtype=np.int64)

    def run() -> Answer:
        count = loop(*arguments, work.CAPITAL, equity, entered)
        return Answer(float(equity[-1]), entered[:count].copy)

    return run


def crossover(market: Market) -> Run:
    return answering(crossover_loop, market, market.open, market.close, work.FAST, work.SLOW)


def reversion(market: Market) -> Run:
    levels = (work.OVERSOLD, work.OVERBOUGHT, work.STOP_LOSS, work.TAKE_PROFIT, work.STAKE)
    prices = (market.open, market.high, market.low, market.close)
    return answering(reversion_loop, market, *prices, (work.PERIOD, *levels))


def shared(market: Market) -> Run:
    rules = (work.FAST, work.SLOW, work.STAKE)
    return answering(shared_loop, market, market.open, market.close, *rules)


if __name__ == "__main__":
    work.main("numba", {"crossover": crossover, "reversion": reversion, "shared": shared})

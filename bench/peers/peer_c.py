"""The plain C loop."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_double, c_int, c_int64, c_void_p

import numpy as np
from bench.c_loop import compiled
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from numpy.typing import NDArray


def pointer(column: NDArray[np.generic]) -> c_void_p:
    return column.ctypes.data_as(c_void_p)


def answering(name: str, market: Market, columns: str, numbers: list[object]) -> Run:
    function: Callable[..., int] = getattr(compiled(), name)
    prices = [pointer(getattr(market, column)) for column in columns.split()]
    equity, entered = np.empty(market.length), np.empty(market.open.size // 2 + 1, dtype=np.int64)

    def run() -> Answer:
        count = function(*prices, c_int64(market.length), *numbers, pointer(equity), pointer(entered))
        return Answer(float(equity[-1]), entered[:count].copy)

    return run


def crossover(market: Market) -> Run:
    numbers = [c_int(work.FAST), c_int(work.SLOW), c_double(0), c_double(0), c_double(work.CAPITAL)]
    return answering("crossover", market, "open close", numbers)


def reversion(market: Market) -> Run:
    levels = (work.OVERSOLD, work.OVERBOUGHT, work.STOP_LOSS, work.TAKE_PROFIT, work.STAKE, work.CAPITAL)
    return answering("reversion", market, "open high low close", [c_int(work.PERIOD), *map(c_double, levels)])


def shared(market: Market) -> Run:
    numbers = [c_int(market.symbols), c_int(work.FAST), c_int(work.SLOW)]
    money = map(c_double, (work.STAKE, work.CAPITAL))
    return answering("shared", market, "open close", [*numbers, *money])


if __name__ == "__main__":
    work.main("", {"crossover": crossover, "reversion": reversion, "shared": shared})

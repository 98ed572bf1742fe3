"""vectorbt: signals and simulation over whole arrays, compiled with Numba."""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from bench.peers import work
from bench.peers.work import Answer, Market, Run

RSI = vbt.IndicatorFactory.from_talib("RSI")  # its own RSI smooths otherwise than Wilder's


def table(market: Market, column: str):
    values = getattr(market, column)
    index = pd.to_datetime(market.open_time, unit="ms")  # without a zone: with one, every step copies it as objects
    return pd.Series(values, index) if values.ndim == 1 else pd.DataFrame(values.T, index)


def simulated(market: Market, signals, close, open_, **options) -> Answer:
    """Fill at the next open what was decided at a close."""
    entries, exits = signals
    portfolio = vbt.Portfolio.from_signals(
        close,
        entries.vbt.signals.fshift(1),
        exits.vbt.signals.fshift(1),
        price=open_,
        init_cash=work.CAPITAL,
        freq="1min",
        **options,
    )
    return Answer(float(portfolio.final_value()), lambda: opened(portfolio.orders.records_arr, market))


def opened(orders, market: Market):
    buys = orders[orders["side"] == 0]
    return buys["col"] * market.length + buys["idx"]


def crossings(close):
    fast, slow = vbt.MA.run(close, work.FAST), vbt.MA.run(close, work.SLOW)
    crossed = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
    for signals in crossed:
        if signals.ndim == 2:  # named by the windows too, which differ
            signals.columns = close.columns
    return crossed


def crossover(market: Market) -> Run:
    close, open_ = table(market, "close"), table(market, "open")
    return lambda: simulated(market, crossings(close), close, open_)


def reversion(market: Market) -> Run:
    open_, high, low, close = (table(market, name) for name in ("open", "high", "low", "close"))
    options = {
        "open": open_,
        "high": high,
        "low": low,
        "size": work.STAKE,
        "size_type": "value",
        "sl_stop": work.STOP_LOSS,
        "tp_stop": work.TAKE_PROFIT,
        "stop_entry_price": "fillprice",
    }

    def run() -> Answer:
        index = RSI.run(close, timeperiod=work.PERIOD).real
        index.name = close.name
        return simulated(market, (index < work.OVERSOLD, index > work.OVERBOUGHT), close, open_, **options)

    return run


def shared(market: Market) -> Run:
    close, open_ = table(market, "close"), table(market, "open")
    options = {
        "size": work.STAKE,
        "size_type": "value",
        "allow_partial": False,
        "group_by": np.zeros(market.symbols, dtype=int),
        "cash_sharing": True,
        "call_seq": "auto",  # exits first
    }
    return lambda: simulated(market, crossings(close), close, open_, **options)


if __name__ == "__main__":
    work.main("vectorbt", {"crossover": crossover, "reversion": reversion, "shared": shared})

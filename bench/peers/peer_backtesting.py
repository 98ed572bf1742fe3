"""backtesting.py: indicators over whole arrays, one Python call a candle. It knows one symbol only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import talib
from backtesting import Strategy
from backtesting.lib import FractionalBacktest
from backtesting.lib import crossover as crosses
from bench.peers import work
from bench.peers.work import Answer, Market, Run


class Crossover(Strategy):
    def init(self):
        self.fast = self.I(talib.SMA, self.data.Close, work.FAST)
        self.slow = self.I(talib.SMA, self.data.Close, work.SLOW)

    def next(self):
        if crosses(self.fast, self.slow):
            self.buy()
        elif crosses(self.slow, self.fast):
            self.position.close()


class Reversion(Strategy):
    def init(self):
        self.index = self.I(talib.RSI, self.data.Close, work.PERIOD)

    def next(self):
        if self.index[-1] < work.OVERSOLD and not self.position:
            price = self.data.Close[-1]  # and the next open, in these candles
            levels = {"sl": price * (1 - work.STOP_LOSS), "tp": price * (1 + work.TAKE_PROFIT)}
            self.buy(size=int(work.STAKE / price), **levels)
        elif self.index[-1] > work.OVERBOUGHT:
            self.position.close()


def answering(strategy: type[Strategy], market: Market) -> Run:
    columns = {name.capitalize(): getattr(market, name) for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame(columns, pd.to_datetime(market.open_time, unit="ms"))
    backtest = FractionalBacktest(frame, strategy, cash=work.CAPITAL)

    def run() -> Answer:
        stats = backtest.run()
        return Answer(float(stats["Equity Final [$]"]), lambda: opened(stats))

    return run


def opened(stats):
    still = [trade.entry_bar for trade in stats["_strategy"].trades]
    return np.array([*stats["_trades"]["EntryBar"], *still], dtype=np.int64)


def crossover(market: Market) -> Run:
    return answering(Crossover, market)


def reversion(market: Market) -> Run:
    return answering(Reversion, market)


if __name__ == "__main__":
    work.main("backtesting", {"crossover": crossover, "reversion": reversion})

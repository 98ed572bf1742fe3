"""backtrader: indicators over whole arrays, then one Python call a candle through strategy and broker."""

from __future__ import annotations

import backtrader as bt
import numpy as np
import pandas as pd
from bench.peers import work
from bench.peers.work import Answer, Market, Run


class Recorded(bt.Strategy):
    def __init__(self):
        self.opened = []
        self.places = {data: place for place, data in enumerate(self.datas)}

    def notify_order(self, order):
        if order.isbuy() and order.status == order.Completed:
            self.opened.append((self.places[order.data], len(order.data) - 1))


class Crossover(Recorded):
    def __init__(self):
        super().__init__()
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=work.FAST), bt.ind.SMA(period=work.SLOW))

    def next(self):
        if self.cross[0] > 0 and not self.position:
            self.buy(size=work.ALL * self.broker.getcash() / self.data.close[0])
        elif self.cross[0] < 0 and self.position:
            self.close()


class Reversion(Recorded):
    def __init__(self):
        super().__init__()
        self.index = bt.ind.RSI(period=work.PERIOD)
        self.bracket = []

    def next(self):
        if self.index[0] < work.OVERSOLD and not self.position:
            price = self.data.close[0]  # and the next open, in these candles
            self.bracket = self.buy_bracket(
                size=work.STAKE / price,
                exectype=bt.Order.Market,
                stopprice=price * (1 - work.STOP_LOSS),
                limitprice=price * (1 + work.TAKE_PROFIT),
            )
        elif self.index[0] > work.OVERBOUGHT and self.position:
            self.cancel(self.bracket[1])  # takes the other with it
            self.close()


class Shared(Recorded):
    def __init__(self):
        super().__init__()
        self.crosses = [
            bt.ind.CrossOver(bt.ind.SMA(data, period=work.FAST), bt.ind.SMA(data, period=work.SLOW))
            for data in self.datas
        ]

    def next(self):
        signals = list(zip(self.datas, self.crosses, strict=True))
        for data, cross in signals:
            if cross[0] < 0 and self.getposition(data):
                self.close(data)
        for data, cross in signals:
            if cross[0] > 0 and not self.getposition(data):
                self.buy(data, size=work.STAKE / data.close[0])


def answering(strategy: type[Recorded], markets: list[Market]) -> Run:
    frames = [frame(market) for market in markets]

    def run() -> Answer:
        cerebro = bt.Cerebro(stdstats=False)
        for part in frames:
            cerebro.adddata(bt.feeds.PandasData(dataname=part, timeframe=bt.TimeFrame.Minutes))
        cerebro.addstrategy(strategy)
        cerebro.broker.set_cash(work.CAPITAL)
        (done,) = cerebro.run()
        entries = [place * markets[0].length + row for place, row in done.opened]
        return Answer(cerebro.broker.getvalue(), lambda: np.array(entries, dtype=np.int64))

    return run


def frame(market: Market) -> pd.DataFrame:
    columns = {name: getattr(market, name) for name in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame(columns, pd.to_datetime(market.open_time, unit="ms"))


def crossover(market: Market) -> Run:
    return answering(Crossover, [market])


def reversion(market: Market) -> Run:
    return answering(Reversion, [market])


def shared(market: Market) -> Run:
    return answering(Shared, [market.symbol(number) for number in range(market.symbols)])


if __name__ == "__main__":
    work.main("backtrader", {"crossover": crossover, "reversion": reversion, "shared": shared})

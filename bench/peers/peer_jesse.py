"""Jesse, through its research call: one Python call a candle.

Its orders at the price of now fill at the close; in these candles that is the next open. It looks at its symbols one
after the other, so that it cannot sell in all before it buys in any: no shared capital.
"""

from __future__ import annotations

import numpy as np
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from jesse import indicators as ta
from jesse.research import backtest
from jesse.strategies import Strategy

MEMORY = 400  # candles after which nothing is left of where Wilder's average began; all of them would take hours
VENUE, SYMBOL = "Binance Perpetual Futures", "BTC-USDT"
CONFIG = {
    "starting_balance": work.CAPITAL,
    "fee": 0,
    "type": "futures",  # on its spot venue, stop and target cannot rest while the position is closed
    "futures_leverage": 1,
    "futures_leverage_mode": "cross",
    "exchange": VENUE,
    "warm_up_candles": 0,
}


class Recorded(Strategy):
    opened: list[int]

    def on_open_position(self, order) -> None:
        Recorded.opened.append(int(self.time))


class Crossover(Recorded):
    @property
    def wish(self) -> int:
        if self.index < work.SLOW:
            return 0
        fast, slow = (
            ta.sma(self.candles[-work.SLOW - 1 :], length, sequential=True) for length in (work.FAST, work.SLOW)
        )
        return int(fast[-1] > slow[-1] and fast[-2] <= slow[-2]) - int(fast[-1] < slow[-1] and fast[-2] >= slow[-2])

    def should_long(self) -> bool:
        return self.wish > 0

    def go_long(self) -> None:
        self.buy = work.ALL * self.balance / self.price, self.price

    def update_position(self) -> None:
        if self.wish < 0:
            self.liquidate()


class Reversion(Recorded):
    @property
    def level(self) -> float:
        return ta.rsi(self.candles[-MEMORY:], work.PERIOD) if self.index >= work.PERIOD else np.nan

    def should_long(self) -> bool:
        return self.level < work.OVERSOLD

    def go_long(self) -> None:
        self.buy = work.STAKE / self.price, self.price

    def on_open_position(self, order) -> None:
        super().on_open_position(order)
        self.stop_loss = self.position.qty, self.position.entry_price * (1 - work.STOP_LOSS)
        self.take_profit = self.position.qty, self.position.entry_price * (1 + work.TAKE_PROFIT)

    def update_position(self) -> None:
        if self.level > work.OVERBOUGHT:
            self.liquidate()


def answering(strategy: type[Recorded], market: Market) -> Run:
    columns = (market.open_time, market.open, market.close, market.high, market.low, market.volume)
    candles = {
        f"{VENUE}-{SYMBOL}": {"exchange": VENUE, "symbol": SYMBOL, "candles": np.column_stack(columns).astype(float)}
    }
    routes = [{"exchange": VENUE, "strategy": strategy, "symbol": SYMBOL, "timeframe": "1m"}]

    def run() -> Answer:
        Recorded.opened = []
        result = backtest(CONFIG, routes, [], candles, fast_mode=True)
        opened = np.array(Recorded.opened, dtype=np.int64)
        rows = market.rows(opened)
        # What was sent at the last close is left out: no open followed at which it could be filled.
        return Answer(float(result["metrics"]["finishing_balance"]), lambda: rows[rows < market.length])

    return run


def crossover(market: Market) -> Run:
    return answering(Crossover, market)


def reversion(market: Market) -> Run:
    return answering(Reversion, market)


if __name__ == "__main__":
    work.main("jesse", {"crossover": crossover, "reversion": reversion})

"""NautilusTrader: events through a core in Rust and Cython, the strategy in Python.

Its market orders fill at the close at which they are sent; in these candles that is the next open.
Fifty symbols on one account it trades alike, but the more was filled before, the longer a fill takes: hours for all.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import MovingAverageType, RelativeStrengthIndex, SimpleMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
PLENTY = 1e6
"""Volume of every candle: as much as is asked for can be had, as in the other tools."""


def instrument() -> CurrencyPair:
    """Four decimals, so that stop and target need no rounding."""
    symbol = Symbol("BTCUSDT")
    return CurrencyPair(
        InstrumentId(symbol, VENUE),
        raw_symbol=symbol,
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=4,
        size_precision=8,
        price_increment=Price.from_str("0.0001"),
        size_increment=Quantity.from_str("0.00000001"),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
    )


PAIR = instrument()
BARS = BarType.from_str(f"{PAIR.id}-1-MINUTE-LAST-EXTERNAL")


def bars(market: Market) -> list[Bar]:
    plenty = Quantity(PLENTY, 8)
    closed = (1_000_000 * (market.open_time + work.MINUTE_MS)).tolist()
    prices = zip(*(column.tolist() for column in market[1:5]), strict=True)
    return [
        Bar(BARS, *(Price(price, 4) for price in row), plenty, moment, moment)
        for row, moment in zip(prices, closed, strict=True)
    ]


class Recorded(Strategy):
    """Keeps when positions were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[int] = []

    def on_position_opened(self, event) -> None:
        self.opened.append(event.ts_event // 1_000_000)


class Crossover(Recorded):
    def on_start(self) -> None:
        self.fast, self.slow = SimpleMovingAverage(work.FAST), SimpleMovingAverage(work.SLOW)
        self.above: bool | None = None
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow.initialized:
            return
        before, self.above = self.above, self.fast.value > self.slow.value
        if before is False and self.above and self.portfolio.is_flat(PAIR.id):
            free = self.portfolio.account(VENUE).balance_free(USDT).as_double()
            size = PAIR.make_qty(free / bar.close.as_double(), round_down=True)
            self.submit_order(self.order_factory.market(PAIR.id, OrderSide.BUY, size))
        elif before and not self.above:
            self.close_all_positions(PAIR.id)


class Reversion(Recorded):
    def on_start(self) -> None:
        self.index = RelativeStrengthIndex(work.PERIOD, MovingAverageType.WILDER)
        self.register_indicator_for_bars(BARS, self.index)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        index = 100 * self.index.value if self.index.initialized else np.nan
        if index < work.OVERSOLD and self.portfolio.is_flat(PAIR.id):
            self.enter(bar.close.as_double())
        elif index > work.OVERBOUGHT and not self.portfolio.is_flat(PAIR.id):
            self.cancel_all_orders(PAIR.id)
            self.close_all_positions(PAIR.id)

    def enter(self, price: float) -> None:
        orders = self.order_factory.bracket(
            PAIR.id,
            OrderSide.BUY,
            PAIR.make_qty(work.STAKE / price, round_down=True),
            sl_trigger_price=PAIR.make_price(price * (1 - work.STOP_LOSS)),
            tp_price=PAIR.make_price(price * (1 + work.TAKE_PROFIT)),
            tp_post_only=False,
        )
        self.submit_order_list(orders)


def answering(strategy: type[Recorded], market: Market) -> Run:
    data = bars(market)

    def run() -> Answer:
        logging = LoggingConfig(bypass_logging=True)
        engine = BacktestEngine(BacktestEngineConfig(logging=logging, run_analysis=False))
        engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(work.CAPITAL, USDT)])
        engine.add_instrument(PAIR)
        engine.add_data(data, validate=False)
        trader = strategy()
        engine.add_strategy(trader)
        engine.run()
        answer = Answer(equity(trader, market), lambda: rows(trader, market))
        engine.dispose()
        return answer

    return run


def equity(trader: Recorded, market: Market) -> float:
    held = sum(float(position.quantity) for position in trader.cache.positions_open())
    return trader.portfolio.account(VENUE).balance_total(USDT).as_double() + held * float(market.close[-1])


def rows(trader: Recorded, market: Market):
    """Leave out what was sent at the last close: no open followed at which it could be filled."""
    found = market.rows(np.array(trader.opened, dtype=np.int64))
    return found[found < market.length]


def crossover(market: Market) -> Run:
    return answering(Crossover, market)


def reversion(market: Market) -> Run:
    return answering(Reversion, market)


if __name__ == "__main__":
    work.main("nautilus_trader", {"crossover": crossover, "reversion": reversion})

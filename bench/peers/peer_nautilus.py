"""NautilusTrader: events through a core in Rust and Cython, the strategy in Python.

Its market orders fill at the close at which they are sent; in these candles that is the next open.
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


def instrument(number: int) -> CurrencyPair:
    """Four decimals, so that stop and target need no rounding."""
    symbol = Symbol(f"P{number:02}USDT")
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


def bar_type(pair: CurrencyPair) -> BarType:
    return BarType.from_str(f"{pair.id}-1-MINUTE-LAST-EXTERNAL")


PAIR = instrument(0)
BARS = bar_type(PAIR)


def bars(pair: CurrencyPair, market: Market) -> list[Bar]:
    kind, plenty = bar_type(pair), Quantity(PLENTY, 8)
    closed = (1_000_000 * (market.open_time + work.MINUTE_MS)).tolist()
    prices = zip(*(column.tolist() for column in market[1:5]), strict=True)
    return [
        Bar(kind, *(Price(price, 4) for price in row), plenty, moment, moment)
        for row, moment in zip(prices, closed, strict=True)
    ]


class Recorded(Strategy):
    """Keeps where and when positions were opened."""

    def __init__(self, pairs: list[CurrencyPair]) -> None:
        super().__init__()
        self.pairs = pairs
        self.places = {pair.id: place for place, pair in enumerate(pairs)}
        self.opened: list[tuple[int, int]] = []

    def on_position_opened(self, event) -> None:
        self.opened.append((self.places[event.instrument_id], event.ts_event // 1_000_000))

    def free(self) -> float:
        return self.portfolio.account(VENUE).balance_free(USDT).as_double()

    def enter(self, pair: CurrencyPair, money: float, bar: Bar) -> None:
        size = pair.make_qty(money / bar.close.as_double(), round_down=True)
        self.submit_order(self.order_factory.market(pair.id, OrderSide.BUY, size))


class Crossing:
    """Says +1 where the fast average crosses the slow one upwards, −1 where downwards."""

    def __init__(self) -> None:
        self.fast, self.slow = SimpleMovingAverage(work.FAST), SimpleMovingAverage(work.SLOW)
        self.above: bool | None = None

    def update(self, price: float) -> int:
        self.fast.update_raw(price)
        self.slow.update_raw(price)
        if not self.slow.initialized:
            return 0
        before, self.above = self.above, self.fast.value > self.slow.value
        return 0 if before is None else int(self.above) - int(before)


class Reversion(Recorded):
    def on_start(self) -> None:
        self.index = RelativeStrengthIndex(work.PERIOD, MovingAverageType.WILDER)
        self.register_indicator_for_bars(BARS, self.index)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        index = 100 * self.index.value if self.index.initialized else np.nan
        if index < work.OVERSOLD and self.portfolio.is_flat(PAIR.id):
            self.bracket(bar.close.as_double())
        elif index > work.OVERBOUGHT and not self.portfolio.is_flat(PAIR.id):
            self.cancel_all_orders(PAIR.id)
            self.close_all_positions(PAIR.id)

    def bracket(self, price: float) -> None:
        orders = self.order_factory.bracket(
            PAIR.id,
            OrderSide.BUY,
            PAIR.make_qty(work.STAKE / price, round_down=True),
            sl_trigger_price=PAIR.make_price(price * (1 - work.STOP_LOSS)),
            tp_price=PAIR.make_price(price * (1 + work.TAKE_PROFIT)),
            tp_post_only=False,
        )
        self.submit_order_list(orders)


class Shared(Recorded):
    """Waits for the candles of all symbols, which come one after the other, then sells before it buys."""

    def on_start(self) -> None:
        self.crossings = [Crossing() for _ in self.pairs]
        self.wishes: list[tuple[int, int, Bar]] = []
        self.seen = 0
        for pair in self.pairs:
            self.subscribe_bars(bar_type(pair))

    def on_bar(self, bar: Bar) -> None:
        place = self.places[bar.bar_type.instrument_id]
        wish = self.crossings[place].update(bar.close.as_double())
        if wish:
            self.wishes.append((wish, place, bar))
        self.seen += 1
        if self.seen == len(self.pairs):
            self.decide()
            self.wishes, self.seen = [], 0

    def decide(self) -> None:
        for wish, place, bar in sorted(self.wishes, key=lambda one: one[:2]):
            pair = self.pairs[place]
            if wish < 0:
                self.close_all_positions(pair.id)
            elif self.portfolio.is_flat(pair.id) and self.free() >= work.STAKE:
                self.enter(pair, work.STAKE, bar)


def answering(strategy: type[Recorded], markets: list[Market]) -> Run:
    pairs = [instrument(number) for number in range(len(markets))]
    data = [bars(pair, market) for pair, market in zip(pairs, markets, strict=True)]

    def run() -> Answer:
        engine = make_engine(pairs, data)
        trader = strategy(pairs)
        engine.add_strategy(trader)
        engine.run()
        answer = Answer(equity(trader, markets), lambda: entries(trader, markets[0]))
        engine.dispose()
        return answer

    return run


def make_engine(pairs: list[CurrencyPair], data: list[list[Bar]]) -> BacktestEngine:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    # Hedging gives each position an identity of its own: netting appends to one, and slows down with every trade.
    # Without a queue a sale is done when the purchase after it asks for the money.
    cash = [Money(work.CAPITAL, USDT)]
    engine.add_venue(VENUE, OmsType.HEDGING, AccountType.CASH, cash, use_message_queue=False)
    for pair, part in zip(pairs, data, strict=True):
        engine.add_instrument(pair)
        engine.add_data(part, validate=False, sort=False)
    engine.sort_data()
    return engine


def equity(trader: Recorded, markets: list[Market]) -> float:
    value = trader.portfolio.account(VENUE).balance_total(USDT).as_double()
    for position in trader.cache.positions_open():
        value += float(position.quantity) * float(markets[trader.places[position.instrument_id]].close[-1])
    return value


def entries(trader: Recorded, market: Market):
    """Leave out what was sent at the last close: no open followed at which it could be filled."""
    places, times = np.array(trader.opened, dtype=np.int64).T
    rows = market.rows(times)
    return (places * market.length + rows)[rows < market.length]


def reversion(market: Market) -> Run:
    return answering(Reversion, [market])


def shared(market: Market) -> Run:
    return answering(Shared, [market.symbol(number) for number in range(market.symbols)])


if __name__ == "__main__":
    work.main("nautilus_trader", {"reversion": reversion, "shared": shared})

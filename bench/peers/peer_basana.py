"""basana: events, asynchronous, in pure Python and exact decimals.

Its exchange sets the balance aside for every order that rests, so that stop and target cannot rest both: no reversion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import basana as bs
import numpy as np
from basana.backtesting import exchange as venue
from basana.backtesting import liquidity
from bench.peers import work
from bench.peers.work import Answer, Market, Run
from talipp.indicators import SMA  # what its own samples take

QUANTITY_STEP = Decimal("1e-8")
INFO = bs.PairInfo(base_precision=8, quote_precision=8)


def bar_events(pair: bs.Pair, market: Market) -> list[bs.BarEvent]:
    minute = timedelta(minutes=1)
    events = []
    rows = zip(*(column.tolist() for column in (market.open_time, *market[1:])), strict=True)
    for opened, *prices in rows:
        begin = datetime.fromtimestamp(opened / 1000, UTC)
        bar = bs.Bar(begin, pair, *(Decimal(str(price)) for price in prices), minute)
        events.append(bs.BarEvent(begin + minute, bar))
    return events


def quantity(money: Decimal, price: Decimal) -> Decimal:
    return (money / price).quantize(QUANTITY_STEP, ROUND_DOWN)


class Trader:
    """One account, and where it opened positions."""

    def __init__(self, pairs: list[bs.Pair], *, at_once: bool) -> None:
        self.pairs = pairs
        self.opened: list[tuple[int, datetime]] = []
        self.dispatcher = bs.backtesting_dispatcher()
        self.exchange = venue.Exchange(
            self.dispatcher,
            {"USDT": Decimal(str(work.CAPITAL))},
            liquidity_strategy_factory=liquidity.InfiniteLiquidity,
            default_pair_info=INFO,
            immediate_order_processing=at_once,
        )

    async def on_bar(self, event: bs.BarEvent) -> None:
        raise NotImplementedError

    async def held(self, pair: bs.Pair) -> Decimal:
        return (await self.exchange.get_balance(pair.base_symbol)).total

    async def money(self) -> Decimal:
        return (await self.exchange.get_balance("USDT")).available

    async def buy(self, place: int, money: Decimal, event: bs.BarEvent) -> None:
        pair = self.pairs[place]
        await self.exchange.create_market_order(bs.OrderOperation.BUY, pair, quantity(money, event.bar.close))
        self.opened.append((place, event.when))

    async def sell(self, pair: bs.Pair) -> None:
        if held := await self.held(pair):
            await self.exchange.create_market_order(bs.OrderOperation.SELL, pair, held)


class Crossing:
    """Says +1 where the fast average crosses the slow one upwards, −1 where downwards."""

    def __init__(self) -> None:
        self.fast, self.slow = SMA(work.FAST), SMA(work.SLOW)

    def update(self, price: Decimal) -> int:
        self.fast.add(float(price))
        self.slow.add(float(price))
        if len(self.slow) < 2 or self.slow[-2] is None:
            return 0
        before, now = self.fast[-2] > self.slow[-2], self.fast[-1] > self.slow[-1]
        return int(now) - int(before)


class Crossover(Trader):
    def __init__(self, pairs: list[bs.Pair]) -> None:
        super().__init__(pairs, at_once=False)
        self.crossing = Crossing()

    async def on_bar(self, event: bs.BarEvent) -> None:
        wish = self.crossing.update(event.bar.close)
        if wish > 0 and not await self.held(event.bar.pair):
            await self.buy(0, await self.money(), event)
        elif wish < 0:
            await self.sell(event.bar.pair)


class Shared(Trader):
    """Waits for the candles of all symbols, which come one after the other, then sells before it buys."""

    def __init__(self, pairs: list[bs.Pair]) -> None:
        super().__init__(pairs, at_once=True)
        self.crossings = {pair: Crossing() for pair in pairs}
        self.places = {pair: place for place, pair in enumerate(pairs)}
        self.wishes: list[tuple[int, int, bs.BarEvent]] = []
        self.seen = 0

    async def on_bar(self, event: bs.BarEvent) -> None:
        pair = event.bar.pair
        wish = self.crossings[pair].update(event.bar.close)
        if wish:
            self.wishes.append((wish, self.places[pair], event))
        self.seen += 1
        if self.seen == len(self.pairs):
            await self.decide()
            self.wishes, self.seen = [], 0

    async def decide(self) -> None:
        stake = Decimal(str(work.STAKE))
        for wish, place, event in sorted(self.wishes, key=lambda one: one[:2]):
            if wish < 0:
                await self.sell(event.bar.pair)
            elif not await self.held(event.bar.pair) and await self.money() >= stake:
                await self.buy(place, stake, event)


def answering(make: Callable[[list[bs.Pair]], Trader], markets: list[Market]) -> Run:
    pairs = [bs.Pair(f"P{number:02}", "USDT") for number in range(len(markets))]
    events = [bar_events(pair, market) for pair, market in zip(pairs, markets, strict=True)]

    async def trade() -> Answer:
        trader = make(pairs)
        for pair, part in zip(pairs, events, strict=True):
            trader.exchange.add_bar_source(bs.FifoQueueEventSource(events=part))
            trader.exchange.subscribe_to_bar_events(pair, trader.on_bar)
        await trader.dispatcher.run(stop_signals=[])
        return Answer(await equity(trader, markets), lambda: rows(trader, markets[0]))

    return lambda: asyncio.run(trade())


async def equity(trader: Trader, markets: list[Market]) -> float:
    held = [await trader.held(pair) for pair in trader.pairs]
    value = sum(float(part) * market.close[-1] for part, market in zip(held, markets, strict=True))
    return float((await trader.exchange.get_balance("USDT")).total) + float(value)


def rows(trader: Trader, market: Market):
    """Leave out what was sent at the last close: no open followed at which it could be filled."""
    times = [(place, round(when.timestamp() * 1000)) for place, when in trader.opened]
    places, milliseconds = np.array(times, dtype=np.int64).T
    rows = market.rows(milliseconds)
    return (places * market.length + rows)[rows < market.length]


def crossover(market: Market) -> Run:
    return answering(Crossover, [market])


def shared(market: Market) -> Run:
    return answering(Shared, [market.symbol(number) for number in range(market.symbols)])


if __name__ == "__main__":
    work.main("basana", {"crossover": crossover, "shared": shared})

"""The market of a life: prices, candles and signals, drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from tests.faults.seeded.nature import MOODS, PRICES, Nature
from tests.faults.seeded.process import Process
from tests.faults.seeded.venue import QuietVenue
from tests.faults.seeded.virtual_time import VirtualClock

from vela.domain.candles import Candle
from vela.domain.events import CandlesClosed, SignalsRaised, SymbolCandle
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Signal
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_orders import SpotOrder
from vela.venue.still import VOLUME

CANDLE_MS = 5_000
_CENT = Decimal("0.01")
_STRATEGY = "SmaCrossover"


class Market:
    """Moves the venue's prices and tells whoever listens."""

    def __init__(
        self,
        nature: Nature,
        venue: QuietVenue,
        clock: VirtualClock,
        chance: random.Random,
        note: Callable[..., None],
    ) -> None:
        self.listener: Process
        self._nature, self._venue, self._clock, self._chance, self._note = nature, venue, clock, chance, note
        self._symbols = [one.symbol for one in nature.listed]
        self._traded = [one.symbol for one in nature.instruments]
        self._range = {symbol: (PRICES[symbol], PRICES[symbol]) for symbol in self._symbols}
        self._candle = clock.now() // CANDLE_MS
        self._raised: list[Signal] = []
        self._is_calm = False

    def calm(self) -> None:
        """Move gently from now on, on volume enough for everybody, and raise no signals."""
        self._is_calm = True

    def pause(self) -> float:
        """Return the seconds until the next move."""
        return 3.0 if self._is_calm else self._chance.uniform(0.2, 2.0)

    async def step(self, *, is_heard: bool = True) -> None:
        """Move one price and, when a candle is over, close it. `is_heard`: somebody listens."""
        if self._is_calm:
            for symbol in self._symbols:
                await self._move(symbol, self._gentle(symbol), is_heard=is_heard)
        else:
            symbol = self._chance.choice(self._symbols)
            await self._wander(symbol, is_heard=is_heard)
        if self._clock.now() // CANDLE_MS > self._candle:
            await self._close(is_heard=is_heard)

    async def recall(self) -> None:
        """Raise the newest signals again, as they are when the market is taken up a little earlier."""
        if self._raised and self._chance.random() < 0.7:
            await self._raise(self._raised)

    # -------------------------------------------------------------------------------------------------------- prices

    async def _wander(self, symbol: TradingSymbol, *, is_heard: bool) -> None:
        chance, before = self._chance, self._venue.price(symbol)
        resting = [one for one in self._venue.resting(symbol) if _level(one) is not None]
        kind = chance.choice(MOODS[self._nature.mood])
        is_thin = chance.random() < self._nature.odds.thin
        volume = self._thin_volume(symbol, resting) if is_thin else VOLUME
        price = before
        if kind in {"touch", "beyond"} and resting:
            price = _level(chance.choice(resting)) or before
            if kind == "beyond":
                price += _CENT * chance.randint(-30, 30)
        elif kind == "jump":
            price = _cents(before * Decimal(repr(round(1 + chance.choice((-1, 1)) * chance.uniform(0.005, 0.05), 4))))
        else:
            move = chance.uniform(0.001, 0.006) if kind == "rise" else chance.gauss(0, 0.004)
            price = _cents(before * Decimal(repr(round(1 + move, 5))))
        price = min(max(price, PRICES[symbol] / 2), PRICES[symbol] * 2)
        is_heard = is_heard and chance.random() >= self._nature.odds.deaf
        await self._move(symbol, price, jump=kind == "jump", volume=volume, is_heard=is_heard)

    def _thin_volume(self, symbol: TradingSymbol, resting: list[SpotOrder]) -> float:
        wanted = [float(one.open_quantity) for one in resting] or [25 / float(PRICES[symbol])]
        return max(0.001, round(self._chance.uniform(0.1, 1.2) * self._chance.choice(wanted), 5))

    def _gentle(self, symbol: TradingSymbol) -> Decimal:
        return self._venue.price(symbol) + _CENT * self._chance.choice((-1, 0, 1))

    async def _move(
        self,
        symbol: TradingSymbol,
        price: Decimal,
        *,
        jump: bool = False,
        volume: float = VOLUME,
        is_heard: bool = True,
    ) -> None:
        self._note("price", symbol, price, "jump" if jump else "", volume if volume != VOLUME else "")
        low, high = self._range[symbol]
        self._range[symbol] = (min(low, price), max(high, price))
        for message in self._venue.move(symbol, price, jump=jump, volume=volume):
            if is_heard and symbol in self._traded:
                await self.listener.say(message)

    # ------------------------------------------------------------------------------------------------------- candles

    async def _close(self, *, is_heard: bool) -> None:
        opened, self._candle = self._candle * CANDLE_MS, self._clock.now() // CANDLE_MS
        rows = []
        for symbol in self._traded:
            price = self._venue.price(symbol)
            low, high = self._range[symbol]
            candle = Candle(opened, float(price), float(high), float(low), float(price), VOLUME)
            rows.append(SymbolCandle(symbol, candle))
            self._range[symbol] = (price, price)
        raised = [] if self._is_calm else self._signals(opened)
        if not is_heard:
            return
        closed = CandlesClosed(time=self._clock.now(), timeframe=Timeframe.M1, candles=tuple(rows))
        await self.listener.say(closed)
        self._raised = raised or self._raised
        await self._raise(raised)

    def _signals(self, opened: int) -> list[Signal]:
        found = []
        for symbol in self._traded:
            drawn = self._chance.random()
            action = Action.BUY if drawn < 0.45 else Action.SELL if drawn < 0.75 else None
            if action is not None:
                found.append(Signal(symbol, opened, action, _STRATEGY, MarketRegime.SIDEWAYS_RANGE, 1.0))
        return found

    async def _raise(self, signals: list[Signal]) -> None:
        if signals:
            self._note("signals", *(f"{one.action.value} {one.symbol} {one.candle_time}" for one in signals))
            await self.listener.say(SignalsRaised(time=self._clock.now(), signals=tuple(signals)))


def _level(order: SpotOrder) -> Decimal | None:
    return order.request.stop_price or order.request.price


def _cents(price: Decimal) -> Decimal:
    return price.quantize(_CENT)

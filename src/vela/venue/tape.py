"""What the public sees of the market: candles, trades and the day's figures of every symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby, takewhile
from typing import NamedTuple

import msgspec

from vela.domain.candles import Candle, candle_fault
from vela.domain.events import SymbolCandle, Tick
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

_CANDLES_KEPT = 20_000
_TRADES_KEPT = 1000
_DAY_MS = 86_400_000


class PublicTrade(NamedTuple):
    """A trade of the market. `number` from 1; `time` in the market's ms UTC; price in quote, quantity in base."""

    number: int
    price: float
    quantity: float
    time: int
    buyer_is_maker: bool


class Day(NamedTuple):
    """The newest 24 hours: candles merged into one, and what was traded in quote."""

    candle: Candle
    quote_volume: float


class Tape:
    """One symbol's candles and trades. The candle that is forming counts up by what the one before it traded."""

    def __init__(self, instrument: Instrument, timeframe: Timeframe, history: Sequence[Candle]) -> None:
        """Start after `history`, oldest first; candles that cannot be used are left out."""
        self.instrument = instrument
        self.trades: deque[PublicTrade] = deque(maxlen=_TRADES_KEPT)
        self.forming: Candle | None = None
        self._length = timeframe.milliseconds
        self._closed: deque[Candle] = deque(maxlen=_CANDLES_KEPT)
        self._time = 0
        self._count = 0
        for candle in history:
            self.close(candle)

    def measured(self, tick: Tick) -> Tick:
        """Return a tick with the volume of the newest candle in it, which a market that just began does not know."""
        if tick.volume or not self._closed:
            return tick
        return msgspec.structs.replace(tick, volume=self._closed[-1].volume)

    def move(self, tick: Tick, time: int, share: float | None = None) -> tuple[float, list[PublicTrade]]:
        """Take a move.

        Args:
            tick: how the price moved.
            time: the market's, ms UTC.
            share: which part of the newest candle's volume was traded on the way, 0 to 1; None: as much of it as of
                the candle has passed.

        Returns:
            That part, and the trades made up for it. Nothing is traded over a jump.
        """
        opens = time - time % self._length
        if self.forming is None or self.forming.open_time != opens:
            self.forming = Candle(opens, tick.price, tick.price, tick.price, tick.price, 0.0)
            self._time = opens
        passed = min(1.0, (time - self._time) / self._length)
        share = 0.0 if tick.jump else passed if share is None else share
        self._time = max(self._time, time)
        trades = self._trades(tick, share, time)
        before = self.forming
        self.forming = Candle(
            opens,
            before.open,
            max(before.high, tick.high),
            min(before.low, tick.low),
            tick.price,
            before.volume + sum(trade.quantity for trade in trades),
        )
        return share, trades

    def close(self, candle: Candle) -> bool:
        """Take a closed candle as it came; returns whether it can be used and is the next."""
        is_next = not self._closed or candle.open_time > self._closed[-1].open_time
        if not is_next or candle_fault(candle, self._length) is not None:
            return False
        self._closed.append(candle)
        if self.forming is not None and self.forming.open_time <= candle.open_time:
            self.forming = None
        return True

    def candles(self, length: int, *, since: int = 0, until: int | None = None) -> list[Candle]:
        """Return candles of `length` ms (a multiple of the market's) that open from `since` to `until`, oldest first.

        The newest may still be forming.
        """
        chosen = self._newest_first(since - since % length)[::-1]
        merged = [_merged(opens, rows) for opens, rows in groupby(chosen, lambda row: row.open_time // length * length)]
        return [row for row in merged if row.open_time >= since and (until is None or row.open_time <= until)]

    def newest(self, length: int) -> Candle | None:
        """Return the newest candle of `length` ms."""
        last = self.forming or (self._closed[-1] if self._closed else None)
        return None if last is None else self.candles(length, since=last.open_time // length * length)[-1]

    def day(self) -> Day | None:
        """Return the newest 24 hours; None before the first price."""
        last = self.newest(self._length)
        if last is None:
            return None
        rows = self.candles(self._length, since=last.open_time - _DAY_MS + self._length)
        return Day(_merged(rows[0].open_time, rows), sum(map(quote_volume, rows)))

    def _newest_first(self, since: int) -> list[Candle]:
        rows = [] if self.forming is None else [self.forming]
        rows += takewhile(lambda row: row.open_time >= since, reversed(self._closed))
        return rows

    def _trades(self, tick: Tick, share: float, time: int) -> list[PublicTrade]:
        before = self.forming.close if self.forming is not None else tick.price
        prices = [price for price in dict.fromkeys((tick.low, tick.high, tick.price)) if price != before]
        prices = prices or [tick.price]
        steps = int(tick.volume * share / float(self.instrument.step) / len(prices))
        if not steps:
            return []
        quantity = float(self.instrument.quantity(steps))
        made = []
        for price in prices:
            self._count += 1
            made.append(PublicTrade(self._count, price, quantity, time, price < before))
            before = price
        self.trades.extend(made)
        return made


class Tapes:
    """The tapes of all symbols."""

    def __init__(self, tapes: Iterable[Tape], timeframe: Timeframe) -> None:
        """Gather them. `timeframe`: of their candles."""
        self.timeframe = timeframe
        self._tapes = {tape.instrument.symbol: tape for tape in tapes}

    def __getitem__(self, symbol: TradingSymbol) -> Tape:
        return self._tapes[symbol]

    def forming(self) -> tuple[SymbolCandle, ...]:
        """Return the candles that have not closed yet."""
        tapes = self._tapes.items()
        return tuple(SymbolCandle(symbol, tape.forming) for symbol, tape in tapes if tape.forming is not None)

    def close(self, rows: Iterable[SymbolCandle]) -> list[SymbolCandle]:
        """Take closed candles and return those that can be used."""
        return [row for row in rows if self._tapes[row.symbol].close(row.candle)]


def quote_volume(candle: Candle) -> float:
    """Return about what a candle traded in quote: its volume at its average price."""
    return candle.volume * (candle.open + candle.high + candle.low + candle.close) / 4


def _merged(opens: int, rows: Iterable[Candle]) -> Candle:
    parts = [*rows]
    return Candle(
        opens,
        parts[0].open,
        max(row.high for row in parts),
        min(row.low for row in parts),
        parts[-1].close,
        sum(row.volume for row in parts),
    )

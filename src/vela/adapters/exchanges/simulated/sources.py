"""Where simulated candles come from: a model of a market, or recordings in Parquet files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from vela.adapters.exchanges.simulated.recordings import Recording, find_recordings
from vela.domain.candles import Candle
from vela.domain.errors import ConfigurationError
from vela.domain.events import SymbolCandle
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.synthetic import CHUNK, SyntheticMarket

# The start of a candle on the timeframe's grid (ms UTC), and all rows of that candle, symbol by symbol.
Step = tuple[int, tuple[SymbolCandle, ...]]


class CandleSource(Protocol):
    """Candles in order of time, all symbols side by side."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of all candles."""
        ...

    @property
    def start(self) -> int:
        """Open time of the first step, ms UTC."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the content; two sources with the same one yield the same."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading rules of every symbol."""
        ...

    def steps(self, from_time: int | None = None) -> Iterator[Step]:
        """Yield the steps that open at or after `from_time` (ms UTC; None: all), each later than the one before."""
        ...

    def count(self, from_time: int | None = None, until: int | None = None) -> int | None:
        """Return how many steps open at or after `from_time` and before `until`; None: there is no end."""
        ...

    def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """Return the newest `count` candles that closed at or before `before` (ms UTC), oldest first."""
        ...


class SyntheticSource:
    """The candles of a `SyntheticMarket`. The first few hundred are history; steps begin after them."""

    def __init__(self, market: SyntheticMarket, *, history_candles: int = 512) -> None:
        """`history_candles`: how many candles lie before the first step."""
        self._market = market
        self._length = market.timeframe.milliseconds
        self._first = history_candles

    @property
    def timeframe(self) -> Timeframe:
        """See `CandleSource.timeframe`."""
        return self._market.timeframe

    @property
    def start(self) -> int:
        """See `CandleSource.start`."""
        return self._market.start + self._first * self._length

    @property
    def fingerprint(self) -> str:
        """See `CandleSource.fingerprint`."""
        market = self._market
        described = ["synthetic 1", market.seed, [str(s) for s in market.symbols], market.timeframe.value, self.start]
        return hashlib.sha256(json.dumps(described).encode()).hexdigest()

    def instruments(self) -> Sequence[Instrument]:
        """See `CandleSource.instruments`."""
        return self._market.instruments()

    def steps(self, from_time: int | None = None) -> Iterator[Step]:
        """See `CandleSource.steps`."""
        first = self._index(from_time)
        for chunk in self._market.chunks():
            skipped = max(0, first - chunk.first)
            if skipped >= CHUNK:
                continue
            columns = [
                [SymbolCandle(symbol, row) for row in candles.slice(skipped, CHUNK).rows()]
                for symbol, candles in chunk.candles.items()
            ]
            for rows in zip(*columns, strict=True):
                yield rows[0].candle.open_time, rows

    def count(self, from_time: int | None = None, until: int | None = None) -> int | None:
        """See `CandleSource.count`."""
        if until is None:
            return None
        return max(0, self._index(until) - self._index(from_time))

    def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """See `CandleSource.history`."""
        end = (before - self._market.start) // self._length
        first = max(0, end - count)
        return self._market.candles_of(symbol, first, end - first).rows() if end > first else []

    def _index(self, from_time: int | None) -> int:
        """Return the first step that opens at or after `from_time`."""
        behind = 0 if from_time is None else self._market.start - from_time
        return max(self._first, -(behind // self._length))


class RecordingSource:
    """Recorded candles as they lie in their files: duplicates, rows off the grid or out of order included.

    A row off the grid belongs to the step in which it opens, a row that comes too late to the step in which it comes.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        instruments: Mapping[TradingSymbol, Instrument] | None = None,
    ) -> None:
        """Play `recordings`; symbols without an entry in `instruments` get `Instrument.raw`.

        Raises:
            ConfigurationError: no recording, two of one symbol, or not all of one timeframe.
        """
        timeframes = {recording.timeframe for recording in recordings}
        if len(timeframes) != 1:
            found = ", ".join(sorted(timeframe.value for timeframe in timeframes)) or "none"
            raise ConfigurationError(
                f"timeframes of the recordings were {found}; accepted: exactly one for all of them"
            )
        self._recordings = {recording.symbol: recording for recording in recordings}
        if len(self._recordings) != len(recordings):
            raise ConfigurationError("two recordings are of one symbol; accepted: one recording per symbol")
        self._timeframe = timeframes.pop()
        known = instruments or {}
        self._instruments = [known.get(symbol) or Instrument.raw(symbol) for symbol in self._recordings]
        self._opens = np.unique(np.concatenate([recording.steps for recording in recordings]))

    @classmethod
    def from_path(
        cls,
        path: Path | Mapping[TradingSymbol, Path],
        *,
        timeframe: Timeframe | None = None,
        symbols: Sequence[TradingSymbol] | None = None,
        instruments: Mapping[TradingSymbol, Instrument] | None = None,
    ) -> RecordingSource:
        """Open a Parquet file, all files of a directory, or one file per symbol.

        Args:
            path: where the files are; symbol and timeframe follow from their paths and names, see `find_recordings`.
            timeframe: leaves out files of other timeframes.
            symbols: leaves out files of other symbols.
            instruments: trading rules, where they are known.

        Raises:
            CandleError: a file is no usable recording, or none is left.
            ConfigurationError: the files do not share one timeframe.
        """
        return cls(find_recordings(path, timeframe=timeframe, symbols=symbols), instruments)

    @property
    def timeframe(self) -> Timeframe:
        """See `CandleSource.timeframe`."""
        return self._timeframe

    @property
    def start(self) -> int:
        """See `CandleSource.start`."""
        return int(self._opens[0])

    @property
    def fingerprint(self) -> str:
        """See `CandleSource.fingerprint`."""
        digest = hashlib.sha256(self._timeframe.value.encode())
        for symbol in sorted(self._recordings):
            digest.update(f"{symbol} {self._recordings[symbol].sha256()}\n".encode())
        return digest.hexdigest()

    def instruments(self) -> Sequence[Instrument]:
        """See `CandleSource.instruments`."""
        return self._instruments

    def steps(self, from_time: int | None = None) -> Iterator[Step]:
        """See `CandleSource.steps`."""
        players = [_Player(recording, from_time) for recording in self._recordings.values()]
        while players := [player for player in players if player.rows]:
            opens = min(player.opens for player in players)
            rows: list[SymbolCandle] = []
            for player in players:
                if player.opens == opens:
                    rows += player.rows
                    player.advance()
            yield opens, tuple(rows)

    def count(self, from_time: int | None = None, until: int | None = None) -> int | None:
        """See `CandleSource.count`."""
        begin = 0 if from_time is None else int(np.searchsorted(self._opens, from_time))
        end = len(self._opens) if until is None else int(np.searchsorted(self._opens, until))
        return max(0, end - begin)

    def history(self, symbol: TradingSymbol, before: int, count: int) -> Sequence[Candle]:
        """See `CandleSource.history`."""
        return self._recordings[symbol].history(before, count)


class _Player:
    """One recording's rows, gathered into steps. `opens`, `rows`: the step it stands at; no rows: it is over."""

    def __init__(self, recording: Recording, from_time: int | None) -> None:
        self._symbol = recording.symbol
        self._parts = recording.parts(from_time)
        self._items: Iterator[tuple[int, Candle]] = self._read()
        self._next = next(self._items, None)
        self.opens = 0
        self.rows: list[SymbolCandle] = []
        self.advance()

    def advance(self) -> None:
        self.rows = []
        if self._next is None:
            return
        self.opens = self._next[0]
        while self._next is not None and self._next[0] == self.opens:
            self.rows.append(SymbolCandle(self._symbol, self._next[1]))
            self._next = next(self._items, None)

    def _read(self) -> Iterator[tuple[int, Candle]]:
        for steps, candles in self._parts:
            yield from zip(steps.tolist(), candles.rows(), strict=True)

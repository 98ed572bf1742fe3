"""Recorded candles in Parquet files: whose they are, what their columns must be, and their rows, part by part."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vela.adapters.storage.candle_file import (
    ACCEPTED,
    most_common_distance,
    read_open_times,
    read_rows,
    symbol_of,
    timeframe_of,
)
from vela.domain.candles import COLUMNS, Candle, Candles
from vela.domain.errors import CandleError, ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

_PART = 65_536  # rows read at a time


class Recording:
    """A symbol's candles in one file, or in several that follow each other; rows stay in the files' order."""

    def __init__(self, symbol: TradingSymbol, files: Sequence[Path], timeframe: Timeframe | None = None) -> None:
        """Open the files and read their open times.

        Args:
            symbol: what was recorded.
            files: at least one; several are put in the order of their first candle.
            timeframe: length of the candles; None: the most common distance between them.

        Raises:
            CandleError: a file is unreadable, empty, or a column is missing or of the wrong type.
        """
        times = {path: read_open_times(path) for path in files}
        self.symbol = symbol
        self._files = sorted(times, key=lambda path: int(times[path][0]))
        self._open_time = np.concatenate([times[path] for path in self._files])
        self._lengths = [len(times[path]) for path in self._files]
        self.timeframe = timeframe or most_common_distance(self._files[0], self._open_time)
        length = self.timeframe.milliseconds
        self.steps: NDArray[np.int64] = np.maximum.accumulate(self._open_time // length * length)

    def parts(self, from_time: int | None = None) -> Iterator[tuple[NDArray[np.int64], Candles]]:
        """Yield the rows of all steps at or after `from_time` (ms UTC), each part with the steps its rows belong to."""
        start = 0 if from_time is None else int(np.searchsorted(self.steps, from_time))
        while start < len(self.steps):
            stop = min(start + _PART, len(self.steps))
            yield self.steps[start:stop], self._read(start, stop)
            start = stop

    def history(self, before: int, count: int) -> list[Candle]:
        """Return the newest `count` candles that closed at or before `before` (ms UTC), oldest first."""
        rows = np.flatnonzero(self._open_time + self.timeframe.milliseconds <= before)
        rows = rows[np.argsort(self._open_time[rows], kind="stable")][max(0, len(rows) - count) :]
        if not len(rows):
            return []
        first = int(rows.min())
        candles = self._read(first, int(rows.max()) + 1)
        return [candles.row(int(row) - first) for row in rows]

    def sha256(self) -> str:
        """Return the SHA-256 over the files, in their order."""
        digest = hashlib.sha256()
        for path in self._files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def _read(self, start: int, stop: int) -> Candles:
        parts = []
        offset = 0
        for path, length in zip(self._files, self._lengths, strict=True):
            first, last = max(start - offset, 0), min(stop - offset, length)
            if first < last:
                parts.append(read_rows(path, first, last - first))
            offset += length
        if len(parts) == 1:
            return parts[0]
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("open_time", *COLUMNS))
        return Candles.from_columns(*columns)


def find_recordings(
    path: Path | Mapping[TradingSymbol, Path],
    *,
    timeframe: Timeframe | None = None,
    symbols: Sequence[TradingSymbol] | None = None,
) -> list[Recording]:
    """Open the recordings at `path`, one per symbol, sorted by symbol.

    A file's symbol and timeframe follow from `…/<SYMBOL>/<timeframe>.parquet` or from a name that holds them, such as
    `binance_BTCUSDT_1m_2019-11.parquet`; without a timeframe in the name, from the distance between the candles.

    Args:
        path: a file, a directory (searched with everything below it), or one file per symbol.
        timeframe: leaves out files of other timeframes.
        symbols: leaves out files of other symbols.

    Raises:
        CandleError: a file is no usable recording, its symbol cannot be told, or none is left.
        ConfigurationError: the files of a symbol do not share one timeframe.
    """
    if isinstance(path, Path):
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        named = [(symbol_of(file), file) for file in files]
    else:
        named = list(path.items())
    groups: defaultdict[TradingSymbol, list[tuple[Path, Timeframe | None]]] = defaultdict(list)
    for symbol, file in named:
        length = timeframe_of(file)
        if (symbols is None or symbol in symbols) and (timeframe is None or length in {None, timeframe}):
            groups[symbol].append((file, length))
    recordings = [_recording(symbol, groups[symbol]) for symbol in sorted(groups)]
    recordings = [recording for recording in recordings if timeframe in {None, recording.timeframe}]
    if not recordings:
        raise CandleError(f"no recording was found at {path}; {ACCEPTED}")
    return recordings


def _recording(symbol: TradingSymbol, files: Sequence[tuple[Path, Timeframe | None]]) -> Recording:
    lengths = {length for _, length in files}
    if len(lengths) > 1:
        found = ", ".join(sorted(length.value if length else "unnamed" for length in lengths))
        raise ConfigurationError(
            f"recordings of {symbol} have timeframes {found}; accepted: one, or a choice by timeframe"
        )
    return Recording(symbol, [file for file, _ in files], lengths.pop())

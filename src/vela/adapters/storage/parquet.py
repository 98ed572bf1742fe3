"""Candles in Parquet files, one per month: `<root>/<exchange>/<BASE-QUOTE>/<timeframe>/<YYYY-MM>.parquet`."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote as percent_encoded
from urllib.parse import unquote

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from vela.domain.candles import COLUMNS, Candles
from vela.domain.errors import CandleError, StorageError, StorageUnavailable, SymbolError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, restored_symbol
from vela.ports.candle_store import StoredSeries

_SCHEMA = {"open_time": pl.Int64, **dict.fromkeys(COLUMNS, pl.Float64)}
_MONTH = re.compile(r"\d{4}-\d{2}\.parquet")


class ParquetCandleStore:
    """`CandleStore` over a directory.

    A file is replaced as a whole by a rename, so that a reader or a crash meets the old month or the new one. Names are
    percent-encoded where a file system could misread them. Several may read; one at a time may write a series.
    """

    def __init__(self, root: Path) -> None:
        """Keep candles below `root`, which is made by the first write."""
        self._root = root

    def write(self, exchange: str, symbol: TradingSymbol, timeframe: Timeframe, candles: Candles) -> int:
        """Store candles, replacing those of the same open time; all or nothing per file.

        Args:
            exchange: the venue they come from, as in a folder's name.
            symbol: whose they are.
            timeframe: how long each lasts.
            candles: open times strictly ascending.

        Returns:
            How many were new.

        Raises:
            CandleError: the open times do not ascend.
            StorageError: the store cannot be written, or a file in it cannot be read.
        """
        if np.any(np.diff(candles.open_time) <= 0):
            raise CandleError(f"open times of {symbol} do not ascend; accepted: each candle later than the one before")
        folder = self._folder(exchange, symbol, timeframe)
        months = candles.open_time.astype("datetime64[ms]").astype("datetime64[M]")
        new = 0
        for month in np.unique(months):
            start, stop = np.searchsorted(months, month), np.searchsorted(months, month, side="right")
            new += _merge(folder / f"{month}.parquet", _table(candles.slice(int(start), int(stop))))
        return new

    def read(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        *,
        before: int | None = None,
        count: int | None = None,
    ) -> Candles:
        """Return the newest `count` candles that closed at or before `before` (ms UTC), oldest first; possibly none.

        Only the months that hold them are opened.

        Raises:
            StorageError: a file cannot be read.
        """
        wanted = np.inf if count is None else count
        newest_open = None if before is None else before - timeframe.milliseconds
        parts: list[pl.DataFrame] = []
        for path in reversed(_months(self._folder(exchange, symbol, timeframe))):
            if wanted <= 0:
                break
            if newest_open is not None and _start(path) > newest_open:
                continue
            part = _read(path)
            if newest_open is not None:
                part = part.filter(pl.col("open_time") <= newest_open)
            parts.append(part if count is None else part.tail(int(wanted)))
            wanted -= parts[-1].height
        return _candles(pl.concat(reversed(parts)) if parts else pl.DataFrame(schema=_SCHEMA))

    def series(self) -> Sequence[StoredSeries]:
        """List what is stored, by exchange, symbol and timeframe; folders that the store did not make are passed over.

        Raises:
            StorageError: a file cannot be read.
        """
        found = []
        for exchange, symbol, timeframe, folder in self._folders():
            months = _months(folder)
            times = np.concatenate([_read(path)["open_time"].to_numpy() for path in months]) if months else np.array([])
            if len(times):
                first, last = int(times[0]), int(times[-1])
                missing = (last - first) // timeframe.milliseconds + 1 - len(times)
                found.append(StoredSeries(exchange, symbol, timeframe, first, last, len(times), missing))
        return sorted(found, key=lambda series: (series.exchange, series.symbol, series.timeframe.milliseconds))

    def _folder(self, exchange: str, symbol: TradingSymbol, timeframe: Timeframe) -> Path:
        if not exchange:
            raise StorageError("the exchange's name is empty; accepted: a name such as binance")
        pair = f"{_safe(symbol.base)}-{_safe(symbol.quote.value)}"
        return self._root / _safe(exchange) / pair / timeframe.value

    def _folders(self) -> Iterator[tuple[str, TradingSymbol, Timeframe, Path]]:
        for folder in self._root.glob("*/*/*/"):
            exchange, pair, length = folder.relative_to(self._root).parts
            base, _, quote = pair.rpartition("-")
            with suppress(SymbolError, ValueError):
                yield unquote(exchange), restored_symbol(unquote(base), unquote(quote)), Timeframe(length), folder


def _safe(name: str) -> str:
    return percent_encoded(name, safe="").replace(".", "%2E").replace("-", "%2D")


def _months(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if _MONTH.fullmatch(path.name))


def _start(month: Path) -> int:
    return int(np.datetime64(month.stem, "ms").astype(np.int64))


def _table(candles: Candles) -> pl.DataFrame:
    return pl.DataFrame({name: getattr(candles, name) for name in _SCHEMA}, schema=_SCHEMA)


def _candles(table: pl.DataFrame) -> Candles:
    return Candles.from_columns(**{name: table[name].to_numpy() for name in _SCHEMA})


def _read(path: Path) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        raise StorageError(f"{path} cannot be read ({error}); remove it and fetch that month again") from error
    if table.schema != _SCHEMA or table.null_count().sum_horizontal().item():
        raise StorageError(f"{path} holds no candles; accepted: columns {', '.join(_SCHEMA)} without gaps in them")
    return table


def _merge(path: Path, candles: pl.DataFrame) -> int:
    stored = _read(path) if path.exists() else candles.clear()
    merged = pl.concat([stored, candles]).unique("open_time", keep="last").sort("open_time")
    if not merged.equals(stored):
        _replace(path, merged)
    return merged.height - stored.height


def _replace(path: Path, table: pl.DataFrame) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                table.write_parquet(file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)  # mkstemp makes private files
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut as well.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Candles in Parquet files, one per month: `<root>/<exchange>/<BASE-QUOTE>/<timeframe>/<YYYY-MM>.parquet`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote as percent_encoded
from urllib.parse import unquote

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from vela.adapters.storage.month_bucket import MonthBucket, first_line
from vela.adapters.storage.month_files import MonthFiles
from vela.adapters.storage.month_folder import MonthFolder
from vela.domain.candles import COLUMNS, Candles
from vela.domain.checked_candles import all_usable, check_candles
from vela.domain.errors import CandleError, StorageError, SymbolError
from vela.domain.gaps import Gap, find_gaps
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, restored_symbol
from vela.ports.candle_store import StoredSeries, Written

SCHEMA_VERSION = "1"

_SCHEMA = {"open_time": pl.Int64, **dict.fromkeys(COLUMNS, pl.Float64)}
_COLUMNS = "open_time: start, int64, ms UTC; open, high, low, close: quote per base, volume: base, float64"
_LABELLED = "vela.schema"
_IS_ADDRESS = re.compile(r"\w+://").match


class ParquetCandleStore:
    """`CandleStore` over a folder, or over an object store.

    Every file says in its metadata what it holds (`vela.exchange`, `vela.symbol`, …); one that does not is from before
    files did, and will with the next candle of its month. A file is replaced as a whole, so that a reader or a crash
    meets the old month or the new one. Names are percent-encoded where a file system could misread them.
    """

    def __init__(self, root: Path | str) -> None:
        """Keep candles below `root`: a folder, or `s3://BUCKET/FOLDER` or `gs://BUCKET/FOLDER`.

        Raises:
            ConfigurationError: it is an address of another kind.
        """
        self._files: MonthFiles = MonthBucket(str(root)) if _IS_ADDRESS(str(root)) else MonthFolder(Path(root))

    def __str__(self) -> str:
        return str(self._files)

    def write(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        candles: Candles,
        *,
        stored_wins: bool = False,
    ) -> Written:
        """See `CandleStore.write`."""
        _require_usable(symbol, timeframe, candles)
        folder = _folder(exchange, symbol, timeframe)
        if not len(candles):
            return Written(0, 0)
        label = _label(exchange, symbol, timeframe)
        with self._files.alone_in(folder):
            parts = [
                self._merge(f"{folder}/{month}.parquet", table, label, stored_wins=stored_wins)
                for month, table in _by_month(candles)
            ]
        return Written(sum(part.new for part in parts), sum(part.replaced for part in parts))

    def read(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        *,
        since: int | None = None,
        before: int | None = None,
        count: int | None = None,
    ) -> Candles:
        """See `CandleStore.read`."""
        wanted = np.inf if count is None else count
        oldest, newest = _bounds(since, None if before is None else before - timeframe.milliseconds)
        label = _label(exchange, symbol, timeframe)
        parts: list[pl.DataFrame] = []
        for name in reversed(self._months(exchange, symbol, timeframe, oldest, newest)):
            if wanted <= 0:
                break
            part = self._required(name, label).filter(pl.col("open_time").is_between(oldest, newest))
            parts.append(part if count is None else part.tail(int(wanted)))
            wanted -= parts[-1].height
        return _candles(pl.concat(reversed(parts)) if parts else pl.DataFrame(schema=_SCHEMA))

    def gaps(
        self,
        exchange: str,
        symbol: TradingSymbol,
        timeframe: Timeframe,
        start: int | None = None,
        end: int | None = None,
    ) -> Sequence[Gap]:
        """See `CandleStore.gaps`."""
        oldest, newest = _bounds(start, None if end is None else end - 1)
        names = self._months(exchange, symbol, timeframe, oldest, newest)
        times = self._open_times(names, _label(exchange, symbol, timeframe))
        return find_gaps(times, timeframe.milliseconds, start, end)

    def series(self) -> Sequence[StoredSeries]:
        """See `CandleStore.series`. Folders that the store did not make are passed over."""
        found = []
        for exchange, symbol, timeframe, folder in self._folders():
            names = self._files.names(folder)
            times = self._open_times(names, _label(exchange, symbol, timeframe))
            if len(times):
                first, last = int(times[0]), int(times[-1])
                missing = (last - first) // timeframe.milliseconds + 1 - len(times)
                size = self._size(names)
                found.append(StoredSeries(exchange, symbol, timeframe, first, last, len(times), missing, size))
        return sorted(found, key=lambda series: (series.exchange, series.symbol, series.timeframe.milliseconds))

    # -------------------------------------------------------------------------------------------------- its files

    def _folders(self) -> Iterator[tuple[str, TradingSymbol, Timeframe, str]]:
        for folder in self._files.folders():
            exchange, pair, length = folder.split("/")
            base, _, quote = pair.rpartition("-")
            with suppress(SymbolError, ValueError):
                yield unquote(exchange), restored_symbol(unquote(base), unquote(quote)), Timeframe(length), folder

    def _months(
        self, exchange: str, symbol: TradingSymbol, timeframe: Timeframe, oldest: int, newest: int
    ) -> list[str]:
        names = self._files.names(_folder(exchange, symbol, timeframe))
        return [name for name in names if _start(name) <= newest and _start(name, 1) > oldest]

    def _size(self, names: Sequence[str]) -> int | None:
        sizes = [size for size in map(self._files.size, names) if size is not None]
        return sum(sizes) if len(sizes) == len(names) else None

    def _open_times(self, names: Sequence[str], label: Mapping[str, str]) -> NDArray[np.int64]:
        times = [self._required(name, label, ["open_time"])["open_time"].to_numpy() for name in names]
        return np.concatenate(times) if times else np.zeros(0, np.int64)

    def _required(self, name: str, label: Mapping[str, str], columns: list[str] | None = None) -> pl.DataFrame:
        table, _ = self._read(name, label, columns)
        return pl.DataFrame(schema=_SCHEMA) if table is None else table

    def _read(
        self, name: str, label: Mapping[str, str], columns: list[str] | None = None
    ) -> tuple[pl.DataFrame | None, bool]:
        """Return the file's candles, None if there is no file, and whether it says what it holds."""
        address = self._files.address(name)
        try:
            file = self._files.read(name, columns)
        except PolarsError as error:
            raise StorageError(
                f"{address} cannot be read ({first_line(error)}); remove it and fetch that month again"
            ) from error
        if file is None:
            return None, False
        table, found = file
        _require_label(address, found, label)
        expected = {column: _SCHEMA[column] for column in columns or _SCHEMA}
        if table.schema != expected or table.null_count().sum_horizontal().item():
            raise StorageError(
                f"{address} holds no candles; accepted: columns {', '.join(_SCHEMA)} without gaps in them"
            )
        return table, _LABELLED in found

    def _merge(self, name: str, candles: pl.DataFrame, label: Mapping[str, str], *, stored_wins: bool) -> Written:
        found, is_labelled = self._read(name, label)
        stored = candles.clear() if found is None else found
        both = [candles, stored] if stored_wins else [stored, candles]
        merged = pl.concat(both).unique("open_time", keep="last").sort("open_time")
        new = merged.height - stored.height
        kept = merged.join(stored, on=list(_SCHEMA), how="semi").height
        if new or kept < stored.height or not is_labelled:
            self._files.replace(name, merged, label)
        return Written(new, stored.height - kept)


def _label(exchange: str, symbol: TradingSymbol, timeframe: Timeframe) -> dict[str, str]:
    return {
        _LABELLED: SCHEMA_VERSION,
        "vela.exchange": exchange,
        "vela.symbol": symbol.to_ccxt(),
        "vela.timeframe": timeframe.value,
        "vela.columns": _COLUMNS,
    }


def _require_label(address: str, found: Mapping[str, str], label: Mapping[str, str]) -> None:
    if _LABELLED not in found:
        return
    if found[_LABELLED] != SCHEMA_VERSION:
        raise StorageError(
            f"{address} is of version {found[_LABELLED][:20]!r} of the store; "
            f"accepted: {SCHEMA_VERSION}, or a newer Vela"
        )
    for name in ("vela.exchange", "vela.symbol", "vela.timeframe"):
        if found.get(name) != label[name]:
            raise StorageError(
                f"{address} says that its {name.removeprefix('vela.')} is {found.get(name)!r}, not {label[name]!r}; "
                "accepted: each file in its own folder (vela import reads files from anywhere)"
            )


def _require_usable(symbol: TradingSymbol, timeframe: Timeframe, candles: Candles) -> None:
    if all_usable(candles, timeframe.milliseconds):
        return
    if np.any(np.diff(candles.open_time) <= 0):
        raise CandleError(f"open times of {symbol} do not ascend; accepted: each candle later than the one before")
    faults = check_candles(candles, timeframe.milliseconds).faults
    shown = ", ".join(f"{fault} {count}" for fault, count in faults.items())
    raise CandleError(f"candles of {symbol} cannot be stored: {shown}; accepted: usable {timeframe.value} candles")


def _folder(exchange: str, symbol: TradingSymbol, timeframe: Timeframe) -> str:
    if not exchange:
        raise StorageError("the exchange's name is empty; accepted: a name such as binance")
    return f"{_safe(exchange)}/{_safe(symbol.base)}-{_safe(symbol.quote.value)}/{timeframe.value}"


def _safe(name: str) -> str:
    return percent_encoded(name, safe="").replace(".", "%2E").replace("-", "%2D")


def _bounds(oldest: int | None, newest: int | None) -> tuple[int, int]:
    limits = np.iinfo(np.int64)
    return int(limits.min) if oldest is None else oldest, int(limits.max) if newest is None else newest


def _start(name: str, months_later: int = 0) -> int:
    month = np.datetime64(name.rpartition("/")[2].removesuffix(".parquet"), "M") + months_later
    return int(month.astype("datetime64[ms]").astype(np.int64))


def _by_month(candles: Candles) -> Iterator[tuple[str, pl.DataFrame]]:
    months = candles.open_time.astype("datetime64[ms]").astype("datetime64[M]")
    for month in np.unique(months):
        start, stop = np.searchsorted(months, month), np.searchsorted(months, month, side="right")
        part = candles.slice(int(start), int(stop))
        yield str(month), pl.DataFrame({name: getattr(part, name) for name in _SCHEMA}, schema=_SCHEMA)


def _candles(table: pl.DataFrame) -> Candles:
    return Candles.from_columns(**{name: table[name].to_numpy() for name in _SCHEMA})

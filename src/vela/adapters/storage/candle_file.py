"""Candles in one file, Parquet or CSV: what its columns must be, and its rows as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vela.domain.candles import COLUMNS, Candles
from vela.domain.errors import CandleError, ConfigurationError, SymbolError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

ACCEPTED = (
    f"accepted: a Parquet file with open_time (int64, ms UTC) and {', '.join(COLUMNS)} (float64), "
    "or a CSV file with these columns"
)

_KNOWN = frozenset(member.value for member in Timeframe)
_TIMEFRAME = re.compile(r"(?:^|[_-])(\d+[smhd])(?=$|[_-])")


def read_open_times(path: Path) -> NDArray[np.int64]:
    """Return the open times of all rows, in the file's order, after a look at all columns' types.

    Raises:
        CandleError: the file is unreadable or empty, or a column is missing or of the wrong type.
    """
    try:
        schema = _scan(path).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from None
    for name in ("open_time", *COLUMNS):
        if name not in schema:
            raise CandleError(f"{path} has no column {name}; {ACCEPTED}")
        kind = schema[name]
        if not (kind.is_integer() if name == "open_time" else kind.is_numeric()):
            raise CandleError(f"column {name} of {path} is {kind}; {ACCEPTED}")
    times = _collect(path, _scan(path), ["open_time"])["open_time"]
    if times.is_empty():
        raise CandleError(f"{path} is empty; {ACCEPTED}")
    return times.to_numpy()


def read_rows(path: Path, start: int = 0, count: int | None = None) -> Candles:
    """Return `count` rows (None: all that follow) from `start`, unchecked, in the file's order.

    A price that is absent becomes NaN: it is refused with its candle, not with the whole file.

    Raises:
        CandleError: the file is unreadable, or an open time is absent.
    """
    frame = _collect(path, _scan(path).slice(start, count))
    return Candles.from_columns(*(frame[name].to_numpy() for name in ("open_time", *COLUMNS)))


def symbol_of(path: Path) -> TradingSymbol:
    """Tell the symbol by `…/<SYMBOL>/<timeframe>.parquet` or by a name that holds it, such as `binance_BTCUSDT_1m`.

    Raises:
        CandleError: neither names one.
    """
    words = [word for piece in _TIMEFRAME.split(path.stem) for word in piece.split("_")]
    pairs = [f"{left}/{right}" for left, right in pairwise(words)]
    bare: TradingSymbol | None = None
    for text in (*pairs, *words, path.parent.name):
        try:
            symbol = TradingSymbol.from_str(text)
        except SymbolError:
            continue
        # BTCUSDT says more than BTC: English words and exchanges' names may be assets, too.
        if len(text) > len(symbol.base):
            return symbol
        bare = bare or symbol
    if bare is None:
        raise CandleError(f"{path} names no symbol; accepted: <SYMBOL>/<timeframe>.parquet or SYMBOL_1m.parquet")
    return bare


def timeframe_of(path: Path) -> Timeframe | None:
    """Tell the timeframe by the file's name; None where it has none."""
    for text in _TIMEFRAME.findall(path.stem):
        if text in _KNOWN:
            return Timeframe(text)
    return None


def most_common_distance(path: Path, open_time: NDArray[np.int64]) -> Timeframe:
    """Tell the timeframe by the most common distance between candles.

    Raises:
        CandleError: no candle follows another.
        ConfigurationError: no timeframe is that long.
    """
    distances = np.diff(open_time)
    lengths, counts = np.unique(distances[distances > 0], return_counts=True)
    if not len(lengths):
        raise CandleError(f"{path} does not show how long its candles are; accepted: a name such as BTCUSDT_1m.parquet")
    return Timeframe.from_milliseconds(int(lengths[np.argmax(counts)]))


def require_distance(path: Path, open_time: NDArray[np.int64], timeframe: Timeframe | None) -> None:
    """Check that a file holds candles of a timeframe: no finer ones, and not coarser ones throughout.

    Gaps alone, and candles beside the grid, are none of that. Without a timeframe everything is right.

    Raises:
        ConfigurationError: it holds others.
    """
    distances = np.diff(open_time)
    distances = distances[distances > 0]
    if timeframe is None or not len(distances):
        return
    lengths, counts = np.unique(distances, return_counts=True)
    common = int(lengths[np.argmax(counts)])
    if common < timeframe.milliseconds or (len(open_time) > 2 and int(np.gcd.reduce(lengths)) > timeframe.milliseconds):
        raise ConfigurationError(
            f"timeframe was {timeframe.value}, but the candles of {path} are {common / 60_000:g} min apart; "
            "accepted: the file's own timeframe"
        )


def _scan(path: Path) -> pl.LazyFrame:
    if path.suffix.lower() == ".csv":
        return pl.scan_csv(path, infer_schema_length=None, null_values=["", "null", "NULL", "None"])
    return pl.scan_parquet(path)


def _collect(path: Path, rows: pl.LazyFrame, names: Sequence[str] = ("open_time", *COLUMNS)) -> pl.DataFrame:
    times = pl.col("open_time").cast(pl.Int64)
    prices = [pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names if name != "open_time"]
    try:
        frame = rows.select(times, *prices).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from None
    if frame["open_time"].null_count():
        raise CandleError(f"column open_time of {path} has empty rows; {ACCEPTED}")
    return frame


def _unreadable(path: Path, error: Exception) -> CandleError:
    reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return CandleError(f"{path} cannot be read ({reason}); {ACCEPTED}")

"""Candles in Parquet, whoever wrote it."""

from __future__ import annotations

import io

import polars as pl
from polars.exceptions import PolarsError

from vela.adapters.storage.candle_import.rows import FoundRows, columns_of, missing_columns, rows_of
from vela.domain.candles import COLUMNS
from vela.domain.errors import CandleError

ACCEPTED = "accepted: Parquet with columns for a time, open, high, low, close and volume"


def read_table(content: bytes, name: str, base: str) -> FoundRows:
    """Read candles from a table.

    Args:
        content: of the file.
        name: of the file, for errors.
        base: the asset whose volume counts, where volumes are named by asset.

    Raises:
        CandleError: it is no Parquet, is empty, or its columns are not what is accepted.
    """
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except (PolarsError, OSError) as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise CandleError(f"{name} cannot be read ({reason}); {ACCEPTED}") from None
    found = columns_of(table.columns, base)
    if lacking := missing_columns(found):
        raise CandleError(f"{name} has no column {', '.join(lacking)}; {ACCEPTED}")
    if table.is_empty():
        raise CandleError(f"{name} has no rows; {ACCEPTED}")
    prices = {column: table[found[column]].cast(pl.Float64, strict=False) for column in COLUMNS}
    times = _times(table[found["open_time"]], name)
    rows = pl.Series(range(1, table.height + 1), dtype=pl.Int64)
    return rows_of(rows, times, prices, pl.repeat(False, table.height, eager=True))  # noqa: FBT003  a value


def _times(column: pl.Series, name: str) -> pl.Series:
    if column.dtype.is_temporal() and column.dtype != pl.Time and not isinstance(column.dtype, pl.Duration):
        return column.cast(pl.Datetime("us")).dt.epoch("us")
    if column.dtype.is_float():
        whole = pl.select(pl.when(column.is_finite() & (column.floor() == column)).then(column).alias("time"))["time"]
        return whole.cast(pl.Int64, strict=False)
    if column.dtype.is_integer():
        return column.cast(pl.Int64, strict=False)
    raise CandleError(f"column {column.name} of {name} is {column.dtype}; accepted: a time, or a number since 1970")

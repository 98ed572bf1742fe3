"""What the name of a file, or the file itself, says of the candles in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from vela.adapters.storage.candle_file import symbol_of, timeframe_of
from vela.domain.errors import CandleError, SymbolError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

# BTCUSDT-1m-2025-01.zip, ETHBTC-1h-2025-01-31.csv: a month or a day as Binance publishes it.
_BINANCE = re.compile(r"([^\W_]+)-(\d+[a-zA-Z]+)-\d{4}-\d{2}(?:-\d{2})?\.(?:zip|csv|csv\.gz|parquet)")


class Named(NamedTuple):
    """What is known of a file's candles; None: it does not say."""

    exchange: str | None = None
    symbol: TradingSymbol | None = None
    timeframe: Timeframe | None = None


def named_by(path: Path, exchanges: Collection[str]) -> Named:
    """Tell whose candles a file holds: by what it says itself, as files of the candle store do, else by its name.

    Args:
        path: of the file.
        exchanges: names that count as an exchange's where they stand in the path.

    Raises:
        ConfigurationError: the name is an archive's, of a timeframe that there is not.
    """
    own = _label(path) if path.suffix.lower() == ".parquet" else Named()
    if None not in own:
        return own
    archive = _BINANCE.fullmatch(path.name)
    if archive is not None:
        with suppress(SymbolError):
            return Named("binance", TradingSymbol.from_str(archive[1]), Timeframe.from_str(archive[2]))
    symbol = None
    with suppress(CandleError):
        symbol = symbol_of(path)
    words = [*path.parent.parts, *re.split(r"[_-]", path.stem)]
    exchange = next((word.lower() for word in reversed(words) if word.lower() in exchanges), None)
    return Named(exchange, symbol, timeframe_of(path))


def _label(path: Path) -> Named:
    try:
        label = pl.read_parquet_metadata(path)
    except (PolarsError, OSError):
        return Named()  # whoever reads it will say why it cannot be read
    with suppress(KeyError, SymbolError, ValueError):
        symbol = TradingSymbol.from_str(label["vela.symbol"])
        return Named(label["vela.exchange"], symbol, Timeframe(label["vela.timeframe"]))
    return Named()

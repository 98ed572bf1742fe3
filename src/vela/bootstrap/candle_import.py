"""Takes candles from files into the candle store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vela.adapters.exchanges import EXCHANGES
from vela.adapters.storage.candle_file import require_distance
from vela.adapters.storage.candle_import.archive import SUFFIXES, is_importable, read_file
from vela.adapters.storage.candle_import.names import Named, named_by
from vela.adapters.storage.candle_import.rows import FoundRows, Refusal, merged
from vela.domain.candles import COLUMNS, Candles
from vela.domain.checked_candles import check_collected
from vela.domain.errors import CandleError, ConfigurationError, StorageError, StorageUnavailable
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import CandleStore


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and whose candles it holds."""

    path: Path
    exchange: str
    symbol: TradingSymbol
    timeframe: Timeframe


@dataclass(slots=True)
class Imported:
    """What came of a file.

    Attributes:
        source: which.
        rows: how many it has.
        used: how many are candles that can be used.
        new: how many of them were not stored before.
        replaced: how many took the place of others of the same time.
        refused: how many were left out, by reason: `RowFault` or `CandleFault`.
        error: why nothing of it was taken; None: it was.
    """

    source: Source
    rows: int = 0
    used: int = 0
    new: int = 0
    replaced: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)
    error: str | None = None


def find_sources(paths: Sequence[Path], given: Named) -> list[Source]:
    """Find the files, and whose candles they hold, before anything is read.

    Args:
        paths: files and folders; of a folder everything below it that can be read.
        given: what is said of all of them; it goes before what they say themselves.

    Raises:
        ConfigurationError: there is no such path, nothing to read in it, or nobody says whose candles they are.
    """
    return [_source(file, given) for path in paths for file in _files(path)]


def import_file(source: Source, store: CandleStore, now: int, *, stored_wins: bool) -> Imported:
    """Store what can be used of a file, or nothing if the file is none of candles.

    Args:
        source: the file.
        store: where its candles go.
        now: ms UTC; what has not closed is left out.
        stored_wins: which of two candles of the same time stays.

    Raises:
        StorageUnavailable: the store cannot be written now.
    """
    result = Imported(source)
    try:
        parts = read_file(source.path, source.symbol.base)
        candles = _usable(parts, result, now)
        written = store.write(source.exchange, source.symbol, source.timeframe, candles, stored_wins=stored_wins)
    except StorageUnavailable:
        raise
    except (CandleError, ConfigurationError, StorageError) as error:
        result.error = str(error)
        return result
    result.used, result.new, result.replaced = len(candles), written.new, written.replaced
    return result


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file() and is_importable(file))
        if not found:
            raise ConfigurationError(
                f"folder {str(path)[:200]!r} holds no candles; accepted: {', '.join(SUFFIXES)} files"
            )
        yield from found
    elif not path.is_file():
        raise ConfigurationError(f"file {str(path)[:200]!r} does not exist; accepted: a file or folder of candles")
    elif not is_importable(path):
        raise ConfigurationError(f"file {str(path)[:200]!r} cannot be read; accepted: {', '.join(SUFFIXES)} files")
    else:
        yield path


def _source(path: Path, given: Named) -> Source:
    said = Named() if None not in given else named_by(path, EXCHANGES)
    exchange, symbol = given.exchange or said.exchange, given.symbol or said.symbol
    timeframe = given.timeframe or said.timeframe
    if exchange is None:
        raise _unsaid(path, "exchange", "binance")
    if symbol is None:
        raise _unsaid(path, "symbol", "BTCUSDT")
    if timeframe is None:
        raise _unsaid(path, "timeframe", "1m")
    return Source(path, exchange, symbol, timeframe)


def _unsaid(path: Path, what: str, example: str) -> ConfigurationError:
    return ConfigurationError(f"{str(path)[:200]} does not say its {what}; accepted: --{what} {example} beside it")


def _usable(parts: Sequence[FoundRows], result: Imported, now: int) -> Candles:
    timeframe = result.source.timeframe
    columns = ("open_time", *COLUMNS)
    candles = Candles.from_columns(
        *(np.concatenate([getattr(part.candles, name) for part in parts]) for name in columns)
    )
    lines = np.concatenate([part.lines for part in parts])
    require_distance(result.source.path, np.sort(candles.open_time), timeframe)
    checked = check_collected(candles, timeframe.milliseconds, now)
    result.rows = sum(part.count for part in parts)
    for part in parts:
        for reason, refusal in part.refused.items():
            result.refused[reason] = merged(result.refused.get(reason), refusal)
    for reason, count in checked.faults.items():
        first = Refusal(count, int(lines[checked.first_rows[reason]]))
        result.refused[reason] = merged(result.refused.get(reason), first)
    if not len(checked.candles):
        why = ", ".join(f"{reason} {refusal.rows:,}" for reason, refusal in sorted(result.refused.items()))
        raise CandleError(f"{result.source.path}: none of {result.rows:,} rows can be used ({why})")
    return checked.candles

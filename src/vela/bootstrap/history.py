"""Candles of the past for a backtest: from files or the candle store, checked, with an account of what was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vela.adapters.storage.candle_file import (
    ACCEPTED,
    most_common_distance,
    read_open_times,
    read_rows,
    require_distance,
    symbol_of,
    timeframe_of,
)
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.setting_values import LATEST_MS
from vela.bootstrap.settings import BacktestSettings
from vela.domain.candles import COLUMNS, Candles
from vela.domain.checked_candles import CheckedCandles, check_candles
from vela.domain.errors import CandleError, ConfigurationError, SymbolError
from vela.domain.resampling import INCOMPLETE, resample
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import StoredSeries

_NEXT_PAIR = re.compile(r",(?=[^,=]+=)")


@dataclass(frozen=True, slots=True)
class History:
    """The candles of every symbol, all of one timeframe."""

    timeframe: Timeframe
    series: Mapping[TradingSymbol, CheckedCandles]

    @property
    def candles(self) -> dict[TradingSymbol, Candles]:
        """What can be traded on."""
        return {symbol: checked.candles for symbol, checked in self.series.items()}

    def account_of(self, symbol: TradingSymbol) -> dict[str, object]:
        """Return, ready for JSON, how many of a symbol's rows were used, refused and missing."""
        checked = self.series[symbol]
        return {
            "timeframe": self.timeframe.value,
            "rows": checked.rows,
            "used": len(checked.candles),
            "faults": checked.faults,
            "missing": checked.missing,
        }


def load_history(files: Sequence[str], settings: BacktestSettings, *, symbols_given: bool) -> History:
    """Load the candles in the window that the settings name.

    Args:
        files: one `FILE`, several `SYMBOL=FILE`, or none: then the candle store; a timeframe that is not stored is put
            together from a finer one, as far as its candles are whole.
        settings: symbols, timeframe, window and data directory.
        symbols_given: whether the symbols are this command's own, not those of a settings file.

    Raises:
        ConfigurationError: the files, symbols or timeframes do not fit each other.
        CandleError: a file cannot be used, or has no usable candle in the window.
        StorageError: the candle store cannot be read.
    """
    found = _from_files(files, settings, symbols_given=symbols_given) if files else _from_store(settings)
    series: dict[TradingSymbol, CheckedCandles] = {}
    timeframes: dict[TradingSymbol, Timeframe] = {}
    for symbol, timeframe, checked in found:
        if symbol in series:
            raise ConfigurationError(f"candles of {symbol} were given twice; accepted: one file per symbol")
        series[symbol], timeframes[symbol] = checked, timeframe
    if len(set(timeframes.values())) > 1:
        shown = ", ".join(f"{symbol} {timeframe.value}" for symbol, timeframe in timeframes.items())
        raise ConfigurationError(f"the candles have timeframes {shown}; accepted: one for all")
    if len({symbol.quote for symbol in series}) > 1:
        shown = ", ".join(symbol.to_ccxt() for symbol in series)
        raise ConfigurationError(f"the account has one currency, but the symbols are {shown}; accepted: one quote")
    return History(next(iter(timeframes.values())), series)


def load_detail(files: Sequence[str], history: History, settings: BacktestSettings) -> History:
    """Load finer candles of symbols in a history, over the same window.

    Args:
        files: one `FILE`, or several `SYMBOL=FILE`; symbols without one have no detail.
        history: the candles that are traded on.
        settings: the window.

    Raises:
        ConfigurationError: the candles are of other symbols or times, or their timeframe does not divide the
            history's.
        CandleError: a file cannot be used, or has no usable candle in the window.
    """
    symbols = tuple(sorted(history.series))
    wanted = settings.model_copy(update={"symbols": symbols, "timeframe": None})
    try:
        detail = load_history(files, wanted, symbols_given=True)
    except ConfigurationError as e:
        raise ConfigurationError(f"detail candles: {e}") from None
    length, coarse = detail.timeframe.milliseconds, history.timeframe.milliseconds
    if length >= coarse or coarse % length:
        raise ConfigurationError(
            f"detail candles have timeframe {detail.timeframe.value}, the candles {history.timeframe.value}; "
            "accepted: a finer one that divides it"
        )
    for symbol, fine in detail.candles.items():
        _require_overlap(symbol, fine, history.candles[symbol], coarse)
    return detail


def _require_overlap(symbol: TradingSymbol, fine: Candles, candles: Candles, length: int) -> None:
    first, last = int(candles.open_time[0]), int(candles.open_time[-1])
    if fine.open_time[-1] < first or fine.open_time[0] >= last + length:
        raise ConfigurationError(
            f"detail candles of {symbol} lie outside of its candles; accepted: some from {_written(first)} to "
            f"{_written(last + length)}"
        )


_Found = tuple[TradingSymbol, Timeframe, CheckedCandles]


def _from_files(files: Sequence[str], settings: BacktestSettings, *, symbols_given: bool) -> Iterator[_Found]:
    pairs = [_pair(text) for given in files for text in _split(given)]
    chosen = settings.symbols or ()
    if len(pairs) == 1 and pairs[0][0] is None:
        path = pairs[0][1]
        _require_file(path)
        yield _from_file(_only_symbol(path, chosen, given=symbols_given), path, settings)
        return
    for symbol, path in pairs:
        _require_file(path)
        if symbol is None:
            raise ConfigurationError(f"several files are given, {path} without a symbol; accepted: SYMBOL=FILE")
        if symbols_given and symbol not in chosen:
            raise ConfigurationError(
                f"the files hold {symbol}, asked for is {', '.join(map(str, chosen))}; accepted: the same symbols"
            )
        yield _from_file(symbol, path, settings)


def _split(text: str) -> list[str]:
    return [text] if Path(text).is_file() else _NEXT_PAIR.split(text)


def _pair(text: str) -> tuple[TradingSymbol | None, Path]:
    name, equals, path = text.partition("=")
    if not equals or Path(text).is_file():
        return None, Path(text)
    try:
        return TradingSymbol.from_str(name), Path(path)
    except SymbolError:
        if "/" in name:  # a path that holds an equals sign
            return None, Path(text)
        raise


def _only_symbol(path: Path, chosen: Sequence[TradingSymbol], *, given: bool) -> TradingSymbol:
    if given and len(chosen) > 1:
        raise ConfigurationError("one file holds one symbol; accepted: one --symbol, or SYMBOL=FILE for each")
    if given:
        return chosen[0]
    try:
        return symbol_of(path)
    except CandleError:
        if len(chosen) == 1:
            return chosen[0]
        raise ConfigurationError(f"{path} names no symbol; accepted: --symbol BTCUSDT beside it") from None


def _require_file(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ConfigurationError(f"candle file {str(path)[:200]!r} {what}; accepted: a Parquet or CSV file")


def _from_file(symbol: TradingSymbol, path: Path, settings: BacktestSettings) -> _Found:
    times = read_open_times(path)
    if int(times.min()) < 0 or int(times.max()) >= LATEST_MS:
        raise CandleError(
            f"open_time of {path} reaches from {times.min()} to {times.max()}, which is no time in ms UTC; {ACCEPTED}"
        )
    named = settings.timeframe or timeframe_of(path)
    require_distance(path, times, named)
    timeframe = named or most_common_distance(path, times)
    return symbol, timeframe, _in_window(str(path), timeframe, read_rows(path), settings)


def _from_store(settings: BacktestSettings) -> Iterator[_Found]:
    store = ParquetCandleStore(settings.candle_place)
    stored = store.series()
    if not stored:
        raise ConfigurationError(
            f"the candle store {store} is empty; accepted: --candles FILE, another --data-dir, or first vela download"
        )
    for symbol in settings.symbols or sorted({one.symbol for one in stored}):
        one = _choice(symbol, settings.timeframe, stored)
        timeframe = settings.timeframe or one.timeframe
        yield symbol, timeframe, _from_series(store, one, timeframe, settings)


def _from_series(
    store: ParquetCandleStore, one: StoredSeries, timeframe: Timeframe, settings: BacktestSettings
) -> CheckedCandles:
    """Read what opens in the window, of a finer series as well what the last candle is made of."""
    name, length = f"the stored candles of {one.symbol}", timeframe.milliseconds
    start, end = (None if moment is None else _up(moment, length) for moment in (settings.start, settings.end))
    before = None if end is None else end - 1 + one.timeframe.milliseconds
    rows = store.read(one.exchange, one.symbol, one.timeframe, since=start, before=before)
    if not len(rows):
        raise _outside(name, one.first, one.last)
    checked = _checked(name, one.timeframe, rows)
    return checked if timeframe is one.timeframe else _coarser(name, checked, one.timeframe, timeframe)


def _coarser(name: str, fine: CheckedCandles, finer: Timeframe, coarser: Timeframe) -> CheckedCandles:
    made = resample(fine.candles, finer.milliseconds, coarser.milliseconds)
    if not len(made.candles):
        raise CandleError(f"{name}: no {coarser.value} candle is whole; accepted: {finer.value} candles without gaps")
    faults = dict(fine.faults)
    if made.incomplete:
        faults[INCOMPLETE] = made.incomplete
    times = made.candles.open_time
    between = (int(times[-1]) - int(times[0])) // coarser.milliseconds + 1
    return CheckedCandles(made.candles, len(times) + sum(faults.values()), faults, between - len(times))


def _up(moment: int, length: int) -> int:
    return -(-moment // length) * length


def _choice(symbol: TradingSymbol, timeframe: Timeframe | None, stored: Sequence[StoredSeries]) -> StoredSeries:
    fitting = [one for one in stored if one.symbol == symbol and timeframe in {None, one.timeframe}]
    if not fitting and timeframe is not None:
        finer = [one for one in stored if one.symbol == symbol and _divides(one.timeframe, timeframe)]
        coarsest = max((one.timeframe.milliseconds for one in finer), default=0)
        fitting = [one for one in finer if one.timeframe.milliseconds == coarsest]
    if len(fitting) == 1:
        return fitting[0]
    wanted = f"{symbol} {timeframe.value}" if timeframe else f"{symbol}"
    shown = ", ".join(f"{one.symbol} {one.timeframe.value} ({one.exchange})" for one in fitting or stored)
    if fitting:
        raise ConfigurationError(
            f"several series of {wanted} are stored: {shown[:300]}; accepted: --timeframe or --candles FILE to choose"
        )
    raise ConfigurationError(f"no candles of {wanted} are stored; accepted: {shown[:300]}")


def _divides(finer: Timeframe, coarser: Timeframe) -> bool:
    return finer.milliseconds < coarser.milliseconds and coarser.milliseconds % finer.milliseconds == 0


def _in_window(name: str, timeframe: Timeframe, rows: Candles, settings: BacktestSettings) -> CheckedCandles:
    part = _window(rows, settings.start, settings.end)
    if not len(part):
        raise _outside(name, int(rows.open_time.min()), int(rows.open_time.max()))
    return _checked(name, timeframe, part)


def _outside(name: str, first: int, last: int) -> CandleError:
    return CandleError(
        f"{name}: no candle opens between from and to; accepted: a window that overlaps "
        f"{_written(first)} to {_written(last)}"
    )


def _checked(name: str, timeframe: Timeframe, rows: Candles) -> CheckedCandles:
    checked = check_candles(rows, timeframe.milliseconds)
    if not len(checked.candles):
        why = ", ".join(f"{fault} {count:,}" for fault, count in checked.faults.items())
        raise CandleError(f"{name}: none of {checked.rows:,} candles can be used ({why}); {ACCEPTED}")
    return checked


def _window(rows: Candles, start: int | None, end: int | None) -> Candles:
    if start is None and end is None:
        return rows
    times = rows.open_time
    inside = (times >= (start or 0)) & (times < (LATEST_MS if end is None else end))
    if inside.all():
        return rows
    return Candles.from_columns(*(getattr(rows, column)[inside] for column in ("open_time", *COLUMNS)))


def _written(time: int) -> str:
    return f"{np.datetime64(time, 'ms').astype('datetime64[s]')}"

"""Wiring of a backtest: from a user's options to strategy, candles and rules, and from the result to a document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import numba

from vela.backtest import BacktestConfig, BacktestResult, backtest
from vela.backtest.bias.blame import blame
from vela.bootstrap.history import History, load_detail, load_history
from vela.bootstrap.settings import BacktestSettings
from vela.bootstrap.strategies import is_shipped
from vela.domain.errors import ConfigurationError, MoneyError, StrategyError, SymbolError, VelaError
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, exact, plain
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_GRID = ("tick", "step", "min_notional", "min_quantity")
_GRID_ACCEPTED = 'accepted: JSON such as {"BTCUSDT": {"tick": "0.01", "step": "0.00001", "min_notional": "5"}}'

Instruments = Mapping[TradingSymbol, Instrument]


class Stage(StrEnum):
    """What a backtest is at, in words."""

    READING = "reading candles"
    COMPILING = "compiling the rules, this once, and trading"
    TRADING = "trading"
    REPORTING = "reporting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished backtest and what it was fed."""

    result: BacktestResult
    history: History
    detail: History | None
    instruments: Instruments

    def document(self) -> dict[str, object]:
        """Return the result as plain values, with an account of the data beside the summary."""
        values = self.result.as_dict()
        return {"summary": values.pop("summary"), "data": self._data(), **values}

    def _data(self) -> dict[str, object]:
        data: dict[str, object] = {}
        for symbol in sorted(self.history.series):
            data[str(symbol)] = {
                **self.history.account_of(symbol),
                "detail": self.detail.account_of(symbol) if self.detail and symbol in self.detail.series else None,
                "instrument": _described(self.instruments.get(symbol)),
            }
        return data


def encode_document(document: object) -> bytes:
    """Return a result's document as JSON, indented, with a line end; equal documents give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def run_backtest(
    strategy: Strategy,
    settings: BacktestSettings,
    files: Sequence[str],
    *,
    detail_files: Sequence[str] = (),
    symbols_given: bool,
    progress: Callable[[Stage], None] = lambda _: None,
    analysed: Callable[[float], None] = lambda _: None,
    instruments: Instruments | None = None,
) -> Outcome:
    """Load what the settings name and trade it.

    Args:
        strategy: with its parameters.
        settings: rules, symbols, timeframe, window.
        files: see `load_history`.
        detail_files: see `load_detail`.
        symbols_given: see `load_history`.
        progress: told what is done next.
        analysed: told after each symbol what part of them the strategy has analysed, 0 to 1.
        instruments: the venue's rules; None: those of the settings' file.

    Raises:
        VelaError: something given cannot be used; one line that says what and what is accepted.
    """
    config = BacktestConfig(settings.rules, settings.allow_short, settings.start, settings.end)
    known = _read_instruments(settings.instruments) if instruments is None else instruments
    progress(Stage.READING)
    history = load_history(files, settings, symbols_given=symbols_given)
    detail = load_detail(detail_files, history, settings) if detail_files else None
    quote = next(iter(history.series)).quote.value
    config = msgspec.structs.replace(config, rules=msgspec.structs.replace(config.rules, quote=quote))
    used = {symbol: known[symbol] for symbol in history.series if symbol in known}
    progress(Stage.TRADING if _is_compiled() else Stage.COMPILING)
    return Outcome(_traded(strategy, history, detail, config, used, analysed), history, detail, used)


def _is_compiled() -> bool:
    directory: str = numba.config.CACHE_DIR  # type: ignore[attr-defined]  # Numba's settings are made at run time
    return Path(directory).is_dir()


def _traded(
    strategy: Strategy,
    history: History,
    detail: History | None,
    config: BacktestConfig,
    instruments: Instruments,
    analysed: Callable[[float], None],
) -> BacktestResult:
    fine = None if detail is None else detail.candles
    try:
        return backtest(strategy, history.candles, config, instruments=instruments, detail=fine, analysed=analysed)
    except VelaError:
        raise
    except Exception as e:
        if is_shipped(type(strategy)):
            raise
        raise StrategyError(blame(e, inspect.getfile(type(strategy)))) from None


def _read_instruments(file: Path | None) -> Instruments:
    if file is None:
        return {}
    try:
        content = msgspec.json.decode(file.read_bytes())
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as e:
        raise ConfigurationError(f"instruments file {file} cannot be read: {e}; {_GRID_ACCEPTED}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"instruments file {file} holds no table by symbol; {_GRID_ACCEPTED}")
    return dict(read_instrument(name, values) for name, values in content.items())


def read_instrument(name: str, values: Any) -> tuple[TradingSymbol, Instrument]:  # noqa: ANN401  whatever JSON holds
    """Read one symbol's rules from plain values.

    Raises:
        ConfigurationError: the symbol is none, a key is unknown or absent, or a value makes no sense.
    """
    try:
        symbol = TradingSymbol.from_str(name)
    except SymbolError as e:
        raise ConfigurationError(f"instruments: {e}") from None
    if not isinstance(values, dict) or set(values) - set(_GRID) or not {"tick", "step"} <= set(values):
        raise ConfigurationError(f"instruments of {symbol} need tick and step; {_GRID_ACCEPTED}")
    numbers: dict[str, Decimal] = {}
    for key in _GRID:
        value = values.get(key, "0")
        try:
            numbers[key] = exact(repr(value) if isinstance(value, float) else value)
        except MoneyError as e:
            raise ConfigurationError(f"instruments: {key} of {symbol}: {e}") from None
        if not (numbers[key] == ZERO or Decimal("1E-18") <= numbers[key] <= Decimal("1E12")):
            raise ConfigurationError(f"instruments: {key} of {symbol} was {str(value)[:40]}; accepted: 1e-18 to 1e12")
    tick, step, min_notional, min_quantity = (numbers[key] for key in _GRID)
    return symbol, Instrument(symbol, tick, step, min_notional, min_quantity)


def _described(instrument: Instrument | None) -> dict[str, str] | None:
    return None if instrument is None else {key: plain(getattr(instrument, key)) for key in _GRID}

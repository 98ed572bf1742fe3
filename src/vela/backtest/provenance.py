"""From what a result follows, so that anybody can get it again."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping

import msgspec

from vela.domain.candles import COLUMNS, Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy
from vela.version import __version__


class Provenance(msgspec.Struct, frozen=True):
    """Hashes and settings.

    Attributes:
        vela: version of Vela.
        strategy: its name.
        strategy_sha256: of its source file.
        candles_sha256: of the candles used, by symbol.
        detail_sha256: of the detail candles, by symbol.
        params: the strategy's parameters.
        config: the rules and the window, as text.
    """

    vela: str
    strategy: str
    strategy_sha256: str
    candles_sha256: dict[str, str]
    detail_sha256: dict[str, str]
    params: dict[str, int | float]
    config: dict[str, str | int | bool | None]


def candles_sha256(candles: Candles) -> str:
    """Return the SHA-256 over the columns' bytes, little-endian: open_time, open, high, low, close, volume."""
    digest = hashlib.sha256()
    for name in ("open_time", *COLUMNS):
        column = getattr(candles, name)
        digest.update(column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def strategy_sha256(strategy: Strategy) -> str:
    """Return the SHA-256 of the file that defines the strategy; of its name, where there is no file."""
    try:
        source = inspect.getsource(inspect.getmodule(type(strategy)) or type(strategy))
    except (OSError, TypeError):
        source = strategy.name
    return hashlib.sha256(source.encode()).hexdigest()


def provenance(
    strategy: Strategy,
    candles: Mapping[TradingSymbol, Candles],
    detail: Mapping[TradingSymbol, Candles],
    config: dict[str, str | int | bool | None],
) -> Provenance:
    """Gather what the result of a backtest follows from."""
    return Provenance(
        vela=__version__,
        strategy=strategy.name,
        strategy_sha256=strategy_sha256(strategy),
        candles_sha256=_by_symbol(candles),
        detail_sha256=_by_symbol(detail),
        params=strategy.settings,
        config=config,
    )


def _by_symbol(series: Mapping[TradingSymbol, Candles]) -> dict[str, str]:
    return {str(symbol): candles_sha256(series[symbol]) for symbol in sorted(series)}

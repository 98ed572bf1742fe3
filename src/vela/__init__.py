"""Vela: a crypto trading system whose rules are the same in backtest, paper and live."""

from __future__ import annotations

from vela.domain.assets import QuoteCurrency, TradingPair
from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import (
    TradingSymbol,
    get_redis_keys_for_symbols,
    is_valid_trading_symbol,
    normalize_symbol,
    parse_symbol_list,
)
from vela.version import __version__

__all__ = [
    "QuoteCurrency",
    "SymbolError",
    "TradingPair",
    "TradingSymbol",
    "__version__",
    "get_redis_keys_for_symbols",
    "is_valid_trading_symbol",
    "normalize_symbol",
    "parse_symbol_list",
]

"""Symbols as they stand in tables and folder names."""

from __future__ import annotations

from functools import lru_cache

from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import QuoteCurrency, TradingSymbol, register_assets


@lru_cache(maxsize=4096)
def stored_symbol(base: str, quote: str) -> TradingSymbol:
    """Return the symbol that was stored as `base` and `quote`.

    What is stored was a symbol when it was written; the process that reads it may not have seen the market list that
    named the asset, so the asset is registered here.

    Raises:
        SymbolError: these were never the parts of a symbol.
    """
    if quote not in QuoteCurrency.__members__:
        raise SymbolError(f"stored quote {quote[:40]!r} is unknown; accepted: {', '.join(QuoteCurrency)}")
    register_assets([base])
    return TradingSymbol(base, QuoteCurrency(quote))

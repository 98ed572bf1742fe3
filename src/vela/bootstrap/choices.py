"""Which strategy looks at which symbol, and whether that may be traded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from vela.bootstrap.settings import Settings
from vela.bootstrap.strategies import find_strategy, is_shipped, make
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy

_IN_TURN = ("SmaCrossover", "RsiMeanReversion")


def choose_strategies(settings: Settings, symbols: Sequence[TradingSymbol]) -> Mapping[TradingSymbol, Strategy]:
    """Return every symbol's strategy: as set for the symbol, else as set for all, else the two shipped ones in turn.

    In a universe, where symbols come and go, a symbol's turn follows from its name: the others do not change it.

    Raises:
        ConfigurationError: a setting names something that is no symbol in use.
        StrategyError: a strategy is unknown or cannot be used.
    """
    named = {TradingSymbol.from_str(text): name for text, name in settings.strategies.items()}
    for symbol in named:
        if symbol not in symbols and not settings.universe:
            raise ConfigurationError(
                f"setting strategies names {symbol}; accepted: {', '.join(map(str, symbols))}, the symbols in use"
            )
    in_turn = (settings.strategy,) if settings.strategy else _IN_TURN
    turns = map(_turn_of, symbols) if settings.universe else range(len(symbols))
    chosen = {
        symbol: named.get(symbol, in_turn[turn % len(in_turn)]) for symbol, turn in zip(symbols, turns, strict=True)
    }
    classes = {name: find_strategy(name) for name in dict.fromkeys(chosen.values())}
    return {symbol: make(classes[name], {}) for symbol, name in chosen.items()}


def require_trusted_universe(settings: Settings) -> None:
    """Check the strategies that symbols of a universe may get, before it is known which those are.

    Raises:
        StrategyError: one is unknown, cannot be used, or cannot be trusted to trade.
    """
    named = [TradingSymbol.from_str(text) for text in settings.strategies]
    require_trusted(choose_strategies(settings, named))
    if settings.strategy:
        require_trusted({TradingSymbol("BTC"): make(find_strategy(settings.strategy), {})})


def _turn_of(symbol: TradingSymbol) -> int:
    # Other bytes than those that brains share the symbols by: each of them has both strategies.
    return hashlib.sha256(symbol.to_ccxt().encode()).digest()[-1]


def require_trusted(strategies: Mapping[TradingSymbol, Strategy]) -> None:
    """Check the user's own strategies.

    Raises:
        StrategyError: one of them cannot be trusted to trade.
    """
    # Tests vouch for the shipped strategies.
    own = {symbol: strategy for symbol, strategy in strategies.items() if not is_shipped(type(strategy))}
    if own:
        from vela.bootstrap.strategy_checks import require_unbiased  # noqa: PLC0415  brings the backtest's compiler along

        require_unbiased(own)


def require_quote(symbols: Sequence[TradingSymbol], quote: str) -> None:
    """Check that all symbols are quoted in the account's currency.

    Raises:
        ConfigurationError: one is not.
    """
    for symbol in symbols:
        if symbol.quote.value != quote:
            raise ConfigurationError(
                f"symbol {symbol} is quoted in {symbol.quote.value}; "
                f"accepted: symbols in {quote}, the account's currency"
            )

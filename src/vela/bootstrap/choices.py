"""Which strategy looks at which symbol, and whether that may be traded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vela.bootstrap.settings import Settings
from vela.bootstrap.strategies import find_strategy, is_shipped, make
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Strategy


def choose_strategies(settings: Settings, symbols: Sequence[TradingSymbol]) -> Mapping[TradingSymbol, Strategy]:
    """Return every symbol's strategy: as set for the symbol, else as set for all, else the two shipped ones in turn.

    Raises:
        ConfigurationError: a setting names something that is no symbol in use.
        StrategyError: a strategy is unknown or cannot be used.
    """
    named = {TradingSymbol.from_str(text): name for text, name in settings.strategies.items()}
    for symbol in named:
        if symbol not in symbols:
            raise ConfigurationError(
                f"setting strategies names {symbol}; accepted: {', '.join(map(str, symbols))}, the symbols in use"
            )
    in_turn = (settings.strategy,) if settings.strategy else ("SmaCrossover", "RsiMeanReversion")
    chosen = {symbol: named.get(symbol, in_turn[index % len(in_turn)]) for index, symbol in enumerate(symbols)}
    classes = {name: find_strategy(name) for name in dict.fromkeys(chosen.values())}
    return {symbol: make(classes[name], {}) for symbol, name in chosen.items()}


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

"""What an account is traded by: written down, so that a session can be compared with its backtest later."""

from __future__ import annotations

import msgspec

from vela.domain.instrument import Instrument
from vela.engine.rules import TradingRules


class SymbolConfiguration(msgspec.Struct, frozen=True):
    """How one symbol is traded.

    Attributes:
        instrument: the venue's rules for it.
        strategy: where its strategy is found: a name, or `module:Class`.
        params: the strategy's parameters.
    """

    instrument: Instrument
    strategy: str
    params: dict[str, int | float]


class Configuration(msgspec.Struct, frozen=True):
    """How an account is traded from a moment on.

    Attributes:
        since: candles that open at or after this time (ms UTC) are decided on by it.
        rules: the account's.
        symbols: what is traded, in the order of the symbols.
    """

    since: int
    rules: TradingRules
    symbols: tuple[SymbolConfiguration, ...]

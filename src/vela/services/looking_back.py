"""What a service that starts anew learns from the messages that it has handled before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vela.domain.events import Envelope, PricesMoved, Tick
from vela.domain.trading_symbol import TradingSymbol

_Told = tuple[Envelope, Tick]


def standing_prices(handled: Sequence[Envelope]) -> list[Envelope]:
    """Return how prices stood after those messages: each symbol's newest jump, and its newest price if that came later.

    What a price passed through on its way is left out: orders were tested against it when it came.

    Args:
        handled: oldest first; messages of other kinds are passed over.
    """
    jumps: dict[TradingSymbol, _Told] = {}
    newest: dict[TradingSymbol, _Told] = {}
    for envelope in handled:
        for tick in envelope.message.ticks if isinstance(envelope.message, PricesMoved) else ():
            newest[tick.symbol] = envelope, tick
            if tick.jump:
                jumps[tick.symbol] = envelope, tick
    later = [(envelope, _without_way(tick)) for envelope, tick in newest.values() if not tick.jump]
    told = sorted([*jumps.values(), *later], key=lambda one: one[0].message.time)
    return [
        msgspec.structs.replace(envelope, message=PricesMoved(time=envelope.message.time, ticks=(tick,)))
        for envelope, tick in told
    ]


def _without_way(tick: Tick) -> Tick:
    return Tick(tick.symbol, tick.price, tick.price, tick.price, volume=tick.volume)

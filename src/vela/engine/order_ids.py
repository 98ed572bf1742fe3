"""Client order ids: derived from what the order is for, so that the same intent always bears the same id.

BTCUSDT-1700000000000-E     entry on the signal of the candle that opened then
BTCUSDT-1700000060042-S3    stop of the position entered then, third time that orders were planned for it
…-R3 …-T3 …-G3              stop of the rest, target, the group of stop and target
…-X4                        exit
"""

from __future__ import annotations

import hashlib
import re

from vela.domain.trading_symbol import TradingSymbol

LONGEST = 36
"""What every exchange takes; of letters, digits and hyphens."""

_PLAIN = re.compile(r"[A-Z0-9]{1,16}")
_OURS = re.compile(r"[A-Z0-9a-f]{1,16}-[0-9]{1,13}-(E|[XSRT][0-9]+)")


def stem(symbol: TradingSymbol, time: int) -> str:
    """Return what the ids of one entry, or of one position, begin with: at most 30 plain characters.

    Args:
        symbol: what is traded; one with a long name or foreign letters is written as a digest.
        time: ms UTC of the entry's signal, or of the position's first fill.
    """
    name = symbol.to_long()
    if _PLAIN.fullmatch(name) is None:
        name = hashlib.blake2s(name.encode(), digest_size=8).hexdigest()
    return f"{name}-{time}"


def is_ours(client_order_id: str) -> bool:
    """Say whether an id looks as if one of Vela's accounts had made it."""
    return _OURS.fullmatch(client_order_id) is not None

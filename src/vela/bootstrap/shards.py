"""Several brains share the symbols: which of them looks at which."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol

_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Shard:
    """Number `index` of `count`, counted from 1."""

    index: int = 1
    count: int = 1

    def takes(self, symbol: TradingSymbol) -> bool:
        """Say whether the symbol is this one's: the same answer in every process, on every machine, for good."""
        digest = hashlib.sha256(symbol.to_ccxt().encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1

    def member_of(self, family: str) -> str:
        """Return the name under which this one collects and beats."""
        return family if self.count == 1 else f"{family}-{self.index}-of-{self.count}"

    def all_of(self, family: str) -> Sequence[str]:
        """Return the names of all that share the work with this one."""
        return [Shard(index, self.count).member_of(family) for index in range(1, self.count + 1)]


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """Read a shard, such as 1/3.

    Raises:
        ConfigurationError: it is none.
    """
    found = _SHARD.fullmatch(text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.index <= shard.count <= _MOST:
        raise ConfigurationError(f"shard was {text[:40]!r}; accepted: the number of this one and of all, such as 1/3")
    return shard

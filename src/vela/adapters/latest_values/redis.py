"""The newest values in Redis: `price:<symbol>`, `market_regime:<symbol>`, `strategy_config:<symbol>`, `active_symbols`.

Values are JSON, so that any program can read them: `{"time": 1790000000000, "price": 64123.5}`. The keys carry no hash
tag; a cluster spreads them over its nodes, and those of one slot are read together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec
import structlog

from vela.adapters.latest_values.newest import Newest
from vela.adapters.redis.server import RedisServer
from vela.domain.errors import BusError, SymbolError
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, REGIMES, STRATEGIES, Kind, Snapshot, V

ACTIVE: Final = "active_symbols"
"""The key that holds which symbols are in use."""
_encode: Final = msgspec.json.Encoder().encode

_log = structlog.get_logger("vela.latest_values")


class RedisLatestValues:
    """`LatestValues` for services in processes of their own."""

    def __init__(self, server: RedisServer) -> None:
        """`server`: where they lie; whoever made it closes it."""
        self._server = server
        self._newest = Newest()
        self._waiting: dict[str, bytes] = {}
        self._writing: asyncio.Task[None] | None = None
        self._asked: dict[str, tuple[Sequence[TradingSymbol], tuple[str, ...]]] = {}

    async def put(self, kind: Kind[V], values: Mapping[TradingSymbol, V]) -> None:
        """See `LatestValues.put`."""
        news = self._newest.news(kind, values)
        try:
            self._waiting |= {symbol.to_redis_key(kind.prefix): _encode(value) for symbol, value in news.items()}
        except (TypeError, ValueError, msgspec.MsgspecError) as e:
            raise BusError(f"a value of {kind.prefix} cannot be encoded: {e}") from e
        if self._writing is not None:  # what is under way does not hold these
            await asyncio.wait([self._writing])
        if self._writing is None and self._waiting:
            written, self._waiting = self._waiting, {}
            self._writing = asyncio.create_task(self._write(written), name="write latest values")
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def get(self, kind: Kind[V], symbols: Sequence[TradingSymbol]) -> dict[TradingSymbol, V]:
        """See `LatestValues.get`."""
        keys = self._keys(kind.prefix, symbols)
        raw = await self._server.insist(f"cannot read {kind.prefix}", lambda: self._server.read(keys))
        return self._decoded(kind, symbols, keys, raw)

    async def snapshot(self, symbols: Sequence[TradingSymbol]) -> Snapshot:
        """See `LatestValues.snapshot`."""
        prices, regimes, strategies = (self._keys(kind.prefix, symbols) for kind in (PRICES, REGIMES, STRATEGIES))
        keys, count = (*prices, *regimes, *strategies), len(symbols)
        raw = await self._server.insist("cannot read latest values", lambda: self._server.read(keys))
        return Snapshot(
            self._decoded(PRICES, symbols, prices, raw[:count]),
            self._decoded(REGIMES, symbols, regimes, raw[count : 2 * count]),
            self._decoded(STRATEGIES, symbols, strategies, raw[2 * count :]),
        )

    async def put_active(self, symbols: Iterable[TradingSymbol]) -> None:
        """See `LatestValues.put_active`."""
        value = _encode([str(symbol) for symbol in sorted(set(symbols))])
        await self._server.insist(f"cannot write {ACTIVE}", lambda: self._server.write({ACTIVE: value}))

    async def active(self) -> tuple[TradingSymbol, ...]:
        """See `LatestValues.active`."""
        [value] = await self._server.insist(f"cannot read {ACTIVE}", lambda: self._server.read((ACTIVE,)))
        try:
            texts = msgspec.json.decode(value or b"[]", type=list[str])
        except msgspec.MsgspecError as e:
            raise BusError(f"{ACTIVE} is no list of symbols: {e}") from e
        return tuple(sorted(symbol for symbol in map(_known, texts) if symbol is not None))

    def _keys(self, prefix: str, symbols: Sequence[TradingSymbol]) -> tuple[str, ...]:
        asked, keys = self._asked.get(prefix, ((), ()))
        if asked is not symbols:
            keys = tuple(symbol.to_redis_key(prefix) for symbol in symbols)
            if isinstance(symbols, tuple):  # it stays what it is
                self._asked[prefix] = (symbols, keys)
        return keys

    async def _write(self, values: Mapping[str, bytes]) -> None:
        try:
            await self._server.insist("cannot write latest values", lambda: self._server.write(values))
        finally:
            self._writing = None

    def _decoded(
        self, kind: Kind[V], symbols: Sequence[TradingSymbol], keys: Sequence[str], raw: Sequence[bytes | None]
    ) -> dict[TradingSymbol, V]:
        try:
            # One call for all is several times as fast as one for each.
            values = _decoder(kind.type).decode(b"[" + b",".join([one or b"null" for one in raw]) + b"]")
            if len(values) != len(keys):
                raise msgspec.ValidationError("a value is more than one")
        except msgspec.MsgspecError:
            values = [self._readable(kind, key, one) for key, one in zip(keys, raw, strict=True)]
        return {symbol: value for symbol, value in zip(symbols, values, strict=True) if value is not None}

    @staticmethod
    def _readable(kind: Kind[V], key: str, value: bytes | None) -> V | None:
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=kind.type)
        except msgspec.MsgspecError as e:
            _log.warning("a value cannot be read", key=key, error=str(e))
            return None


@lru_cache(maxsize=16)
def _decoder(kind: type[V]) -> msgspec.json.Decoder[list[V | None]]:
    return msgspec.json.Decoder(list[kind | None])  # type: ignore[valid-type]  # a type made at run time


def _known(text: str) -> TradingSymbol | None:
    try:
        return TradingSymbol.from_str(text)
    except SymbolError as e:
        _log.warning("a symbol in use is not known here", error=str(e))
        return None

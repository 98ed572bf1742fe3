"""Looks at a bus in Redis from outside, and puts right what may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from vela.adapters.audit.findings import Finding, Fix
from vela.adapters.audit.fixes import carry_out
from vela.adapters.audit.keys import judge_keys, symbols_in_use
from vela.adapters.audit.reader import take_snapshot
from vela.adapters.audit.snapshot import Snapshot
from vela.adapters.audit.streams import judge_streams
from vela.adapters.bus.redis.bus import CAPACITY
from vela.adapters.clock import SystemClock
from vela.adapters.redis.address import parse_address
from vela.adapters.redis.server import RedisServer
from vela.domain.trading_symbol import TradingSymbol


class AuditOptions(msgspec.Struct, frozen=True):
    """What counts as what.

    Attributes:
        symbols: in use, beside those that Redis names.
        stale_ms: the age from which a price is stale.
        patience_ms: how long a message may wait, and a consumer be silent while one waits.
    """

    symbols: tuple[TradingSymbol, ...] = ()
    stale_ms: int = 600_000
    patience_ms: int = 30_000


class Audit(msgspec.Struct, frozen=True):
    """What was found. `fixed`: those fixes that were carried out."""

    bus: str
    snapshot: Snapshot
    symbols: tuple[TradingSymbol, ...]
    findings: tuple[Finding, ...]
    fixed: tuple[Fix, ...] = ()

    @property
    def left(self) -> tuple[Finding, ...]:
        """What is still so."""
        return tuple(finding for finding in self.findings if finding.fix is None or finding.fix not in self.fixed)


async def audit(
    bus: str, options: AuditOptions, *, announce: Callable[[Sequence[Finding]], None] | None = None
) -> Audit:
    """Look at what lies at the address `bus`.

    Args:
        bus: as `parse_address` reads it.
        options: what counts as what.
        announce: is told of every finding; then what is safe to fix is fixed. None: nothing is changed.

    Raises:
        ConfigurationError: the address is none.
        BusError: Redis does not answer, or refuses.
    """
    server = RedisServer(parse_address(bus), SystemClock())
    try:
        snapshot = await take_snapshot(server)
        in_use = symbols_in_use(snapshot, options.symbols)
        findings = [
            *judge_keys(snapshot, in_use, stale_ms=options.stale_ms),
            *judge_streams(snapshot, patience_ms=options.patience_ms, capacity=CAPACITY),
        ]
        fixed: list[Fix] = []
        if announce is not None:
            announce(findings)
            fixes = [finding.fix for finding in findings if finding.fix is not None]
            fixed = [fix for fix in fixes if await carry_out(server, fix)]
        symbols = tuple(sorted(in_use.symbols))
        return Audit(str(server.address), snapshot, symbols, tuple(findings), tuple(fixed))
    finally:
        await server.close()

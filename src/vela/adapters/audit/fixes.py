"""Does what a finding asks for, if what it was found by is still so."""

from __future__ import annotations

from typing import Final

from vela.adapters.audit.findings import Fix, Move
from vela.adapters.redis.server import RedisServer, Script

_REMOVE_IF: Final = Script(
    """
-- KEYS: a key. ARGV: the value for which it may be removed.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
)


async def carry_out(server: RedisServer, fix: Fix) -> bool:
    """Return whether it was done; a value that has changed meanwhile, or a name that was taken, stays as it is.

    A value that moves is first there under both names, so that a crash in between loses nothing.

    Raises:
        BusError: Redis does not answer, or refuses.
    """
    if isinstance(fix, Move) and not await server.call("SET", fix.to, fix.value, "NX"):
        return False
    return bool(await server.run(_REMOVE_IF, [fix.key], [fix.value]))

"""What services speak over: the bus and the latest values, in this process or on Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from vela.adapters.bus.memory import MemoryBus
from vela.adapters.latest_values.memory import MemoryLatestValues
from vela.domain.events import Envelope, Topic
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.ports.latest_values import LatestValues


@dataclass(frozen=True, slots=True)
class Transport:
    """The bus, the latest values, and what they lie on.

    Attributes:
        bus: between the services.
        latest: the newest word on each symbol.
        place: for people; holds no secret.
        reach: returns once an answer came; raises `RedisUnreachable` where none did.
        replace: puts consumers in the place of all others of a family, see `RedisBus.replace`; in one process there
            are no others.
        newest: returns the newest message of a topic that was published before this process was there.
        close: lets go of it, once nobody consumes any more.
    """

    bus: Bus
    latest: LatestValues
    place: str
    reach: Callable[[], Awaitable[None]]
    replace: Callable[[str, Sequence[str], Topic], Awaitable[None]]
    newest: Callable[[Topic], Awaitable[Envelope | None]]
    close: Callable[[], Awaitable[None]]


def in_memory(clock: Clock) -> Transport:
    """Return the transport inside this process. `clock`: the wall clock."""
    return Transport(MemoryBus(clock), MemoryLatestValues(), "memory", _nothing, _nobody, _none, _nothing)


def on_redis(address: SecretStr, clock: Clock, *, source: str) -> Transport:
    """Return the transport between processes; nothing is sent before it is used.

    Args:
        address: of Redis.
        clock: the wall clock.
        source: begins the ids of messages published here.
    """
    from vela.adapters.bus.redis.bus import RedisBus  # noqa: PLC0415  its library is needed only here
    from vela.adapters.latest_values.redis import RedisLatestValues  # noqa: PLC0415
    from vela.adapters.redis.address import parse_address  # noqa: PLC0415
    from vela.adapters.redis.server import RedisServer  # noqa: PLC0415

    place = parse_address(address.get_secret_value())
    server = RedisServer(place, clock)

    async def reach() -> None:
        await server.call("PING")

    bus = RedisBus(server, clock, source=source)
    return Transport(bus, RedisLatestValues(server), str(place), reach, bus.replace, bus.newest, bus.close)


async def _nobody(_family: str, _members: Sequence[str], _topic: Topic) -> None:
    pass


async def _none(_topic: Topic) -> Envelope | None:
    return None


async def _nothing() -> None:
    pass

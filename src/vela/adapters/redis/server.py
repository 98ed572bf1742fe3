"""A connection to Redis, whichever kind of address it has, with errors in our terms."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeVar

import hiredis
from redis import exceptions as redis_errors
from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from vela.adapters.redis.address import RedisAddress, Topology
from vela.domain.errors import BusError
from vela.ports.clock import Clock

TIMEOUT_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.01
_LONGEST_PAUSE_SECONDS: Final = 1.0
_READ_BYTES: Final = 1 << 18  # large answers come in few pieces
_CONNECTIONS: Final = 1_000  # a limit that is never met: each consumer that waits holds one

_NOT_NOW = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.ReadOnlyError,  # a primary that has just become a replica
    redis_errors.ClusterDownError,
    redis_errors.MovedError,
    redis_errors.TryAgainError,
    redis_errors.RedisClusterException,  # no node of the cluster answers
    OSError,
)

T = TypeVar("T")


class RedisUnreachable(BusError):
    """No answer, or none that counts; whether the command was carried out is not known. Later it may work."""


class RedisRefused(BusError):
    """Redis answered that it did not do it."""


class RedisFull(RedisRefused):
    """Redis has no memory left, and did not do it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script in Lua that the server runs as one command."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


class RedisServer:
    """Commands to Redis. Nothing is tried a second time unless it is asked to insist."""

    def __init__(self, address: RedisAddress, clock: Clock, *, patience: float = 30.0) -> None:
        """`clock`: the wall clock; `patience`: seconds for which `insist` tries."""
        self.address = address
        self.is_cluster = address.topology is Topology.CLUSTER
        self._clock = clock
        self._patience = patience
        self._sentinel: Sentinel | None = None
        self._client = self._connect()

    async def call(self, *command: bytes | str | int, **options: object) -> Any:  # noqa: ANN401  an answer has any shape
        """Send one command and return the answer as redis-py reads it; `options` are for its reading.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: it was refused.
        """
        if isinstance(self._client, RedisCluster):
            return await self._answer(self._client.execute_command(*command, **options))
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub knows tuples of one
        return await self._answer(_send(self._client, packed, str(command[0]), options))

    async def run(self, script: Script, keys: Sequence[str], arguments: Iterable[bytes | str | int] = ()) -> Any:  # noqa: ANN401
        """Run a script.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: it was refused.
        """
        command = (len(keys), *keys, *arguments)
        try:
            return await self.call("EVALSHA", script.sha, *command)
        except RedisRefused as e:
            if not isinstance(e.__cause__, redis_errors.NoScriptError):
                raise
        return await self.call("EVAL", script.text, *command)  # a server that has just started

    async def insist(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until there is an answer, with growing pauses. `what` begins the message of the error.

        Raises:
            BusError: there was none for as long as patience lasts, or it was refused.
        """
        began, pauses = self._clock.monotonic(), Pauses(self._clock)
        while True:
            try:
                return await attempt()
            except RedisUnreachable as e:
                if self._clock.monotonic() - began >= self._patience:
                    raise BusError(f"{what}: no answer from Redis for {self._patience:g} s ({e})") from e
                await pauses.pause()

    async def read(self, keys: tuple[str, ...]) -> list[bytes | None]:
        """Return the values of many keys in one round trip; in a cluster, one round trip to each node.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: it was refused.
        """
        if not keys:
            return []
        if isinstance(self._client, RedisCluster):
            return await self._answer(self._client.mget_nonatomic(keys))
        return await self._answer(_send(self._client, _packed_mget(keys), "MGET", {}))

    async def write(self, values: Mapping[str, bytes]) -> None:
        """Set many keys in one round trip; in a cluster, one round trip to each node.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: it was refused; in a cluster, some may be set.
        """
        if isinstance(self._client, RedisCluster):
            await self._answer(self._client.mset_nonatomic(values))
        elif values:
            await self._answer(self._client.mset(values))

    @property
    def anywhere(self) -> dict[str, Any]:
        """Options of `call` for a command that names no key: in a cluster somebody must be chosen to answer it."""
        return {"target_nodes": RedisCluster.RANDOM} if self.is_cluster else {}

    async def ask_all(self, commands: Sequence[Sequence[bytes | str | int]]) -> list[Any]:
        """Send many commands about a key each, in one round trip; the answer to one that was refused is None.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: nobody is let in.
        """
        if not commands:
            return []
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers = await self._answer(pipeline.execute(raise_on_error=False))
        return [None if isinstance(answer, redis_errors.ResponseError) else answer for answer in answers]

    async def keys(self) -> AsyncIterator[bytes]:
        """Walk through the names of all keys, of every node, a page at a time; a name may come twice.

        Raises:
            RedisUnreachable: no answer.
            RedisRefused: it was refused.
        """
        names = self._client.scan_iter(count=1_000)
        while (name := await self._answer(anext(names, None))) is not None:
            yield name

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        if self._sentinel is not None:
            await self._sentinel.aclose()

    async def _answer(self, answer: Awaitable[T]) -> T:
        # redis-py's own time-out runs every write in a task, and before Python 3.12 that can swallow a cancellation.
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await answer
        except TimeoutError as e:
            raise RedisUnreachable(f"Redis at {self.address}: no answer within {TIMEOUT_SECONDS:g} s") from e
        except (redis_errors.RedisError, redis_errors.RedisClusterException, OSError) as e:
            raise self._in_our_terms(e) from e

    def _in_our_terms(self, error: Exception) -> BusError:
        where = f"Redis at {self.address}"
        said = str(error) or type(error).__name__
        if _is_unwelcome(error):
            return RedisRefused(f"{where} lets nobody in with this name and password: {said}")
        if isinstance(error, _NOT_NOW) or said.startswith("MASTERDOWN"):
            return RedisUnreachable(f"{where}: {said}")
        if isinstance(error, redis_errors.OutOfMemoryError):
            return RedisFull(f"{where} is out of memory (maxmemory) and takes nothing more")
        return RedisRefused(f"{where} refused: {said}")

    def _connect(self) -> Redis | RedisCluster:
        address = self.address
        tls = {name: value for name, value in address.options.items() if name.startswith("ssl_")}
        common: dict[str, Any] = {
            "username": address.username or None,
            "password": address.password or None,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),  # who reads a group must know that an answer got lost
            "socket_timeout": None,
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "socket_read_size": _READ_BYTES,
            "health_check_interval": 0,
            "max_connections": _CONNECTIONS,
        } | (tls | {"ssl": True} if address.is_tls else {})
        if address.topology is Topology.CLUSTER:
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, **common)
        if address.topology is Topology.SENTINEL:
            return self._primary(common | {"db": address.db})
        if address.path:
            return Redis(unix_socket_path=address.path, db=address.db, **common)
        [(host, port)] = address.hosts
        return Redis(host=host, port=port, db=address.db, **common)

    def _primary(self, common: Mapping[str, Any]) -> Redis:
        options = self.address.options
        own = {name: value for name, value in common.items() if name not in ("username", "password", "db")}
        own |= {"username": options.get("sentinel_username"), "password": options.get("sentinel_password")}
        self._sentinel = Sentinel(list(self.address.hosts), sentinel_kwargs=own)  # type: ignore[no-untyped-call]
        primary: Redis = self._sentinel.master_for(self.address.service, **common)
        return primary


class Pauses:
    """Pauses that grow."""

    def __init__(
        self, clock: Clock, first: float = _FIRST_PAUSE_SECONDS, longest: float = _LONGEST_PAUSE_SECONDS
    ) -> None:
        """In seconds; each is twice as long as the one before, until the longest."""
        self._clock = clock
        self._first = self._next = first
        self._longest = longest

    async def pause(self) -> None:
        """Let time pass."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        await self._clock.sleep(pause)

    def begin_again(self) -> None:
        """Let the next pause be a short one."""
        self._next = self._first


async def _send(client: Redis, packed: bytes, name: str, options: Mapping[str, object]) -> Any:  # noqa: ANN401
    """Send a command that is packed already: what redis-py does in Python for each argument takes far longer."""
    connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        await connection.send_packed_command(packed)
        return await client.parse_response(connection, name, **options)
    finally:
        await client.connection_pool.release(connection)


def _is_unwelcome(error: BaseException | None) -> bool:
    """Whether name or password was wrong; redis-py may call that a failure to connect, and wrap it."""
    while error is not None:
        if isinstance(error, redis_errors.AuthenticationError | redis_errors.AuthorizationError):
            return True
        error = error.__cause__ or error.__context__
    return False


@lru_cache(maxsize=16)
def _packed_mget(keys: tuple[str, ...]) -> bytes:
    packed: bytes = hiredis.pack_command(("MGET", *keys))  # type: ignore[arg-type]  # its stub knows tuples of one
    return packed

"""Starts services, sees when one dies, and puts a new one in its place."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from vela.domain.errors import BusError, StorageLocked, StorageUnavailable, VelaError
from vela.domain.events import Alert, Message, ServiceBeat, ServiceState
from vela.ports.bus import Bus
from vela.ports.clock import Clock
from vela.services.service import Service, run_together

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_GOOD_SPELL_SECONDS = 30.0  # who worked for so long begins with a short pause again
_FAILURES_ALLOWED = 5
_FAILURES_WITHIN_SECONDS = 60.0

_log = structlog.get_logger("vela.supervisor")


class ServicesFailed(VelaError):
    """Services without which nobody may trade failed again and again."""


@dataclass(frozen=True, slots=True)
class Group:
    """Services that share state in memory, so that they fall and rise together.

    Attributes:
        name: for logs.
        build: makes fresh services, in the order in which they start; what they know comes from the record.
        is_essential: without it the process ends; else it is given up after too many failures and the others go on.
        keeps_messages: what waits for it is handled by those who replace it, in this process or the next; else it is
            void, because they take the market up again where the record ends.
    """

    name: str
    build: Callable[[], Awaitable[Sequence[Service]]]
    is_essential: bool
    keeps_messages: bool = False


class Supervisor:
    """Runs groups of services until told to stop."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        """`clock`: the wall clock."""
        self._bus = bus
        self._clock = clock
        self._running: list[tuple[Group, list[Service]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._wishes: dict[str, asyncio.Queue[_Wish]] = {}

    async def start(self, group: Group) -> None:
        """Start a group and keep it alive.

        Raises:
            VelaError: it could not even start the first time, which is for the user to mend.
        """
        services = await self._start_services(group, restarts=0)
        self._wishes[group.name] = asyncio.Queue()
        self._running.append((group, services))
        self._tasks.append(asyncio.create_task(self._keep_alive(group, services), name=group.name))

    async def wait(self) -> None:
        """Return when every service has finished its work.

        Raises:
            ServicesFailed: an essential group was given up.
        """
        # Not gather: cancelled, it would take the groups with it, before they could finish what they are at.
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def renew(self, name: str, *, cleanly: bool) -> None:
        """Put fresh services in the place of a group's, and return once they run or were found to fail.

        Args:
            name: the group's.
            cleanly: let those that were there finish first; else they are left as a crash would leave them.
        """
        wish = _Wish(cleanly, asyncio.get_running_loop().create_future())
        self._wishes[name].put_nowait(wish)
        await wish.fulfilled

    async def stop(self, *, cleanly: bool) -> None:
        """Cancel all groups; `cleanly`: then let their services finish, the last started first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, services in reversed(self._running) if cleanly else ():
            for service in reversed(services):
                await service.stop()

    async def _start_services(self, group: Group, restarts: int) -> list[Service]:
        services = list(await group.build())
        try:
            for service in services:
                service.restarts = restarts
                await self._show(service, ServiceState.STARTING)
                await service.start()
        except BaseException:
            if not group.keeps_messages:
                self._unsubscribe(services)
            raise
        return services

    def _unsubscribe(self, services: Iterable[Service]) -> None:
        # Nobody is there to take what they collect: it would hold up those who wait until all is handled.
        for service in services:
            for consumer in service.consumers:
                self._bus.unsubscribe(consumer)

    async def _keep_alive(self, group: Group, services: list[Service]) -> None:
        failures: deque[float] = deque(maxlen=_FAILURES_ALLOWED)
        restarts, pause = 0, _FIRST_PAUSE_SECONDS
        while True:
            error: Exception
            began = self._clock.monotonic()
            try:
                wish = await self._work(group, services)
            except Exception as e:  # noqa: BLE001  whatever killed it, the answer is the same: a fresh one
                error = e
            else:
                if wish is None:
                    return
                await self._renew(group, services, wish, restarts)
                continue
            await self._mourn(group, services, error)
            failed = tuple(services)
            services.clear()  # what failed has nothing whole to finish, should the end come now
            if isinstance(error, StorageLocked):  # another instance has taken over: no fresh service changes that
                raise ServicesFailed(str(error)) from error
            if not isinstance(error, StorageUnavailable):  # space comes back, and who is busy is done some time
                failures.append(self._clock.monotonic())
                if len(failures) == _FAILURES_ALLOWED and failures[-1] - failures[0] < _FAILURES_WITHIN_SECONDS:
                    self._give_up(group, failed, error)
                    return
            if self._clock.monotonic() - began >= _GOOD_SPELL_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            restarts += 1
            services[:] = await self._fresh(group, restarts)

    async def _fresh(self, group: Group, restarts: int) -> list[Service]:
        try:
            return await self._start_services(group, restarts)
        except Exception as e:  # noqa: BLE001  the same again
            return [_Failed(e, self._bus, self._clock)]

    async def _work(self, group: Group, services: Iterable[Service]) -> _Wish | None:
        """Run services until they are done (None) or others are wished for in their place."""
        working = asyncio.create_task(run_together(*(service.run() for service in services)))
        wished = asyncio.create_task(self._wishes[group.name].get())
        try:
            await asyncio.wait([working, wished], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                return wished.result()
            if wished.done():  # it came too late for these, and counts for those who come next
                self._wishes[group.name].put_nowait(wished.result())
            working.result()
            return None
        finally:
            for task in (working, wished):
                task.cancel()
            await asyncio.gather(working, wished, return_exceptions=True)

    async def _renew(self, group: Group, services: list[Service], wish: _Wish, restarts: int) -> None:
        replaced = tuple(services)
        services.clear()  # they are finished here, should the end come now
        try:
            for service in reversed(replaced) if wish.cleanly else ():
                await service.stop()
            if not group.keeps_messages:
                self._unsubscribe(replaced)
            services[:] = await self._fresh(group, restarts)
        except Exception as e:  # noqa: BLE001  who cannot even stop is replaced like one that failed
            services[:] = [_Failed(e, self._bus, self._clock)]
        finally:
            if not wish.fulfilled.done():
                wish.fulfilled.set_result(None)

    async def _mourn(self, group: Group, services: Sequence[Service], error: Exception) -> None:
        _log.error("services failed", group=group.name, error=repr(error), exc_info=error)
        if not group.keeps_messages:
            self._unsubscribe(services)
        for service in services:
            await self._show(service, ServiceState.FAILED, detail=repr(error)[:200])
        text = f"{group.name} failed and restarts: {error!r}"[:300]
        await self._tell(Alert(time=self._clock.now(), level="critical", text=text))

    def _give_up(self, group: Group, services: Sequence[Service], error: Exception) -> None:
        names = ", ".join(service.name for service in services)
        text = f"{names}: {_FAILURES_ALLOWED} failures within {_FAILURES_WITHIN_SECONDS:.0f} s, the last one {error!r}"
        if group.is_essential:
            raise ServicesFailed(text) from error
        self._unsubscribe(services)
        _log.critical("given up", services=names, error=repr(error))

    async def _show(self, service: Service, state: ServiceState, detail: str = "") -> None:
        await self._tell(
            ServiceBeat(
                time=self._clock.now(), service=service.name, state=state, restarts=service.restarts, detail=detail
            )
        )

    async def _tell(self, message: Message) -> None:
        try:
            await self._bus.publish(message)
        except BusError as e:  # who restarts others must not die of the same
            _log.warning("cannot tell", message=type(message).__name__, error=str(e))


@dataclass(frozen=True, slots=True)
class _Wish:
    """Fresh services are wanted. `cleanly`: see `Supervisor.renew`; `fulfilled`: is set once they are there."""

    cleanly: bool
    fulfilled: asyncio.Future[None]


class _Failed(Service):
    """Stands in for services that could not be started, and fails for them."""

    name = "start"

    def __init__(self, error: Exception, bus: Bus, clock: Clock) -> None:
        super().__init__(bus, clock)
        self._error = error

    async def work(self) -> None:
        raise self._error

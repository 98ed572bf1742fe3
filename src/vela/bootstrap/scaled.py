"""The scaled shape on one machine: every service in a process of its own, all of them kept alive from here."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from vela.bootstrap.live_trading import KEY, SECRET
from vela.bootstrap.record import open_shared_record
from vela.bootstrap.service_process import DASHBOARD, MARKET_DATA, ORDERS, SERVICES, require_servers
from vela.bootstrap.settings import ENVIRONMENT_PREFIX, Settings
from vela.domain.errors import ConfigurationError
from vela.ports.clock import Clock
from vela.ports.record import Summary

HAS_PARENT: Final = "VELA_HAS_PARENT"
"""In the environment of a service process: it ends when its standard input does."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_GOOD_SPELL_SECONDS = 30.0
_PARTING_SECONDS = 10.0
_MISUSED = 2

Hear = Callable[[str, str], None]


class ScaledSystem:
    """Starts the processes, passes on what they say, and puts a new one in the place of one that died."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], wall_clock: Clock, hear: Hear, *, until_end: bool
    ) -> None:
        """Check what can be checked before anything is started.

        Args:
            settings: all of them.
            environment: of the processes: it gives them the same settings.
            wall_clock: times the pauses.
            hear: given each line that a process writes, after the service's name.
            until_end: leave when the market ends.

        Raises:
            ConfigurationError: an address is missing.
        """
        require_servers(settings)
        self._settings = settings
        self._environment = {**environment, HAS_PARENT: "1"}
        self._clock = wall_clock
        self._hear = hear
        self._until_end = until_end
        self._ended = asyncio.Event()
        self._processes: dict[str, Process] = {}

    @property
    def services(self) -> Sequence[str]:
        """Those that run; the page may be left out."""
        return [name for name in SERVICES if name != DASHBOARD or self._settings.page]

    def environment_of(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service's process: only who trades gets the exchange's key."""
        secrets = frozenset() if service == ORDERS else frozenset({KEY, SECRET})
        return {name: value for name, value in self._environment.items() if name not in secrets}

    async def run(self, stop: asyncio.Event, confirmation: str | None = None) -> Summary:
        """Run until `stop` is set or, where that was asked for, the market ends; then end all processes.

        Args:
            stop: set to end the session.
            confirmation: the words that allow real orders.

        Raises:
            ConfigurationError: a process says that it cannot be run like this.
            StorageError: the record cannot be read in the end.
        """
        keeping = [asyncio.create_task(self._keep_alive(name, confirmation), name=name) for name in self.services]
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(self._ended.wait())]
        try:
            pending: set[asyncio.Task[Any]] = {*keeping, *waiting}
            while not (stop.is_set() or self._ended.is_set()):
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in (*keeping, *waiting):
                task.cancel()
            await asyncio.gather(*keeping, *waiting, return_exceptions=True)
            await asyncio.gather(*map(self._end, self._processes.values()))
        with open_shared_record(self._settings) as record:
            return record.reader.summary()

    async def _keep_alive(self, name: str, confirmation: str | None) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = self._clock.monotonic()
            status, last = await self._run_once(name, confirmation)
            if name == MARKET_DATA and status == 0 and self._until_end:
                self._ended.set()
                return
            if status == _MISUSED:
                raise ConfigurationError(last)
            if self._clock.monotonic() - began >= _GOOD_SPELL_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            self._hear(name, f"ended {how}; starts again in {pause:.1f} s")
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _run_once(self, name: str, confirmation: str | None) -> tuple[int, str]:
        """Run a process to its end; return its exit status and the last line that it wrote."""
        command = [sys.executable, "-m", "vela", "run", name]
        command += ["--until-end"] if name == MARKET_DATA and self._until_end else []
        command += ["--confirm", confirmation] if name == ORDERS and confirmation is not None else []
        # A session of its own: Ctrl-C on the terminal is for the parent, which then ends its children.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, env=self.environment_of(name), start_new_session=True
        )
        self._processes[name] = process
        last = ""
        if process.stderr is None:
            raise RuntimeError("it was asked for")
        async for raw in process.stderr:
            last = raw.decode(errors="replace").rstrip()
            self._hear(name, last.removeprefix(f"{name}: "))
        return await process.wait(), last.removeprefix("vela: ")

    async def _end(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_SECONDS):
                await process.communicate()
        if process.returncode is None:
            process.kill()
            await process.wait()


def as_environment(given: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a process reads the settings that were given as options.

    Args:
        given: by name; None: not given.
        environment: of this process.
    """
    options = {name: value for name, value in given.items() if value is not None}
    return {**environment, **{f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in options.items()}}

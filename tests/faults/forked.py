"""Processes of `vela` that start at once: forked from one that has everything imported already.

A start of Python and its libraries costs seconds; a kill costs a start. Whoever is forked is a process of its own like
any other, with its own environment, folder and command line, and dies alone.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import certifi
import typer

_PAUSE_S = 0.005
_READY_S = 60.0
_IMPORTED = (
    "alembic.command",
    "numpy.ma",
    "uvloop",
    "vela.adapters.exchanges.binance.connection",
    "vela.adapters.exchanges.live",
    "vela.adapters.storage.sql.symbol_check",
    "vela.bootstrap.application",
    "vela.bootstrap.crash_test",
    "vela.bootstrap.exchange_marketplace",
    "vela.bootstrap.live_trading",
    "vela.bootstrap.strategy_checks",
    "vela.bootstrap.venue",
    "vela.cli.main",
    "vela.cli.session",
    "vela.cli.venue_session",
    "vela.venue.binance.app",
)
_LOCK = threading.Lock()


class ForkedProcess:
    """A running `vela`, with the methods of `subprocess.Popen` that the tests need."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, environment: dict[str, str], log: Path) -> None:
        """Run `vela arguments` in `folder`; what it says is appended to `log`."""
        self.args = arguments
        self.returncode: int | None = None
        log.touch()
        self._wire = socket.socket(socket.AF_UNIX)
        with _LOCK:
            self._wire.connect(_nursery())
        wanted = {"arguments": [*arguments], "folder": str(folder), "environment": environment, "log": str(log)}
        self._wire.sendall(json.dumps(wanted).encode() + b"\n")
        self._answers = self._wire.makefile("r")
        self.pid = int(self._answers.readline())
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, as `Popen` has it; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it is over.

        Raises:
            subprocess.TimeoutExpired: it is not over yet.
        """
        with self._lock:
            if self.returncode is None:
                self._wire.settimeout(None if timeout is None else max(timeout, 1e-6))
                try:
                    told = self._wire.recv(64)
                except (TimeoutError, BlockingIOError):
                    raise subprocess.TimeoutExpired([*self.args], timeout or 0.0) from None
                self.returncode = int(told)
                self._wire.close()
            return self.returncode

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@functools.cache
def _nursery() -> str:
    """Start the process that forks the others; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="vela-")
    path = str(Path(folder) / "wire")
    process = subprocess.Popen([sys.executable, "-m", "tests.faults.forked", path], stdin=subprocess.PIPE)
    atexit.register(process.kill)
    end = time.monotonic() + _READY_S
    while not Path(path).exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("no processes can be forked: see stderr")
        time.sleep(_PAUSE_S)
    return path


# ------------------------------------------------------------------------------------------------ the one that forks


def _prepare() -> None:
    """Do once what would be the same for everybody."""
    for module in _IMPORTED:
        __import__(module)
    from vela.adapters.exchanges.unified.connection import trusted
    from vela.cli import main

    main.app = typer.main.get_command(main.app)  # type: ignore[assignment]
    trusted(certifi.where())


def _serve(path: str) -> None:
    _prepare()
    gc.collect()
    gc.freeze()  # nobody who is forked looks through all that again, or copies it by looking
    door = socket.socket(socket.AF_UNIX)
    door.bind(path + ".new")
    door.listen(64)
    Path(path + ".new").rename(path)
    callers: dict[int, socket.socket] = {}
    while sys.stdin not in (ready := select.select([door, sys.stdin], [], [], _PAUSE_S)[0]):  # its end: the parent's
        if door in ready:
            caller, _ = door.accept()
            wanted = json.loads(caller.makefile("r").readline())
            pid = os.fork()
            if pid == 0:
                for wire in (door, caller, *callers.values()):
                    wire.close()
                _become(wanted["arguments"], wanted["folder"], wanted["environment"], wanted["log"])
            callers[pid] = caller
            caller.sendall(f"{pid}\n".encode())
        _tell_ends(callers)
    for pid in callers:
        os.kill(pid, signal.SIGKILL)


def _tell_ends(callers: dict[int, socket.socket]) -> None:
    while callers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with suppress(OSError), callers.pop(pid) as caller:  # who asked may be gone
            caller.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(arguments: list[str], folder: str, environment: dict[str, str], log: str) -> NoReturn:
    """Be `vela arguments` from here on."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(source, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["vela", *arguments]
        from vela.cli.main import main

        main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001  as Python itself ends
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])

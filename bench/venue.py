"""A simulated exchange in a process of its own, and what a benchmark that trades there needs besides."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from vela.adapters.exchanges.unified.connection import Credentials
from vela.bootstrap.settings import Settings, load_settings
from vela.cli.session import loop_factory
from vela.venue.binance.desk import Terms

CREDENTIALS = Credentials(Terms().api_key, Terms().api_secret)
NO_LIMIT = "1000000"
MEMORY = Path("/dev/shm")  # noqa: S108  a file system in memory, where there is one

_STOP_SECONDS = 10

_Result = TypeVar("_Result")


class Addresses(NamedTuple):
    """Where a venue listens: its REST interface, and its control port."""

    rest: str
    control: str


@contextmanager
def venue_process(*options: str) -> Iterator[Addresses]:
    """Run `vela venue` on free ports."""
    command = [sys.executable, "-m", "vela", "venue", "--port", "0", "--control-port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield _addresses(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_SECONDS)


def _addresses(process: subprocess.Popen[str]) -> Addresses:
    words: list[str] = []
    while process.stderr is not None and "Control" not in words:
        line = process.stderr.readline()
        if not line:
            raise RuntimeError(f"the venue did not start: {' '.join(words)[-200:]}")
        words += line.split()
    rest, control = (words[words.index(name) + 1] for name in ("REST", "Control"))
    return Addresses(rest.removesuffix("/api/v3"), control)


@contextmanager
def data_directory(parent: Path | None = None) -> Iterator[Path]:
    """Make a directory for a record, and for the note of which accounts are traded on."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        os.environ["XDG_STATE_HOME"] = folder
        yield Path(folder)


def live_settings(addresses: Addresses, folder: Path, **rules: str) -> Settings:
    """Return settings that trade live at a venue, without the page and the careful limit on orders."""
    place = {"exchange": "binance", "live": True, "exchange_url": addresses.rest, "page": False}
    given = {**place, "data_dir": str(folder / "data"), "max_orders_per_minute": "0", **rules}
    return load_settings(given, {}, folder / "none.toml")


def run_as_the_product(main: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run in the event loop that `vela up` runs in."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main())

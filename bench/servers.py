"""Servers of a benchmark's own, and service processes on them: private, on this machine, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.postgres import PostgresServer, programs

from vela.bootstrap.scaled import as_environment

_START_SECONDS = 300.0  # where much else runs
_STOP_SECONDS = 30.0


class Servers(NamedTuple):
    """Where Redis and an empty PostgreSQL database are, as users write it."""

    bus: str
    database: str


@contextmanager
def servers() -> Iterator[Servers | None]:
    """Run both servers; None where one is not installed.

    Redis writes its log as in production (`appendfsync everysec`); PostgreSQL does not wait for the disk.
    """
    redis, postgres = shutil.which("redis-server"), programs()
    if redis is None or postgres is None:
        print("redis-server or PostgreSQL is not installed: service processes are not measured")
        yield None
        return
    with redis_server(redis) as bus:
        server = PostgresServer(postgres)
        try:
            address = server.network_url(server.new_database())
            yield Servers(bus, address.render_as_string(hide_password=False))
        finally:
            server.remove()


@contextmanager
def redis_server(binary: str) -> Iterator[str]:
    """Run a Redis and return its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "everysec"]
        with (Path(directory) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log)
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit("redis-server does not answer")


@contextmanager
def service_processes(
    names: Sequence[str], settings: Mapping[str, object], assets: Sequence[str] = ()
) -> Iterator[Mapping[str, int]]:
    """Run `vela run NAME` for each name; yield their process ids once all of them run.

    Args:
        names: of the services.
        settings: by name; the servers' addresses among them.
        assets: known besides those that Vela knows from the start.
    """
    with ExitStack() as stack:
        started = [stack.enter_context(_service_process(name, settings, assets)) for name in names]
        for name, (process, runs) in zip(names, started, strict=True):
            if not runs.wait(_START_SECONDS) or process.poll() is not None:
                raise SystemExit(f"{name} does not start; what it says is above")
        yield {name: process.pid for name, (process, _) in zip(names, started, strict=True)}


@contextmanager
def _service_process(
    name: str, settings: Mapping[str, object], assets: Sequence[str]
) -> Iterator[tuple[subprocess.Popen[str], threading.Event]]:
    vela = ["bench.with_assets", ",".join(assets)] if assets else ["vela"]
    command = [sys.executable, "-m", *vela, "run", name]
    environment = as_environment(settings, os.environ)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    runs = threading.Event()
    reading = threading.Thread(target=_read, args=(name, process, runs), daemon=True)
    reading.start()
    try:
        yield process, runs
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reading.join(_STOP_SECONDS)


def _read(name: str, process: subprocess.Popen[str], runs: threading.Event) -> None:
    """Pass on what a process says, but that it runs or waits for others."""
    for line in process.stderr or ():
        if line.startswith(f"{name}: runs"):
            runs.set()
        elif not line.startswith((f"{name}: waiting", f"{name}: http")):
            sys.stderr.write(line)
    runs.set()

"""Redis servers of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

PASSWORD = "correct horse"
START_SECONDS = 20


def require_redis() -> str:
    """Return where the server is; skip where there is none, fail where one is required, lest a broken bus pass."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    reason = "redis-server is not installed: tests of the bus between processes need it"
    if os.environ.get("VELA_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} took more than {START_SECONDS} s"
        time.sleep(0.01)


class RedisProcess:
    """A server that can be killed and started again on the same port and files."""

    def __init__(self, directory: Path, *options: str, password: str = PASSWORD, port: int | None = None) -> None:
        self._binary = require_redis()
        directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.password = password
        self.directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "redis.log"

    @property
    def url(self) -> str:
        secret = f":{self.password.replace(' ', '%20')}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> RedisProcess:
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--loglevel", "notice"]
        if self.password:
            command += ["--requirepass", self.password]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*command, *self._options, *options], stdout=log, stderr=log)
        wait_until(self._answers, "the start of redis-server")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:  # not yet, or still loading
            return False

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self.password or None, protocol=2)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

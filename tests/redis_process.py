"""Redis servers of a test's own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis
from tests.missing import missing

PASSWORD = "correct horse"
START_SECONDS = 20


def require_redis() -> str:
    """Return where the server is; skip where there is none, fail where one is required, lest a broken bus pass."""
    found = shutil.which("redis-server")
    if found is None:
        missing("redis-server is not installed: tests of the bus between processes need it")
    return found


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

    def __init__(
        self, directory: Path, *options: str, password: str = PASSWORD, port: int | None = None, first: str = ""
    ) -> None:
        self._command = [require_redis(), *([first] if first else [])]
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
        command = [*self._command, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        if "--sentinel" not in self._options:
            command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
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


class RedisCluster:
    """Three primaries that share the slots."""

    def __init__(self, directory: Path) -> None:
        command_line = shutil.which("redis-cli")
        if command_line is None:
            missing("redis-cli is not installed: it makes clusters")
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        self.nodes = [RedisProcess(directory / f"{n}", *options, port=_cluster_port()) for n in range(3)]
        for node in self.nodes:
            node.start()
        addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
        create = [command_line, "-a", PASSWORD, "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(create, check=True, capture_output=True, timeout=START_SECONDS)
        wait_until(lambda: all(self._is_ok(node) for node in self.nodes), "the making of a cluster")
        self.url = f"redis+cluster://:{PASSWORD.replace(' ', '%20')}@{addresses[0]},{addresses[1]}"

    @staticmethod
    def _is_ok(node: RedisProcess) -> bool:
        with node.client() as client:
            info = client.execute_command("CLUSTER INFO")
        return "ok" in str(info["cluster_state"]) and int(info["cluster_slots_ok"]) == 16_384

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def _cluster_port() -> int:
    """Return a free port whose neighbour 10,000 above, for talk within the cluster, is free as well."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port - 10_000)):
            return port - 10_000


class RedisWithSentinel:
    """A primary, its replica and one Sentinel that watches them."""

    service = "trading"

    def __init__(self, directory: Path) -> None:
        auth = ("--masterauth", PASSWORD)
        self.primary = RedisProcess(directory / "primary", *auth).start()
        follow = ("--replicaof", f"127.0.0.1 {self.primary.port}")
        self.replica = RedisProcess(directory / "replica", *auth, *follow).start()
        wait_until(self._is_followed, "the first replication")
        configuration = directory / "sentinel.conf"
        configuration.write_text(
            f"sentinel monitor {self.service} 127.0.0.1 {self.primary.port} 1\n"
            f'sentinel auth-pass {self.service} "{PASSWORD}"\n'
            f"sentinel down-after-milliseconds {self.service} 300\n"
            f"sentinel failover-timeout {self.service} 3000\n"
        )
        self.sentinel = RedisProcess(directory / "sentinel", "--sentinel", password="", first=str(configuration))
        self.sentinel.start()
        wait_until(self._knows_the_replica, "Sentinel's first look around")
        secret = PASSWORD.replace(" ", "%20")
        self.url = f"redis+sentinel://:{secret}@127.0.0.1:{self.sentinel.port}/{self.service}/0"

    def _is_followed(self) -> bool:
        with self.replica.client() as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def _knows_the_replica(self) -> bool:
        with self.sentinel.client() as client:
            return len(client.sentinel_slaves(self.service)) == 1

    def stop(self) -> None:
        for process in (self.sentinel, self.replica, self.primary):
            process.stop()

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.redis_process import RedisProcess

from vela.bootstrap.logs import set_up_logs

# A failure must be repeatable by whoever sees it: examples follow from the test, not from chance.
# No deadline: a machine shared with other work is slow at times, and pytest-timeout watches the rest.
for profile in ("default", "ci"):
    settings.register_profile(profile, derandomize=True, deadline=None, print_blob=True)
settings.load_profile("default")

# Short tracebacks in logs: drawing long ones takes seconds where a test lets services fail.
set_up_logs()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory with recorded market data beside the project."""
    directory = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not directory.is_dir():  # too large for the repository, and not ours to publish: users have no such folder
        pytest.skip("recorded market data is not here: it lies in ../shared/data beside the project")
    return directory


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A server for all tests of a process that do it no harm."""
    server = RedisProcess(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_process(shared_redis: RedisProcess) -> RedisProcess:
    """That server, with nothing in it."""
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis

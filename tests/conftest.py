from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.missing import missing
from tests.object_store import running_object_store
from tests.places import PostgresPlace, RecordPlace, SqlitePlace
from tests.postgres import PostgresServer, programs
from tests.redis_process import RedisProcess

from vela.adapters.storage.sql.database import Database
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
def shared_object_store() -> Iterator[dict[str, str]]:
    """The environment by which clients find an object store."""
    with running_object_store() as environment:
        yield environment


@pytest.fixture
def bucket(shared_object_store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty folder in an object store."""
    for name, value in shared_object_store.items():
        monkeypatch.setenv(name, value)
    return f"s3://vela/{tmp_path.name}"


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run, or for each of its workers."""
    found = programs()
    if found is None:
        missing("PostgreSQL is not here: no initdb on the PATH or in /usr/lib/postgresql/*/bin")
    server = PostgresServer(found)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database that holds an empty record: copying it is quicker than making one."""
    place = PostgresPlace(postgres, postgres.new_database())
    place.prepare()
    return place.name


@pytest.fixture
def sqlite_place(tmp_path: Path) -> RecordPlace:
    """Where a record lies in a file."""
    return SqlitePlace(tmp_path / "data")


@pytest.fixture
def postgresql_place(postgres: PostgresServer, postgres_template: str, tmp_path: Path) -> Iterator[RecordPlace]:
    """Where a record lies on a server."""
    database = postgres.new_database(postgres_template)
    yield PostgresPlace(postgres, database, tmp_path / "data")
    postgres.drop(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        yield SqlitePlace(tmp_path).database()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database()
    yield PostgresPlace(server, name).database()
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> RecordPlace:
    """Where a record lies, empty and not open: once in a file, once on a server."""
    found: RecordPlace = request.getfixturevalue(f"{request.param}_place")
    return found

"""The files for containers keep their promises, as far as that can be seen without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from ruamel.yaml import YAML
from tests.redis_process import free_port, require_redis, wait_until

from vela.bootstrap.settings import load_settings
from vela.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "VELA_BUS" in service["environment"]}
RUN = {"market-data", "brain", "orders", "persistence", "historical", "simulator", "dashboard"}


def test_every_service_that_exists_has_a_container():
    assert OURS.keys() == RUN | {"migrate"}
    assert {name: service["command"][:2] for name, service in OURS.items() if name in RUN} == {
        name: ["run", name] for name in RUN
    }
    assert SERVICES.keys() - OURS.keys() == {"redis", "postgres"}


def test_the_command_of_the_schema_exists():
    assert OURS["migrate"]["command"][0] in {command.name for command in app.registered_commands}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] in {"10001:10001", "redis", "postgres"}
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= limits.keys()
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert not {"privileged", "network_mode", "pid", "cap_add"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_images_have_a_version(name: str):
    assert re.search(r":(?!latest)[\w.${}:-]+$", SERVICES[name]["image"])


def test_only_the_page_can_be_reached_and_only_from_this_machine():
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "dashboard": ["127.0.0.1:5000:5000"]
    }
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("redis", "postgres"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_whoever_opens_the_market_can_reach_the_exchange():
    # Each asks it for the rules of its symbols when it starts; the schema and the servers need nobody.
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == RUN


def test_what_is_traded_is_said_in_one_file_that_nothing_overrules(tmp_path: Path):
    for service in OURS.values():
        assert service["environment"].keys() <= {"VELA_BUS", "VELA_DATABASE", "VELA_DATA_DIR", "XDG_CACHE_HOME"}
        assert "./vela.toml:/app/vela.toml:ro" in service["volumes"]
    example = load_settings({}, {}, DEPLOY / "vela.example.toml")
    assert (example.exchange, example.live) == ("binance", False)
    chosen = tmp_path / "vela.toml"
    chosen.write_text('exchange = "binance"\nuniverse = 20\n', encoding="utf-8")
    given = {"VELA_DATA_DIR": OURS["brain"]["environment"]["VELA_DATA_DIR"]}
    assert load_settings({}, given, chosen).universe == 20


@pytest.mark.parametrize("name", ["brain", "simulator"])
def test_whoever_compiles_keeps_what_is_compiled(name: str):
    # A first call that must compile may take longer than a strategy has, after every restart.
    place = SERVICES[name]["environment"]["XDG_CACHE_HOME"]
    assert any(place.startswith(f"{volume.split(':')[1]}/") for volume in SERVICES[name]["volumes"])


def test_postgresql_is_not_called_healthy_while_its_image_still_prepares_the_database():
    # What prepares it listens on the socket alone, and is stopped before the real server starts.
    assert "--host 127.0.0.1" in SERVICES["postgres"]["healthcheck"]["test"][1]


def test_no_secret_stands_in_any_file():
    text = "".join(path.read_text(encoding="utf-8") for path in DEPLOY.iterdir() if path.is_file())
    assert re.findall(r"^\w*PASSWORD=(.+)$", text, re.MULTILINE) == []
    assert re.findall(r"(?i)^\s*(?:ARG|ENV)\s.*(?:password|secret|key|token)", CONTAINERFILE, re.MULTILINE) == []
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name or "@" in value:
                assert re.search(r"\$\{(REDIS|POSTGRES)_PASSWORD:\?", value), name


def test_what_the_example_leaves_out_is_asked_for():
    given = set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))) == given


def test_the_image_takes_only_what_is_locked_and_runs_as_nobody_in_particular():
    installs = [line for line in CONTAINERFILE.replace("\\\n", " ").splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE) == ["10001:10001"]
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert "HEALTHCHECK" in last
    assert "COPY . " not in CONTAINERFILE
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()
    }
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8")
    assert copied == set(re.findall(r"^!(.+)$", ignored, re.MULTILINE))
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8") == ignored
    assert all((ROOT / name).exists() for name in copied)


def test_the_lock_files_of_the_image_say_the_same_as_the_others():
    def pins(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([\w.-]+)(?:\[[^]]+\])?==([^ ;\\]+)", text, re.MULTILINE))

    core, developers = pins("core.txt"), pins("dev.txt")
    assert core.items() <= pins("server.txt").items()
    assert pins("server.txt").items() <= developers.items()
    assert pins("build.txt").items() <= (developers | pins("node.txt")).items()
    assert "psycopg-binary" in pins("server.txt")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A Redis started by the very line of the compose file, on a port and a folder of ours."""
    program, found = require_redis(), free_port()
    service = SERVICES["redis"]
    [line] = service["command"]
    line = line.replace("$$", "$").replace("dir /data", f"dir {tmp_path}\nport {found}")
    command = [*service["entrypoint"], line.replace("redis-server", program)]
    environment = {"REDIS_PASSWORD": "0a1b2c", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: answers(found), "the start of redis-server")
        yield found, process
        process.kill()


def answers(port: int) -> bool:
    try:
        with redis.Redis(port=port, password="0a1b2c", protocol=2) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_redis_is_set_up_as_promised_and_hides_its_password(server: tuple[int, subprocess.Popen[bytes]]):
    port, _ = server
    with redis.Redis(port=port, protocol=2) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis(port=port, password="0a1b2c", protocol=2, decode_responses=True) as client:
        for name, value in (
            ("appendonly", "yes"),
            ("appendfsync", "everysec"),
            ("maxmemory-policy", "noeviction"),
            ("maxmemory", str(384 << 20)),
        ):
            assert client.config_get(name) == {name: value}
        line = Path(f"/proc/{client.info('server')['process_id']}/cmdline").read_bytes()
    assert b"0a1b2c" not in line


def test_redis_itself_is_asked_to_stop_and_ends_in_order(server: tuple[int, subprocess.Popen[bytes]]):
    port, process = server
    with redis.Redis(port=port, password="0a1b2c", protocol=2) as client:
        assert client.info("server")["process_id"] == process.pid
    process.terminate()
    assert process.wait(20) == 0


def test_the_health_check_of_the_page_is_python_that_runs():
    in_compose = SERVICES["dashboard"]["healthcheck"]["test"][-1]
    assert f'CMD ["python", "-c", "{in_compose}"]' in CONTAINERFILE
    done = subprocess.run(
        [sys.executable, "-c", in_compose.replace("5000", str(free_port()))], capture_output=True, check=False
    )
    assert (done.returncode, b"URLError" in done.stderr) == (1, True)

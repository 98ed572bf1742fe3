from __future__ import annotations

import json

import pytest
from tests.redis_process import RedisProcess, free_port

from vela.adapters.clock import SystemClock


@pytest.fixture
def bus(redis_process: RedisProcess) -> RedisProcess:
    now = SystemClock().now()
    with redis_process.client() as client:
        client.set("active_symbols", '["BTC", "ETH"]')
        client.set("price:BTC", json.dumps({"time": now, "price": 2.5}))
        client.set("session:42", "another program's")
    return redis_process


@pytest.fixture
def spoiled(bus: RedisProcess) -> RedisProcess:
    now = SystemClock().now()
    with bus.client() as client:
        client.set("price:ethusdt", json.dumps({"time": now, "price": 3.5}))
        client.set("price:btcusdt", json.dumps({"time": 5, "price": 1.5}))
        client.set("price:SOL", json.dumps({"time": 5, "price": 1.5}))
        client.set("price:banana", "1")
    return bus


def names(bus: RedisProcess) -> set[bytes]:
    with bus.client() as client:
        return set(client.scan_iter())


def test_a_clean_bus_is_exit_0(vela, bus: RedisProcess) -> None:
    answer = vela("audit", "--bus", bus.url)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        f"2 keys, 0 streams, 2 symbols in use at redis://127.0.0.1:{bus.port}/0; "
        "1 keys of other programs left alone; 0 findings\n"
    )


def test_findings_are_exit_1_and_change_nothing(vela, spoiled: RedisProcess) -> None:
    before = names(spoiled)
    answer = vela("audit", "--bus", spoiled.url, "--json")
    assert (answer.code, answer.err) == (1, "")
    document = json.loads(answer.out)
    assert document["problems"] == {"misspelt": 2, "unknown_symbol": 1, "unused_symbol": 1}
    assert [(finding["key"], finding["fix"], finding["fixed"]) for finding in document["findings"]] == [
        ("price:SOL", "remove price:SOL", False),
        ("price:banana", None, False),
        ("price:btcusdt", "remove price:btcusdt", False),
        ("price:ethusdt", "rename price:ethusdt to price:ETH", False),
    ]
    assert (document["ok"], document["symbols"], document["foreign_keys"]) == (False, ["BTC", "ETH"], 1)
    assert names(spoiled) == before


def test_fix_names_what_it_does_and_leaves_what_is_not_safe(vela, spoiled: RedisProcess) -> None:
    answer = vela("audit", "--bus", spoiled.url, "--fix")
    assert answer.code == 1  # price:banana is still there
    lines = answer.out.splitlines()
    assert lines[0] == (
        "unused_symbol: price:SOL: no symbol in use owns it; its value is "
        f"{lines[0].split('value is ')[1].split(' s old')[0]} s old; --fix: remove price:SOL"
    )
    assert "rename price:ethusdt to price:ETH: done" in lines
    assert lines[-1].endswith("1 findings, 3 fixed")
    assert names(spoiled) == {b"active_symbols", b"price:BTC", b"price:ETH", b"price:banana", b"session:42"}
    with spoiled.client() as client:
        assert json.loads(client.get("price:ETH") or b"")["price"] == 3.5
        client.delete("price:banana")
    assert vela("audit", "--bus", spoiled.url, "--fix").code == 0


def test_what_was_fixed_is_told_as_json_and_named_beforehand_beside_it(vela, spoiled: RedisProcess) -> None:
    answer = vela("audit", "--bus", spoiled.url, "--fix", "--json")
    assert [finding["fixed"] for finding in json.loads(answer.out)["findings"]] == [True, False, True, True]
    assert "--fix: remove price:SOL" in answer.err


def test_symbols_given_are_in_use_too(vela, spoiled: RedisProcess) -> None:
    document = json.loads(vela("audit", "--bus", spoiled.url, "--symbols", "solusdt", "--json").out)
    assert document["symbols"] == ["BTC", "ETH", "SOL"]
    assert document["problems"] == {"misspelt": 2, "stale": 1, "unknown_symbol": 1}


def test_a_stream_that_nobody_reads_is_found(vela, bus: RedisProcess) -> None:
    with bus.client() as client:
        client.xadd("vela:orders", {"envelope": "x"}, "5-1")
        client.xgroup_create("vela:orders", "brain", "0")
        client.xadd("vela:dead:orders", {"reason": "x"})
    document = json.loads(vela("audit", "--bus", bus.url, "--json").out)
    assert document["problems"] == {"dead_letters": 1, "nobody_reads": 1}
    assert vela("audit", "--bus", bus.url, "--dead-after", "3650d", "--json").code == 1


def test_the_address_may_come_from_the_environment(vela, bus: RedisProcess, monkeypatch) -> None:
    monkeypatch.setenv("VELA_BUS", bus.url)
    assert vela("audit").code == 0


def test_what_a_key_is_called_cannot_draw_on_the_terminal(vela, bus: RedisProcess) -> None:
    with bus.client() as client:
        client.set("price:\x1b[31m\nred", "1")
    out = vela("audit", "--bus", bus.url).out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_a_redis_that_does_not_answer_is_a_failure_in_one_line(vela) -> None:
    answer = vela("audit", "--bus", f"redis://:secret@127.0.0.1:{free_port()}/0")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
    assert answer.err.startswith("vela: ")
    assert "secret" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "setting bus is missing; accepted: --bus redis://HOST:6379/0"),
        (["--bus", "http://x"], "setting bus (option) was no address; accepted: redis://"),
        (["--bus", "redis://x", "--symbols", "banana"], "item 1 of the symbol list: 'banana'"),
        (["--bus", "redis://x", "--stale-after", "soon"], "--stale-after was 'soon'; accepted: a duration such as"),
        (["--bus", "redis://x", "--dead-after", "-1s"], "--dead-after was '-1s'; accepted: a duration such as"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], said: str, refuses) -> None:
    assert said in refuses("audit", *arguments)

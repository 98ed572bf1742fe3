from __future__ import annotations

import pytest

BUS, DATABASE = ("--bus", "redis://127.0.0.1:1/0"), ("--database", "postgresql://vela:hush@127.0.0.1:1/vela")
ACCEPTED = "accepted: market-data, brain, orders, persistence, historical, simulator, dashboard"


@pytest.mark.parametrize("service", ["strategy-optimizer", "alerts"])
def test_a_service_that_does_not_exist_yet(service: str, refuses) -> None:
    assert f"service {service!r} does not exist yet; {ACCEPTED}" in refuses("run", service, *BUS, *DATABASE)


def test_a_service_that_nobody_knows(refuses) -> None:
    assert f"service 'toaster' is unknown; {ACCEPTED}" in refuses("run", "toaster", *BUS, *DATABASE)


def test_both_addresses_are_needed(refuses) -> None:
    assert "setting bus is missing" in refuses("run", "brain", *DATABASE)
    assert "setting database is missing" in refuses("run", "brain", *BUS)
    assert "accepted: --bus redis://HOST:6379/0 --database postgresql://" in refuses("run", "brain")


def test_an_address_that_is_none(refuses) -> None:
    said = refuses("run", "brain", "--bus", "http://:hush@h", *DATABASE)
    assert "setting bus (option) was no address; accepted: redis://host:port/db" in said
    assert "hush" not in said


@pytest.mark.parametrize("shard", ["3/2", "0/2", "one"])
def test_a_shard_that_is_none(shard: str, refuses) -> None:
    said = refuses("run", "brain", "--shard", shard, *BUS, *DATABASE)
    assert f"shard was {shard!r}; accepted: the number of this one and of all, such as 1/3" in said


def test_a_shard_of_something_else_than_a_brain(refuses) -> None:
    said = refuses("run", "orders", "--shard", "1/2", *BUS, *DATABASE)
    assert "--shard was given to orders; accepted: with brain" in said


def test_waiting_for_the_end_of_a_market_without_one(refuses) -> None:
    assert "--until-end waits for the market's end" in refuses("run", "market-data", "--until-end", *BUS, *DATABASE)


def test_up_takes_a_bus_only_for_several_processes(refuses) -> None:
    assert "setting bus is for services in processes of their own; accepted: with --scaled" in refuses("up", *BUS)
    assert "setting bus is missing" in refuses("up", "--scaled", *DATABASE)

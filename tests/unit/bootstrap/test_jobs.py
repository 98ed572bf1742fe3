from __future__ import annotations

import os
from pathlib import Path

import pytest

from vela.bootstrap import jobs
from vela.bootstrap.job_process import inventory
from vela.bootstrap.jobs import RULES, all_strategies, jobs_at_once, read_request
from vela.bootstrap.settings import BacktestSettings
from vela.domain.errors import ConfigurationError, StrategyError, VelaError
from vela.domain.jobs import BacktestRequest
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.registry import SHIPPED

OWN = "from vela.strategies.sma_crossover import SmaCrossover\nopen('ran', 'w')\n\nclass Own(SmaCrossover):\n    pass\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in [key for key in os.environ if key.startswith("VELA_")]:
        monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(folder: Path, text: str = OWN) -> None:
    (folder / "strategies").mkdir()
    (folder / "strategies" / "own.py").write_text(text)


def read(strategy: str = "SmaCrossover", parameters=None, rules=None, **options) -> BacktestRequest:
    named = {name.rstrip("_"): value for name, value in options.items()}
    return read_request(strategy, parameters or {}, named, rules or {}, "data")


def test_a_request_is_read_as_a_person_wrote_it() -> None:
    options = {"symbols": "btc, ETH/BTC", "timeframe": "1H", "from_": "1970-01-02", "to": "172800000"}
    assert read(parameters={"fast": "7"}, rules={"stake": "5%"}, **options) == BacktestRequest(
        "SmaCrossover",
        {"fast": "7"},
        (TradingSymbol("BTC"), TradingSymbol.from_str("ETH/BTC")),
        Timeframe.H1,
        86_400_000,
        172_800_000,
        {"stake": "5%"},
    )


def test_what_is_left_out_stays_out_whatever_the_settings_file_says(folder: Path) -> None:
    (folder / "vela.toml").write_text('symbols = "DOGE"\ntimeframe = "5m"\nfrom = "2024-01-01"\n')
    assert read() == BacktestRequest("SmaCrossover")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"strategy": "Foo"}, "strategy 'Foo' is unknown; accepted: SmaCrossover, "),
        ({"strategy": "os:path"}, "strategy 'os:path' is unknown; accepted: SmaCrossover, "),
        ({"parameters": {"fast": "99"}}, "SmaCrossover.fast was 99; accepted: a whole number from 5 to 50"),
        ({"parameters": {"fast": "10.0"}}, "SmaCrossover.fast was '10.0'; accepted: a whole number from 5 to 50"),
        ({"parameters": {"fast": "40", "slow": "20"}}, "SmaCrossover"),
        ({"parameters": {"speed": "1"}}, "parameter was 'speed=1'; accepted, each once: fast=10, slow=30"),
        ({"parameters": {"fast": "\ud800"}}, "'fast' was '\\ud800'; accepted: text that can be printed"),
        ({"strategy": "Sma\0"}, "'strategy' was 'Sma\\x00'; accepted: text"),
        ({"symbols": "banana"}, "setting symbols (option) was 'banana'"),
        ({"timeframe": "7m"}, "setting timeframe (option) was '7m'; accepted: 1s, 1m, "),
        ({"from_": "yesterday"}, "setting from (option) was 'yesterday'; accepted: a date"),
        ({"rules": {"stake": "200%"}}, "setting stake (option) was '200%'; accepted: "),
        ({"rules": {"instruments": "/etc/passwd"}}, "rule 'instruments' is unknown; accepted: capital, "),
    ],
)
def test_what_makes_no_sense_is_one_sentence(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(VelaError) as refused:
        read(**values)
    assert str(refused.value).startswith(sentence)
    assert "accepted" in str(refused.value)
    assert isinstance(refused.value, ConfigurationError | StrategyError)


def test_reading_runs_no_code_of_the_user(folder: Path) -> None:
    own(folder)
    assert read("Own", {"whatever": "5"}).strategy == "Own"
    assert not (folder / "ran").exists()


def test_no_rule_names_a_file() -> None:
    fields = {field.alias or name: field for name, field in BacktestSettings.model_fields.items()}
    assert {"capital", "stake", "fee", "slippage", "stop_loss", "take_profit", "allow_short"} <= set(RULES)
    assert [name for name in RULES if "Path" in str(fields[name].annotation)] == []


async def test_all_strategies_with_their_ranges_the_users_own_too(folder: Path) -> None:
    own(folder)
    found = await all_strategies()
    assert [one["name"] for one in found.strategies] == [*SHIPPED, "Own"]
    assert found.strategies[0] == {
        "name": "SmaCrossover",
        "what": "Buy when the fast average crosses above the slow one, sell when it crosses below.",
        "shipped": True,
        "suits": ["bear_trend", "bull_trend"],
        "parameters": {"fast": {"default": 10, "low": 5, "high": 50}, "slow": {"default": 30, "low": 20, "high": 200}},
    }
    assert found.problem == ""
    assert (folder / "ran").exists()


async def test_the_process_ends_well() -> None:
    async def hear(frame: bytes) -> None:
        pass

    assert await jobs._ask(jobs.Inventory(), hear) == 0


def test_a_file_that_cannot_be_used_is_named_and_the_shipped_ones_are_there(folder: Path) -> None:
    own(folder, "class Own(Strategy:\n")
    found = inventory()
    assert [one["name"] for one in found.strategies] == [*SHIPPED]
    assert found.problem.startswith("strategies/own.py:1: SyntaxError")


async def test_a_file_that_ends_its_process_is_told_in_one_sentence(folder: Path) -> None:
    own(folder, "import os\nos._exit(7)\n")
    found = await all_strategies()
    assert [one["name"] for one in found.strategies] == [*SHIPPED]
    assert found.problem.startswith("its process ended with status 7")


async def test_a_file_that_never_ends_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(folder, "while True: pass\n")
    monkeypatch.setattr("vela.bootstrap.jobs._PATIENCE_SECONDS", 2)
    assert (await all_strategies()).problem.startswith("a file in strategies/ takes more than 2 s; accepted: ")


def test_at_least_one_job_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, wanted in ((None, 1), (1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert jobs_at_once() == wanted

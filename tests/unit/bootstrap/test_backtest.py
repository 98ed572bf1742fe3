from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.builders import BTC, ETH
from tests.fakes import write_recording

from vela.bootstrap.backtest import Outcome, encode_document, read_instrument, run_backtest
from vela.bootstrap.settings import load_backtest_settings
from vela.domain.errors import ConfigurationError, StrategyError
from vela.domain.signal import Signals
from vela.engine.rules import TradingRules
from vela.strategies.base import Strategy
from vela.strategies.sma_crossover import SmaCrossover

NOWHERE = Path("no-such-folder")


class Broken(Strategy):
    warmup = 1

    def analyze(self, symbol, candles) -> Signals:
        raise ZeroDivisionError("by nothing")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "BTCUSDT_1m.parquet", 600)


def run(*files: str | Path, strategy: Strategy | None = None, **options) -> Outcome:
    settings = load_backtest_settings(options, {}, NOWHERE)
    names = [str(one) for one in files]
    return run_backtest(strategy or SmaCrossover(), settings, names, symbols_given="symbols" in options)


def instruments(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "instruments.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_without_options_the_rules_are_the_defaults_of_live_trading(file: Path) -> None:
    outcome = run(file)
    assert outcome.result.rules == TradingRules()
    assert outcome.result.provenance.config["allow_short"] is False


def test_every_option_reaches_the_rules(file: Path) -> None:
    rules = run(
        file,
        capital="5000",
        stake="5%",
        max_positions=3,
        cooldown="1h",
        stop_loss="1.5",
        take_profit=4,
        trailing="0.5",
        trailing_after="1",
        break_even_after="0.7",
        fee="0.0005",
        slippage="0",
        regime_filter=True,
    ).result.rules
    assert (rules.initial_capital, str(rules.stake), rules.max_positions) == (Decimal(5000), "5%", 3)
    assert (rules.cooldown_ms, rules.stop_loss_ppm, rules.take_profit_ppm) == (3_600_000, 15_000, 40_000)
    assert (rules.trailing_ppm, rules.trailing_after_ppm, rules.break_even_after_ppm) == (5_000, 10_000, 7_000)
    assert (rules.fee_rate, rules.slippage_ppm, rules.regime_filter) == (Decimal("0.0005"), 0, True)


def test_the_account_has_the_symbols_quote(file: Path) -> None:
    assert run(file, symbols="ETHBTC").result.rules.quote == "BTC"


def test_shorts_only_where_they_are_allowed(file: Path) -> None:
    assert {trade.side.value for trade in run(file).result.trades} == {"LONG"}
    assert {trade.side.value for trade in run(file, allow_short=True).result.trades} == {"LONG", "SHORT"}


def test_the_document_tells_what_the_candles_were(file: Path) -> None:
    document = run(file).document()
    assert list(document)[:2] == ["summary", "data"]
    account = {"timeframe": "1m", "rows": 600, "used": 600, "faults": {}, "missing": 0}
    assert document["data"] == {"BTC": account | {"detail": None, "instrument": None}}


def test_the_same_inputs_give_the_same_bytes(file: Path) -> None:
    one, two = (encode_document(run(file).document()) for _ in range(2))
    assert one == two
    assert one.endswith(b"}\n")
    assert msgspec.json.decode(one)["summary"]["candles"] == 600


def test_two_symbols_share_the_capital(file: Path) -> None:
    other = write_recording(file.with_name("ETHUSDT_1m.parquet"), 600, 2)
    result = run(f"BTC={file}", f"ETH={other}", max_positions=1).result
    assert set(result.candles) == {BTC, ETH}
    assert result.refused["max_positions"] > 0


def test_stages_are_told(file: Path) -> None:
    told: list[str] = []
    settings = load_backtest_settings({}, {}, NOWHERE)
    run_backtest(SmaCrossover(), settings, [str(file)], symbols_given=False, progress=told.append)
    assert told[0] == "reading candles"
    assert told[1].endswith("trading")


def test_a_users_strategy_that_fails_is_blamed_with_its_line(file: Path) -> None:
    with pytest.raises(StrategyError, match=r"test_backtest\.py:\d+: ZeroDivisionError: by nothing"):
        run(file, strategy=Broken())


# ---------------------------------------------------------------------------------------------------------- instruments


def test_instruments_put_prices_and_sizes_on_their_grid(file: Path, tmp_path: Path) -> None:
    content = {"BTCUSDT": {"tick": "0.01", "step": 0.001, "min_notional": 5}, "ETH": {"tick": "1", "step": "1"}}
    outcome = run(file, instruments=instruments(tmp_path, content))
    trade = outcome.result.trades[0]
    assert trade.quantity % Decimal("0.001") == 0
    assert trade.entry_price % Decimal("0.01") == 0
    assert list(outcome.instruments) == [BTC]
    described = outcome.document()["data"]["BTC"]["instrument"]  # type: ignore[index]  # plain values
    assert described == {"tick": "0.01", "step": "0.001", "min_notional": "5", "min_quantity": "0"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        ([], "holds no table by symbol"),
        ({"BANANA": {"tick": "1", "step": "1"}}, "instruments: 'BANANA' is no trading symbol"),
        ({"BTC": {"tick": "1"}}, "need tick and step"),
        ({"BTC": "1"}, "need tick and step"),
        ({"BTC": {"tick": "1", "step": "1", "lot": "1"}}, "need tick and step"),
        ({"BTC": {"tick": "x", "step": "1"}}, "tick of BTC: 'x' is no number"),
        ({"BTC": {"tick": None, "step": "1"}}, "tick of BTC: money was NoneType"),
        ({"BTC": {"tick": True, "step": "1"}}, "tick of BTC: money was bool"),
        ({"BTC": {"tick": "-1", "step": "1"}}, "tick of BTC was -1"),
        ({"BTC": {"tick": "0", "step": "1"}}, "tick of BTC was 0"),
        ({"BTC": {"tick": "1e-99", "step": "1"}}, "accepted: 1e-18 to 1e12"),
        ({"BTC": {"tick": "NaN", "step": "1"}}, "is not finite"),
    ],
)
def test_instruments_that_make_no_sense(file: Path, tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run(file, instruments=instruments(tmp_path, content))
    assert said in str(caught.value)
    assert "accepted" in str(caught.value)


def test_an_instruments_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"instruments file nope\.json cannot be read"):
        run(file, instruments="nope.json")


def test_one_instrument_is_read_as_it_was_described() -> None:
    symbol, one = read_instrument("ETH/BTC", {"tick": "0.00001", "step": "0.0001"})
    assert (str(symbol), one.tick, one.min_notional) == ("ETH/BTC", Decimal("0.00001"), Decimal(0))

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.fakes import write_coarser, write_recording

from vela.bootstrap.backtest import encode_document, run_backtest
from vela.bootstrap.settings import load_backtest_settings
from vela.bootstrap.verification import verify_result
from vela.domain.errors import ConfigurationError, VelaError
from vela.strategies.sma_crossover import SmaCrossover

OPTIONS = {
    "stake": "5%",
    "stop_loss": "1.25",
    "take_profit": "3",
    "trailing": "0.5",
    "trailing_after": "1",
    "break_even_after": "0.7",
    "slippage": "0.000125",
    "fee": "0.00075",
    "cooldown": "90s",
    "allow_short": True,
    "regime_filter": True,
    "from": 60_000 * 10,
    "to": 60_000 * 580,
}


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "BTCUSDT_1m.parquet", 600)


@pytest.fixture
def result(tmp_path: Path, candles: Path) -> Path:
    grid = tmp_path / "instruments.json"
    grid.write_text('{"BTC": {"tick": "0.01", "step": "0.00001", "min_notional": "1"}}')
    settings = load_backtest_settings({**OPTIONS, "instruments": str(grid)}, {}, Path("no-such-folder"))
    outcome = run_backtest(SmaCrossover(fast=5, slow=21), settings, [str(candles)], symbols_given=False)
    assert len(outcome.result) > 3
    path = tmp_path / "result.json"
    path.write_bytes(encode_document(outcome.document()))
    return path


@pytest.fixture
def changed(result: Path) -> Callable[[Callable[[dict[str, Any]], object]], Path]:
    def change(how: Callable[[dict[str, Any]], object]) -> Path:
        document = json.loads(result.read_bytes())
        how(document)
        result.write_text(json.dumps(document))
        return result

    return change


def test_a_result_is_got_again_with_all_its_rules(result: Path, candles: Path) -> None:
    assert verify_result(result, [str(candles)]) == []


def test_spaces_in_the_file_mean_nothing(changed, candles: Path) -> None:
    assert verify_result(changed(lambda _: None), [str(candles)]) == []


def test_settings_around_it_mean_nothing(result: Path, candles: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vela.toml").write_text("stake = 999\n")
    monkeypatch.setenv("VELA_STOP_LOSS", "7")
    assert verify_result(result, [str(candles)]) == []


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda d: d["summary"].update(final_equity="9999"), 'summary.final_equity: "9999" then, "'),
        (lambda d: d["summary"].pop("sharpe"), "summary.sharpe: only now"),
        (lambda d: d["summary"].update(extra=1), "summary.extra: only then"),
        (lambda d: d["trades"][2].update(pnl="1"), 'trades[2].pnl: "1" then, '),
        (lambda d: d["trades"].pop(), "trades: "),
        (lambda d: d["refused"].update(cooldown=99), "refused.cooldown: 99 then, "),
        (lambda d: d["provenance"].update(vela="0.0.1"), "Vela: version 0.0.1 then, "),
        (lambda d: d["provenance"].update(strategy_sha256="x"), "strategy: the source of SmaCrossover is another one"),
        (lambda d: d["provenance"].update(candles_sha256={"BTC": "x"}), "candles: those of BTC are others now"),
        (lambda d: d["data"]["BTC"].update(rows=1), "data.BTC.rows: 1 then, "),
        (lambda d: d.update(summary=dict(reversed(d["summary"].items()))), "the order of the file's entries"),
        (lambda d: d["provenance"]["params"].update(fast=6), "summary."),
    ],
)
def test_whatever_was_changed_is_named(changed, candles: Path, how, said: str) -> None:
    differences = verify_result(changed(how), [str(candles)])
    assert differences
    assert any(said in line for line in differences), differences


def test_detail_candles_belong_to_what_a_result_follows_from(tmp_path: Path, candles: Path) -> None:
    coarse, path = str(write_coarser(candles, 15)), tmp_path / "detailed.json"
    settings = load_backtest_settings({"stop_loss": "0.5", "take_profit": "0.5"}, {}, Path("no-such-folder"))
    strategy = SmaCrossover(fast=5, slow=20)
    outcome = run_backtest(strategy, settings, [coarse], detail_files=[str(candles)], symbols_given=False)
    path.write_bytes(encode_document(outcome.document()))
    assert verify_result(path, [coarse], detail_files=[str(candles)]) == []
    assert verify_result(path, [coarse])[0] == "detail candles: those of BTC are others now"


def test_other_candles_are_named_before_the_figures(result: Path, candles: Path) -> None:
    pl.read_parquet(candles).with_columns(pl.col("close") * 0.5 + pl.col("low") * 0.5).write_parquet(candles)
    differences = verify_result(result, [str(candles)])
    assert differences[0] == "candles: those of BTC are others now"
    assert len(differences) <= 21


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"provenance": 1, "data": {}}', b'{"summary": {}}', b"[" * 100_000]
)
def test_a_file_that_is_no_result(tmp_path: Path, candles: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match="accepted: a file that vela backtest wrote"):
        verify_result(tmp_path / "x.json", [str(candles)])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        verify_result(tmp_path / "x.json", [])


@pytest.mark.parametrize(
    "how",
    [
        lambda d: d["provenance"]["config"].update(stake="-5"),
        lambda d: d["provenance"]["config"].update(stop_loss_ppm="x"),
        lambda d: d["provenance"]["config"].update(slippage_ppm=None),
        lambda d: d["provenance"]["config"].pop("fee_rate"),
        lambda d: d["provenance"].update(config=[]),
        lambda d: d["provenance"].update(params=5),
        lambda d: d["provenance"].update(params={"fast": "x"}),
        lambda d: d["provenance"].update(strategy="Foo"),
        lambda d: d.update(data=[]),
        lambda d: d.update(data={}),
        lambda d: d["data"]["BTC"].update(instrument={"tick": "0"}),
        lambda d: d["data"]["BTC"].update(timeframe="7m"),
        lambda d: d.update(data={"BANANA": d["data"]["BTC"]}),
    ],
)
def test_a_damaged_result_is_refused_in_one_line(changed, candles: Path, how) -> None:
    with pytest.raises(VelaError) as caught:
        verify_result(changed(how), [str(candles)])
    assert len(str(caught.value).splitlines()) == 1

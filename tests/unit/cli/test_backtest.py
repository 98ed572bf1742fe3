from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from tests.fakes import write_coarser, write_recording

RUN = ("backtest", "SmaCrossover", "--candles", "btc.parquet", "--symbol", "BTCUSDT", "--timeframe", "1m")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "btc.parquet", 600)


def test_json_holds_the_result_and_nothing_else(recording: Path, vela) -> None:
    answer = vela(*RUN, "--set", "fast=10", "--set", "slow=30", "--json")
    assert (answer.code, answer.err) == (0, "")
    result = json.loads(answer.out)
    assert list(result) == ["summary", "data", "trades", "refused", "by_regime", "provenance"]
    assert result["summary"]["candles"] == 600
    assert result["summary"]["trades"] == len(result["trades"]) > 0
    assert result["provenance"]["params"] == {"fast": 10, "slow": 30}
    assert result["trades"][0]["symbol"] == "BTC"


def test_detail_candles_settle_which_of_stop_and_target_came_first(tmp_path: Path, vela) -> None:
    coarse = write_coarser(write_recording(tmp_path / "btc.parquet", 12_000), 60).name
    rules = ("--stop-loss", "0.5", "--take-profit", "0.5", "--set", "fast=5", "--set", "slow=20", "--json")
    run = ("backtest", "SmaCrossover", "--candles", coarse, "--timeframe", "1h", *rules)
    rough, fine = json.loads(vela(*run).out), json.loads(vela(*run, "--detail-candles", "btc.parquet").out)
    assert (rough["data"]["BTC"]["detail"], rough["provenance"]["detail_sha256"]) == (None, {})
    assert fine["data"]["BTC"]["detail"]["used"] == 12_000
    changes = zip(rough["trades"], fine["trades"], strict=False)
    assert ("stop_loss", "take_profit") in {(one["exit_reason"], other["exit_reason"]) for one, other in changes}


def test_out_holds_what_json_prints(recording: Path, vela, tmp_path: Path) -> None:
    answer = vela(*RUN, "--json", "--out", "result.json")
    assert (tmp_path / "result.json").read_text() == answer.out


def test_the_report_for_people(recording: Path, vela) -> None:
    answer = vela(*RUN, "--stake", "5%", "--trailing", "1")
    assert (answer.code, answer.err) == (0, "")
    for expected in (
        "SmaCrossover  fast 10 · slow 30",
        "BTC/USDT · 1m · 600 steps · 1970-01-01 00:00 – 1970-01-01 09:59 UTC",
        "buy and hold",
        "Month by month",
        "Profit factor",
        "sideways range",
        "This covers 0.4 days",
        "An entry spends 5 % of equity",
        "trailing stop 1 %",
    ):
        assert expected in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_candles_that_were_refused_are_told(recording: Path, vela) -> None:
    frame = pl.read_parquet(recording)
    pl.concat([frame[:100], frame[95:300], frame[310:]]).write_parquet(recording)
    said = vela(*RUN).out
    assert "BTC: 5 of 595 candles were refused" in said
    assert "BTC: 10 candles are missing between the first and the last." in said
    data = json.loads(vela(*RUN, "--json").out)["data"]["BTC"]
    assert (data["rows"], data["used"], data["missing"], sum(data["faults"].values())) == (595, 590, 10, 5)


def test_one_candle_is_a_result_without_trades(tmp_path: Path, vela) -> None:
    write_recording(tmp_path / "btc.parquet", 1)
    answer = vela(*RUN, "--html", "r.html")
    assert answer.code == 0
    assert "There was no trade" in answer.out
    assert "There was no trade" in (tmp_path / "r.html").read_text()


def test_settings_of_the_file_and_the_environment_hold_here_too(recording: Path, vela, tmp_path, monkeypatch) -> None:
    (tmp_path / "vela.toml").write_text('stake = "7%"\nport = 5001\nallow_short = true\ncandles = 5\n')
    monkeypatch.setenv("VELA_COOLDOWN", "1h")
    config = json.loads(vela(*RUN, "--json", "--cooldown", "2h").out)["provenance"]["config"]
    assert (config["stake"], config["cooldown_ms"], config["allow_short"]) == ("7%", 7_200_000, True)


def test_what_only_a_backtest_knows_does_not_disturb_vela_up(vela, tmp_path: Path) -> None:
    (tmp_path / "vela.toml").write_text("allow_short = true\n")
    quick = ("up", "--no-page", "--speed", "max", "--candles", "3", "--until-end", "--json")
    assert vela(*quick, "--symbols", "BTC", "--data-dir", "data").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--candles", "none.parquet"], "'none.parquet' does not exist"),
        (["--candles", "."], "is a folder"),
        ([], "the candle store vela-data/candles is empty; accepted: --candles FILE"),
        (["--candles", "BANANA=btc.parquet"], "'BANANA' is no trading symbol"),
        (["--candles", "btc.parquet", "--timeframe", "5m"], "timeframe was 5m, but the candles"),
        (["--candles", "btc.parquet", "--timeframe", "7m"], "setting timeframe (option) was '7m'"),
        (["--candles", "btc.parquet", "--symbol", "x/"], "setting symbols (option) was 'x/'"),
        (["--candles", "btc.parquet", "--from", "2024"], "setting from (option) was '2024'"),
        (
            ["--candles", "btc.parquet", "--from", "yesterday"],
            "setting from (option) was 'yesterday'; accepted: a date",
        ),
        (["--candles", "btc.parquet", "--to", "2024-13-01"], "setting to (option) was '2024-13-01'"),
        (["--candles", "btc.parquet", "--from", "2", "--to", "1"], "from was 2 and to 1; accepted: from before to"),
        (["--candles", "btc.parquet", "--from", "2024-01-01"], "no candle opens between from and to"),
        (["--candles", "btc.parquet", "--stake", "200%"], "setting stake (option) was '200%'"),
        (["--candles", "btc.parquet", "--stop-loss", "100"], "setting stop_loss (option) was '100'"),
        (["--candles", "btc.parquet", "--fee", "nan"], "setting fee (option) was 'nan'"),
        (["--candles", "btc.parquet", "--capital", "0"], "setting capital (option) was '0'"),
        (["--candles", "btc.parquet", "--instruments", ""], "setting instruments (option) was ''"),
        (["--candles", "btc.parquet", "--instruments", "x.json"], "instruments file x.json cannot be read"),
        (["--candles", "btc.parquet", "--set", "fast"], "'fast'"),
        (["--candles", "btc.parquet", "--set", "fast=x"], "fast was 'x'"),
        (["--candles", "btc.parquet", "--set", "fast=1e3"], "fast was '1e3'"),
        (["--candles", "btc.parquet", "--set", "fast=99"], "fast was 99"),
        (["--candles", "btc.parquet", "--set", "speed=1"], "'speed=1'"),
        (["--candles", "btc.parquet", "--set", "fast=40"], "fast"),
        (["--candles", "btc.parquet", "--html", "none/r.html"], "'none/r.html' cannot be written"),
        (["--candles", "btc.parquet", "--out", ""], "'' cannot be written"),
    ],
)
def test_a_mistake_is_one_clear_line(recording: Path, refuses, arguments: list[str], said: str) -> None:
    text = refuses("backtest", "SmaCrossover", *arguments)
    assert said in text
    assert "accepted" in text


def test_an_unknown_strategy(recording: Path, refuses) -> None:
    assert "strategy 'Foo' is unknown; accepted: SmaCrossover" in refuses("backtest", "Foo", *RUN[2:])


def test_2024_is_milliseconds_not_a_year(recording: Path, vela) -> None:
    assert (
        json.loads(vela(*RUN, "--json", "--from", "1970-01-01T00:30", "--to", "3600000").out)["summary"]["candles"]
        == 30
    )


def test_a_strategy_of_ones_own(recording: Path, vela, tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "mine.py").write_text(
        "from vela.strategies.sma_crossover import SmaCrossover\n\n\nclass Mine(SmaCrossover):\n    pass\n"
    )
    assert json.loads(vela("backtest", "Mine", *RUN[2:], "--json").out)["provenance"]["strategy"] == "Mine"


def test_help_and_the_command_line_itself_need_no_compiler() -> None:
    code = "import sys; from vela.cli.main import app; sys.exit('numba' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_interrupting_leaves_without_a_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "BTCUSDT_1m.parquet"
    os.mkfifo(pipe)
    # Reading instruments from a pipe waits until somebody writes.
    command = [sys.executable, "-m", "vela", *RUN, "--instruments", str(pipe)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                time.sleep(0.05)
            else:
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode in {2, 130}
    assert "Traceback" not in err

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def test_help_shows_an_example(vela) -> None:
    answer = vela("venue", "--help")
    assert answer.code == 0
    assert "Example: vela venue --dialect binance" in answer.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dialect", "nyse"], "nyse"),
        (["--market", "nowhere"], "neither 'synthetic' nor an existing file or folder; accepted: "),
        (["--symbols", "banana"], "banana"),
        (["--speed", "0"], "accepted: 0.01 to 1000000, or max"),
        (["--seed", "-1"], "seed"),
        (["--port", "70000"], "port 70000 does not exist; accepted: 1 to 65535"),
        (["--balance", "USDT"], "balance 'USDT'; accepted: an asset and an amount, USDT=10000"),
        (["--balance", "USDT=NaN"], "balance 'USDT=NaN'; accepted: "),
        (["--balance", "USDT=-1"], "balance 'USDT=-1'; accepted: 0 or more"),
        (["--balance", "GOLD=1"], "balance of GOLD; accepted: BTC, USDT"),
        (["--price", "BTC=1"], "prices were given, but the market moves by itself; accepted: --market still"),
        (["--price", "BTC", "--market", "still"], "price 'BTC'; accepted: a symbol and a price, BTC=100"),
        (["--price", "BTC=0", "--market", "still"], "price of BTC was 0; accepted: above 0"),
        (["--price", "BTC=0.001", "--market", "still"], "accepted: whole multiples of 0.01"),
        (["--price", "SOL=1", "--market", "still"], "price of SOL; accepted: BTC"),
        (["--maker-fee", "1"], "maker fee was 1; accepted: above -1, below 1"),
        (["--fee-asset", "BNB"], "fee asset BNB has no price here; accepted: BTC"),
        (["--taker-fee", "x"], "'x' is no number; accepted: "),
        (["--weight-limit", "0"], "weight limit was 0; accepted: 1 to "),
        (["--order-limit", "0"], "order limit was 0; accepted: 1 to "),
        (["--new-asset", "not an asset"], "'not an asset' is no asset name; accepted: "),
        (["--api-key", ""], "api key was ''; accepted: "),
        (["--truth", "no/such/folder/truth.jsonl"], "truth 'no/such/folder/truth.jsonl' cannot be written; accepted: "),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(arguments, words, vela) -> None:
    answer = vela("venue", "--symbols", "BTC", "--port", "0", "--control-port", "0", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_port_in_use_is_named(vela) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = vela("venue", "--symbols", "BTC", "--port", port, "--control-port", "0")
    assert answer.code == 2
    assert f"port {port} is in use" in answer.err


def test_it_says_where_it_listens_and_leaves_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vela", "venue", "--symbols", "BTC", "--port", "0", "--control-port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    assert "synthetic market" in lines[0]
    assert "/ws-api/v3" in lines[1]
    assert "key vela-venue-key" in lines[2]

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.fakes import write_recording

from vela.adapters.storage.sql.record import open_record

QUICK = ("up", "--no-page", "--speed", "max", "--until-end", "--json", "--data-dir", "data")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "BTCUSDT_1m.parquet", 20)


# ---------------------------------------------------------------------------------------------------------- the market


def test_a_market_that_is_not_there(refuses) -> None:
    assert "market 'nope.parquet' is neither 'synthetic' nor an existing" in refuses(*QUICK, "--market", "nope.parquet")


def test_a_file_that_was_cut_short(recording: Path, refuses) -> None:
    recording.write_bytes(recording.read_bytes()[:500])
    assert "BTCUSDT_1m.parquet cannot be read" in refuses(*QUICK, "--market", recording.name)


def test_a_file_whose_middle_is_damaged(recording: Path, refuses) -> None:
    content = bytearray(recording.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    recording.write_bytes(content)
    assert "BTCUSDT_1m.parquet cannot be read" in refuses(*QUICK, "--market", recording.name)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"open_time,open,high,low,close,volume\n0,1,1,1,1,1\n"])
def test_a_file_of_another_kind(content: bytes, tmp_path: Path, refuses) -> None:
    (tmp_path / "ETHUSDT_1m.parquet").write_bytes(content)
    said = refuses(*QUICK, "--market", "ETHUSDT_1m.parquet")
    assert "ETHUSDT_1m.parquet cannot be read" in said
    assert "accepted: a Parquet file with open_time (int64, ms UTC) and open, high, low, close, volume" in said


def test_a_file_without_rows(recording: Path, refuses) -> None:
    pl.read_parquet(recording).clear().write_parquet(recording)
    assert "BTCUSDT_1m.parquet is empty" in refuses(*QUICK, "--market", recording.name)


@pytest.mark.parametrize("column", ["open_time", "open", "high", "low", "close", "volume"])
def test_a_file_without_a_column(column: str, recording: Path, refuses) -> None:
    pl.read_parquet(recording).drop(column).write_parquet(recording)
    assert f"has no column {column}" in refuses(*QUICK, "--market", recording.name)


def test_a_file_with_a_column_of_another_kind(recording: Path, refuses) -> None:
    pl.read_parquet(recording).with_columns(pl.col("close").cast(pl.String)).write_parquet(recording)
    assert "column close of BTCUSDT_1m.parquet is String" in refuses(*QUICK, "--market", recording.name)


def test_a_folder_without_recordings(tmp_path: Path, refuses) -> None:
    (tmp_path / "empty").mkdir()
    assert "no recording was found at empty" in refuses(*QUICK, "--market", "empty")


def test_a_file_whose_symbol_nobody_can_tell(tmp_path: Path, refuses) -> None:
    write_recording(tmp_path / "prices.parquet", 5)
    assert "prices.parquet names no symbol" in refuses(*QUICK, "--market", "prices.parquet")


def test_a_market_without_an_end(refuses) -> None:
    said = refuses(*QUICK)
    assert "--until-end waits for the market's end" in said
    assert "accepted: with a recording, or with --candles N" in said


# --------------------------------------------------------------------------------------------------------- the options


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--symbols", "FOO", "setting symbols (option) was 'FOO'; item 1 of the symbol list"),
        ("--symbols", "", "setting symbols (option) was ''"),
        ("--symbols", "ETHBTC", "symbol ETH/BTC is quoted in BTC"),
        ("--strategy", "Foo", "strategy 'Foo' is unknown; accepted: "),
        ("--strategy", "", "setting strategy (option) was ''"),
        ("--timeframe", "1w", "setting timeframe (option) was '1w'; accepted: 1s, 1m"),
        ("--market", "", "setting market (option) was ''"),
        ("--speed", "0", "setting speed (option) was '0'; accepted: 0.01 to 1000000, or max"),
        ("--stop-loss", "150", "setting stop_loss (option) was '150'; accepted: less than 100"),
        ("--stake", "200%", "setting stake (option) was '200%'; accepted: above 0"),
        ("--capital", "NaN", "setting capital (option) was 'NaN'"),
        ("--port", "70000", "setting port (option) was '70000'; accepted: less than or equal to 65535"),
        ("--candles", "0", "setting candles (option) was '0'; accepted: greater than or equal to 1"),
        ("--data-dir", "", "setting data_dir (option) was ''"),
        ("--data-dir", "a\udcff", "setting data_dir (option) was 'a\\udcff'"),
    ],
)
def test_an_option_that_makes_no_sense(option: str, value: str, said: str, refuses) -> None:
    assert said in refuses(*QUICK, "--candles", "5", option, value)


def test_settings_from_the_file_and_the_environment(tmp_path: Path, refuses, monkeypatch) -> None:
    (tmp_path / "vela.toml").write_text("stop_loss = 150\n")
    assert "setting stop_loss (vela.toml) was '150'" in refuses(*QUICK)
    monkeypatch.setenv("VELA_STOP_LOSS", "x")
    assert "setting stop_loss (environment) was 'x'" in refuses(*QUICK)
    (tmp_path / "vela.toml").write_bytes(b"\xff\xfe")
    assert "vela.toml cannot be read" in refuses(*QUICK)


# ---------------------------------------------------------------------------------------------- the directory, the port


@pytest.mark.parametrize("directory", ["file", "file/data", "/proc/vela"])
def test_a_directory_that_cannot_be_made(directory: str, tmp_path: Path, refuses) -> None:
    (tmp_path / "file").touch()
    said = refuses(*QUICK, "--candles", "5", "--data-dir", directory)
    assert f"{directory} cannot be made" in said
    assert "accepted: a writable directory" in said


def test_a_directory_whose_name_has_two_lines_still_makes_one_line(tmp_path: Path, refuses) -> None:
    (tmp_path / "a\nb").touch()
    assert "a b cannot be made" in refuses(*QUICK, "--candles", "5", "--data-dir", "a\nb")


def test_a_directory_that_another_process_uses(tmp_path: Path, refuses) -> None:
    code = "import sys, pathlib; from vela.adapters.storage.sql.record import open_record\n"
    code += "r = open_record(pathlib.Path('data')); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        assert f"in use by another running Vela (process {other.pid})" in refuses(*QUICK, "--candles", "5")
        other.communicate("")


def test_a_directory_with_another_market(vela, refuses) -> None:
    assert vela(*QUICK, "--candles", "3", "--symbols", "BTC").code == 0
    said = refuses(*QUICK, "--candles", "3", "--symbols", "BTC", "--seed", "99")
    assert "holds an account on another market: seed was" in said
    assert "accepted: the same market, or another --data-dir" in said


def test_a_directory_with_something_else_in_the_records_place(tmp_path: Path, refuses) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "vela.sqlite").write_bytes(b"something else" * 500)
    assert "vela.sqlite" in refuses(*QUICK, "--candles", "3")


def test_a_port_that_is_in_use_and_a_host_that_is_none(refuses) -> None:
    run = ("up", "--data-dir", "data", "--symbols", "BTC")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} is in use on 127.0.0.1; accepted: a free port" in refuses(*run, "--port", port)
    assert "host 'not a host' cannot be used" in refuses(*run, "--host", "not a host")


def test_a_refusal_leaves_the_directory_usable(vela, refuses, tmp_path: Path) -> None:
    refuses(*QUICK, "--candles", "3", "--strategy", "Foo")
    assert not (tmp_path / "data").exists()
    assert vela(*QUICK, "--candles", "3", "--symbols", "BTC").code == 0
    open_record(tmp_path / "data").close()

from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import BTC, ETH, SOL
from tests.fakes import write_recording

from vela.bootstrap.market import Market, open_market
from vela.bootstrap.settings import load_settings
from vela.domain.errors import CandleError, ConfigurationError
from vela.domain.timeframe import Timeframe


def market(**options) -> Market:
    return open_market(load_settings(options, {}, Path("no-such-folder") / "vela.toml"))


def test_the_synthetic_market_has_an_end_only_by_setting() -> None:
    assert not market().has_end
    assert market(candles=5).has_end
    assert len(market().symbols) == 8


def test_what_makes_the_synthetic_market_another_one_is_in_its_identity() -> None:
    first = market(seed=3, symbols="BTC,ETH")
    assert first.title == "synthetic market, seed 3"
    assert first.identity == market(seed=3, symbols="BTC,ETH", candles=9, speed="max", capital=5).identity
    others = [market(seed=4, symbols="BTC,ETH"), market(seed=3), market(seed=3, symbols="BTC,ETH", timeframe="5m")]
    assert all(other.identity != first.identity for other in others)
    assert others[0].exchange != first.exchange


def test_a_file_is_a_recording_with_an_end(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "BTCUSDT_1m.parquet", 20)
    opened = market(market=str(path))
    assert opened.has_end
    assert opened.title == "replay of BTCUSDT_1m.parquet"
    assert opened.symbols == (BTC,)
    assert opened.source.timeframe is Timeframe.M1


def test_a_folder_holds_one_recording_per_symbol_and_symbols_choose_among_them(tmp_path: Path) -> None:
    for symbol in ("BTC", "ETH"):
        write_recording(tmp_path / f"{symbol}USDT_1m.parquet", 20)
    assert market(market=str(tmp_path)).symbols == (BTC, ETH)
    assert market(market=str(tmp_path), symbols="ETH").symbols == (ETH,)


def test_the_same_candles_are_the_same_market_wherever_they_lie(tmp_path: Path) -> None:
    one, two, other = (tmp_path / name / "BTCUSDT_1m.parquet" for name in "abc")
    write_recording(one, 20)
    write_recording(two, 20)
    write_recording(other, 21)
    assert market(market=str(one)).identity == market(market=str(two)).identity
    assert market(market=str(one)).identity != market(market=str(other)).identity
    assert market(market=str(one)).exchange != market(market=str(other)).exchange


def test_one_file_and_one_symbol_belong_together_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "prices.parquet", 20)
    assert market(market=str(path), symbols="SOL").symbols == (SOL,)
    with pytest.raises(CandleError, match="names no symbol"):
        market(market=str(path))


def test_a_symbol_that_was_not_recorded_is_refused(tmp_path: Path) -> None:
    write_recording(tmp_path / "BTCUSDT_1m.parquet", 20)
    with pytest.raises(ConfigurationError, match="ETH was not recorded; accepted: BTC"):
        market(market=str(tmp_path), symbols="BTC,ETH")


def test_a_market_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'sinthetic' is neither 'synthetic' nor an existing file"):
        market(market="sinthetic")

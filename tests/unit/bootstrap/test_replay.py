from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vela.bootstrap.backtest import run_backtest
from vela.bootstrap.replay import run_replay
from vela.bootstrap.settings import load_backtest_settings
from vela.domain.errors import ConfigurationError
from vela.strategies.registry import create_strategy


def recording(folder: Path, symbol: str, seed: int, rows: int = 1_200) -> str:
    chance = np.random.default_rng(seed)
    close = np.round(1_000 * np.exp(np.cumsum(chance.normal(0, 2e-3, rows))), 2)
    open_ = np.concatenate(([close[0]], close[:-1]))
    columns = {
        "open_time": 1_735_689_600_000 + 60_000 * np.arange(rows),
        "open": open_,
        "high": np.round(np.maximum(open_, close) * 1.001, 2),
        "low": np.round(np.minimum(open_, close) * 0.999, 2),
        "close": close,
        "volume": np.ones(rows),
    }
    path = folder / f"{symbol}_1m.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return f"{symbol}={path}"


def test_both_ways_give_the_same_trades_and_the_document_says_so(tmp_path: Path) -> None:
    files = [recording(tmp_path, "BTC", 1), recording(tmp_path, "ETH", 2)]
    settings = load_backtest_settings({"stake": "20%", "take_profit": "0.9"}, {}, tmp_path / "none.toml")
    replay = run_replay(create_strategy("SmaCrossover", fast=5, slow=20), settings, files, symbols_given=False)
    document = replay.document()
    assert len(replay.trades) > 5
    assert replay.trades == tuple(sorted(replay.trades, key=lambda trade: trade.exit_time))
    assert document["identical"] is True
    assert document["drift"] == []
    outcome = run_backtest(create_strategy("SmaCrossover", fast=5, slow=20), settings, files, symbols_given=False)
    assert replay.expected == outcome.result.trades
    assert replay.summary.final_equity == outcome.result.final_equity


def test_the_window_is_kept(tmp_path: Path) -> None:
    files = [recording(tmp_path, "BTC", 1)]
    settings = load_backtest_settings({"from": "2025-01-01T05:00"}, {}, tmp_path / "none.toml")
    replay = run_replay(create_strategy("SmaCrossover"), settings, files, symbols_given=False)
    assert replay.summary.candles == 900


def test_shorts_are_refused_because_spot_has_none(tmp_path: Path) -> None:
    settings = load_backtest_settings({"allow_short": True}, {}, tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="accepted: --long-only"):
        run_replay(create_strategy("SmaCrossover"), settings, [recording(tmp_path, "BTC", 1)], symbols_given=False)

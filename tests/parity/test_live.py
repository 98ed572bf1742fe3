"""One recording through the backtest and through the whole live stack: the same trades, to the last digit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import polars as pl
import pytest

from vela.adapters.storage.sql.record import open_record
from vela.backtest import BacktestConfig, backtest
from vela.bootstrap.application import Application
from vela.bootstrap.settings import load_settings
from vela.domain.candles import COLUMNS, Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.registry import SHIPPED, create_strategy

ROWS = 2_000
OPTIONS: list[dict[str, object]] = [
    {},
    {"take_profit": "1.5", "stop_loss": "1", "stake": "10%", "take_profit_part": "40", "impact": "0.02"},
    {
        "trailing": "0.8",
        "trailing_after": "0.4",
        "take_profit": "2",
        "stake": "all",
        "max_positions": 1,
        "cooldown": "0s",
    },
    {"break_even_after": "0.5", "stop_loss": "0.7", "regime_filter": True},
]


def recorded(shared_data: Path, symbol: str, folder: Path) -> Candles:
    frame = pl.read_parquet(shared_data / f"candles/binance/{symbol}/5m.parquet").slice(50_000, ROWS)
    path = folder / symbol / "5m.parquet"
    path.parent.mkdir(parents=True)
    frame.write_parquet(path)
    return Candles.from_columns(*(frame[name].to_numpy() for name in ("open_time", *COLUMNS)))


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "defaults")
@pytest.mark.parametrize("name", SHIPPED)
async def test_a_replay_gives_the_trades_of_the_backtest(
    name: str, options: dict[str, object], shared_data: Path, tmp_path: Path
) -> None:
    candles = {
        TradingSymbol.from_str(text): recorded(shared_data, text, tmp_path / "candles")
        for text in ("BTCUSDT", "ETHUSDT", "BNBUSDT")
    }
    given = {"market": str(tmp_path / "candles"), "speed": "max", "page": False, "data_dir": tmp_path / "data"}
    settings = load_settings({**given, "strategy": name, **options}, {}, tmp_path / "none.toml")
    await Application(settings, until_end=True).run(asyncio.Event(), lambda _ready: None)
    result = backtest(create_strategy(name), candles, BacktestConfig(rules=settings.rules))
    with open_record(tmp_path / "data") as record:
        live = sorted(record.reader.trades(limit=100_000), key=lambda t: (t.exit_time, t.symbol))
        summary = record.reader.summary()
    past = sorted(result.trades, key=lambda t: (t.exit_time, t.symbol))
    assert past, "a comparison of nothing"
    assert live == past
    assert {reason: count for reason, count in result.refused.items() if count} == {
        reason: count for reason, count in summary.refused.items() if reason != "market_ended"
    }
    assert summary.final_equity == result.final_equity
    assert summary.fees == result.fees_paid

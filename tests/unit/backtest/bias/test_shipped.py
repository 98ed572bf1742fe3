"""No shipped strategy is flagged, whatever its parameters and whatever the market."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.unit.backtest.bias.markets import MARKETS

from vela.backtest.bias import Effort, check_strategy
from vela.domain.candles import COLUMNS, Candles
from vela.strategies.base import Strategy
from vela.strategies.registry import SHIPPED

EFFORT = Effort(cuts=12, work=300_000)


def variants() -> list[Strategy]:
    return [
        cls(**{name: getattr(parameter, end) for name, parameter in cls.parameters.items()})
        for cls in SHIPPED.values()
        for end in ("default", "low", "high")
    ]


def identity(strategy: Strategy) -> str:
    return f"{strategy.name}-" + "-".join(str(value) for value in strategy.settings.values())


every_variant = pytest.mark.parametrize("strategy", variants(), ids=identity)


def count(strategy: Strategy) -> int:
    return max(1_500, 4 * strategy.warmup)


def sentences(strategy: Strategy, candles: Candles) -> list[str]:
    report = check_strategy(strategy, candles, effort=EFFORT)
    assert len(report.checked) == 5
    return [finding.sentence for finding in report.findings]


@pytest.mark.parametrize("market", MARKETS)
@every_variant
def test_on_made_up_candles(strategy: Strategy, market: str):
    assert sentences(strategy, MARKETS[market](count(strategy), 3)) == []


@pytest.mark.parametrize("recording", ["BTCUSDT/5m", "ETHUSDT/1m_2017-08"])
@every_variant
def test_on_recorded_candles(strategy: Strategy, recording: str, shared_data: Path):
    frame = pl.read_parquet(shared_data / "candles" / "binance" / f"{recording}.parquet").head(count(strategy))
    candles = Candles.from_columns(*(frame[name].to_numpy() for name in ("open_time", *COLUMNS)))
    assert sentences(strategy, candles) == []

"""The compiled backtest against the slow reference, over random options, random walks and recorded candles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.parity.records import ReferenceConfig, ReferenceResult
from tests.parity.reference import simulate
from tests.parity.scenarios import Case, random_case, recorded_case

from vela.backtest import BacktestConfig, BacktestResult, backtest
from vela.backtest import prepare as prepare_module
from vela.backtest import result as result_module
from vela.domain.candles import Candles
from vela.domain.instrument import Instrument
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.regime import REGIMES
from vela.engine.rules import Stake, TradingRules, percent_to_ppm
from vela.strategies.base import Strategy

RANDOM_CASES = 200
RECORDED_CASES = 60


class Scripted(Strategy):
    """Says what it was told to say."""

    script: ClassVar[dict[TradingSymbol, tuple[Candles, Signals]]] = {}
    warmup = 1

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        whole, signals = self.script[symbol]
        first = int(np.searchsorted(whole.open_time, candles.open_time[0]))
        rows = slice(first, first + len(candles))
        confidence = None if signals.confidence is None else signals.confidence[rows]
        return Signals(signals.buy[rows], signals.sell[rows], confidence)


def rules_of(config: ReferenceConfig) -> TradingRules:
    return TradingRules(
        initial_capital=config.capital,
        stake=Stake.from_str(config.stake),
        max_positions=config.max_positions,
        cooldown_ms=config.cooldown_ms,
        stop_loss_ppm=percent_to_ppm(config.stop_loss),
        take_profit_ppm=percent_to_ppm(config.take_profit),
        take_profit_part_ppm=percent_to_ppm(config.take_profit_part),
        trailing_ppm=percent_to_ppm(config.trailing),
        trailing_after_ppm=percent_to_ppm(config.trailing_after),
        break_even_after_ppm=percent_to_ppm(config.break_even_after),
        fee_rate=config.fee,
        slippage_ppm=int(config.slippage * 1_000_000),
        impact_ppm=int(config.impact * 1_000_000),
        regime_filter=config.regime_filter,
    )


def run(case: Case, monkeypatch: pytest.MonkeyPatch) -> BacktestResult:
    monkeypatch.setattr(Scripted, "script", case.series)

    def given_regimes(candles: Candles) -> NDArray[np.int8]:
        for symbol, (whole, _) in case.series.items():
            first = int(np.searchsorted(whole.open_time, candles.open_time[0]))
            if np.array_equal(whole.close[first : first + len(candles)], candles.close):
                given = case.regimes[symbol][first : first + len(candles)]
                return np.array([REGIMES.index(regime) for regime in given], dtype=np.int8)
        raise AssertionError("candles of no symbol")

    monkeypatch.setattr(prepare_module, "classify_all", given_regimes)
    monkeypatch.setattr(result_module, "classify_all", given_regimes)
    config = BacktestConfig(
        rules=rules_of(case.config),
        allow_short=case.config.allow_short,
        start=case.config.from_ms,
        end=case.config.to_ms,
    )
    candles = {symbol: candles for symbol, (candles, _) in case.series.items()}
    return backtest(Scripted(), candles, config, instruments=case.instruments, detail=case.detail)


def compare(actual: BacktestResult, expected: ReferenceResult) -> None:
    wanted = [
        (
            t.symbol,
            t.side,
            t.entry_time,
            t.entry_price,
            t.exit_time,
            t.exit_price,
            t.quantity,
            t.fees,
            t.pnl,
            t.exit_reason,
        )
        for t in expected.trades
    ]
    found = [
        (
            t.symbol,
            t.side,
            t.entry_time,
            t.entry_price,
            t.exit_time,
            t.exit_price,
            t.quantity,
            t.fees,
            t.pnl,
            t.exit_reason,
        )
        for t in actual.trades
    ]
    assert sorted(found) == sorted(wanted)
    assert [t.regime for t in sorted(actual.trades, key=key)] == [t.regime for t in sorted(expected.trades, key=key)]
    assert actual.refused == expected.refused
    assert [(p.symbol, p.side, p.quantity, p.entry_price) for p in actual.open_positions] == sorted(
        (p.symbol, p.side, p.quantity, p.entry_price) for p in expected.open_positions
    )
    assert actual.final_equity == expected.final_equity
    assert actual.fees_paid == expected.fees_paid
    assert np.allclose(actual.equity, [float(value) for _, value in expected.equity], rtol=1e-9, atol=1e-9)


def key(trade: object) -> tuple[object, ...]:
    return trade.exit_time, trade.symbol, trade.entry_time  # type: ignore[attr-defined]


@pytest.mark.parametrize("block", range(8))
def test_random_options_on_random_walks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(block * RANDOM_CASES // 8, (block + 1) * RANDOM_CASES // 8):
        case = random_case(seed)
        compare(run(case, monkeypatch), simulate(*case))


def test_random_options_on_recorded_candles(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(RECORDED_CASES):
        case = recorded_case(shared_data / "candles" / "binance", seed)
        compare(run(case, monkeypatch), simulate(*case))


def test_money_has_room_for_a_large_account(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(3)
    config = ReferenceConfig(capital=Decimal(10) ** 12, stake="all", max_positions=1)
    case = case._replace(config=config)
    compare(run(case, monkeypatch), simulate(*case))


def test_a_part_must_be_tradable_at_a_trailing_stop_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # Half of what is bought is worth 40.50, and less than the venue's 40 where the stop trails it from the entry on.
    exits: Any = {"stop_loss": Decimal(0), "trailing": Decimal(2), "take_profit": Decimal("0.3")}
    for seed in range(6):
        case = random_case(seed)
        config = replace(case.config, capital=Decimal(1000), stake="81", take_profit_part=Decimal(50), **exits)
        rules = {
            symbol: Instrument(symbol, one.tick, Decimal("1E-8"), Decimal(40))
            for symbol, one in case.instruments.items()
        }
        case = case._replace(config=config, instruments=rules)
        compare(run(case, monkeypatch), simulate(*case))

from __future__ import annotations

import time

import pytest
from tests.builders import BTC, ETH, random_walk
from tests.unit.backtest.bias.cheats import ColdAverage, KnowsItsPosition, NextClose, Simple

from vela.bootstrap.new_strategy import write_strategy
from vela.bootstrap.strategies import load_strategy
from vela.bootstrap.strategy_checks import check_thoroughly, require_unbiased, synthetic_candles
from vela.domain.errors import StrategyError
from vela.strategies.registry import SHIPPED
from vela.strategies.rsi_mean_reversion import RsiMeanReversion
from vela.strategies.sma_crossover import SmaCrossover


class Broken(Simple):
    def flags(self, candles):
        return candles.close > candles.missing, candles.close < candles.open


def test_without_candles_the_synthetic_market_is_taken_long_enough_for_the_warmup():
    assert check_thoroughly(SmaCrossover()).candles == 10_000
    assert check_thoroughly(RsiMeanReversion(period=50)).candles == 10_000
    assert synthetic_candles(BTC, 50).rows() == synthetic_candles(BTC, 80).rows()[:50]


def test_of_many_candles_the_newest_are_taken():
    report = check_thoroughly(SmaCrossover(), ETH, random_walk(20_500, 1, 0.001))
    assert report.candles == 20_000


def test_a_strategy_that_fails_at_once_is_refused_with_its_line():
    for refuse in (check_thoroughly, lambda strategy: require_unbiased({BTC: strategy})):
        with pytest.raises(StrategyError, match=r"test_strategy_checks\.py:\d+: AttributeError: .*missing"):
            refuse(Broken())


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (NextClose(), "NextClose may not trade: look-ahead: buy of candle "),
        (ColdAverage(), "ColdAverage may not trade: start: "),
        (KnowsItsPosition(), "KnowsItsPosition may not trade: start: "),
    ],
)
def test_what_is_biased_may_not_trade(strategy: Simple, said: str):
    with pytest.raises(StrategyError) as refusal:
        require_unbiased({BTC: SmaCrossover(), ETH: strategy})
    assert str(refusal.value).startswith(said)
    assert str(refusal.value).endswith("accepted: a strategy that vela check finds nothing in")
    assert len(str(refusal.value).splitlines()) == 1


def test_each_strategy_with_its_parameters_is_checked_once(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def check(strategy, symbol):
        asked.append(symbol)
        return check_thoroughly(SmaCrossover())

    monkeypatch.setattr("vela.bootstrap.strategy_checks._check_quickly", check)
    require_unbiased({BTC: SmaCrossover(), ETH: SmaCrossover()})
    assert asked == [BTC]
    require_unbiased({BTC: SmaCrossover(), ETH: SmaCrossover(fast=11)})
    assert sorted(asked[1:]) == [BTC, ETH]


def test_the_quick_form_is_quick(tmp_path):
    file, _ = write_strategy("MyBreakout", tmp_path)
    own = load_strategy("MyBreakout", directory=file.parent)
    for strategy in (own, *(cls() for cls in SHIPPED.values())):
        tries = []
        for _ in range(3):  # the machine may be busy with something else
            began = time.process_time()
            require_unbiased({BTC: strategy})
            tries.append(time.process_time() - began)
            if tries[-1] <= 0.3:
                break
        assert min(tries) <= 0.3, (strategy.name, tries)

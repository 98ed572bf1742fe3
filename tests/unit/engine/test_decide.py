from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.builders import BTC, ETH, MINUTE, candles_of

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision, Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.decide import action_of, decide
from vela.strategies.base import Strategy
from vela.strategies.sma_crossover import SmaCrossover

COUNT = 3
CANDLES = candles_of([1.0, 2.0, 3.0])
REGIME = MarketRegime.SIDEWAYS_RANGE


class Scripted(Strategy):
    def __init__(self, **answer: Any) -> None:
        super().__init__()
        no = np.zeros(COUNT, dtype=np.bool_)
        self._answer = Signals(**{"buy": no, "sell": no, **answer})

    @property
    def warmup(self) -> int:
        return 200

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        return self._answer

    def is_applicable(self, symbol: TradingSymbol) -> bool:
        return symbol == BTC


def flags(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.bool_)


def ask(**answer: Any) -> Decision:
    return decide(Scripted(**answer), BTC, CANDLES, REGIME)


@pytest.mark.parametrize(
    ("buy", "sell", "action"),
    [(True, False, Action.BUY), (False, True, Action.SELL), (False, False, Action.HOLD), (True, True, Action.HOLD)],
)
def test_a_row_asks_for_one_thing_or_nothing(buy: bool, sell: bool, action: Action):
    assert action_of(buy, sell) is action


@pytest.mark.parametrize(
    ("answer", "action"), [({"buy": flags(0, 0, 1)}, Action.BUY), ({"sell": flags(0, 0, 1)}, Action.SELL)]
)
def test_a_signal_in_the_newest_row(answer, action: Action):
    expected = Decision(BTC, 2 * MINUTE, action, "Scripted", REGIME, 1.0, "signal", {})
    assert ask(**answer) == expected


def test_only_the_newest_row_counts():
    decision = ask(buy=flags(1, 1, 0), sell=flags(1, 0, 0), confidence=np.array([0.1, 7.0, 0.3]))
    assert (decision.action, decision.reason, decision.confidence) == (Action.HOLD, "no_signal", 0.0)


def test_a_symbol_that_does_not_suit_is_not_analysed():
    decision = decide(Scripted(buy=flags(1)), ETH, CANDLES, REGIME)
    assert decision == Decision(ETH, 2 * MINUTE, Action.HOLD, "Scripted", REGIME, 0.0, "not_applicable", {})


def test_both_at_once_contradict():
    decision = ask(buy=flags(0, 0, 1), sell=flags(0, 0, 1))
    assert (decision.action, decision.confidence, decision.reason) == (Action.HOLD, 0.0, "contradictory")


def test_an_undefined_series_means_warming_up():
    decision = ask(series={"known": np.array([1.0, 2.0, 3.0]), "later": np.full(3, np.nan)})
    assert decision.reason == "warming_up 3/200"
    assert decision.indicators == {"known": 3.0}


def test_the_decision_holds_the_newest_finite_values():
    decision = ask(
        buy=flags(0, 0, 1),
        series={"a": np.array([0.0, 0.0, 1.5]), "b": np.array([0.0, 0.0, np.inf]), "c": np.array([0.0, 0.0, np.nan])},
    )
    assert decision.indicators == {"a": 1.5}
    assert decision.reason == "signal"
    assert type(decision.indicators["a"]) is float


@pytest.mark.parametrize("confidence", [0.0, 0.25, 1.0])
def test_confidence_reaches_the_decision(confidence: float):
    decision = ask(sell=flags(0, 0, 1), confidence=np.array([0.5, 0.5, confidence]))
    assert decision.confidence == confidence
    assert type(decision.confidence) is float


@pytest.mark.parametrize("confidence", [-0.001, 1.001, np.nan, np.inf])
def test_confidence_outside_its_range_is_refused(confidence: float):
    with pytest.raises(StrategyError, match=r"Scripted gave a confidence of .*; accepted: 0 to 1"):
        ask(buy=flags(0, 0, 1), confidence=np.array([0.5, 0.5, confidence]))


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"buy": flags(0, 1)}, "buy"),
        ({"buy": flags(0, 0, 0, 1)}, "buy"),
        ({"sell": flags(1)}, "sell"),
        ({"sell": np.zeros((3, 1), dtype=bool)}, "sell"),
        ({"confidence": np.array([1.0, 1.0])}, "confidence"),
        ({"series": {"slow": np.array([1.0])}}, "slow"),
        ({"series": {"slow": np.array([])}}, "slow"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_refused(answer, name: str):
    with pytest.raises(StrategyError, match=rf"Scripted gave {name} of shape .*; accepted: \(3,\)"):
        ask(**answer)


def test_with_a_shipped_strategy():
    strategy = SmaCrossover(fast=5, slow=20)
    early = decide(strategy, BTC, candles_of([100.0] * 19), REGIME)
    quiet = decide(strategy, BTC, candles_of([100.0] * 30), REGIME)
    crossing = decide(strategy, BTC, candles_of([100.0] * 29 + [110.0]), REGIME)
    assert early.reason == "warming_up 19/21"
    assert (quiet.reason, quiet.indicators) == ("no_signal", {"fast": 100.0, "slow": 100.0})
    assert (crossing.action, crossing.indicators) == (Action.BUY, {"fast": 102.0, "slow": 100.5})

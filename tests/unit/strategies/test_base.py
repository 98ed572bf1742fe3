from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, candles_of

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.strategies.base import Parameter, Strategy, param


class Plain(Strategy):
    count: int = param(10, low=5, high=50)
    width: float = param(2.0, low=0.5, high=4.0)

    @property
    def warmup(self) -> int:
        return self.count

    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        nothing = np.zeros(len(candles), dtype=np.bool_)
        return Signals(nothing, nothing)


class Richer(Plain):
    extra: int = param(1, low=0, high=3)


def test_parameters_left_out_take_their_defaults():
    assert Plain().settings == {"count": 10, "width": 2.0}
    assert Plain(count=7).settings == {"count": 7, "width": 2.0}
    assert (Plain(count=7).count, Plain(count=7).name) == (7, "Plain")


@pytest.mark.parametrize("values", [{"count": 5}, {"count": 50}, {"width": 0.5}, {"width": 4.0}])
def test_both_ends_of_a_range_are_inside(values: dict[str, float]):
    assert Plain(**values).settings.items() >= values.items()


@pytest.mark.parametrize(
    "values",
    [
        {"count": 4},
        {"count": 51},
        {"width": 0.49},
        {"width": 4.01},
        {"count": 10.0},
        {"count": "10"},
        {"count": True},
        {"width": True},
        {"count": None},
        {"width": "2"},
        {"width": float("nan")},
        {"width": float("inf")},
        {"width": 10**400},
    ],
)
def test_a_value_of_the_wrong_type_or_out_of_range_is_refused(values: dict[str, float]):
    name = next(iter(values))
    kind = {"count": "a whole number from 5 to 50", "width": "a number from 0.5 to 4.0"}[name]
    with pytest.raises(StrategyError, match=rf"^Plain\.{name} was .*; accepted: {kind}$"):
        Plain(**values)


def test_a_whole_number_does_for_a_fraction_and_becomes_one():
    assert type(Plain(width=3).settings["width"]) is float
    assert type(Plain(width=np.float64(3.0)).settings["width"]) is float


def test_an_unknown_parameter_is_refused_with_those_that_exist():
    with pytest.raises(StrategyError, match=r"Plain has no parameter 'speed'; accepted: count, width$"):
        Plain(speed=3)


def test_a_subclass_adds_to_what_it_inherits_and_leaves_it_alone():
    assert list(Richer.parameters) == ["count", "width", "extra"]
    assert list(Plain.parameters) == ["count", "width"]
    assert Strategy.parameters == {}
    assert Richer.parameters["extra"] == Parameter(1, 0, 3)


def test_instances_do_not_share_settings():
    first, second = Plain(count=7), Plain()
    assert (first.count, second.count) == (7, 10)


def test_a_strategy_suits_every_symbol_unless_it_says_otherwise():
    assert Plain().is_applicable(BTC)
    assert not Plain().analyze(BTC, candles_of([1.0])).buy.any()


def test_a_strategy_must_analyse():
    with pytest.raises(TypeError, match="abstract"):
        Strategy()  # type: ignore[abstract]

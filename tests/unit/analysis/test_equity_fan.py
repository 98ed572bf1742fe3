from __future__ import annotations

import numpy as np
import pytest

from vela.analysis.equity_fan import equity_fan
from vela.domain.errors import ConfigurationError

PNL = np.array([10.0, -5.0, 3.0, -8.0, 6.0, 1.0])


def fan(pnl=PNL, seed: int = 1, **options):
    return equity_fan(np.asarray(pnl), 100.0, np.random.default_rng(seed), **options)


def test_it_begins_and_ends_where_the_account_did() -> None:
    drawn = fan(runs=200)
    assert drawn is not None
    assert drawn.trades.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert drawn.percentiles[:, 0].tolist() == [100.0] * 5
    assert drawn.percentiles[:, -1] == pytest.approx([107.0] * 5)
    assert drawn.actual.tolist() == [100.0, 110.0, 105.0, 108.0, 100.0, 106.0, 107.0]


def test_percentiles_ascend_and_lie_within_what_is_possible() -> None:
    drawn = fan(runs=500)
    assert drawn is not None
    assert np.all(np.diff(drawn.percentiles, axis=0) >= 0.0)
    assert drawn.percentiles.min() >= 100.0 - 13.0
    assert drawn.percentiles.max() <= 100.0 + 20.0


def test_after_one_trade_the_middle_is_the_middle_trade() -> None:
    drawn = fan([1.0, 2.0, 3.0], runs=5_000)
    assert drawn is not None
    assert drawn.percentiles[:, 1].tolist() == [101.0, 101.0, 102.0, 103.0, 103.0]


def test_the_same_seed_gives_the_same_fan_whatever_the_parts() -> None:
    many = np.random.default_rng(3).normal(size=3_000)
    one, two = fan(many, runs=700), fan(many, runs=700)
    assert one is not None
    assert two is not None
    assert np.array_equal(one.percentiles, two.percentiles)
    assert len(one.trades) == 120
    assert one.trades[-1] == 3_000


def test_without_trades_there_is_none() -> None:
    assert fan([]) is None


@pytest.mark.parametrize("options", [{"runs": 0}, {"points": 1}])
def test_nonsense_is_refused(options) -> None:
    with pytest.raises(ConfigurationError, match="accepted: 1 run and 2 points or more"):
        fan(**options)

from __future__ import annotations

import numpy as np
import pytest

from vela.strategies.memory import FORGOTTEN, candles_to_forget, ema_keeps, wilder_keeps


@pytest.mark.parametrize("kept", [0.1, 0.5, 13 / 14, 0.99])
def test_one_smoothing_forgets_geometrically(kept: float):
    candles = candles_to_forget(kept)
    assert kept**candles < FORGOTTEN <= kept ** (candles - 1) * (1 + 1e-9)


@pytest.mark.parametrize("keeps", [(0.9, 0.8), (0.8, 0.9), (13 / 14, 13 / 14)])
def test_a_smoothing_of_a_smoothing_forgets_later_but_sooner_than_one_after_the_other(keeps: tuple[float, float]):
    alone = [candles_to_forget(kept) for kept in keeps]
    assert max(alone) < candles_to_forget(*keeps) < sum(alone)


@pytest.mark.parametrize("keeps", [(0.9, 0.8), (13 / 14, 13 / 14)])
def test_two_smoothings_agree_once_both_starts_are_forgotten(keeps: tuple[float, float]):
    news = np.random.default_rng(1).random(candles_to_forget(*keeps))
    ends = []
    for start in (0.0, 1.0):
        smooth = [start, start]
        for value in news:
            smooth[0] += (1 - keeps[0]) * (value - smooth[0])
            smooth[1] += (1 - keeps[1]) * (smooth[0] - smooth[1])
        ends.append(smooth[1])
    assert ends[0] == pytest.approx(ends[1], rel=1e-15)


def test_shares_kept():
    assert ema_keeps(9) == 0.8
    assert wilder_keeps(10) == 0.9


def test_nothing_to_forget_takes_no_time():
    assert candles_to_forget(0.0) == 1

"""Candles to check strategies on."""

from __future__ import annotations

import numpy as np
from tests.builders import BTC, random_walk

from vela.domain.candles import Candles
from vela.simulation.synthetic import SyntheticMarket


def synthetic(count: int, seed: int) -> Candles:
    return SyntheticMarket(seed, (BTC,)).candles(0, count)[BTC]


def coarse(count: int, seed: int) -> Candles:
    """Return prices on a coarse grid: averages and closes are often exactly equal, where rounding would show."""
    walk = random_walk(count, seed)
    grid = [np.maximum(np.round(column, 1), 0.1) for column in (walk.open, walk.high, walk.low, walk.close)]
    return Candles.from_columns(walk.open_time, grid[0], grid[1], grid[2], grid[3], walk.volume)


MARKETS = {"synthetic": synthetic, "coarse": coarse, "walk": random_walk}

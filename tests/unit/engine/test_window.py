from __future__ import annotations

import numpy as np
import pytest
from tests.builders import random_walk

from vela.engine.window import CandleWindow


@pytest.mark.parametrize("length", [1, 2, 3, 7, 50])
def test_it_holds_the_newest_candles_after_every_append(length: int):
    rows = random_walk(5 * length + 3, seed=1).rows()
    window = CandleWindow(length)
    for count, row in enumerate(rows, start=1):
        window.append(row)
        assert window.candles().rows() == rows[max(0, count - length) : count]
        assert len(window) == len(window.candles()) == min(count, length)
        assert window.last_time == row.open_time


def test_a_new_window_is_empty():
    window = CandleWindow(3)
    assert (len(window), len(window.candles()), window.last_time) == (0, 0, -1)


def test_its_columns_are_views_that_cannot_be_written_to():
    window = CandleWindow(3)
    for row in random_walk(4, seed=1).rows():
        window.append(row)
    first, second = window.candles(), window.candles()
    assert np.shares_memory(first.close, second.close)
    with pytest.raises(ValueError, match="read-only"):
        first.close[0] = 1.0
    assert first.close.flags.c_contiguous

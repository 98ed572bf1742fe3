from __future__ import annotations

import numpy as np
import pytest
from tests.builders import signal

from vela.domain.signal import Action, Signals


def test_signals_are_certain_and_without_series_unless_they_say_otherwise():
    first, second = (Signals(np.zeros(2, dtype=bool), np.zeros(2, dtype=bool)) for _ in range(2))
    assert first.confidence is None
    assert first.series == {}
    assert first.series is not second.series


def test_a_signal_is_a_value():
    assert signal(Action.BUY) == signal(Action.BUY)
    assert hash(signal(Action.BUY)) == hash(signal(Action.BUY))
    assert signal(Action.BUY) != signal(Action.SELL)
    with pytest.raises(AttributeError):
        signal().confidence = 2.0  # type: ignore[misc]

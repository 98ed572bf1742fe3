"""Profit and loss of closed trades as an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vela.analysis.series import Series
from vela.domain.position import Trade


def closed_pnl(trades: Sequence[Trade]) -> Series:
    """Return the net profit of each trade, shape `(n,)`, in quote, in the order given."""
    return np.array([float(trade.pnl) for trade in trades], dtype=np.float64)

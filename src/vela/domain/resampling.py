"""Coarser candles out of finer ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vela.domain.candles import COLUMNS, Candles
from vela.domain.errors import CandleError

INCOMPLETE = "incomplete"
"""Under this name candles are counted that were left out because they would not be whole."""


@dataclass(frozen=True, slots=True)
class Resampled:
    """What came of it. `incomplete`: coarser candles that were left out because a part of them is absent."""

    candles: Candles
    incomplete: int


def resample(candles: Candles, timeframe_ms: int, coarser_ms: int) -> Resampled:
    """Put finer candles together, as far as all parts of a coarser one are there.

    Prices are taken over as they are; a volume is the sum of the parts, rounded once.

    Args:
        candles: strictly ascending and on the grid.
        timeframe_ms: their length.
        coarser_ms: the length of the new ones, a multiple of it; they open at whole multiples of it since 1970.

    Raises:
        CandleError: the one length is no multiple of the other.
    """
    parts, rest = divmod(coarser_ms, timeframe_ms)
    if rest or parts < 1:
        raise CandleError(
            f"candles of {timeframe_ms / 60_000:g} min make none of {coarser_ms / 60_000:g} min; "
            "accepted: a multiple of their length"
        )
    belongs_to = candles.open_time // coarser_ms
    starts = np.flatnonzero(np.concatenate(([True], belongs_to[1:] != belongs_to[:-1]))[: len(candles)])
    counts = np.diff(starts, append=len(candles))
    whole = np.repeat(counts == parts, counts)
    table = {name: getattr(candles, name)[whole].reshape(-1, parts) for name in ("open_time", *COLUMNS)}
    merged = Candles.from_columns(
        table["open_time"][:, 0],
        table["open"][:, 0],
        table["high"].max(axis=1),
        table["low"].min(axis=1),
        table["close"][:, -1],
        np.fromiter(map(math.fsum, table["volume"].tolist()), np.float64, len(table["volume"])),
    )
    return Resampled(merged, len(starts) - len(merged))

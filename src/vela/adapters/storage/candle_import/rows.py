"""Rows as they stand in a file: what of them is a candle at all, and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vela.domain.candles import COLUMNS, CandleFault, Candles

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "open_time": ("opentime", "timestamp", "unix", "unixtime", "datetime", "date", "time", "ts"),
    "open": ("open", "openprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice"),
    "volume": ("volume", "basevolume", "vol"),
}


class RowFault(StrEnum):
    """Why a row is no candle; what is wrong with a candle, `CandleFault` says."""

    TOO_SHORT = "too_short"
    UNREADABLE_TIME = "unreadable_time"
    UNREADABLE_NUMBER = "unreadable_number"


class Refusal(NamedTuple):
    """How many rows were left out for a reason, and the line of the first; in a table its row; from 1."""

    rows: int
    first_line: int


@dataclass(frozen=True, slots=True)
class FoundRows:
    """The rows of a file.

    Attributes:
        candles: what could be read, unchecked, in the file's order.
        lines: where each of them stands.
        refused: what could not, by reason.
    """

    candles: Candles
    lines: NDArray[np.int64]
    refused: Mapping[str, Refusal]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.candles) + sum(refusal.rows for refusal in self.refused.values())


def columns_of(names: Iterable[str], base: str) -> dict[str, str]:
    """Tell which columns are which, whatever they are called.

    Args:
        names: as the file has them.
        base: the asset whose volume counts, where volumes are named by asset: `Volume BTC`.

    Returns:
        The file's name for each of `open_time`, `open`, … that is there.
    """
    known = {_bare(name): name for name in reversed(list(names))}  # of two alike the first counts
    own_volume = known.get(f"volume{_bare(base)}")
    found = {
        column: known[alias] for column, aliases in _ALIASES.items() for alias in reversed(aliases) if alias in known
    }
    return found if own_volume is None else found | {"volume": own_volume}


def missing_columns(found: Mapping[str, object]) -> list[str]:
    """Return what is needed and was not found."""
    return [name for name in _ALIASES if name not in found]


def rows_of(lines: pl.Series, times: pl.Series, prices: Mapping[str, pl.Series], is_short: pl.Series) -> FoundRows:
    """Sort rows that can be read from others.

    Args:
        lines: where each row stands.
        times: int64 in s, ms, µs or ns since 1970, told apart by their size; null: no time.
        prices: by `COLUMNS`, float64; null: no number.
        is_short: whether the row lacks columns.
    """
    microseconds = _microseconds(times)
    tests = [
        (RowFault.TOO_SHORT.value, is_short),
        (RowFault.UNREADABLE_TIME.value, microseconds.is_null()),
        # Whoever writes microseconds for a candle that opens between two milliseconds means no candle of ours.
        (CandleFault.OFF_GRID.value, (microseconds % 1000 != 0).fill_null(value=False)),
        *((RowFault.UNREADABLE_NUMBER.value, prices[name].is_null()) for name in COLUMNS),
    ]
    keep, refused = np.ones(len(lines), np.bool_), dict[str, Refusal]()
    for reason, test in tests:
        bad = test.to_numpy() & keep
        if bad.any():
            refused[reason] = merged(refused.get(reason), Refusal(int(bad.sum()), int(lines.to_numpy()[bad].min())))
        keep &= ~bad
    milliseconds = (microseconds // 1000).fill_null(0).to_numpy()[keep]
    columns = (prices[name].fill_null(0.0).to_numpy()[keep] for name in COLUMNS)
    return FoundRows(Candles.from_columns(milliseconds, *columns), lines.to_numpy()[keep], refused)


def merged(one: Refusal | None, other: Refusal) -> Refusal:
    """Add up two accounts of the same reason in the same file."""
    return other if one is None else Refusal(one.rows + other.rows, min(one.first_line, other.first_line))


def _microseconds(times: pl.Series) -> pl.Series:
    # What a number means as a time follows from its size: these ranges, 1973 to 5138, do not overlap.
    time = pl.col("time")
    # Nanoseconds that are no whole microseconds become an odd one, which is refused as well.
    nanoseconds = pl.when(time % 1000 == 0).then(time // 1000).otherwise(time // 1_000_000 * 1000 + 1)
    scaled = (
        pl.when(time >= 10**17)
        .then(nanoseconds)
        .when(time >= 10**14)
        .then(time)
        .when(time >= 10**11)
        .then(time * 1000)
        .when(time >= 10**8)
        .then(time * 1_000_000)
    )
    return pl.DataFrame({"time": times}).select(scaled.otherwise(None))["time"]


def _bare(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())

"""What a trade's exit must be, worked out from the candles alone and from none of Vela's code.

The rules, in ticks of 1e-8: buys pay price × (1 + slippage) and sells get price × (1 − slippage), rounded against the
trader. A stop is rounded down, a target up. At a candle's open a level that is passed already gets the open; inside a
candle the stop comes before the target. Only a candle that has closed moves the levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import polars as pl

TICK = Decimal("1E-8")
SLIPPAGE = Decimal("0.0005")


@dataclass(frozen=True)
class Rules:
    """Percentages; 0 switches a rule off."""

    stop_loss: Decimal = Decimal(0)
    take_profit: Decimal = Decimal(0)
    trailing: Decimal = Decimal(0)
    trailing_after: Decimal = Decimal(0)
    break_even_after: Decimal = Decimal(0)


def down(price: Decimal) -> Decimal:
    return price.quantize(TICK, ROUND_FLOOR)


def up(price: Decimal) -> Decimal:
    return price.quantize(TICK, ROUND_CEILING)


def bought_at(price: Decimal) -> Decimal:
    return up(price * (1 + SLIPPAGE))


def sold_at(price: Decimal) -> Decimal:
    return down(price * (1 - SLIPPAGE))


def exact_rows(frame: pl.DataFrame) -> list[tuple[int, Decimal, Decimal, Decimal]]:
    """Return open time, open, high and low of every candle, on the tick grid."""
    columns = [[Decimal(repr(p)).quantize(TICK) for p in frame[name].to_list()] for name in ("open", "high", "low")]
    return list(zip(frame["open_time"].to_list(), *columns, strict=True))


def stop_after(best: Decimal, entry: Decimal, rules: Rules) -> tuple[Decimal, str]:
    """Return the tightest stop that the best price so far asks for, and which rule does; no stop is a stop at zero."""
    levels = [(Decimal(0), "")]
    if rules.stop_loss:
        levels.append((down(entry * (1 - rules.stop_loss / 100)), "stop_loss"))
    if rules.break_even_after and best >= entry * (1 + rules.break_even_after / 100):
        levels.append((entry, "break_even"))
    if rules.trailing and best >= entry * (1 + rules.trailing_after / 100):
        levels.append((down(best * (1 - rules.trailing / 100)), "trailing"))
    return max(levels, key=lambda level: level[0])


def forced_exit(
    rows: list[tuple[int, Decimal, Decimal, Decimal]], entry: Decimal, rules: Rules
) -> tuple[int, Decimal, str] | None:
    """Return candle, price and reason of the first exit that the levels force, from the entry's candle on."""
    target = up(entry * (1 + rules.take_profit / 100)) if rules.take_profit else None
    best = entry
    for time, first, high, low in rows:
        stop, reason = stop_after(best, entry, rules)
        if low <= stop:
            return time, sold_at(min(first, stop)), reason
        if target is not None and high >= target:
            return time, max(first, target), "take_profit"
        best = max(best, high)
    return None

"""The pretend market's order book: what is offered around a price.

Everything is whole ticks and steps. A side of the book holds about what the market traded in its newest candle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

LEVELS = 100  # per side

_GAP_PARTS = 50_000  # levels lie this part of the price apart, and a tick at least
_WORD = 0xFFFF_FFFF_FFFF_FFFF


class Level(NamedTuple):
    """What is offered at one price: `ticks` of price, `steps` of quantity."""

    ticks: int
    steps: int


def flat_offers(price_ticks: int, volume_steps: int, *, is_ask: bool) -> list[Level]:  # noqa: ARG001  both sides are alike
    """Return a side without spread or depth: all of the volume at the price itself."""
    return [Level(price_ticks, max(1, volume_steps))]


def spread_offers(price_ticks: int, volume_steps: int, *, is_ask: bool, seed: int) -> list[Level]:
    """Return bids from the price down, or asks from a tick above it up; the same for the same seed.

    Args:
        price_ticks: the market's price, 1 or more.
        volume_steps: what the side holds in all, roughly; a level holds a step at least.
        is_ask: what is offered for sale; else what is bid.
        seed: another seed, other quantities.

    Returns:
        Up to `LEVELS` levels; fewer bids where the price is close to zero.
    """
    gap = max(1, price_ticks // _GAP_PARTS)
    first, direction = (price_ticks + 1, 1) if is_ask else (price_ticks, -1)
    prices = (first + direction * gap * level for level in range(LEVELS))
    # Between half and one and a half times the average, by a hash of the price: a level looks the same while it stands.
    return [
        Level(ticks, max(1, volume_steps * (500 + _mixed(seed ^ ticks) % 1001) // (1000 * LEVELS)))
        for ticks in prices
        if ticks > 0
    ]


def without(levels: Iterable[Level], steps: int) -> list[Level]:
    """Return what is left of `levels` after the best `steps` were taken."""
    left = []
    for level in levels:
        taken = min(steps, level.steps)
        steps -= taken
        if taken < level.steps:
            left.append(Level(level.ticks, level.steps - taken))
    return left


def best(levels: Sequence[Level], steps: int) -> list[Level]:
    """Return the best `steps` of `levels`, or all there is."""
    chosen = []
    for level in levels:
        taken = min(steps, level.steps)
        if not taken:
            break
        chosen.append(Level(level.ticks, taken))
        steps -= taken
    return chosen


def within(levels: Iterable[Level], limit_ticks: int, *, is_buy: bool) -> list[Level]:
    """Return the levels that an order with that limit may trade with."""
    return [level for level in levels if (level.ticks <= limit_ticks if is_buy else level.ticks >= limit_ticks)]


def _mixed(word: int) -> int:
    # SplitMix64's finalizer (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
    word = (word + 0x9E37_79B9_7F4A_7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58_476D_1CE4_E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D0_49BB_1331_11EB) & _WORD
    return word ^ (word >> 31)

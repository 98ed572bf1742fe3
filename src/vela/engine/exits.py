"""Where a position is closed: levels in whole ticks, rounded away from the price."""

from __future__ import annotations

from vela.domain.execution_rules import PPM, part_up


def level_below(price_ticks: int, distance_ppm: int) -> int:
    """Return the level `distance_ppm` millionths under a price, rounded down; at least 1 tick."""
    return max(1, price_ticks - part_up(price_ticks, distance_ppm))


def level_above(price_ticks: int, distance_ppm: int) -> int:
    """Return the level `distance_ppm` millionths over a price, rounded up."""
    return price_ticks + part_up(price_ticks, distance_ppm)


def stop_level(entry_ticks: int, distance_ppm: int, is_long: bool) -> int:  # noqa: FBT001  plain numbers, for compiled loops too
    """Return the stop-loss level: under the entry for a long, over it for a short."""
    return level_below(entry_ticks, distance_ppm) if is_long else level_above(entry_ticks, distance_ppm)


def lowest_exit(entry_ticks: int, stop_loss_ppm: int, trailing_ppm: int, is_long: bool) -> int:  # noqa: FBT001
    """Return the lowest price at which an entry may have to be left by its stop; without one, the entry's own.

    What is bought must be large enough to be sold there.
    """
    distance_ppm = stop_loss_ppm or trailing_ppm
    return min(entry_ticks, stop_level(entry_ticks, distance_ppm, is_long)) if distance_ppm else entry_ticks


def target_level(entry_ticks: int, distance_ppm: int, is_long: bool) -> int:  # noqa: FBT001
    """Return the take-profit level: over the entry for a long, under it for a short."""
    return level_above(entry_ticks, distance_ppm) if is_long else level_below(entry_ticks, distance_ppm)


def steps_at_target(
    steps: int, part_ppm: int, min_steps: int, min_value: int, target_ticks: int, rest_ticks: int
) -> int:
    """Return how much of a position its take-profit closes: the part asked for, rounded down, or all of it.

    All of it where either half would be less than the venue lets one trade: then the rest could not be closed.

    Args:
        steps: size of the whole position, 1 or more.
        part_ppm: millionths of it that are wanted, 1 to 1,000,000.
        min_steps: the venue's smallest quantity.
        min_value: the venue's smallest value, in ticks × steps.
        target_ticks: price at which the part will be closed.
        rest_ticks: price at which the rest may have to be closed; the part, too, behind its own stop.
    """
    part = steps // PPM * part_ppm + steps % PPM * part_ppm // PPM
    # Divided, not multiplied: a price times a quantity of a fine grid would overflow 64 bits in compiled code.
    lowest_ticks = min(target_ticks, rest_ticks)
    least_part = max(1, min_steps, (min_value + lowest_ticks - 1) // lowest_ticks)
    least_rest = max(1, min_steps, (min_value + rest_ticks - 1) // rest_ticks)
    return part if part >= least_part and steps - part >= least_rest else steps


def gain_reached(entry_ticks: int, best_ticks: int, gain_ppm: int, is_long: bool) -> bool:  # noqa: FBT001
    """Say whether the best price since the entry was at least `gain_ppm` in the position's favour."""
    gain = best_ticks - entry_ticks if is_long else entry_ticks - best_ticks
    return gain >= part_up(entry_ticks, gain_ppm)


def tighter(first_ticks: int, second_ticks: int, is_long: bool) -> bool:  # noqa: FBT001
    """Say whether the first stop level protects more than the second."""
    return first_ticks > second_ticks if is_long else first_ticks < second_ticks


def trailing_level(
    entry_ticks: int,
    best_ticks: int,
    trailing_ppm: int,
    after_ppm: int,
    is_long: bool,  # noqa: FBT001
) -> int:
    """Return the trailing stop's level, or 0 while it is off or has not begun."""
    if trailing_ppm == 0 or not gain_reached(entry_ticks, best_ticks, after_ppm, is_long):
        return 0
    return stop_level(best_ticks, trailing_ppm, is_long)


def break_even_level(entry_ticks: int, best_ticks: int, after_ppm: int, is_long: bool) -> int:  # noqa: FBT001
    """Return the entry price once the gain was reached, or 0 while it is off or was not."""
    if after_ppm == 0 or not gain_reached(entry_ticks, best_ticks, after_ppm, is_long):
        return 0
    return entry_ticks


STOP_LOSS = 0
BREAK_EVEN = 1
TRAILING = 2


def tightened_stop(
    entry_ticks: int,
    best_ticks: int,
    stop_ticks: int,
    rule: int,
    break_even_after_ppm: int,
    trailing_ppm: int,
    trailing_after_ppm: int,
    is_long: bool,  # noqa: FBT001
) -> tuple[int, int]:
    """Return the stop after a best price, and which rule set it: the tightest level wins, of equals the older.

    Args:
        entry_ticks: the entry price.
        best_ticks: the best price since the entry.
        stop_ticks: the stop in force; 0: none.
        rule: which rule set it (STOP_LOSS, BREAK_EVEN or TRAILING).
        break_even_after_ppm: see `TradingRules`.
        trailing_ppm: see `TradingRules`.
        trailing_after_ppm: see `TradingRules`.
        is_long: direction of the position.
    """
    level = break_even_level(entry_ticks, best_ticks, break_even_after_ppm, is_long)
    if level and (stop_ticks == 0 or tighter(level, stop_ticks, is_long)):
        stop_ticks, rule = level, BREAK_EVEN
    level = trailing_level(entry_ticks, best_ticks, trailing_ppm, trailing_after_ppm, is_long)
    if level and (stop_ticks == 0 or tighter(level, stop_ticks, is_long)):
        stop_ticks, rule = level, TRAILING
    return stop_ticks, rule

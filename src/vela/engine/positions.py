"""How fills make, grow, shrink and close a position."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, multiply, pro_rata, ratio, subtract
from vela.domain.order import Order, OrderPurpose, Side
from vela.domain.position import ExitReason, Position, PositionSide, Trade
from vela.engine.exits import lowest_exit, steps_at_target, stop_level, target_level, tightened_stop
from vela.engine.rules import TradingRules

_A_MOMENT_MS = 5_000


def time_of_entry(order: Order, fill: Fill) -> int:
    """Return when an entry counts as made, ms UTC.

    A fill comes a moment after its candle; cool-downs count from candle to candle, as in a backtest.
    """
    return order.created_time if fill.time - order.created_time < _A_MOMENT_MS else fill.time


def opened(
    fill: Fill, order: Order, fee: Decimal, rules: TradingRules, instrument: Instrument, shift_ms: int = 0
) -> Position:
    """Return the position that a fill of an entry makes, its levels set.

    Args:
        fill: the entry's first, or the first after what was bought before was sold again.
        order: the entry.
        fee: in quote.
        rules: those in force.
        instrument: the symbol's.
        shift_ms: by how much later it counts as entered; grows with each fill, so that no two positions have one time.
    """
    side = PositionSide.LONG if fill.side is Side.BUY else PositionSide.SHORT
    bare = Position(
        symbol=fill.symbol,
        side=side,
        quantity=fill.quantity,
        cost=fill.value,
        entry_quantity=fill.quantity,
        entry_value=fill.value,
        entry_time=fill.time + shift_ms,
        fees=fee,
        strategy=order.strategy,
        entry_reason=order.reason,
        regime=order.regime,
        stop_ticks=None,
        stop_reason=ExitReason.STOP_LOSS,
        target_ticks=None,
        best_ticks=instrument.price_ticks(fill.price),
    )
    return with_entry_levels(bare, rules, instrument)


def grown(position: Position, fill: Fill, fee: Decimal, rules: TradingRules, instrument: Instrument) -> Position:
    """Return the position after a further fill of its entry, its levels set anew. `fee` in quote."""
    is_long, ticks = position.side is PositionSide.LONG, instrument.price_ticks(fill.price)
    larger = msgspec.structs.replace(
        position,
        quantity=add(position.quantity, fill.quantity),
        cost=add(position.cost, fill.value),
        entry_quantity=add(position.entry_quantity, fill.quantity),
        entry_value=add(position.entry_value, fill.value),
        fees=add(position.fees, fee),
        best_ticks=max(position.best_ticks, ticks) if is_long else min(position.best_ticks, ticks),
    )
    return with_entry_levels(larger, rules, instrument)


def relieved_cost(position: Position, quantity: Decimal) -> Decimal:
    """Return the cost that leaves with `quantity`: pro rata, and all that is left with the last of it."""
    if quantity >= position.quantity:
        return position.cost
    return pro_rata(position.cost, quantity, position.quantity)


def reduced(position: Position, fill: Fill, fee: Decimal, purpose: OrderPurpose) -> Position:
    """Return the position after a fill of an exit; its quantity may be zero. `fee` in quote, `purpose` of the order."""
    cost = relieved_cost(position, fill.quantity)
    gain = multiply(Decimal(position.side.sign), subtract(fill.value, cost))
    quantity = subtract(position.quantity, fill.quantity)
    for_target = _left_for_target(position, fill, quantity, purpose)
    return msgspec.structs.replace(
        position,
        quantity=quantity,
        target_ticks=position.target_ticks if for_target else None,
        target_quantity=for_target,
        cost=subtract(position.cost, cost),
        fees=add(position.fees, fee),
        realised_pnl=add(position.realised_pnl, gain),
        exit_quantity=add(position.exit_quantity, fill.quantity),
        exit_value=add(position.exit_value, fill.value),
    )


def diminished(position: Position, quantity: Decimal) -> Position:
    """Return the position of which only `quantity` is there, without what is gone having been sold; it may be 0."""
    cost = relieved_cost(position, subtract(position.quantity, quantity))
    return msgspec.structs.replace(
        position,
        quantity=quantity,
        target_quantity=min(position.target_quantity, quantity),
        cost=subtract(position.cost, cost),
        realised_pnl=subtract(position.realised_pnl, cost),
        revision=position.revision + 1,
    )


def _left_for_target(position: Position, fill: Fill, left: Decimal, purpose: OrderPurpose) -> Decimal:
    if purpose is OrderPurpose.STOP:  # what is left follows by its own stop
        return ZERO
    if purpose is OrderPurpose.TAKE_PROFIT:
        return subtract(position.target_quantity, fill.quantity)
    return min(position.target_quantity, left)


def closed_trade(position: Position, time: int, reason: ExitReason) -> Trade:
    """Return the round trip that a position leaves; what it still holds counts as lost with its cost."""
    pnl = subtract(subtract(position.realised_pnl, position.cost), position.fees)
    exit_value, exit_quantity = position.exit_value, position.exit_quantity
    if not exit_quantity:
        exit_value, exit_quantity = position.entry_value, position.entry_quantity
    return Trade(
        symbol=position.symbol,
        side=position.side,
        entry_time=position.entry_time,
        entry_price=ratio(position.entry_value, position.entry_quantity),
        exit_time=time,
        exit_price=ratio(exit_value, exit_quantity),
        quantity=position.entry_quantity,
        fees=position.fees,
        pnl=pnl,
        return_pct=100.0 * float(pnl) / float(position.entry_value),
        entry_reason=position.entry_reason,
        exit_reason=reason,
        regime=position.regime,
        strategy=position.strategy,
    )


def entry_ticks(position: Position, instrument: Instrument) -> int:
    """Return the entry price in ticks (the nearest, where several fills made an average)."""
    return instrument.price_ticks(ratio(position.entry_value, position.entry_quantity))


def with_entry_levels(position: Position, rules: TradingRules, instrument: Instrument) -> Position:
    """Return the position with the stop and target that its entry and its best price so far ask for."""
    entry, is_long = entry_ticks(position, instrument), position.side is PositionSide.LONG
    stop = stop_level(entry, rules.stop_loss_ppm, is_long) if rules.stop_loss_ppm else None
    bare = msgspec.structs.replace(position, stop_ticks=stop, stop_reason=ExitReason.STOP_LOSS)
    if rules.take_profit_ppm:
        target = target_level(entry, rules.take_profit_ppm, is_long)
        lowest = stop or lowest_exit(entry, rules.stop_loss_ppm, rules.trailing_ppm, is_long)
        quantity = _quantity_at_target(position, target, lowest, rules, instrument)
        bare = msgspec.structs.replace(bare, target_ticks=target if quantity else None, target_quantity=quantity)
    return _tightened(bare, rules, instrument)


def _quantity_at_target(
    position: Position, target_ticks: int, rest_ticks: int, rules: TradingRules, instrument: Instrument
) -> Decimal:
    steps = instrument.quantity_steps(position.entry_quantity)
    part = steps_at_target(
        steps,
        rules.take_profit_part_ppm,
        instrument.min_steps,
        instrument.min_value,
        target_ticks,
        rest_ticks,
    )
    wanted = instrument.quantity(part) if part < steps else position.entry_quantity
    return max(ZERO, subtract(wanted, position.exit_quantity))


def after_candle(
    position: Position, high_ticks: int, low_ticks: int, rules: TradingRules, instrument: Instrument
) -> Position:
    """Return the position with its best price and stop moved by a closed candle; the same object if nothing moved."""
    if not rules.trailing_ppm and not rules.break_even_after_ppm:
        return position
    is_long = position.side is PositionSide.LONG
    best = max(position.best_ticks, high_ticks) if is_long else min(position.best_ticks, low_ticks)
    if best == position.best_ticks:
        return position
    return _tightened(msgspec.structs.replace(position, best_ticks=best), rules, instrument)


def _tightened(position: Position, rules: TradingRules, instrument: Instrument) -> Position:
    stop, rule = tightened_stop(
        entry_ticks(position, instrument),
        position.best_ticks,
        position.stop_ticks or 0,
        _STOP_RULES.index(position.stop_reason),
        rules.break_even_after_ppm,
        rules.trailing_ppm,
        rules.trailing_after_ppm,
        position.side is PositionSide.LONG,
    )
    return msgspec.structs.replace(position, stop_ticks=stop or None, stop_reason=_STOP_RULES[rule])


# In the order of their numbers in `exits`.
_STOP_RULES = (ExitReason.STOP_LOSS, ExitReason.BREAK_EVEN, ExitReason.TRAILING)

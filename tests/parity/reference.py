"""The backtest of the contract's §3, once more: slow, plain, to be checked by hand.

This is the oracle for the compiled backtest. It shares nothing with it but the value types, and every rule is written
out again on purpose, each once, under a number:

    R1-R8    the open: what fills, in which order, at what price and size
    R9-R15   the inside: which level was touched, and how levels move
    R16-R19  the close: marks, the next orders, the end of the data

Numbers are Decimals and Fractions; a result that is not exact raises (`decimal.Inexact`).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction
from typing import NamedTuple

from tests.parity.records import (
    LONG,
    SHORT,
    Details,
    Instruments,
    ReferenceConfig,
    ReferencePosition,
    ReferenceResult,
    ReferenceTrade,
    Regimes,
    Series,
    Side,
)

from vela.domain.candles import Candles
from vela.domain.regime import MarketRegime
from vela.domain.trading_symbol import TradingSymbol

REFUSALS = ("position_open", "no_position", "regime", "cooldown", "max_positions", "min_notional", "balance")
PERCENT = Decimal("0.01")
MILLION = 1_000_000

NO_ENTRY: Mapping[Side, frozenset[MarketRegime]] = {
    LONG: frozenset({MarketRegime.BEAR_TREND, MarketRegime.HIGH_VOLATILITY}),
    SHORT: frozenset({MarketRegime.BULL_TREND, MarketRegime.HIGH_VOLATILITY}),
}


class Prices(NamedTuple):
    """One candle in exact numbers."""

    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Touch(NamedTuple):
    """A level that was reached: the price before slippage and the rule that set the level."""

    price: Decimal
    reason: str


def simulate(
    series: Series,
    config: ReferenceConfig,
    instruments: Instruments,
    regimes: Regimes | None = None,
    detail: Details | None = None,
) -> ReferenceResult:
    """Run §3 over candles and signals that are already there.

    Args:
        series: candles and signals per symbol, row by row; grids may differ and have gaps.
        config: the options.
        instruments: tick, step and minimums per symbol.
        regimes: the regime at each row's close; absent symbols are `unknown` throughout.
        detail: finer candles that tell what came first inside a candle.
    """
    with localcontext(prec=120) as context:
        context.traps[Inexact] = True
        run = _Run(series, config, instruments, regimes or {}, detail or {})
        for time, rows in _steps(series, config):
            run.open(time, rows)
            run.inside(rows)
            run.close(time, rows)
        return ReferenceResult(
            run.trades,
            run.refused,
            [run.positions[symbol] for symbol in sorted(run.positions)],
            run.equity(),
            run.cash,
            run.fees_paid,
            run.curve,
        )


def _steps(series: Series, config: ReferenceConfig) -> Iterator[tuple[int, dict[TradingSymbol, int]]]:
    # All symbols' rows in order of open time: at each time the row of every symbol that has a candle then.
    steps: dict[int, dict[TradingSymbol, int]] = {}
    for symbol in sorted(series):
        for row, open_time in enumerate(series[symbol][0].open_time.tolist()):
            too_early = config.from_ms is not None and open_time < config.from_ms
            too_late = config.to_ms is not None and open_time >= config.to_ms
            if not too_early and not too_late:
                steps.setdefault(open_time, {})[symbol] = row
    yield from sorted(steps.items())


def _prices(candles: Candles, row: int) -> Prices:
    columns = (candles.open, candles.high, candles.low, candles.close)
    return Prices(int(candles.open_time[row]), *(Decimal(repr(float(column[row]))) for column in columns))


def _down(value: Decimal | Fraction, grid: Decimal) -> Decimal:
    return math.floor(Fraction(value) / Fraction(grid)) * grid


def _up(value: Decimal | Fraction, grid: Decimal) -> Decimal:
    return math.ceil(Fraction(value) / Fraction(grid)) * grid


def _touch(position: ReferencePosition, candle: Prices) -> tuple[Touch | None, Touch | None]:
    # What the candle reached of stop and target. A short is the mirror image of a long.
    long, stop, target = position.side == LONG, position.stop, position.target
    stopped = reached = None
    # R9: levels are tested against low and high; reaching a level exactly is touching it.
    if stop is not None and (candle.low <= stop if long else candle.high >= stop):
        # R10: an open already beyond the level fills at the open, otherwise the level does.
        stopped = Touch(min(candle.open, stop) if long else max(candle.open, stop), position.stop_reason)
    if target is not None and (candle.high >= target if long else candle.low <= target):
        reached = Touch(max(candle.open, target) if long else min(candle.open, target), "take_profit")
    return stopped, reached


def _average(value: Decimal, quantity: Decimal) -> Decimal:
    # R10c: shown to 28 digits; money is booked from the parts.
    with localcontext(prec=28) as context:
        context.traps[Inexact] = False
        return value / quantity


@dataclass(slots=True)
class _Run:
    series: Series
    config: ReferenceConfig
    instruments: Instruments
    regimes: Regimes
    detail: Details
    cash: Decimal = field(init=False)
    fees_paid: Decimal = Decimal(0)
    positions: dict[TradingSymbol, ReferencePosition] = field(default_factory=dict)
    signalled: dict[TradingSymbol, int] = field(default_factory=dict)
    last_close: dict[TradingSymbol, Decimal] = field(default_factory=dict)
    last_entry: dict[TradingSymbol, int] = field(default_factory=dict)
    trades: list[ReferenceTrade] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))
    curve: list[tuple[int, Decimal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cash = self.config.capital

    # ------------------------------------------------------------------------------------------------------- 1. open

    def open(self, time: int, rows: Mapping[TradingSymbol, int]) -> None:
        # R1: what a symbol's previous row asked for is done at the open of its own next row, however late that is.
        entries: list[tuple[float, TradingSymbol, Side]] = []
        for symbol in sorted(rows):
            if symbol not in self.signalled:
                continue
            signals, row = self.series[symbol][1], self.signalled[symbol]
            wanted: Side = LONG if signals.buy[row] else SHORT
            held = self.positions.get(symbol)
            # R2: exits first, all symbols' before any entry. A sell closes a long, a buy closes a short, no more:
            # nothing turns round in one go.
            if held is not None and held.side != wanted:
                self._exit(held, rows[symbol], Touch(_prices(self.series[symbol][0], rows[symbol]).open, "signal"))
            elif held is None and wanted == SHORT and not self.config.allow_short:
                # R3: a sell opens a short only where that is allowed; here there was nothing to sell.
                self.refused["no_position"] += 1
            else:
                confidence = 1.0 if signals.confidence is None else float(signals.confidence[row])
                entries.append((-confidence, symbol, wanted))
        # R4: entries by confidence, the highest first, then by symbol.
        for _, symbol, wanted in sorted(entries):
            self._enter(symbol, wanted, rows[symbol], time)

    def _enter(self, symbol: TradingSymbol, side: Side, row: int, time: int) -> None:
        signal_row = self.signalled[symbol]
        regime = self._regime(symbol, signal_row)
        price, quantity = self._sized(symbol, side, row)
        reason = self._refusal(symbol, side, regime, price, quantity, time)
        if reason is not None:
            self.refused[reason] += 1
            return
        value = price * quantity
        fee = self._pay_fee(value)
        self.cash += -value if side == LONG else value
        position = ReferencePosition(symbol, side, quantity, price, time, fee, regime, signal_row, row, best=price)
        self._set_target(position)
        self._move_stop(position)
        self.positions[symbol] = position
        self.last_entry[symbol] = time

    def _refusal(
        self,
        symbol: TradingSymbol,
        side: Side,
        regime: MarketRegime,
        price: Decimal,
        quantity: Decimal,
        time: int,
    ) -> str | None:
        # R5: the first of these that holds refuses the order and counts it.
        instrument, config, value, last = self.instruments[symbol], self.config, price * quantity, self.last_entry
        left, lowest = quantity * (1 - config.fee), self._lowest_exit(symbol, side, price)
        too_small = quantity == 0 or left < instrument.min_quantity or left * lowest < instrument.min_notional
        reasons = (
            # R5a: one position per symbol.
            ("position_open", symbol in self.positions),
            # R5b: with the filter no longs into a falling or wild market, no shorts into a rising or wild one, by the
            # regime at the close that gave the signal.
            ("regime", config.regime_filter and regime in NO_ENTRY[side]),
            # R5c: per symbol, from one entry's fill to the next order; when exactly the wait has passed it is over.
            ("cooldown", symbol in last and time - last[symbol] < config.cooldown_ms),
            # R5d: counted after this open's exits and the entries before this one.
            ("max_positions", len(self.positions) >= config.max_positions),
            # R5e: not even the smallest quantity is affordable.
            ("balance", quantity == 0 and self.cash < price * instrument.step),
            # R5f: below the venue's minimums, at the lowest price of the exit and without the fee, or rounded down to
            # nothing.
            ("min_notional", too_small),
            # R5g: value and fee must be covered by what is free: no leverage, and a short needs as much as a long.
            ("balance", value + config.fee * value > self.cash),
        )
        return next((reason for reason, holds in reasons if holds), None)

    def _lowest_exit(self, symbol: TradingSymbol, side: Side, price: Decimal) -> Decimal:
        share = self.config.stop_loss or self.config.trailing
        tick = self.instruments[symbol].tick
        return max(_down(price * (1 - share * PERCENT), tick), tick) if share and side == LONG else price

    def _fill_price(
        self, symbol: TradingSymbol, price: Decimal, row: int, quantity: Decimal, *, buying: bool
    ) -> Decimal:
        # R6: buys pay slippage on top, sells get it less, rounded to tick against the trader; no price is zero.
        tick, slippage = self.instruments[symbol].tick, self.config.slippage + self._impact(symbol, row, quantity)
        if buying:
            return _up(price * (1 + slippage), tick)
        return max(_down(price * (1 - slippage), tick), tick)

    def _impact(self, symbol: TradingSymbol, row: int, quantity: Decimal) -> Decimal:
        # R6b: an order moves the price by the square root of its share of the volume of the candle before, the whole
        # of it at most; counted in whole millionths, rounded up.
        whole = int(self.config.impact * MILLION)
        volume = Fraction(Decimal(repr(float(self.series[symbol][0].volume[row - 1]))))
        share = min(Fraction(quantity) / volume, Fraction(1)) if volume else Fraction(quantity > 0)
        square = whole * whole * share
        root = math.isqrt(square.numerator // square.denominator)
        return Decimal(root if root * root == square else root + 1) / MILLION

    def _sized(self, symbol: TradingSymbol, side: Side, row: int) -> tuple[Decimal, Decimal]:
        # R7: sized at the expected fill price; where the order's own size makes it worse, once more at that one.
        opened = _prices(self.series[symbol][0], row).open
        quantity = Decimal(0)
        for _ in range(2):
            price = self._fill_price(symbol, opened, row, quantity, buying=side == LONG)
            again = self._quantity(symbol, price)
            quantity = min(quantity, again) if quantity else again
        return self._fill_price(symbol, opened, row, quantity, buying=side == LONG), quantity

    def _quantity(self, symbol: TradingSymbol, price: Decimal) -> Decimal:
        # R7 again: rounded down to step.
        stake, step = self.config.stake, self.instruments[symbol].step
        if stake == "all":  # R7a: the whole free balance, fee included
            spend = Fraction(self.cash) / (1 + Fraction(self.config.fee))
        elif stake.endswith("%"):  # R7b: per cent of equity as it is now, positions at their last closes
            spend = Fraction(Decimal(stake[:-1]) * PERCENT * self.equity())
        else:  # R7c: that much quote, the fee on top
            spend = Fraction(Decimal(stake))
        return _down(max(spend, Fraction(0)) / Fraction(price), step)

    def _pay_fee(self, value: Decimal) -> Decimal:
        # R8: rate x filled price x quantity, in quote, on both sides.
        fee = self.config.fee * value
        self.fees_paid += fee
        self.cash -= fee
        return fee

    # ----------------------------------------------------------------------------------------------------- 2. inside

    def inside(self, rows: Mapping[TradingSymbol, int]) -> None:
        for symbol in sorted(rows):
            position = self.positions.get(symbol)
            if position is None:
                continue
            # R11: the levels that stood at the open are tested, also in the candle of the entry.
            candle = _prices(self.series[symbol][0], rows[symbol])
            for touch in self._touches(position, candle):
                if touch.reason == "take_profit" and position.at_target < position.quantity:
                    self._take_part(position, touch)
                else:
                    self._exit(position, rows[symbol], touch)
            if symbol not in self.positions:
                continue
            # R12: marks move after the tests, the entry candle's extremes included.
            long = position.side == LONG
            position.best = max(position.best, candle.high) if long else min(position.best, candle.low)
            self._move_stop(position)

    def _touches(self, position: ReferencePosition, candle: Prices) -> Iterator[Touch]:
        # What happens to the position inside the candle: nothing, one exit, or a part at the target and then the stop.
        stopped, reached = _touch(position, candle)
        if stopped is None or reached is None:
            yield from (touch for touch in (stopped, reached) if touch is not None)
            return
        # R13: both inside: the stop counts, unless finer candles, in their order and by the same rules, tell
        # otherwise. The levels stay where they stood at the open of the coarse candle.
        taken = False
        for fine in self._finer(position.symbol, candle.open_time):
            fine_stopped, fine_reached = _touch(position, fine)
            if fine_stopped is not None:
                yield fine_stopped
                return
            if fine_reached is not None and not taken:
                taken, whole = True, position.at_target == position.quantity
                yield fine_reached
                if whole:
                    return
        yield stopped

    def _finer(self, symbol: TradingSymbol, open_time: int) -> Iterator[Prices]:
        if symbol in self.detail:
            candles = self.detail[symbol]
            times = candles.open_time.tolist()
            first, end = (bisect_left(times, time) for time in (open_time, open_time + self.config.timeframe_ms))
            yield from (_prices(candles, row) for row in range(first, end))

    def _set_target(self, position: ReferencePosition) -> None:
        # R14: levels lie on ticks, rounded away from the price (a long's stop down, its target up), one tick at least,
        # measured from the fill price, slippage included.
        if self.config.take_profit:
            tick, share = self.instruments[position.symbol].tick, self.config.take_profit * PERCENT
            if position.side == LONG:
                position.target = _up(position.entry_price * (1 + share), tick)
            else:
                position.target = max(_down(position.entry_price * (1 - share), tick), tick)
            position.at_target = self._part(position, position.target)

    def _part(self, position: ReferencePosition, target: Decimal) -> Decimal:
        # R14b: a part rounded down to step; where it, at target or stop, or the rest, at the stop-loss or
        # else at the lowest price of the exit, would be below the venue's minimums, the target closes all.
        instrument, whole = self.instruments[position.symbol], position.quantity
        part = _down(whole * self.config.take_profit_part * PERCENT, instrument.step)
        loss, entry = self.config.stop_loss, position.entry_price
        at_rest = (
            self._behind(position, entry, loss) if loss else self._lowest_exit(position.symbol, position.side, entry)
        )
        for quantity, price in (part, min(target, at_rest)), (whole - part, at_rest):
            too_little = quantity < instrument.min_quantity or quantity * price < instrument.min_notional
            if quantity == 0 or too_little:
                return whole
        return part

    def _take_part(self, position: ReferencePosition, touch: Touch) -> None:
        # R14c: the part is closed, the rest runs on without a target, under its stop.
        price = self._at_limit(position, touch)
        position.taken = position.at_target
        position.taken_value = price * position.taken
        position.fees += self._pay_fee(position.taken_value)
        self.cash += position.taken_value if position.side == LONG else -position.taken_value
        position.quantity -= position.taken
        position.target = None
        position.at_target = Decimal(0)

    def _at_limit(self, position: ReferencePosition, touch: Touch) -> Decimal:
        tick = self.instruments[position.symbol].tick
        return _up(touch.price, tick) if position.side == SHORT else _down(touch.price, tick)

    def _move_stop(self, position: ReferencePosition) -> None:
        # R15: of the rules' levels the tightest stands, under the name of the rule that set it first.
        for level, reason in self._stops(position):
            held = position.stop
            if held is None or (level > held if position.side == LONG else level < held):
                position.stop, position.stop_reason = level, reason

    def _stops(self, position: ReferencePosition) -> Iterator[tuple[Decimal, str]]:
        config, entry, best = self.config, position.entry_price, position.best
        if config.stop_loss:  # R15a: a fixed share from the entry
            yield self._behind(position, entry, config.stop_loss), "stop_loss"
        if config.break_even_after and self._gained(position, config.break_even_after):  # R15b: the entry price itself
            yield entry, "break_even"
        if config.trailing and self._gained(position, config.trailing_after):  # R15c: a share behind the best price
            yield self._behind(position, best, config.trailing), "trailing"

    def _behind(self, position: ReferencePosition, price: Decimal, percent: Decimal) -> Decimal:
        tick, share = self.instruments[position.symbol].tick, percent * PERCENT
        if position.side == LONG:
            return max(_down(price * (1 - share), tick), tick)
        return _up(price * (1 + share), tick)

    def _gained(self, position: ReferencePosition, percent: Decimal) -> bool:
        share = percent * PERCENT
        if position.side == LONG:
            return position.best >= position.entry_price * (1 + share)
        return position.best <= position.entry_price * (1 - share)

    def _exit(self, position: ReferencePosition, row: int, touched: Touch) -> None:
        # R10 again: slippage applies to signals and stops; a limit target fills at its level, at a gap at the open.
        symbol, buying = position.symbol, position.side == SHORT
        if touched.reason == "take_profit":
            price = self._at_limit(position, touched)
        else:
            price = self._fill_price(symbol, touched.price, row, position.quantity, buying=buying)
        value = price * position.quantity
        fees = position.fees + self._pay_fee(value)
        self.cash += -value if buying else value
        # R10b: one round trip, whatever came in between; its exit price is the average.
        quantity, value = position.quantity + position.taken, value + position.taken_value
        entry_value = position.entry_price * quantity
        pnl = (entry_value - value if buying else value - entry_value) - fees
        self.trades.append(
            ReferenceTrade(
                symbol,
                position.side,
                position.entry_time,
                position.entry_price,
                int(self.series[symbol][0].open_time[row]),
                _average(value, quantity),
                quantity,
                fees,
                pnl,
                float(100 * Fraction(pnl) / Fraction(entry_value)),
                "signal",
                touched.reason,
                position.regime,
                position.signal_row,
                position.entry_row,
                row,
            )
        )
        del self.positions[symbol]

    # ------------------------------------------------------------------------------------------------------ 3. close

    def close(self, time: int, rows: Mapping[TradingSymbol, int]) -> None:
        for symbol, row in rows.items():
            candles, signals = self.series[symbol]
            self.last_close[symbol] = _prices(candles, row).close
            # R16: the signal at this close is for the symbol's next open; a row that says buy and sell says nothing.
            if bool(signals.buy[row]) != bool(signals.sell[row]):
                self.signalled[symbol] = row
            else:
                self.signalled.pop(symbol, None)
        # R17: equity is marked at the close.
        self.curve.append((time, self.equity()))

    def equity(self) -> Decimal:
        # R18: cash and what is held at each symbol's last close; a short is owed.
        # R19: at the end positions stay open: nothing is sold, this mark is the final equity.
        signed = ((p.quantity if p.side == LONG else -p.quantity, p.symbol) for p in self.positions.values())
        return self.cash + sum((quantity * self.last_close[symbol] for quantity, symbol in signed), Decimal(0))

    def _regime(self, symbol: TradingSymbol, row: int) -> MarketRegime:
        return MarketRegime(self.regimes[symbol][row]) if symbol in self.regimes else MarketRegime.UNKNOWN

"""How orders execute: what they take, what comes to them, and what that costs. One set of rules for every market.

Nothing here does I/O. What happens is told to the book, which may be a fork on which a command is tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from vela.domain.events import Tick
from vela.domain.execution_rules import limit_fill_ticks, stop_fill_ticks
from vela.domain.fill import Fill
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, multiply, ratio, subtract
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.book import Book, exchanged, locked_asset
from vela.simulation.depth import Level, best, within
from vela.simulation.liquidity import Liquidity, Quote
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import (
    Prevention,
    SelfTrade,
    SpotOrder,
    SpotOrderType,
    SpotRequest,
    TimeInForce,
)


class Move(NamedTuple):
    """How the market moved, in ticks: from `first` through all from `low` to `high`."""

    first: int
    low: int
    high: int


class Matching:
    """The rules of execution, and the newest prices.

    - A stop is triggered when the market touches it and takes what is offered there; over a gap, at its far side.
    - A limit that rests is filled when the market reaches it.
    - What is sold on one touch of a price weighs on the market as one order, in however many it was placed.
    - The first order of a group to trade, or to be triggered, ends the others: their share of the lock would stand in
      its way.
    """

    def __init__(self, instruments: Mapping[TradingSymbol, Instrument], fees: SpotFees, liquidity: Liquidity) -> None:
        """Trade `instruments`."""
        self.instruments = instruments
        self.fees = fees
        self.opened: dict[TradingSymbol, int] = {}  # what a symbol's fills bear instead of their own time, ms UTC
        self._liquidity = liquidity
        self._ticks: dict[TradingSymbol, Tick] = {}  # the newest

    # ---------------------------------------------------------------------------------------------------------- asking

    def need(self, request: SpotRequest, quantity: Decimal) -> Decimal:
        """Return how much of its asset an order must keep ready while `quantity` (base) of it may execute.

        A purchase at the market's price, which nobody knows before, keeps nothing.
        """
        if not request.is_buy:
            return quantity
        price = request.price or ZERO
        if request.price is None and request.stop_price is not None:
            instrument = self.instruments[request.symbol]
            price = instrument.price(self._liquidity.worst_ticks(instrument.price_ticks(request.stop_price)))
        return self.cost(multiply(price, quantity))

    def cost(self, value: Decimal) -> Decimal:
        """Return what a purchase of that value (quote) costs at most."""
        return add(value, multiply(value, self.fees.on_top))

    def has_price(self, symbol: TradingSymbol) -> bool:
        """Say whether the symbol's price is known."""
        return symbol in self._ticks

    def quote(self, symbol: TradingSymbol) -> Quote:
        """Return where the market is; its price must be known."""
        tick, instrument = self._ticks[symbol], self.instruments[symbol]
        return Quote(instrument, max(1, instrument.price_ticks(tick.price)), tick.volume)

    def price(self, symbol: TradingSymbol) -> Decimal:
        """Return the market's price, which must be known, in quote per base."""
        return self.instruments[symbol].price(self.quote(symbol).ticks)

    def levels(self, symbol: TradingSymbol, side: Side) -> list[Level]:
        """Return what an order of that side can take now."""
        return self._liquidity.offers(self.quote(symbol), side, 0) if self.has_price(symbol) else []

    def offered(
        self, request: SpotRequest, quote: Quote, quantity: Decimal | None = None, together: int | None = None
    ) -> list[Level]:
        """Return what an order would take.

        Args:
            request: the order.
            quote: where the market is.
            quantity: what is left of the order, in base; None: all of it.
            together: steps of all orders that take at the same moment; None: this one alone.
        """
        steps = quote.instrument.quantity_steps(quantity or request.quantity or ZERO)
        levels = self._liquidity.offers(quote, request.side, together or steps)
        if request.price is not None:
            levels = within(levels, quote.instrument.price_ticks(request.price), is_buy=request.is_buy)
        if request.quote_quantity is not None:
            return _affordable(quote.instrument, levels, request.quote_quantity)
        return best(levels, steps)

    def touched(self, request: SpotRequest, move: Move, *, is_stop: bool) -> int:
        """Return the price in ticks at which a move touches an order's stop, or its limit; 0: it does not."""
        to_ticks = self.instruments[request.symbol].price_ticks
        if is_stop:
            falls = request.is_buy is not request.type.is_stop_loss  # touched from above
            return stop_fill_ticks(to_ticks(request.stop_price or ZERO), falls, *move, slippage_ppm=0)
        return limit_fill_ticks(to_ticks(request.price or ZERO), not request.is_buy, *move)

    # -------------------------------------------------------------------------------------------------------- matching

    def advance(self, tick: Tick) -> Tick:
        """Take the market's new price and return the tick before; the same at first."""
        before = self._ticks.get(tick.symbol, tick)
        self._ticks[tick.symbol] = tick
        self._liquidity.moved(tick.symbol)
        return before

    def moved(self, tick: Tick, before: Tick) -> Move:
        """Return how the market came from one tick to the next."""
        to_ticks = self.instruments[tick.symbol].price_ticks
        return Move(max(1, to_ticks(before.price)), max(1, to_ticks(tick.low)), max(1, to_ticks(tick.high)))

    def match(self, book: Book, orders: Iterable[SpotOrder], move: Move, time: int, budget: int | None = None) -> None:
        """Let open orders of one symbol execute on a move, in their order.

        Args:
            book: theirs.
            orders: those that take part.
            move: of the market, whose newest price is known.
            time: ms UTC.
            budget: how much limits that rest may trade in all, in steps; None: any amount.
        """
        waiting = [*orders]
        together = self._stopped_together(waiting)
        for order in waiting:
            request = order.request
            if request.client_order_id not in book.orders:  # ended on the way
                continue
            quote = self.quote(request.symbol)
            if request.type is SpotOrderType.MARKET:
                self.take(book, order, quote, time)
                continue
            ticks = self.touched(request, move, is_stop=order.working_time is None)
            if ticks and order.working_time is None:
                order = self._trigger(book, order, time)  # noqa: PLW2901  the same order, later
                self.take(book, order, quote._replace(ticks=ticks), time, together[request.side, request.stop_price])
            elif ticks and budget != 0:
                steps = quote.instrument.quantity_steps(order.open_quantity)
                steps = steps if budget is None else min(steps, budget)
                budget = None if budget is None else budget - steps
                at = ticks if self._liquidity.endless else quote.instrument.price_ticks(request.price or ZERO)
                self._trade(book, order, Level(at, steps), time, is_maker=True)

    def take(self, book: Book, order: SpotOrder, quote: Quote, time: int, together: int | None = None) -> SpotOrder:
        """Let an order take what is offered with the market at `quote`; what it does not get rests, or it ends.

        Args:
            book: the order's.
            order: what takes.
            quote: where the market is.
            time: ms UTC.
            together: steps of all orders that take at the same moment; None: this one alone.
        """
        request = order.request
        levels = self.offered(request, quote, order.open_quantity, together)
        met = self.met(book, request, levels)
        if met and request.self_trade is not SelfTrade.EXPIRE_MAKER:
            return self._take_until(book, met[0], order, levels, time)
        for other in met:
            self._prevent(book, other, order, time)
        obstacle = self._obstacle(book, order, levels)
        if obstacle:
            return book.expire(order, time, obstacle)
        order = self._trade_all(book, order, levels, time)
        return order if not order.is_open or rests(order) else book.expire(order, time, "no_offers")

    def _stopped_together(self, orders: Iterable[SpotOrder]) -> Mapping[tuple[Side, Decimal | None], int]:
        together: defaultdict[tuple[Side, Decimal | None], int] = defaultdict(int)
        for order in orders:
            request = order.request
            if order.working_time is None:
                steps = self.instruments[request.symbol].quantity_steps(order.open_quantity)
                together[request.side, request.stop_price] += steps
        return together

    def _trigger(self, book: Book, order: SpotOrder, time: int) -> SpotOrder:
        if self._liquidity.endless:  # it executes at once, or not at all
            return order
        self._end_group(book, order.request, time)
        # A purchase without a limit pays what it must from all that is free.
        keeps = order.request.type.has_limit or not order.request.is_buy
        return book.trigger(order, time, self.need(order.request, order.open_quantity) if keeps else ZERO)

    def _obstacle(self, book: Book, order: SpotOrder, levels: Sequence[Level]) -> str:
        """Return why an order that must execute as a whole cannot."""
        request, instrument = order.request, self.instruments[order.request.symbol]
        if request.time_in_force is TimeInForce.FOK:
            steps = sum(level.steps for level in levels)
            return "fill_or_kill" if instrument.quantity(steps) < order.open_quantity else ""
        if not self._liquidity.endless:
            return ""
        value = add(*(value_of(instrument, level) for level in levels))
        if request.type is SpotOrderType.MARKET and value < instrument.min_notional:
            return "min_notional"
        payable = not request.is_buy or self.cost(value) <= book.available(request, locked_asset(request))
        return "" if payable else "balance"

    def _trade_all(self, book: Book, order: SpotOrder, levels: Sequence[Level], time: int) -> SpotOrder:
        request, instrument = order.request, self.instruments[order.request.symbol]
        if request.is_buy and not request.type.has_limit and not self._liquidity.endless:
            spendable = ratio(book.available(request, locked_asset(request)), add(Decimal(1), self.fees.on_top))
            levels = _affordable(instrument, levels, spendable)
        for level in levels:
            is_last = request.quantity is None and level is levels[-1]
            order = self._trade(book, order, level, time, is_last=is_last)
            self._liquidity.took(request.symbol, request.side, level.steps)
        return order

    # ---------------------------------------------------------------------------------------------------------- trades

    def _trade(
        self,
        book: Book,
        order: SpotOrder,
        level: Level,
        time: int,
        *,
        is_maker: bool = False,
        is_last: bool = False,
    ) -> SpotOrder:
        request, instrument = order.request, self.instruments[order.request.symbol]
        self._end_group(book, request, time)
        price, quantity = instrument.price(level.ticks), instrument.quantity(level.steps)
        left = subtract(order.open_quantity, quantity) if request.quantity is not None else ZERO
        keeps = left and (request.type.has_limit or not request.is_buy)
        amount = self.need(request, left) if keeps else ZERO
        fee, fee_asset = self._fee(book, request, price, quantity, amount, is_maker=is_maker)
        fill = Fill(
            fill_id=str(book.sequence + 1),
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset,
            time=self.opened.get(request.symbol, time),
        )
        return book.fill(fill, time, amount, is_maker=is_maker, is_last=is_last)

    def _fee(
        self, book: Book, request: SpotRequest, price: Decimal, quantity: Decimal, amount: Decimal, *, is_maker: bool
    ) -> tuple[Decimal, str]:
        """Return a trade's fee and its asset; `amount`: what stays locked for the rest of the order."""
        asset, asset_price = self.fees.asset, self._fee_asset_price(request.symbol)
        if asset is not None and asset_price is not None:
            fee = self.fees.discounted(price, quantity, asset_price, is_maker=is_maker)
            kept = amount if asset == locked_asset(request) else ZERO
            change = exchanged(request.side, request.symbol, quantity, multiply(price, quantity)).get(asset, ZERO)
            spare = add(book.available(request, asset), change, -kept)
            if 0 < fee <= spare:
                return fee, asset
        return self.fees.of(request, price, quantity, is_maker=is_maker)

    def _fee_asset_price(self, symbol: TradingSymbol) -> Decimal | None:
        if self.fees.asset == symbol.quote.value:
            return Decimal(1)
        traded = (one for one in self._ticks if (one.base, one.quote) == (self.fees.asset, symbol.quote))
        return next(map(self.price, traded), None)

    def _end_group(self, book: Book, request: SpotRequest, time: int) -> None:
        for other in book.others_of_group(request):
            book.cancel(other, time, "group")

    # -------------------------------------------------------------------------------- other orders of the account's own

    def met(self, book: Book, request: SpotRequest, levels: Sequence[Level]) -> list[SpotOrder]:
        """Return the account's resting orders that one which takes `levels` would meet on the way, as it meets them."""
        if self._liquidity.endless:
            return []
        instrument, worst = self.instruments[request.symbol], request.price
        steps = sum(level.steps for level in levels)
        if levels and (request.quantity is None or instrument.quantity(steps) >= request.quantity):
            worst = instrument.price(levels[-1].ticks)
        resting = [one for one in book.of_symbol(request.symbol) if rests(one) and one.request.side is not request.side]
        return sorted((one for one in resting if _is_within(one, worst)), key=priority)

    def _take_until(
        self, book: Book, other: SpotOrder, order: SpotOrder, levels: Sequence[Level], time: int
    ) -> SpotOrder:
        """Take what is offered before the account's `other` order; there this one ends, or both do."""
        request, instrument = order.request, self.instruments[order.request.symbol]
        own = instrument.price_ticks(other.request.price or ZERO)
        before = [level for level in levels if (level.ticks < own if request.is_buy else level.ticks > own)]
        if request.time_in_force is not TimeInForce.FOK:
            order = self._trade_all(book, order, before, time)
        if request.self_trade is SelfTrade.EXPIRE_BOTH:
            self._prevent(book, other, order, time)
        return _prevented(book, order, other, other.request.price or ZERO, time) if order.is_open else order

    def _prevent(self, book: Book, resting: SpotOrder, taker: SpotOrder, time: int) -> None:
        self._end_group(book, resting.request, time)
        _prevented(book, resting, taker, resting.request.price or ZERO, time)


def rests(order: SpotOrder) -> bool:
    """Say whether an order waits in the book for the market to come to its limit."""
    request = order.request
    return order.working_time is not None and request.type.has_limit and request.time_in_force is TimeInForce.GTC


def priority(order: SpotOrder) -> tuple[Decimal, int]:
    """Return by what orders of one side that rest take their turn: best limit first, then the oldest."""
    price = order.request.price or ZERO
    return (-price if order.request.is_buy else price), order.order_id


def value_of(instrument: Instrument, level: Level) -> Decimal:
    """Return what a level is worth, in quote."""
    return multiply(instrument.price(level.ticks), instrument.quantity(level.steps))


def _prevented(book: Book, order: SpotOrder, other: SpotOrder, price: Decimal, time: int) -> SpotOrder:
    prevention = Prevention(book.sequence + 1, other.order_id, price, order.open_quantity)
    return book.expire(order, time, "self_trade", prevention)


def _is_within(resting: SpotOrder, worst: Decimal | None) -> bool:
    """Say whether an order that takes down to, or up to, the `worst` price (None: any) meets a resting one."""
    price = resting.request.price or ZERO
    return worst is None or (price >= worst if resting.request.is_buy else price <= worst)


def _affordable(instrument: Instrument, levels: Iterable[Level], budget: Decimal) -> list[Level]:
    """Return the best levels whose value is within `budget` (quote)."""
    chosen = []
    for level in levels:
        steps = min(level.steps, instrument.quantity_steps(ratio(budget, instrument.price(level.ticks))))
        if not steps:
            break
        chosen.append(Level(level.ticks, steps))
        budget = subtract(budget, value_of(instrument, chosen[-1]))
        if steps < level.steps:
            break
    return chosen

"""The pretend market as a venue of its own: every kind of order, partial fills, a book that can run out.

It keeps the account, the prices of executions and the filters of `exchange.py`'s paper account; what is different is
what a public venue does differently. Nothing here does I/O: time is handed in, and so is the rule that makes up the
book.

- Orders that take, trade with the made-up book (`depth.py`) level by level; what they took is gone until the price
  moves again. What nobody offers expires (market orders, IOC), or rests.
- Orders that rest, trade at their limit when the market reaches it: never more in all than the market itself traded
  on that tick, best limit first, then oldest.
- The orders of the account never trade with each other: where one would take from another, one of them ends.
- A client order id must be new among the open orders only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from vela.domain.errors import OrderNotFound, OrderRefused
from vela.domain.events import Tick
from vela.domain.execution_rules import limit_fill_ticks, stop_fill_ticks
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, multiply, ratio, subtract
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Balance
from vela.simulation.depth import Level, Offers, best, within, without
from vela.simulation.filters import check_notional, check_price, check_quantity
from vela.simulation.spot_book import SpotBook, SpotFees, rests
from vela.simulation.spot_orders import (
    OrderPair,
    SelfTrade,
    SpotEvent,
    SpotOrder,
    SpotOrderType,
    SpotRequest,
    TimeInForce,
)

MOST_OPEN_ORDERS = 200  # per symbol
MOST_OPEN_STOPS = 5  # of them


class Phase(StrEnum):
    """What can be done with a symbol.

    In all but TRADING nothing is let in and nothing executes; orders can be cancelled. DELISTED: it is not known here
    any more, and has no orders.
    """

    TRADING = "TRADING"
    HALT = "HALT"
    BREAK = "BREAK"
    CANCEL_ONLY = "CANCEL_ONLY"
    DELISTED = "DELISTED"


class _Quote(NamedTuple):
    """The newest price in ticks, and the volume of the newest candle in steps."""

    ticks: int
    volume: int


class SpotExchange:
    """A spot venue with one account.

    The text of a refusal begins with its code: `unknown_symbol`, `market_closed`, `no_price`, `duplicate_client_id`,
    one of `filters.py`, `open_orders`, `open_stops`, `would_trigger`, `would_take`, `pair_prices`, `no_offers` or
    `balance`.
    """

    def __init__(
        self, instruments: Iterable[Instrument], balances: Mapping[str, Decimal], *, fees: SpotFees, offers: Offers
    ) -> None:
        """Open the venue.

        Args:
            instruments: what can be traded.
            balances: initial free amount per asset, 0 or more.
            fees: what trades cost.
            offers: makes up the book.

        Raises:
            LedgerError: a balance is below zero.
        """
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self._book = SpotBook(balances, fees)
        self._offers = offers
        self._quotes: dict[TradingSymbol, _Quote] = {}
        self._taken: dict[tuple[TradingSymbol, Side], int] = {}  # steps taken by buys and sells since the last move
        self._phases: dict[TradingSymbol, Phase] = {}

    # ------------------------------------------------------------------------------------------------------- state

    @property
    def fees(self) -> SpotFees:
        """What trades cost."""
        return self._book.fees

    @property
    def log(self) -> Sequence[SpotEvent]:
        """All that ever happened, oldest first."""
        return self._book.log

    @property
    def orders(self) -> Mapping[int, SpotOrder]:
        """Every order by the venue's id, oldest first."""
        return self._book.orders

    @property
    def pairs(self) -> Mapping[int, OrderPair]:
        """Every pair by the venue's id, oldest first."""
        return self._book.pairs

    def open_orders(self, symbol: TradingSymbol | None = None) -> list[SpotOrder]:
        """Return what may still execute, oldest first."""
        return self._book.open_orders(symbol)

    def find(self, symbol: TradingSymbol, order_id: int | None = None, client_order_id: str | None = None) -> SpotOrder:
        """Return an order by the venue's id or, without one, the newest of a client's id.

        Raises:
            OrderNotFound: no such order of the symbol.
        """
        return self._book.find(symbol, order_id, client_order_id)

    def balances(self) -> dict[str, Balance]:
        """Return free and locked of every asset that was ever held."""
        return self._book.account.balances()

    def price(self, symbol: TradingSymbol) -> Decimal | None:
        """Return the newest price; None before the first."""
        quote = self._quotes.get(symbol)
        return None if quote is None else self.instruments[symbol].price(quote.ticks)

    def depth(self, symbol: TradingSymbol, side: Side) -> list[tuple[Decimal, Decimal]]:
        """Return price and quantity of the bids (BUY) or asks (SELL), best first; none before the first price."""
        instrument = self.instruments[symbol]
        levels = self._levels(symbol, side.opposite)
        return [(instrument.price(level.ticks), instrument.quantity(level.steps)) for level in levels]

    def phase(self, symbol: TradingSymbol) -> Phase:
        """Return what can be done with the symbol."""
        return self._phases.get(symbol, Phase.TRADING)

    @property
    def listed(self) -> dict[TradingSymbol, Instrument]:
        """What can be asked for: all that is not delisted."""
        return {one: rules for one, rules in self.instruments.items() if self.phase(one) is not Phase.DELISTED}

    # ---------------------------------------------------------------------------------------------------- commands

    def enter(self, phase: Phase, symbol: TradingSymbol, time: int) -> None:
        """Change what can be done with a symbol at `time` (ms UTC); its orders expire when it is delisted."""
        self._phases[symbol] = phase
        if phase is Phase.DELISTED:
            for order in self.open_orders(symbol):
                self._book.expire(order, time, "delisted")

    def expire(self, order: SpotOrder, time: int) -> None:
        """End an open order, and the other one of its pair, as venues sometimes do on their own."""
        for one in self._with_sibling(order):
            if one.is_open:
                self._book.expire(one, time, "venue")

    def check(self, request: SpotRequest) -> None:
        """Say whether an order would be let in now.

        Raises:
            OrderRefused: it would not.
        """
        self._check_rules(request)
        asset, amount = self._cost(request)
        free = self._book.account.free(asset)
        if amount > free:
            raise OrderRefused(f"balance: {request.client_order_id} needs {amount} {asset}; accepted: up to {free}")

    def place(self, request: SpotRequest, time: int) -> SpotOrder:
        """Place an order at `time` (ms UTC) and return what became of it at once.

        Raises:
            OrderRefused: nothing was changed.
        """
        self.check(request)
        order = self._book.accept(request, time)
        return order if request.type.is_stop else self._take(order, self._quotes[request.symbol].ticks, time)

    def place_pair(self, client_list_id: str, above: SpotRequest, below: SpotRequest, time: int) -> OrderPair:
        """Place two orders of one symbol, side and quantity around the market; the first to trade or trigger wins.

        Raises:
            OrderRefused: nothing was changed.
        """
        _check_pair(above, below)
        for request in (above, below):
            self.check(request)
        pair = self._book.pair(client_list_id, above.symbol, time)
        for request in (above, below):
            self._book.accept(request, time, list_id=pair.list_id)
        return pair

    def cancel(self, order: SpotOrder, time: int, cancel_id: str) -> None:
        """Take back an order, and the other one of its pair.

        Raises:
            OrderNotFound: it is not open; nothing was changed.
        """
        if not self._book.orders[order.order_id].is_open:
            raise OrderNotFound(f"order {order.order_id} is not open; accepted: an order that may still execute")
        for one in self._with_sibling(order):
            self._book.cancel(one, time, cancel_id)

    def on_tick(self, tick: Tick, time: int, share: float) -> None:
        """Take a move of the market and let orders execute on it.

        Args:
            tick: how the price moved; a symbol that is not traded here is passed over.
            time: ms UTC at the venue.
            share: which part of the newest candle's volume was traded on the way, 0 to 1.
        """
        instrument = self.instruments.get(tick.symbol)
        if instrument is None:
            return
        ticks, low, high = (max(1, instrument.price_ticks(value)) for value in (tick.price, tick.low, tick.high))
        volume = instrument.quantity_steps(Decimal(repr(tick.volume)))
        first = self._quotes[tick.symbol].ticks if tick.symbol in self._quotes else ticks
        self._quotes[tick.symbol] = _Quote(ticks, volume)
        self._taken.pop((tick.symbol, Side.BUY), None)
        self._taken.pop((tick.symbol, Side.SELL), None)
        if (
            tick.jump or self.phase(tick.symbol) is not Phase.TRADING
        ):  # orders meet a jump on the move after it, as gapped over
            return
        waiting = self._book.open_orders(tick.symbol)
        for order in waiting:  # stops first: within one move nobody knows what came first
            if order.working_time is None:
                self._try_trigger(order, (first, low, high), time)
        resting = [order for order in waiting if rests(order)]
        self._trade_resting(resting, (first, low, high), int(volume * share), time)

    # ---------------------------------------------------------------------------------------------------- checking

    def _check_rules(self, request: SpotRequest) -> None:
        name, instrument = request.client_order_id, self.instruments.get(request.symbol)
        phase = self.phase(request.symbol)
        if instrument is None or phase is Phase.DELISTED:
            raise OrderRefused(f"unknown_symbol: {request.symbol}; accepted: {', '.join(map(str, self.listed))}")
        if phase is not Phase.TRADING:
            raise OrderRefused(f"market_closed: {request.symbol} is in {phase.value}; accepted: orders in TRADING")
        if request.symbol not in self._quotes:
            raise OrderRefused(f"no_price: {request.symbol} has no price yet; accepted: orders once it trades")
        if self._book.has_open(name):
            raise OrderRefused(f"duplicate_client_id: {name[:40]!r} is open; accepted: an id that no open order has")
        _check_filters(request, instrument, self.price(request.symbol) or ZERO)
        self._check_number(request)
        market = self._quotes[request.symbol].ticks
        if request.type.is_stop and self._triggers(request, (market, market, market)):
            raise OrderRefused(f"would_trigger: {name} at {request.stop_price}; accepted: a stop beyond the market")
        if request.type is SpotOrderType.LIMIT_MAKER and (self._offered(request, market) or self._met(request, [])):
            raise OrderRefused(f"would_take: {name} at {request.price}; accepted: a limit that rests")

    def _check_number(self, request: SpotRequest) -> None:
        kinds = [order.request.type for order in self._book.open_orders(request.symbol)]
        stops = sum(kind.is_stop for kind in kinds)
        if len(kinds) >= MOST_OPEN_ORDERS:
            raise OrderRefused(f"open_orders: {len(kinds)} of {request.symbol}; accepted: up to {MOST_OPEN_ORDERS}")
        if request.type.is_stop and stops >= MOST_OPEN_STOPS:
            raise OrderRefused(f"open_stops: {stops} of {request.symbol}; accepted: up to {MOST_OPEN_STOPS}")

    def _cost(self, request: SpotRequest) -> tuple[str, Decimal]:
        """Return the asset, and how much of it, the order needs from the start."""
        if request.type is not SpotOrderType.MARKET:
            return self._book.need(request, request.quantity or ZERO)
        instrument = self.instruments[request.symbol]
        levels = self._offered(request, self._quotes[request.symbol].ticks)
        if not levels:
            raise OrderRefused(f"no_offers: nothing fits {request.client_order_id}; accepted: what the book can fill")
        if not request.is_buy:
            quantity = request.quantity or instrument.quantity(sum(level.steps for level in levels))
            return request.symbol.base, quantity
        value = add(*(_value(instrument, level) for level in levels))
        return request.symbol.quote.value, add(value, multiply(value, self.fees.on_top))

    # ------------------------------------------------------------------------------------------------------ taking

    def _levels(self, symbol: TradingSymbol, side: Side, ticks: int | None = None) -> list[Level]:
        """Return what an order of that side can take, around the market's price or around `ticks`."""
        if symbol not in self._quotes:
            return []
        quote = self._quotes[symbol]
        levels = self._offers(ticks or quote.ticks, quote.volume, is_ask=side is Side.BUY)
        return without(levels, self._taken.get((symbol, side), 0))

    def _offered(self, request: SpotRequest, ticks: int, quantity: Decimal | None = None) -> list[Level]:
        """Return what the order would take with the market at `ticks`; `quantity`: what is left of it."""
        instrument = self.instruments[request.symbol]
        levels = self._levels(request.symbol, request.side, ticks)
        if request.price is not None:
            levels = within(levels, instrument.price_ticks(request.price), is_buy=request.is_buy)
        if request.quote_quantity is not None:
            return _affordable(instrument, levels, request.quote_quantity)
        return best(levels, instrument.quantity_steps(quantity or request.quantity or ZERO))

    def _take(self, order: SpotOrder, ticks: int, time: int) -> SpotOrder:
        levels = self._offered(order.request, ticks, order.open_quantity)
        met = self._met(order.request, levels)
        if met and order.request.self_trade is not SelfTrade.EXPIRE_MAKER:
            return self._take_until(met[0], order, levels, time)
        for other in met:
            self._prevent(other, order, time)
        steps = sum(level.steps for level in levels)
        instrument = self.instruments[order.request.symbol]
        if order.request.time_in_force is TimeInForce.FOK and instrument.quantity(steps) < order.open_quantity:
            return self._book.expire(order, time, "fill_or_kill")
        return self._rest_or_end(self._trade_with(levels, order, time), time)

    def _trade_with(self, levels: Sequence[Level], order: SpotOrder, time: int) -> SpotOrder:
        request, instrument = order.request, self.instruments[order.request.symbol]
        if request.is_buy and not request.type.has_limit:
            levels = _affordable(instrument, levels, self._spendable(request))
        for level in levels:
            price, quantity = instrument.price(level.ticks), instrument.quantity(level.steps)
            is_last = request.quantity is None and level is levels[-1]
            coin = self._fee_asset_price(request.symbol)
            order = self._book.trade(
                order, price, quantity, time, is_maker=False, is_last=is_last, fee_asset_price=coin
            )
            taken = self._taken.get((request.symbol, request.side), 0)
            self._taken[request.symbol, request.side] = taken + level.steps
        return order

    def _fee_asset_price(self, symbol: TradingSymbol) -> Decimal | None:
        if self.fees.asset == symbol.quote.value:
            return Decimal(1)
        traded = (one for one in self.instruments if (one.base, one.quote) == (self.fees.asset, symbol.quote))
        return next((self.price(one) for one in traded), None)

    def _rest_or_end(self, order: SpotOrder, time: int) -> SpotOrder:
        if order.is_open and not rests(order):
            return self._book.expire(order, time, "no_offers")
        return order

    def _spendable(self, request: SpotRequest) -> Decimal:
        """Return what trades may cost before fees, in quote."""
        free = self._book.account.free(request.symbol.quote.value)
        return ratio(free, add(Decimal(1), self.fees.on_top))

    # ------------------------------------------------------------------------------------- orders of its own in the way

    def _met(self, request: SpotRequest, levels: Sequence[Level]) -> list[SpotOrder]:
        """Return the account's resting orders that one which takes `levels` would meet on the way, as it meets them."""
        resting = [one for one in self._book.open_orders(request.symbol) if rests(one)]
        instrument, worst = self.instruments[request.symbol], request.price
        steps = sum(level.steps for level in levels)
        if levels and (request.quantity is None or instrument.quantity(steps) >= request.quantity):
            worst = instrument.price(levels[-1].ticks)
        met = [one for one in resting if one.request.side is not request.side and _is_within(one, worst)]
        return sorted(met, key=self._priority)

    def _take_until(self, other: SpotOrder, order: SpotOrder, levels: Sequence[Level], time: int) -> SpotOrder:
        """Take what is offered before the account's `other` order; there this one ends, or both do."""
        request, instrument = order.request, self.instruments[order.request.symbol]
        own = instrument.price_ticks(other.request.price or ZERO)
        before = [level for level in levels if (level.ticks < own if request.is_buy else level.ticks > own)]
        if request.time_in_force is not TimeInForce.FOK:
            order = self._trade_with(before, order, time)
        if request.self_trade is SelfTrade.EXPIRE_BOTH:
            self._prevent(other, order, time)
        return self._book.prevent(order, other, other.request.price or ZERO, time) if order.is_open else order

    def _prevent(self, resting: SpotOrder, taker: SpotOrder, time: int) -> None:
        self._end_sibling(resting, time)
        self._book.prevent(resting, taker, resting.request.price or ZERO, time)

    # ----------------------------------------------------------------------------------------------------- resting

    def _triggers(self, request: SpotRequest, move: tuple[int, int, int]) -> int:
        """Return the price in ticks at which a stop triggers on a move (first, low, high), or 0."""
        falls = request.is_buy is not request.type.is_stop_loss  # touched from above
        stop = self.instruments[request.symbol].price_ticks(request.stop_price or ZERO)
        return stop_fill_ticks(stop, falls, *move, slippage_ppm=0)

    def _try_trigger(self, order: SpotOrder, move: tuple[int, int, int], time: int) -> None:
        ticks = self._triggers(order.request, move)
        if not ticks or not self._book.orders[order.order_id].is_open:  # its pair's other order may have ended it
            return
        self._end_sibling(order, time)
        self._take(self._book.trigger(order, time), ticks, time)

    def _trade_resting(self, resting: list[SpotOrder], move: tuple[int, int, int], budget: int, time: int) -> None:
        for order in sorted(resting, key=self._priority):
            request, instrument = order.request, self.instruments[order.request.symbol]
            limit = instrument.price_ticks(request.price or ZERO)
            is_sell = not request.is_buy
            if not budget or not self._book.orders[order.order_id].is_open:
                continue
            if limit_fill_ticks(limit, is_sell, *move):
                steps = min(budget, instrument.quantity_steps(order.open_quantity))
                self._end_sibling(order, time)
                price, quantity = instrument.price(limit), instrument.quantity(steps)
                coin = self._fee_asset_price(request.symbol)
                self._book.trade(order, price, quantity, time, is_maker=True, fee_asset_price=coin)
                budget -= steps

    def _priority(self, order: SpotOrder) -> tuple[Decimal, int]:
        price = order.request.price or ZERO
        return (-price if order.request.is_buy else price), order.order_id

    def _with_sibling(self, order: SpotOrder) -> list[SpotOrder]:
        other = self._book.sibling(order)
        return [self._book.orders[order.order_id], *([] if other is None else [other])]

    def _end_sibling(self, order: SpotOrder, time: int) -> None:
        other = self._book.sibling(order)
        if other is not None:
            self._book.expire(other, time, "pair")


def _check_filters(request: SpotRequest, instrument: Instrument, market: Decimal) -> None:
    name = request.client_order_id
    for price in (request.price, request.stop_price):
        if price is not None:
            check_price(name, price, instrument)
    if request.quantity is None:
        if (request.quote_quantity or ZERO) < instrument.min_notional:
            raise OrderRefused(f"min_notional: {name}; accepted: a value of {instrument.min_notional} or more")
        return
    check_quantity(name, request.quantity, instrument)
    check_notional(name, request.price or request.stop_price or market, request.quantity, instrument)


def _check_pair(above: SpotRequest, below: SpotRequest) -> None:
    if above.client_order_id == below.client_order_id:
        raise OrderRefused(f"duplicate_client_id: {above.client_order_id[:40]!r} twice; accepted: two different ids")
    same = all(getattr(above, name) == getattr(below, name) for name in ("symbol", "side", "quantity"))
    high, low = (request.stop_price or request.price or ZERO for request in (above, below))
    if not same or high <= low:
        raise OrderRefused("pair_prices: accepted: two orders of one symbol, side and quantity, one above the market")


def _is_within(resting: SpotOrder, worst: Decimal | None) -> bool:
    """Say whether an order that takes down to, or up to, the `worst` price (None: any) meets a resting one."""
    price = resting.request.price or ZERO
    return worst is None or (price >= worst if resting.request.is_buy else price <= worst)


def _value(instrument: Instrument, level: Level) -> Decimal:
    return multiply(instrument.price(level.ticks), instrument.quantity(level.steps))


def _affordable(instrument: Instrument, levels: Iterable[Level], budget: Decimal) -> list[Level]:
    """Return the best levels whose value is within `budget` (quote)."""
    chosen = []
    for level in levels:
        steps = min(level.steps, instrument.quantity_steps(ratio(budget, instrument.price(level.ticks))))
        if not steps:
            break
        chosen.append(Level(level.ticks, steps))
        budget = subtract(budget, _value(instrument, chosen[-1]))
        if steps < level.steps:
            break
    return chosen

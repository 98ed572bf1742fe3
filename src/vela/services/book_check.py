"""Whether an exit may be tried again: after a halt or an outage there has to be a book first."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from vela.domain.errors import ExecutionError
from vela.domain.events import Tick
from vela.domain.money import multiply, plain
from vela.domain.order import OrderPurpose, OrderRequest
from vela.domain.position import Position
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.step import Plan
from vela.ports.execution import Execution

_WORST_SHARE = Decimal("0.95")  # of the newest price


class Obstacle(NamedTuple):
    """Why an exit has to wait. `is_new`: it did not wait before."""

    text: str
    is_new: bool


class BookCheck:
    """Looks at the book before an exit of a symbol of which an order failed, until one succeeds.

    A market order into the book of a market that has just been opened again is filled at whatever price stands there.
    """

    def __init__(self, execution: Execution) -> None:
        """Ask `execution`."""
        self._execution = execution
        self._prices: dict[TradingSymbol, Decimal] = {}
        self._failed: set[TradingSymbol] = set()
        self._waiting: set[TradingSymbol] = set()

    def waiting(self, positions: Iterable[Position]) -> frozenset[TradingSymbol]:
        """Return the symbols whose exit waits for the book; of `positions`, only those that should be closed do."""
        if self._waiting:  # what waited may have been closed by its stop meanwhile, and been bought again
            self._waiting &= {position.symbol for position in positions if position.leaving is not None}
        return frozenset(self._waiting)

    def start(self, positions: Iterable[Position]) -> None:
        """Take note of what should have been closed before and was not."""
        self._failed |= {position.symbol for position in positions if position.leaving is not None}

    def priced(self, ticks: Iterable[Tick]) -> None:
        """Take new prices."""
        self._prices.update((tick.symbol, Decimal(repr(tick.price))) for tick in ticks)

    def failed(self, plan: Plan) -> None:
        """Orders were refused, or nobody knows what became of them."""
        self._failed |= {request.symbol for request in plan.requests}

    def succeeded(self, plan: Plan) -> None:
        """Orders were taken: the symbol is traded."""
        symbols = {request.symbol for request in plan.requests}
        self._failed -= symbols
        self._waiting -= symbols

    async def obstacle(self, plan: Plan) -> Obstacle | None:
        """Return what keeps an exit back now, or None."""
        if plan.purpose is not OrderPurpose.EXIT:
            return None
        for request in plan.requests:
            if request.symbol in self._failed and (text := await self._fault(request)) is not None:
                is_new = request.symbol not in self._waiting
                self._waiting.add(request.symbol)
                return Obstacle(f"{request.symbol} is not sold before its book is back: {text}", is_new)
        return None

    async def _fault(self, request: OrderRequest) -> str | None:
        newest = self._prices.get(request.symbol)
        if newest is None:
            return "no price was told yet"
        try:
            price = await self._execution.average_price(request)
        except ExecutionError as error:
            return f"it is not told ({error})"
        if price is None:
            return f"it does not take {plain(request.quantity)}"
        if price < multiply(newest, _WORST_SHARE):
            return (
                f"it takes {plain(request.quantity)} at {plain(round(price, 8))}, the newest price is {plain(newest)}"
            )
        return None
